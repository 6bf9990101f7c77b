/**
 * What the Activities of a workflow leave in the engine's database, and reading it again, maybe years and versions later.
 *
 * To the engine, a row is any JSON. What it says is read here, so that a row that can't be read is a failure with a type
 * and not the engine's defect. Rows are contract: `test/cases/journal.json` keeps those of each version.
 */
import * as Activity from "@effect/workflow/Activity"
import type { WorkflowEngine, WorkflowInstance } from "@effect/workflow/WorkflowEngine"
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { encode } from "../../internal/bytes.js"
import { Millis } from "../../internal/leaf.js"
import * as logLimit from "../../internal/logLimit.js"
import { fromIssue, type Problem } from "../../internal/problem.js"
import { oneLine, thrown } from "../../internal/text.js"
import type * as LumeClient from "../../LumeClient.js"
import * as LumeError from "../../LumeError.js"
import * as LumeRun from "../../LumeRun.js"
import { RunRequest } from "../../RunRequest.js"

// ---------------------------------------------------------------------------------------------------------------------
// Rows

const request = Schema.encodedSchema(RunRequest)

/** That a request is about to be sent, and by whom. */
export const Intent = Schema.Struct({
  /** The process that is about to send it. */
  incarnation: Schema.String,
  /** The number of this intent among those of that process. */
  number: Schema.Number,
  request
})

/** Until when a wait for a run goes on. */
export const Deadline = Schema.Struct({
  run_id: Schema.String,
  /** ISO 8601; null is for ever. */
  deadline: Schema.NullOr(Schema.String.pipe(Schema.filter((text) => !Number.isNaN(Date.parse(text))))),
  /** How long the wait was allowed to take when it began. */
  timeout: Millis
})

const kept = <R extends LumeRun.LumeRun>(run: Schema.Schema<R, LumeRun.Encoded>) => ({
  run,
  /** Whether all of the run is here. Of a run that is too large, only its id, its status and its pairs are. */
  complete: Schema.Boolean
})

/** A run as it is kept. */
export interface KeptRun<R extends LumeRun.LumeRun> {
  readonly run: R
  readonly complete: boolean
}

/** What a submit came to, and of which request. */
export const Submitted = Schema.Struct({ request, ...kept(LumeRun.LumeRun) })
export const NotSubmitted = Schema.Struct({ request, error: LumeError.SubmitError })

/** What a wait came to, and for which run. */
export const Ended = Schema.Struct({ run_id: Schema.String, ...kept(LumeRun.TerminalRun) })
export const NotEnded = Schema.Struct({
  run_id: Schema.String,
  error: LumeError.WaitError,
  /** The run as it was read before; absent where no read succeeded. */
  last_run: Schema.optional(LumeRun.LumeRun)
})

// ---------------------------------------------------------------------------------------------------------------------
// Bounds

/** The most that is kept of a run or an error, in bytes of JSON. */
const most = 1024 ** 2

/** The size of a value as JSON, in bytes. */
export const sizeOf = (json: unknown): number => encode(JSON.stringify(json)).length

const encodeRun = Schema.encodeSync(LumeRun.LumeRun)
const isLarge = (run: LumeRun.LumeRun): boolean => sizeOf(encodeRun(run)) > most

const withParts = <R extends LumeRun.LumeRun>(run: R, parts: { metadata?: unknown; run_metadata?: unknown }): R =>
  // the status, which decides the kind of run, stays
  LumeRun.fromWire({ id: run.id, status: run.status, ...parts }) as R

const withoutMetadata = <R extends LumeRun.LumeRun>(run: R): R => {
  const small = withParts(run, { run_metadata: run.runMetadata })
  return isLarge(small) ? withParts(run, {}) : small
}

const keep = <R extends LumeRun.LumeRun>(run: R): KeptRun<R> =>
  isLarge(run) ? { run: withoutMetadata(run), complete: false } : { run, complete: true }

/** Why a wait failed, as it is to be kept: a last run can be large. */
export const keepFailure = (
  error: LumeError.WaitError,
  lastRun: LumeRun.LumeRun | undefined
): Pick<typeof NotEnded.Type, "error" | "last_run"> => {
  const small = (run: LumeRun.LumeRun) => keep(run).run
  if (error._tag !== "TimeoutError") return { error, ...(lastRun && { last_run: small(lastRun) }) }
  return { error: new LumeError.TimeoutError({ ...error, lastRun: Option.map(error.lastRun, small) }) }
}

/**
 * What was left out of a run, read again. Its status is as it was kept. Where Lume can't say the rest now, the run is given
 * without it: the outcome matters more.
 */
const completed = <R extends LumeRun.LumeRun>(run: R, lume: LumeClient.Service): Effect.Effect<R> =>
  Effect.matchEffect(lume.runStatus(run.id), {
    onSuccess: ({ rawMetadata, runMetadata }) =>
      Effect.succeed(withParts(run, { metadata: rawMetadata, run_metadata: runMetadata })),
    onFailure: (error) =>
      Effect.as(Effect.logWarning(`The metadata of run ${run.id} is missing. ${error.message}`), run)
  })

/** Keeps a run, and gives it as it was before: whole, where this process has seen it. */
export const keeper = <R extends LumeRun.LumeRun>(lume: LumeClient.Service) => {
  let seen: R | undefined
  return {
    keep: (run: R): KeptRun<R> => {
      seen = run
      return keep(run)
    },
    restore: ({ complete, run }: KeptRun<R>): Effect.Effect<R> => {
      if (complete) return Effect.succeed(run)
      return seen?.id === run.id ? Effect.succeed(seen) : completed(run, lume)
    }
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Activities

/** A row that says nothing that this version understands. */
export class Unreadable extends Data.TaggedError("Unreadable")<Problem & { readonly preview: string }> {}

/** A defect can be anything, also what JSON can't hold and what is no text. */
const ofDefect = (defect: unknown): Unreadable => {
  const shown = thrown(defect)
  return new Unreadable({ path: "", expected: "a result", received: `the defect ${shown}`, preview: shown })
}

/** What an Activity does, and the schemas of its rows. */
export interface Options<A, IA, E, IE, R> {
  /** With the attempt, the key of the row. */
  readonly name: string
  readonly success: Schema.Schema<A, IA>
  readonly error: Schema.Schema<E, IE>
  readonly execute: Effect.Effect<A, E, R>
  /** Is run when the engine has written down what it came to. */
  readonly onKept?: Effect.Effect<void>
}

const resultOverdue = "ResultOverdue"

/**
 * The engine's own errors about a shard that moves, or a database that is away, which it gives as defects to the workflow,
 * which would end with them. And ours, of an engine that says nothing.
 */
const passing = new Set([
  "AlreadyProcessingMessage",
  "EntityNotAssignedToRunner",
  "MailboxFull",
  "PersistenceError",
  "RunnerNotRegistered",
  "RunnerUnavailable",
  resultOverdue
])

const isPassing = (cause: Cause.Cause<unknown>): boolean =>
  Option.exists(
    Cause.dieOption(cause),
    (defect) => Predicate.hasProperty(defect, "_tag") && typeof defect._tag === "string" && passing.has(defect._tag)
  )

const patience = Schedule.either(Schedule.exponential("200 millis"), Schedule.spaced("5 seconds"))

/** With so many failures, some seconds have gone: it is no move of a shard. */
const worthAWarning = 5

/**
 * Asks the engine again for as long as it can't answer: a workflow that has moved is interrupted meanwhile. Where that takes
 * long, it warns once a minute: what is wrong may never pass by itself.
 */
const patiently = <A, E, R>(name: string, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.suspend(() => {
    let failures = 0
    const limit = logLimit.make()
    const warn = (cause: Cause.Cause<unknown>) =>
      limit((leftOut) =>
        Effect.logWarning(
          `The engine does not answer for the Activity ${name}; it is asked until it does.${leftOut}`,
          cause
        )
      )
    return Effect.sandbox(effect).pipe(
      Effect.tapError((cause) => (isPassing(cause) && ++failures >= worthAWarning ? warn(cause) : Effect.void)),
      Effect.retry({ schedule: patience, while: isPassing }),
      Effect.unsandbox
    )
  })

/** How long the engine may take to write a result down. Each time that this was too short, it is longer by as much. */
const writingTime = Duration.seconds(10)

/**
 * Watches what an Activity executes. An engine that can't write a result down, because its database is away for a second,
 * gives none and takes the Activity to be on its way for ever. Once its call is interrupted, it executes the Activity again.
 */
const watch = <A, E, R>(execute: Effect.Effect<A, E, R>) => {
  const ended = Effect.unsafeMakeLatch()
  let hasEnded = false
  let timesOverdue = 0
  const set = (now: boolean) =>
    Effect.sync(() => {
      hasEnded = now
      if (now) ended.unsafeOpen()
      else ended.unsafeClose()
    })
  const writing = Effect.suspend(() => Effect.sleep(Duration.times(writingTime, timesOverdue + 1)))
  return {
    execute: Effect.ensuring(Effect.zipRight(set(false), execute), set(true)),
    /** Dies when the result is overdue. */
    overdue: Effect.repeat(Effect.zipRight(ended.await, writing), { until: () => hasEnded }).pipe(
      Effect.zipRight(Effect.sync(() => timesOverdue++)),
      Effect.zipRight(Effect.die({ _tag: resultOverdue }))
    )
  }
}

/**
 * Runs an Activity, or gives what it came to when it was run before. Besides its own errors it fails with `Unreadable`
 * where that is a row that can't be read.
 */
export const activity = <A, IA, E, IE, R>({
  error,
  execute,
  name,
  onKept = Effect.void,
  success
}: Options<A, IA, E, IE, R>) => {
  const encodeSuccess = Schema.encodeSync(success)
  const encodeError = Schema.encodeSync(error)

  const read = <B, IB>(schema: Schema.Schema<B, IB>, row: unknown): Effect.Effect<B, Unreadable> =>
    Effect.mapError(
      ParseResult.decodeUnknown(schema)(row),
      (issue) => new Unreadable({ ...fromIssue(issue, row), preview: oneLine(JSON.stringify(row) ?? String(row)) })
    )

  const watched = watch(Effect.mapBoth(execute, { onSuccess: encodeSuccess, onFailure: encodeError }))
  const engineActivity = Activity.make({
    name,
    success: Schema.Unknown,
    error: Schema.Unknown,
    execute: watched.execute
  })

  const row = Effect.tapBoth(patiently(name, Effect.raceFirst(engineActivity, watched.overdue)), {
    onSuccess: () => onKept,
    onFailure: () => onKept
  })
  const result: Effect.Effect<A, E | Unreadable, R | WorkflowEngine | WorkflowInstance> = Effect.matchEffect(row, {
    onSuccess: (row) => read(success, row),
    onFailure: (row) => Effect.flatMap(read(error, row), (failure) => Effect.fail(failure))
  })
  return Effect.catchAllDefect(result, (defect) =>
    Effect.zipRight(
      Effect.logError(`The Activity ${name} has ended in a defect.`, Cause.die(defect)),
      Effect.fail(ofDefect(defect))
    )
  )
}
