/**
 * What an ended run means to the command: its exit code, and what is said of it.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as quality from "../internal/quality.js"
import type { LumeError } from "../LumeError.js"
import type * as LumeMetadata from "../LumeMetadata.js"
import * as LumeRun from "../LumeRun.js"
import { clock } from "./frame.js"
import { sentence } from "./sentence.js"

/** What decides how an ended run is judged. */
export interface Standard {
  readonly acceptPartial: boolean
  readonly limits: LumeRun.Limits
}

/** An ended run, judged. */
export interface Judgement {
  readonly code: number
  /** Which run it is, and its status. */
  readonly headline: string
  /** What is said of it, a sentence a line. */
  readonly lines: ReadonlyArray<string>
  /** Why it does not pass the gate. */
  readonly error: Option.Option<LumeError>
}

const hasLimits = ({ limits }: Standard): boolean => Object.values(limits).some((limit) => limit !== undefined)

/** Both numbers with as many digits as tell them apart, at least three. */
export const apart = (actual: number, limit: number): readonly [string, string] => {
  for (let digits = 3; digits < 17; digits++) {
    const [one, other] = [Number(actual.toPrecision(digits)), Number(limit.toPrecision(digits))]
    if (one !== other || actual === limit) return [String(one), String(other)]
  }
  return [String(actual), String(limit)]
}

const checkLine = (check: quality.Check): string => {
  const verdict = quality.isWithin(check) ? "passed" : "breached"
  return Option.match(check.actual, {
    onNone: () => `  ${quality.nameOf(check)}: can't be measured (limit ${check.limit}), breached`,
    onSome: (actual) => {
      const [one, other] = apart(actual, check.limit)
      return `  ${quality.nameOf(check)}: ${one} (limit ${other}), ${verdict}`
    }
  })
}

const time = (duration: Duration.Duration): string => {
  const millis = Duration.toMillis(duration)
  return millis < 60_000 ? `${(millis / 1000).toFixed(1)} s` : clock(millis)
}

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`

const finishedLines = ({ pipeline, results, validation }: LumeMetadata.LumeMetadata): ReadonlyArray<string> => [
  `  ${plural(results.inputRows, "row")} in, ${results.mappedRows} mapped, ${results.rejectedRows} rejected, in ${time(pipeline.duration)}`,
  ...validation.topErrors.slice(0, 5).map(({ count, errorCode, field }) => `  ${errorCode} on ${field}: ${count}`)
]

const failedLines = ({ errors }: LumeMetadata.FailedMetadata): ReadonlyArray<string> =>
  errors.length === 0
    ? ["  Lume names no cause"]
    : errors.slice(0, 5).map(({ errorCode, message, stage }) => `  in ${stage}, ${errorCode}: ${message}`)

const noCounts: quality.Counts = {
  results: { inputRows: 0, rejectedRows: 0 },
  validation: { testsExecuted: 0, testsFailed: 0, topErrors: [] }
}

/** Of each limit, where there is no data to measure. */
const unmeasured = (limits: LumeRun.Limits): ReadonlyArray<string> =>
  quality.checks(limits, noCounts).map((check) => checkLine({ ...check, actual: Option.none() }))

const linesOf = (run: LumeRun.TerminalRun, limits: LumeRun.Limits): Effect.Effect<ReadonlyArray<string>> => {
  const unreadable = (error: LumeMetadata.MetadataDecodeError) => [`  ${sentence(error)}`, ...unmeasured(limits)]
  return run._tag === "Succeeded" || run._tag === "PartialFailed"
    ? Effect.match(run.metadata, {
        onFailure: unreadable,
        onSuccess: (metadata) => [...finishedLines(metadata), ...quality.checks(limits, metadata).map(checkLine)]
      })
    : Effect.match(run.metadata, {
        onFailure: unreadable,
        onSuccess: (metadata) => [...failedLines(metadata), ...unmeasured(limits)]
      })
}

/** The code of a run's status alone; 0 if it has not ended. */
const codeOf = (run: LumeRun.LumeRun, acceptPartial: boolean): number => {
  switch (run._tag) {
    case "PartialFailed":
      return acceptPartial ? 0 : 3
    case "Failed":
    case "Crashed":
      return 4
    default:
      return 0
  }
}

/** Judges a run that has ended. */
export const judge = (run: LumeRun.TerminalRun, standard: Standard): Effect.Effect<Judgement> =>
  Effect.gen(function* () {
    const error = hasLimits(standard)
      ? yield* Effect.match(LumeRun.gate(run, standard.limits), {
          onFailure: (error) => Option.some<LumeError>(error),
          onSuccess: () => Option.none<LumeError>()
        })
      : Option.none<LumeError>()
    const passedGate = hasLimits(standard) && Option.isNone(error)
    return {
      code: Option.isSome(error) ? 4 : codeOf(run, standard.acceptPartial || passedGate),
      headline: `${run.id} ${run.status}`,
      lines: yield* linesOf(run, standard.limits),
      error
    }
  })

/** The code of a run that was read once. */
export const codeOfStatus = (run: LumeRun.LumeRun): number => codeOf(run, false)

const severity = [0, 3, 4, 5, 1, 6]

/** The code of several: a client error before a timeout before the worst run. */
export const worst = (codes: ReadonlyArray<number>): number =>
  codes.reduce((worst, code) => (severity.indexOf(code) > severity.indexOf(worst) ? code : worst), 0)
