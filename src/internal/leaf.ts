/**
 * The leaves of Lume's JSON: what is accepted for each, and what it means.
 *
 * Reading is lenient where nothing is lost by it (a number written as a string, a time without a zone, which is UTC)
 * and refuses the rest. Each schema only accepts; the function beside it converts what was accepted.
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Record from "effect/Record"
import * as Schema from "effect/Schema"

const decimal = /^\d+(\.\d+)?([eE][+-]?\d+)?$/

/** The number that is meant: itself, or what its decimal text says; else NaN. */
export const toNumber = (value: unknown): number =>
  typeof value === "number" ? value + 0 : typeof value === "string" && decimal.test(value) ? Number(value) : Number.NaN

const leaf = (is: (value: unknown) => boolean, description: string) =>
  Schema.declare((value: unknown): value is number | string => is(value), { description })

/** A count: a non-negative integer that a JavaScript number holds exactly, or its decimal text. */
export const Count = leaf((value) => {
  const count = toNumber(value)
  return Number.isSafeInteger(count) && count >= 0
}, "a non-negative integer of at most 2^53 - 1")

/** A time span in seconds, fractions allowed. */
export const Seconds = leaf((value) => {
  const seconds = toNumber(value)
  return Number.isFinite(seconds) && seconds >= 0
}, "a non-negative number of seconds")
export const toDuration = (value: number | string): Duration.Duration => Duration.seconds(toNumber(value))
export const fromDuration = (value: Duration.Duration): number => Duration.toSeconds(value)

/** A ratio from 0 to 1. */
export const Ratio = leaf((value) => {
  const ratio = toNumber(value)
  return ratio >= 0 && ratio <= 1
}, "a ratio from 0 to 1")

const instant = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d)(?::(\d\d)(?:[.,](\d+))?)?\s?(?:[Zz]|([+-])(\d\d):?(\d\d)?)?$/
const epoch = /^\d{10}(\d{3})?(\.\d+)?$/

/** Numbers from here on are milliseconds, below it seconds: 1973 in the one, the year 5138 in the other. */
const firstMillis = 1e11
const lastMillis = 8.64e15

const epochMillis = (value: number): number => {
  const millis = Math.floor(Math.abs(value) < firstMillis ? value * 1000 : value)
  return Math.abs(millis) <= lastMillis ? millis : Number.NaN
}

/** Milliseconds since 1970 of whatever can be read as an instant, else NaN. */
const toEpochMillis = (value: unknown): number => {
  if (typeof value === "number") return epochMillis(value)
  if (typeof value !== "string") return Number.NaN
  if (epoch.test(value)) return epochMillis(Number(value))
  const match = instant.exec(value)
  if (match === null) return Number.NaN
  const [, date, time, second = "00", fraction = "", sign, hours = "0", minutes = "0"] = match
  const utc = `${date}T${time}:${second}.${fraction.slice(0, 3).padEnd(3, "0")}Z`
  const millis = Date.parse(utc)
  // Date.parse rolls a 30th of February over into March: what it read must be what was written.
  if (Number.isNaN(millis) || new Date(millis).toISOString() !== utc) return Number.NaN
  if (Number(hours) > 23 || Number(minutes) > 59) return Number.NaN
  const offset = (Number(hours) * 60 + Number(minutes)) * 60_000
  return sign === undefined ? millis : sign === "+" ? millis - offset : millis + offset
}

/** An instant: ISO 8601 (UTC where it names no zone), or seconds or milliseconds since 1970. */
export const Timestamp = leaf(
  (value) => !Number.isNaN(toEpochMillis(value)),
  "a timestamp such as 2026-11-03T08:15:00Z"
)
export const toUtc = (value: number | string): DateTime.Utc => DateTime.unsafeMake(toEpochMillis(value))
export const fromUtc = (value: DateTime.Utc): string => DateTime.formatIso(value)

/** A JSON object. It is kept as it came: copying it key by key would lose a key named `__proto__`. */
export const JsonObject = Schema.declare(
  (value: unknown): value is { readonly [key: string]: unknown } =>
    typeof value === "object" && value !== null && !Array.isArray(value),
  { description: "an object" }
)

/** A field that may be absent or null. */
export const absent = <S extends Schema.Schema.Any>(schema: S): Schema.optional<Schema.NullOr<S>> =>
  Schema.optional(Schema.NullOr(schema))

/** Fields each of which may be absent or null. */
export const absentAll = <F extends { readonly [key: string]: Schema.Schema.Any }>(fields: F) =>
  // Record.map forgets which key has which schema.
  Record.map(fields, absent) as { readonly [K in keyof F]: Schema.optional<Schema.NullOr<F[K]>> }

/** The other side of such fields. */
export const optionAll = <F extends { readonly [key: string]: Schema.Schema.Any }>(fields: F) =>
  // Record.map forgets which key has which schema.
  Record.map(fields, Schema.OptionFromSelf) as { readonly [K in keyof F]: Schema.OptionFromSelf<F[K]> }
