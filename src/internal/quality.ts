/**
 * Whether the data of a run is good enough: counts of its metadata beside limits.
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { nullable } from "./fields.js"
import { Finite } from "./leaf.js"
import { oneLine, preview } from "./text.js"

/** How bad data may be. A value equal to its limit passes, and 0 is a limit. What is not given is not looked at. */
export interface Limits {
  /** The largest share of executed tests that may fail, from 0 to 1. 0 if no test was executed. */
  readonly maxErrorRate?: number | undefined
  /** The largest share of input rows that may be rejected, from 0 to 1. 0 if there are no input rows. */
  readonly maxRejectedShare?: number | undefined
  /** The largest number of rejected rows. */
  readonly maxRejectedRows?: number | undefined
  /** The smallest number of input rows. The other limits let an empty input pass. */
  readonly minInputRows?: number | undefined
  /**
   * The largest count of each error code, summed over its fields. A code that the metadata does not list counts 0 if
   * the listed counts add up to all failed tests; else it can't be measured, and does not pass.
   */
  readonly errorCodes?: { readonly [code: string]: number | undefined } | undefined
}

// an object, so that none can be forgotten
const limitNames: ReadonlyArray<string> = Object.keys({
  maxErrorRate: true,
  maxRejectedShare: true,
  maxRejectedRows: true,
  minInputRows: true,
  errorCodes: true
} satisfies Record<keyof Limits, true>)

/** Why limits can't be meant so; `undefined` where they can. */
export const problemOf = (limits: unknown): string | undefined => {
  if (typeof limits !== "object" || limits === null) return `must be an object, but are ${preview(limits)}`
  const unknown = Object.keys(limits).find((name) => !limitNames.includes(name))
  return unknown === undefined ? undefined : `have no ${preview(unknown)}. There are ${limitNames.join(", ")}`
}

/** A limit that the data breaks, or that can't be measured. */
export const Breach = Schema.Struct({
  /** What is limited. */
  measure: Schema.Literal("errorRate", "rejectedShare", "rejectedRows", "inputRows", "errorCode"),
  /** The error code that is counted, if `measure` is `errorCode`. */
  code: nullable(Schema.String),
  /** The limit; `None` if it can't be right: not a number, negative, or a ratio above 1. */
  limit: nullable(Finite),
  /** The run's value; `None` if its metadata does not tell. */
  actual: nullable(Finite)
})

/** @see Breach */
export type Breach = typeof Breach.Type

/** What is judged: counts of a run's metadata. */
export interface Counts {
  readonly results: { readonly inputRows: number; readonly rejectedRows: number }
  readonly validation: {
    readonly testsExecuted: number
    readonly testsFailed: number
    readonly topErrors: ReadonlyArray<{ readonly errorCode: string; readonly count: number }>
  }
}

/** A limit that was given, beside the run's value. */
export interface Check {
  readonly measure: Breach["measure"]
  readonly code: Option.Option<string>
  readonly limit: number
  readonly actual: Option.Option<number>
}

const isRatio = (measure: Breach["measure"]): boolean => measure === "errorRate" || measure === "rejectedShare"

/** 0 of 0 is 0; some of 0 is no ratio. */
const quotient = (part: number, whole: number): Option.Option<number> =>
  whole === 0 ? Option.liftPredicate(part, (part) => part === 0) : Option.some(part / whole)

const countOf = (code: string, { testsFailed, topErrors }: Counts["validation"]): Option.Option<number> => {
  const sum = (errors: typeof topErrors): number => errors.reduce((total, { count }) => total + count, 0)
  const listed = topErrors.filter(({ errorCode }) => errorCode === code)
  return listed.length > 0 || sum(topErrors) === testsFailed ? Option.some(sum(listed)) : Option.none()
}

/** Infinitely many of something is no limit. */
const bounded = (most: number | undefined): number | undefined => (most === Infinity ? undefined : most)

/** Every limit that was given, beside the run's value. */
export const checks = (limits: Limits, { results, validation }: Counts): ReadonlyArray<Check> => {
  const all = [
    ["errorRate", limits.maxErrorRate, quotient(validation.testsFailed, validation.testsExecuted)],
    ["rejectedShare", limits.maxRejectedShare, quotient(results.rejectedRows, results.inputRows)],
    ["rejectedRows", bounded(limits.maxRejectedRows), Option.some(results.rejectedRows)],
    ["inputRows", limits.minInputRows, Option.some(results.inputRows)]
  ] as const
  return [
    ...all.flatMap(([measure, limit, actual]) =>
      limit === undefined ? [] : [{ measure, code: Option.none(), limit, actual }]
    ),
    ...Object.entries(limits.errorCodes ?? {}).flatMap(([code, most]) => {
      const limit = bounded(most)
      return limit === undefined
        ? []
        : [{ measure: "errorCode" as const, code: Option.some(code), limit, actual: countOf(code, validation) }]
    })
  ]
}

/** 5 for a ratio is meant as 5%. Plain JavaScript can give what is not a number. */
const canBeRight = ({ limit, measure }: Check): boolean =>
  typeof limit === "number" && limit >= 0 && limit <= (isRatio(measure) ? 1 : Number.MAX_VALUE)

/** Whether the data stays within a limit. */
export const isWithin = (check: Check): boolean =>
  canBeRight(check) &&
  Option.exists(check.actual, (actual) =>
    check.measure === "inputRows" ? actual >= check.limit : actual <= check.limit
  )

/** Every limit that the data breaks, or that can't be measured. */
export const breaches = (limits: Limits, counts: Counts): ReadonlyArray<Breach> =>
  checks(limits, counts)
    .filter((check) => !isWithin(check))
    .map((check) => ({
      measure: check.measure,
      code: check.code,
      limit: Option.liftPredicate(check.limit, () => canBeRight(check)),
      actual: check.actual
    }))

const names = {
  errorRate: "the share of failed tests",
  rejectedShare: "the share of rejected rows",
  rejectedRows: "the number of rejected rows",
  inputRows: "the number of input rows",
  errorCode: "the count of"
}

/** What is limited, such as "the share of rejected rows" or "the count of INVALID_DATE". */
export const nameOf = ({ code, measure }: Pick<Breach, "code" | "measure">): string =>
  Option.match(code, { onNone: () => names[measure], onSome: (code) => `${names[measure]} ${oneLine(code, 80)}` })

/** A breach as a message says it. */
export const explain = (breach: Breach): string => {
  const name = nameOf(breach)
  if (Option.isNone(breach.limit)) {
    return `the limit of ${name} must be ${isRatio(breach.measure) ? "a ratio from 0 to 1 (did you mean 0.05 for 5%?)" : "a number of at least 0"}`
  }
  const limit = breach.limit.value
  return Option.match(breach.actual, {
    onNone: () => `${name} can't be measured, because the metadata does not tell it (limit ${limit})`,
    onSome: (actual) => `${name} is ${actual}, ${actual > limit ? "above" : "below"} the limit of ${limit}`
  })
}
