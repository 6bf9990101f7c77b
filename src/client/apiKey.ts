/**
 * The API key: what can be one, and how it is kept out of text that comes from outside.
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { InvalidRequestError } from "../LumeError.js"

const visibleAscii = /^[\x21-\x7e]+$/

const refuse = (detail: string) => Effect.fail(new InvalidRequestError({ detail }))

/** The key without white space around it. Where it can't be sent as a header, the refusal never shows it. */
export const check = (apiKey: unknown): Effect.Effect<string, InvalidRequestError> => {
  if (!Redacted.isRedacted(apiKey)) return refuse("apiKey must be a Redacted string: wrap the key in Redacted.make")
  const value = Redacted.value(apiKey)
  const key = typeof value === "string" ? value.trim() : ""
  if (key === "") return refuse("the API key is empty: set LUME_API_KEY or the apiKey option")
  return visibleAscii.test(key)
    ? Effect.succeed(key)
    : refuse("the API key holds white space or characters outside ASCII, so it can't be a header: copy it again")
}

/** Shorter texts are no secrets, and turn up in answers by chance. */
const shortest = 6

const replacement = "<redacted>"

const scrubValue = (value: unknown, key: string): unknown => {
  if (typeof value === "string") return value.replaceAll(key, replacement)
  if (Array.isArray(value)) return value.map((item) => scrubValue(item, key))
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, scrubValue(item, key)]))
}

/** Cuts the key out of what an answer says, should the answer echo it. */
export interface Scrub {
  readonly text: (text: string) => string
  /** `json` is what `text` was parsed to. */
  readonly json: (json: unknown, text: string) => unknown
}

/** @see Scrub */
export const scrub = (key: string): Scrub =>
  key.length < shortest
    ? { text: (text) => text, json: (json) => json }
    : {
        text: (text) => text.replaceAll(key, replacement),
        json: (json, text) => (text.includes(key) ? scrubValue(json, key) : json)
      }
