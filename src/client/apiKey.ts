/**
 * The API key: what can be one, and how it is kept out of text that comes from outside.
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { textOf } from "../internal/redacted.js"
import type { InvalidRequestError } from "../LumeError.js"
import { refuse } from "./refuse.js"

/** What a header can hold. */
export const visibleAscii = /^[\x21-\x7e]+$/

/** The key without white space around it. If it can't be sent as a header, the refusal never shows it. */
export const check = (apiKey: unknown): Effect.Effect<string, InvalidRequestError> => {
  if (!Redacted.isRedacted(apiKey)) return refuse("apiKey must be a Redacted string: wrap the key in Redacted.make")
  const key = textOf(apiKey).trim()
  if (key === "") return refuse("the API key is empty or wiped: set LUME_API_KEY or the apiKey option")
  return visibleAscii.test(key)
    ? Effect.succeed(key)
    : refuse("the API key holds white space or characters outside ASCII, so it can't be a header: copy it again")
}

/** Shorter texts are no secrets, and turn up in answers by chance. */
const shortest = 6

const replacement = "<redacted>"

const hex = (char: string, digits: number): string => char.charCodeAt(0).toString(16).padStart(digits, "0")

/** The characters that HTML has names for. */
const entities: ReadonlyMap<string, string> = new Map([
  ["&", "amp"],
  ["<", "lt"],
  [">", "gt"],
  ['"', "quot"],
  ["'", "apos"]
])

/**
 * The key as it is, or with any of its characters escaped as JSON (also JSON within JSON), URLs and HTML can write them.
 */
const spellings = (key: string): RegExp =>
  new RegExp(
    Array.from(key, (char) => {
      const literal = char.replace(/[^\w]/, "\\$&")
      const named = entities.has(char) ? `|${entities.get(char)}` : ""
      const entity = `&(?:#0*${char.charCodeAt(0)}|#x0*${hex(char, 2)}${named});`
      return `(?:\\\\{0,3}${literal}|\\\\{1,3}u${hex(char, 4)}|%${hex(char, 2)}|${entity})`
    }).join(""),
    "gi"
  )

/**
 * Cuts the key out of every text and every name in what JSON was parsed to. In place, and without recursion, because
 * an answer may be nested deeper than the stack is.
 */
const scrubParsed = (root: unknown, scrub: (text: string) => string): unknown => {
  if (typeof root === "string") return scrub(root)
  const open: Array<unknown> = [root]
  while (open.length > 0) {
    const holder = open.pop()
    if (typeof holder !== "object" || holder === null) continue
    for (const [name, value] of Object.entries(holder)) {
      const clean = Array.isArray(holder) ? name : scrub(name)
      if (clean !== name) Reflect.deleteProperty(holder, name)
      // not by assignment, which would lose a property named __proto__
      Object.defineProperty(holder, clean, {
        value: typeof value === "string" ? scrub(value) : value,
        configurable: true,
        enumerable: true,
        writable: true
      })
      open.push(value)
    }
  }
  return root
}

/** Cuts the key out of what an answer says, should the answer echo it. */
export interface Scrub {
  readonly text: (text: string) => string
  /** `json` is what `text` was parsed to, and is changed if it holds the key. */
  readonly json: (json: unknown, text: string) => unknown
}

/** @see Scrub */
export const scrub = (key: string): Scrub => {
  if (key.length < shortest) return { text: (text) => text, json: (json) => json }
  const spelled = spellings(key)
  const text = (text: string): string => text.replaceAll(spelled, replacement)
  // most answers hold neither the key nor an escape, which is seen at once
  const mayHold = (text: string): boolean => text.includes(key) || /[\\%&]/.test(text)
  return { text, json: (json, source) => (mayHold(source) && text(source) !== source ? scrubParsed(json, text) : json) }
}
