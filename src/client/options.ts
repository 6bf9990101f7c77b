/**
 * Checks of what callers give: durations, URLs, run ids. A refusal is a sentence that names the option.
 */
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type { RunId } from "../LumeRun.js"
import { preview } from "../internal/text.js"

const isNegative = (input: unknown): boolean =>
  Array.isArray(input)
    ? input.some(isNegative)
    : typeof input === "string"
      ? input.trim().startsWith("-")
      : (typeof input === "number" && !(input >= 0)) || (typeof input === "bigint" && input < 0n)

/** A duration, whatever is given; undefined where it is none. */
export const duration = (input: unknown): Duration.Duration | undefined =>
  Option.getOrUndefined(Duration.decodeUnknown(input))

/**
 * A duration in milliseconds. What the caller gave is checked, not what it becomes: `Duration.decode` turns NaN and
 * negative numbers into zero.
 */
export const millis = (
  name: string,
  input: Duration.DurationInput,
  allow: { readonly zero?: boolean; readonly infinity?: boolean } = {}
): Either.Either<number, string> => {
  const decoded = isNegative(input) ? undefined : duration(input)
  const value = decoded === undefined ? Number.NaN : Duration.toMillis(decoded)
  const fits = (value > 0 || (value === 0 && allow.zero)) && (value < Infinity || allow.infinity)
  if (fits) return Either.right(value)
  const given = Duration.isDuration(input) ? Duration.format(input) : preview(input)
  const kind = `a ${allow.zero ? "non-negative" : "positive"}${allow.infinity ? "" : ", finite"} duration`
  return Either.left(`${name} must be ${kind}, such as "10 seconds" or a number of milliseconds, but is ${given}`)
}

/** A positive integer. */
export const count = (name: string, value: number, least: number): Either.Either<number, string> =>
  Number.isSafeInteger(value) && value >= least
    ? Either.right(value)
    : Either.left(`${name} must be an integer of at least ${least}, but is ${preview(value)}`)

/** A base URL without a slash at its end. */
export const baseUrl = (input: string): Either.Either<string, string> => {
  const refusal = `baseUrl must be an http or https URL without credentials, query and fragment, but is ${preview(input)}`
  return Either.flatMap(Either.try({ try: () => new URL(input), catch: () => refusal }), (url) =>
    /^https?:$/.test(url.protocol) && url.username + url.password + url.search + url.hash === ""
      ? Either.right((url.origin + url.pathname).replace(/\/+$/, ""))
      : Either.left(url.username + url.password === "" ? refusal : "baseUrl must not hold credentials")
  )
}

const segment = /^(?!\.{1,2}$)[^/?#\s\p{Cc}\p{Cs}]+$/u

/** A run id that can be sent: one segment of a path. */
export const runId = (id: unknown): Either.Either<RunId, string> =>
  typeof id === "string" && segment.test(id)
    ? Either.right(id as RunId) // RunId asks for less: a non-empty string
    : Either.left(
        `a run id must be a non-empty text without "/", "?", "#", white space or control characters, and neither "." nor "..", but is ${preview(id)}`
      )
