/**
 * The leaves of Lume's JSON: Lume's form on the encoded side, Effect's types on the other.
 *
 * Reading is lenient where nothing is lost by it (a number written as a string, a time without a zone, which is UTC)
 * and refuses the rest. What is read, and what is written, is exact.
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"

const decimal = /^\d+(\.\d+)?([eE][+-]?\d+)?$/

/** The number that is meant: itself, or what its decimal text says; else NaN. */
const toNumber = (value: unknown): number =>
  typeof value === "number" ? value + 0 : typeof value === "string" && decimal.test(value) ? Number(value) : Number.NaN

/** A leaf that Lume writes as a number or as text. `decode` is given what is readable. */
const leaf = <A>(options: {
  /** What a message says was expected. */
  readonly description: string
  readonly isReadable: (value: unknown) => boolean
  readonly type: Schema.Schema<A>
  readonly decode: (value: number | string) => A
  readonly encode: (value: A) => number | string
}) =>
  Schema.transform(
    Schema.declare((value: unknown): value is number | string => options.isReadable(value)),
    options.type,
    { strict: true, decode: options.decode, encode: options.encode }
  ).annotations({ description: options.description })

/** A number of some kind. */
const numeric = (description: string, is: (value: number) => boolean) =>
  leaf({
    description,
    isReadable: (value) => is(toNumber(value)),
    // one predicate, where refinements of a number would be several steps each
    type: Schema.declare((value: unknown): value is number => typeof value === "number" && is(value), { description }),
    decode: toNumber,
    encode: (value) => value
  })

/** A count: a non-negative integer that a JavaScript number holds exactly, or its decimal text. */
export const Count = numeric(
  "a non-negative integer of at most 2^53 - 1",
  (count) => Number.isSafeInteger(count) && count >= 0
)

/** A ratio from 0 to 1. */
export const Ratio = numeric("a ratio from 0 to 1", (ratio) => ratio >= 0 && ratio <= 1)

/** A time span in seconds, fractions allowed. */
export const Seconds = leaf({
  description: "a non-negative number of seconds",
  isReadable: (value) => {
    const seconds = toNumber(value)
    return Number.isFinite(seconds) && seconds >= 0
  },
  type: Schema.DurationFromSelf,
  decode: (value) => Duration.seconds(toNumber(value)),
  encode: (duration) => Duration.toSeconds(duration)
})

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
export const Timestamp = leaf({
  description: "a timestamp such as 2026-11-03T08:15:00Z",
  isReadable: (value) => !Number.isNaN(toEpochMillis(value)),
  type: Schema.DateTimeUtcFromSelf,
  decode: (value) => DateTime.unsafeMake(toEpochMillis(value)),
  encode: (time) => DateTime.formatIso(time)
})

/** A JSON object. It is kept as it came: copying it key by key would lose a key named `__proto__`. */
export const JsonObject = Schema.declare(
  (value: unknown): value is { readonly [key: string]: unknown } =>
    typeof value === "object" && value !== null && !Array.isArray(value),
  { description: "an object" }
)

/** A field that may be absent or null. */
export const absent = <S extends Schema.Schema.Any>(schema: S): Schema.optional<Schema.NullOr<S>> =>
  Schema.optional(Schema.NullOr(schema))
