/**
 * The leaves of Lume's JSON: Lume's form on the encoded side, Effect's types on the other.
 *
 * Reading is lenient as long as nothing is lost by it (a number written as a string, a time without a zone, which is UTC)
 * and refuses the rest. What is read, and what is written, is exact.
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { type Arbitrary, derive } from "./derive.js"
import * as json from "./json.js"

const decimal = /^\d+(\.\d+)?([eE][+-]?\d+)?$/

/** The number that is meant: itself, or what its decimal text says; else NaN. */
const toNumber = (value: unknown): number =>
  typeof value === "number" ? value + 0 : typeof value === "string" && decimal.test(value) ? Number(value) : Number.NaN

/** A leaf that is a number or text in JSON. */
const leaf = <A>(options: {
  /** What a message says was expected. */
  readonly description: string
  readonly isReadable: (value: unknown) => boolean
  /** Converts what is readable. */
  readonly decode: (value: number | string) => A
  readonly encode: (value: A) => number | string
  readonly type: Schema.SchemaClass<A>
  readonly arbitrary: Arbitrary<A>
  readonly jsonSchema: object
}) =>
  Schema.transform(
    Schema.declare(
      (value: unknown): value is number | string => options.isReadable(value),
      derive({
        description: options.description,
        arbitrary: (fc) => options.arbitrary(fc).map(options.encode),
        pretty: (value) => JSON.stringify(value),
        jsonSchema: options.jsonSchema
      })
    ),
    options.type.annotations(derive({ description: options.description, arbitrary: options.arbitrary })),
    { strict: true, decode: options.decode, encode: options.encode }
  ).annotations({ description: options.description })

/** What is asked of a number. */
interface Numeric {
  readonly description: string
  readonly is: (value: number) => boolean
  readonly arbitrary: Arbitrary<number>
  readonly jsonSchema: object
}

/** A number of some kind: one predicate. Refinements would be several steps, and are lost on the encoded side. */
const number = ({ arbitrary, description, is, jsonSchema }: Numeric) =>
  Schema.declare(
    (value: unknown): value is number => typeof value === "number" && is(value),
    derive({ description, arbitrary, jsonSchema, pretty: String })
  )

/** The same as a leaf that may be decimal text. */
const numeric = (options: Numeric) =>
  leaf({
    ...options,
    isReadable: (value) => options.is(toNumber(value)),
    decode: toNumber,
    encode: (value) => value,
    type: number(options)
  })

const natural: Numeric = {
  description: "a non-negative integer of at most 2^53 - 1",
  is: (count) => Number.isSafeInteger(count) && count >= 0,
  arbitrary: (fc) => fc.maxSafeNat(),
  jsonSchema: { type: "integer", minimum: 0, maximum: Number.MAX_SAFE_INTEGER }
}

/** A non-negative integer that a JavaScript number holds exactly. */
export const Natural = number(natural)

/** The same, or its decimal text. */
export const Count = numeric(natural)

/** A ratio from 0 to 1. */
export const Ratio = numeric({
  description: "a ratio from 0 to 1",
  is: (ratio) => ratio >= 0 && ratio <= 1,
  // JSON knows no -0
  arbitrary: (fc) => fc.double({ min: 0, max: 1, noNaN: true }).map((ratio) => ratio + 0),
  jsonSchema: { type: "number", minimum: 0, maximum: 1 }
})

const isSpan = (value: number): boolean => Number.isFinite(value) && value >= 0

const duration: Arbitrary<Duration.Duration> = (fc) => fc.nat().map((millis) => Duration.millis(millis))

/** A time span in seconds, fractions allowed. */
export const Seconds = leaf({
  description: "a non-negative number of seconds",
  isReadable: (value) => isSpan(toNumber(value)),
  decode: (value) => Duration.seconds(toNumber(value)),
  encode: (duration) => Duration.toSeconds(duration),
  type: Schema.DurationFromSelf,
  arbitrary: duration,
  jsonSchema: { type: "number", minimum: 0 }
})

/** A time span in milliseconds, `"Infinity"` if it has no end. */
export const Millis = leaf({
  description: 'a non-negative number of milliseconds, or "Infinity"',
  isReadable: (value) => value === "Infinity" || isSpan(toNumber(value)),
  decode: (value) => Duration.millis(Number(value)),
  encode: (duration) => {
    const millis = Duration.toMillis(duration)
    return millis === Infinity ? "Infinity" : millis
  },
  type: Schema.DurationFromSelf,
  arbitrary: (fc) => fc.oneof(duration(fc), fc.constant(Duration.infinity)),
  jsonSchema: {
    anyOf: [
      { type: "number", minimum: 0 },
      { type: "string", enum: ["Infinity"] }
    ]
  }
})

// years that are not of four digits are written with a sign and six
const instant =
  /^((?:\d{4}|[+-]\d{6})-\d\d-\d\d)[Tt ](\d\d:\d\d)(?::(\d\d)(?:[.,](\d+))?)?\s?(?:[Zz]|([+-])(\d\d):?(\d\d)?)?$/
const epoch = /^\d{10}(\d{3})?(\.\d+)?$/

/** Numbers from here on are milliseconds, below it seconds: 1973 in the one, the year 5138 in the other. */
const firstMillis = 1e11
const lastMillis = 8.64e15

const inRange = (millis: number): number => (Math.abs(millis) <= lastMillis ? millis : Number.NaN)

const epochMillis = (value: number): number => inRange(Math.floor(Math.abs(value) < firstMillis ? value * 1000 : value))

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
  return inRange(sign === undefined ? millis : sign === "+" ? millis - offset : millis + offset)
}

/** An instant: ISO 8601 (UTC if it names no zone), or seconds or milliseconds since 1970. */
export const Timestamp = leaf({
  description: "a timestamp such as 2026-11-03T08:15:00Z",
  isReadable: (value) => !Number.isNaN(toEpochMillis(value)),
  decode: (value) => DateTime.unsafeMake(toEpochMillis(value)),
  encode: (time) => DateTime.formatIso(time),
  type: Schema.DateTimeUtcFromSelf,
  arbitrary: (fc) => fc.integer({ min: 0, max: 4e12 }).map((millis) => DateTime.unsafeMake(millis)),
  jsonSchema: { type: "string", format: "date-time" }
})

const write = (value: unknown): string => String(JSON.stringify(value))

/** What makes JSON values: fast-check knows -0 and objects without a prototype, JSON does not. */
export const jsonValue: Arbitrary<unknown> = (fc) =>
  fc.jsonValue().map((value): unknown => JSON.parse(JSON.stringify(value)))

/** The JSON Schema of any JSON. */
export const anyJson = { type: ["object", "array", "string", "number", "boolean", "null"] }

/** Any JSON value, as it came. */
export const Json = Schema.declare(
  Predicate.isUnknown,
  derive<unknown>({
    description: "any JSON",
    arbitrary: jsonValue,
    pretty: write,
    equivalence: json.equals,
    jsonSchema: anyJson
  })
)

/** What makes JSON objects. */
export const jsonObject: Arbitrary<{ readonly [key: string]: unknown }> = (fc) =>
  fc.dictionary(fc.string(), fc.jsonValue()).map((object) => JSON.parse(JSON.stringify(object)))

/** A JSON object. It is kept as it came: copying it key by key would lose a key named `__proto__`. */
export const JsonObject = Schema.declare(
  (value: unknown): value is { readonly [key: string]: unknown } =>
    typeof value === "object" && value !== null && !Array.isArray(value),
  derive<{ readonly [key: string]: unknown }>({
    description: "an object",
    arbitrary: jsonObject,
    pretty: write,
    equivalence: json.equals,
    jsonSchema: { type: "object" }
  })
)

/** An integer. */
export const Integer = number({
  description: "an integer",
  is: Number.isSafeInteger,
  arbitrary: (fc) => fc.integer(),
  jsonSchema: { type: "integer" }
})

/** A number that JSON can hold. */
export const Finite = number({
  description: "a finite number",
  is: Number.isFinite,
  // JSON knows no -0
  arbitrary: (fc) => fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
  jsonSchema: { type: "number" }
})

/** Null, or undefined in what has not been JSON. */
export const Nothing = Schema.declare(
  (value: unknown): value is null | undefined => value === null || value === undefined,
  derive<null | undefined>({
    arbitrary: (fc) => fc.constant(null),
    pretty: String,
    jsonSchema: { type: "null" }
  })
)
