/**
 * Durable submits and waits, inside a workflow of `@effect/workflow`: they outlive the process, on the SQLite or the
 * PostgreSQL and the machines that the workflow's engine has.
 *
 * A submit is sent at most once, unless `ifUnknown` says otherwise. A wait is made at least once, until the deadline that
 * it was first given. Both end as Lume says, and a workflow that is run again gets the same end.
 *
 * The names are contract: a workflow on its way that finds another name in its code submits again.
 *
 * @module
 * @since 1.0.0
 */
import { WorkflowInstance, type WorkflowEngine } from "@effect/workflow/WorkflowEngine"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as check from "../client/options.js"
import { lastReadTime } from "../client/polling.js"
import { refuse } from "../client/refuse.js"
import * as submission from "../client/submission.js"
import * as waitDefaults from "../client/waitDefaults.js"
import * as json from "../internal/json.js"
import { preview } from "../internal/text.js"
import * as LumeClient from "../LumeClient.js"
import * as LumeError from "../LumeError.js"
import type * as LumeRun from "../LumeRun.js"
import type * as RunRequest from "../RunRequest.js"
import * as journal from "./internal/journal.js"
import * as sends from "./internal/sends.js"

/**
 * What a durable submit is given.
 *
 * @since 1.0.0
 * @category models
 */
export interface SubmitOptions {
  /** Its name within the workflow. Another submit has another one. */
  readonly name: string
  /** What to submit, at most 64 KiB of JSON. The workflow's execution id is added to `runMetadata`. */
  readonly request: RunRequest.Input
  /**
   * What to do where it is unknown whether the run has started. `"fail"` fails with `SubmitOutcomeUnknownError`.
   * `"resubmit"` submits again, once in each process, which can start a second run. Default: `"fail"`.
   */
  readonly ifUnknown?: "fail" | "resubmit" | undefined
}

/**
 * How to wait. Bare numbers are milliseconds.
 *
 * @since 1.0.0
 * @category models
 */
export interface WaitLimits {
  /** How long to wait, from when the wait first began; `Infinity` is for ever. Default: the client's, else 1 hour. */
  readonly timeout?: Duration.DurationInput | undefined
  /** The time between two reads. Default: the client's, else 5 seconds; 5 minutes with `LumeClient.layerWithEvents`. */
  readonly pollInterval?: Duration.DurationInput | undefined
  /** How long reads may go on failing in passing, in one process. Default: the client's, else 5 minutes. */
  readonly tolerance?: Duration.DurationInput | undefined
}

/**
 * What a durable wait is given.
 *
 * @since 1.0.0
 * @category models
 */
export interface WaitOptions extends WaitLimits {
  /** Its name within the workflow. Another wait has another one; a submit may have the same. */
  readonly name: string
  /** The run to wait for, or its id. */
  readonly run: LumeRun.LumeRun | string
}

/**
 * What a durable submit with its wait is given.
 *
 * @since 1.0.0
 * @category models
 */
export interface RunAndWaitOptions extends SubmitOptions, WaitLimits {}

/**
 * What durable submits and waits need: the client, and to be run in a workflow.
 *
 * @since 1.0.0
 * @category models
 */
export type Requirements = LumeClient.LumeClient | WorkflowEngine | WorkflowInstance

/** The pair of `runMetadata` that holds the workflow's execution id. */
const executionIdKey = "workflow_execution_id"

/** The most that a request may be, in bytes of JSON. */
const largestRequest = 64 * 1024

/** The last time that a date can be, in milliseconds. */
const lastTime = 8.64e15

// PostgreSQL keeps no NUL character
const checkName = (name: unknown): Effect.Effect<string, LumeError.InvalidRequestError> =>
  typeof name === "string" && name.trim() !== "" && !name.includes("\0")
    ? Effect.succeed(name)
    : refuse("name must be a non-empty text without NUL characters, the same whenever the workflow is run again")

// ---------------------------------------------------------------------------------------------------------------------
// Submits

const prepare = ({ ifUnknown = "fail", name, request }: SubmitOptions, executionId: string) =>
  Effect.gen(function* () {
    yield* checkName(name)
    if (ifUnknown !== "fail" && ifUnknown !== "resubmit") return yield* refuse('ifUnknown must be "fail" or "resubmit"')
    const prepared = yield* submission.prepare(request)
    const wire: typeof journal.Intent.Type.request = JSON.parse(prepared.json)
    const size = journal.sizeOf(wire)
    if (size > largestRequest) {
      return yield* refuse(
        `the request is ${size} bytes of JSON, and a workflow keeps at most ${largestRequest}. Put what is large where sourcePath points`
      )
    }
    const { runMetadata = {}, ...rest } = prepared.request
    if (Object.hasOwn(runMetadata, executionIdKey) && runMetadata[executionIdKey] !== executionId) {
      return yield* refuse(`runMetadata.${executionIdKey} is where the workflow's own execution id goes`)
    }
    return {
      request: { ...rest, runMetadata: { ...runMetadata, [executionIdKey]: executionId } },
      wire
    }
  })

/** The outcome of a submit is unknown. */
const unknown = (
  { flowVersion, sourcePath }: RunRequest.Input,
  failure: LumeError.SubmitOutcomeUnknownError["failure"]
): LumeError.SubmitOutcomeUnknownError => new LumeError.SubmitOutcomeUnknownError({ flowVersion, sourcePath, failure })

/** Nobody has seen what became of a request; `second` is what it failed with when it was sent again. */
const interrupted = (executionId: string, second?: Exclude<LumeError.SubmitError, DecidesBoth>) => {
  const its = `a run that it started has ${executionIdKey} ${executionId} in its runMetadata`
  return new LumeError.TransportError({
    reason: "Interrupted",
    detail:
      second === undefined
        ? `whoever began to send it was interrupted, and ${its}`
        : `its answer was lost, ${its}, and sending it again failed with ${second._tag}${second.detail && `: ${second.detail}`}`
  })
}

/** What a second submit can fail with that says something of the first one too. */
type DecidesBoth = LumeError.AlreadyProcessedError | LumeError.SubmitOutcomeUnknownError

const decidesBoth = (error: LumeError.SubmitError): error is DecidesBoth =>
  error._tag === "AlreadyProcessedError" || error._tag === "SubmitOutcomeUnknownError"

/** A row of the journal that can't be read, as the error of an answer that can't be. */
const undecodable = (row: journal.Unreadable, runId: Option.Option<string>): LumeError.DecodeError =>
  new LumeError.DecodeError({
    runId,
    // no answer has come
    status: 0,
    contentType: Option.none(),
    path: row.path,
    expected: row.expected,
    received: row.received,
    preview: row.preview
  })

/**
 * Submits a run, once. The workflow goes on with the same run whenever it is run again.
 *
 * Fails as `LumeClient.run` does, and:
 *
 * - with `SubmitOutcomeUnknownError` where a process has ended, or was interrupted, while it was submitting: the run may
 *   be there, with the workflow's execution id as `workflow_execution_id` in its `runMetadata`. So it does, with a
 *   `DecodeError` as its `failure`, where what an earlier version has kept can't be read.
 * - with `InvalidRequestError` where the request is larger than 64 KiB, or where this workflow has used the name for
 *   another request.
 *
 * With `ifUnknown: "resubmit"`, where the second submit fails the outcome of the first one is still unknown, and the error
 * says so. But an `AlreadyProcessedError` says that the path has been processed: by the first submit, or by another run.
 *
 * @example
 * ```ts
 * import * as Workflow from "@effect/workflow/Workflow"
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 * import * as LumeWorkflow from "effect-lume/workflow/LumeWorkflow"
 *
 * const Nightly = Workflow.make({
 *   name: "Nightly",
 *   payload: { day: Schema.String },
 *   idempotencyKey: ({ day }) => day
 * })
 *
 * const NightlyLive = Nightly.toLayer(({ day }) =>
 *   LumeWorkflow.submit({
 *     name: "orders",
 *     request: { flowVersion: "orders:v3", sourcePath: `s3://acme/${day}.csv` }
 *   }).pipe(
 *     Effect.flatMap((run) => Effect.log(`${day} is ${run.id}`)),
 *     Effect.orDie
 *   )
 * )
 * ```
 *
 * @since 1.0.0
 * @category combinators
 */
export const submit = (options: SubmitOptions): Effect.Effect<LumeRun.LumeRun, LumeError.SubmitError, Requirements> =>
  Effect.gen(function* () {
    const { executionId } = yield* WorkflowInstance
    const lume = yield* LumeClient.LumeClient
    const { request, wire } = yield* prepare(options, executionId)
    const ofAnother = refuse(
      `in this workflow, the name ${preview(options.name)} is that of another request, which may have started a run. Give each its own name, and the same request whenever the workflow is run again`
    )
    const unreadable = (row: journal.Unreadable) => unknown(request, undecodable(row, Option.none()))

    // not within the submit's Activity: what is refused here is kept nowhere, and no Activity waits for room for another
    const intent = yield* Effect.mapError(
      journal.activity({
        name: `${options.name}/submit/intent`,
        success: journal.Intent,
        error: Schema.Never,
        execute: Effect.sync(() => ({ ...sends.begin(), request: wire }))
      }),
      unreadable
    )
    if (!json.equals(intent.request, wire)) return yield* ofAnother

    const send = sends.once(intent, {
      send: lume.run(request),
      mayRepeat: options.ifUnknown === "resubmit",
      isUnknown: (error) => error._tag === "SubmitOutcomeUnknownError",
      unknown: (): LumeError.SubmitError => unknown(request, interrupted(executionId)),
      ofBoth: (error) => (decidesBoth(error) ? error : unknown(request, interrupted(executionId, error)))
    })
    const { keep, restore } = journal.keeper<LumeRun.LumeRun>(lume)
    const submitted = yield* Effect.catchAll(
      journal.activity({
        name: `${options.name}/submit`,
        success: journal.Submitted,
        error: journal.NotSubmitted,
        execute: Effect.mapBoth(send, {
          onSuccess: (run) => ({ request: wire, ...keep(run) }),
          onFailure: (error) => ({ request: wire, error })
        }),
        onKept: Effect.sync(() => sends.forget(intent))
      }),
      (failed) => {
        if (failed instanceof journal.Unreadable) return Effect.fail(unreadable(failed))
        return json.equals(failed.request, wire) ? Effect.fail(failed.error) : ofAnother
      }
    )
    if (!json.equals(submitted.request, wire)) return yield* ofAnother
    return yield* restore(submitted)
  })

// ---------------------------------------------------------------------------------------------------------------------
// Waits

/** The limits of a wait, checked. */
interface CheckedLimits {
  /** In milliseconds; `Infinity` is for ever. */
  readonly timeout: number
  readonly options: Pick<LumeClient.WaitOptions, "pollInterval" | "tolerance">
}

const checkLimits = (
  { pollInterval, timeout, tolerance }: WaitLimits,
  lume: LumeClient.Service
): Effect.Effect<CheckedLimits, LumeError.InvalidRequestError> =>
  Effect.gen(function* () {
    if (pollInterval !== undefined) yield* check.millis("pollInterval", pollInterval)
    if (tolerance !== undefined) yield* check.millis("tolerance", tolerance, { zero: true, infinity: true })
    return {
      timeout:
        timeout === undefined
          ? waitDefaults.of(lume).timeout
          : yield* check.millis("timeout", timeout, { infinity: true }),
      options: { pollInterval, tolerance }
    }
  })

/** Until when a wait that begins now goes on. */
const deadlineIn = (timeout: number) =>
  Effect.map(Clock.currentTimeMillis, (now) =>
    now + timeout > lastTime ? null : new Date(now + timeout).toISOString()
  )

/** The time that is left, in milliseconds. A clock that was set back does not make it longer than the whole. */
const timeLeft = ({ deadline, timeout }: typeof journal.Deadline.Type) =>
  Effect.map(Clock.currentTimeMillis, (now) => {
    if (deadline === null) return Infinity
    const whole = Duration.toMillis(timeout)
    return Math.max(Math.min(whole, Date.parse(deadline) - now), Math.min(whole, lastReadTime))
  })

/** Waits until the deadline. A timeout is said to be that of the whole wait. Fails with the run as it was last read, too. */
const waitUntil = (
  deadline: typeof journal.Deadline.Type,
  run: LumeRun.LumeRun | string,
  { options }: CheckedLimits,
  lume: LumeClient.Service
) =>
  Effect.flatMap(timeLeft(deadline), (timeout) => {
    let lastRun: LumeRun.LumeRun | undefined
    const onStatus = (run: LumeRun.LumeRun) => {
      lastRun = run
      return waitDefaults.of(lume).onStatus?.(run) ?? Effect.void
    }
    return Effect.mapError(lume.wait(run, { ...options, timeout, onStatus }), (error) =>
      journal.keepFailure(
        error._tag === "TimeoutError" ? new LumeError.TimeoutError({ ...error, timeout: deadline.timeout }) : error,
        lastRun
      )
    )
  })

/** `wait`, which fails with its row where there is one: that says how the run was last read. */
const untilEnded = (
  options: WaitOptions
): Effect.Effect<LumeRun.TerminalRun, LumeError.WaitError | typeof journal.NotEnded.Type, Requirements> =>
  Effect.gen(function* () {
    const lume = yield* LumeClient.LumeClient
    yield* checkName(options.name)
    const limits = yield* checkLimits(options, lume)
    const run = yield* check.run(options.run)
    if (check.isEnded(run)) return run
    const id = yield* check.runId(typeof run === "string" ? run : run.id)
    const ofAnother = (other: string) =>
      refuse(
        `in this workflow, the name ${preview(options.name)} is that of a wait for another run, ${preview(other)}. Give each its own name`
      )
    const unreadable = (row: journal.Unreadable) => undecodable(row, Option.some(id))

    const deadline = yield* Effect.mapError(
      journal.activity({
        name: `${options.name}/wait/deadline`,
        success: journal.Deadline,
        error: Schema.Never,
        execute: Effect.map(deadlineIn(limits.timeout), (deadline) => ({
          run_id: id,
          deadline,
          timeout: Duration.millis(limits.timeout)
        }))
      }),
      unreadable
    )
    if (deadline.run_id !== id) return yield* ofAnother(deadline.run_id)

    const { keep, restore } = journal.keeper<LumeRun.TerminalRun>(lume)
    const ended = yield* Effect.catchAll(
      journal.activity({
        name: `${options.name}/wait`,
        success: journal.Ended,
        error: journal.NotEnded,
        execute: waitUntil(deadline, run, limits, lume).pipe(
          Effect.mapBoth({
            onSuccess: (run) => ({ run_id: id, ...keep(run) }),
            onFailure: (failure) => ({ run_id: id, ...failure })
          })
        )
      }),
      (failed): Effect.Effect<never, LumeError.WaitError | typeof journal.NotEnded.Type> => {
        if (failed instanceof journal.Unreadable) return Effect.fail(unreadable(failed))
        return failed.run_id === id ? Effect.fail(failed) : ofAnother(failed.run_id)
      }
    )
    return ended.run_id === id ? yield* restore(ended) : yield* ofAnother(ended.run_id)
  })

/**
 * Waits until a run has ended, until the deadline that this wait was given when it first began: a restart makes it
 * neither earlier nor later. A run that was given and has ended is returned as it is.
 *
 * The deadline is that of the reads. An engine whose database is away is asked until it answers, and the log says so.
 *
 * Fails as `LumeClient.wait` does, and:
 *
 * - with `DecodeError` where what an earlier version has kept can't be read,
 * - with `InvalidRequestError` where this workflow has used the name for another run.
 *
 * @example
 * ```ts
 * import * as Workflow from "@effect/workflow/Workflow"
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 * import * as LumeWorkflow from "effect-lume/workflow/LumeWorkflow"
 *
 * const Nightly = Workflow.make({
 *   name: "Nightly",
 *   payload: { day: Schema.String },
 *   idempotencyKey: ({ day }) => day
 * })
 *
 * const NightlyLive = Nightly.toLayer(({ day }) =>
 *   LumeWorkflow.wait({ name: "orders", run: `run_of_${day}`, timeout: "6 hours" }).pipe(
 *     Effect.flatMap((run) => Effect.log(`${day} is ${run.status}`)),
 *     Effect.orDie
 *   )
 * )
 * ```
 *
 * @since 1.0.0
 * @category combinators
 */
export const wait = (options: WaitOptions): Effect.Effect<LumeRun.TerminalRun, LumeError.WaitError, Requirements> =>
  Effect.mapError(untilEnded(options), (failed) => ("run_id" in failed ? failed.error : failed))

/**
 * Submits a run and waits until it has ended: `submit` and `wait` of the same name. An option that can't work is refused
 * before anything is submitted.
 *
 * Fails as `submit` does where nothing is known to have started; then with `TimeoutError` when time is up, or with
 * `WaitFailedError`: the run goes on, and its id is in the error.
 *
 * @example
 * ```ts
 * import * as Workflow from "@effect/workflow/Workflow"
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 * import { LumeRun } from "effect-lume"
 * import * as LumeWorkflow from "effect-lume/workflow/LumeWorkflow"
 *
 * const Nightly = Workflow.make({
 *   name: "Nightly",
 *   payload: { day: Schema.String },
 *   idempotencyKey: ({ day }) => day
 * })
 *
 * const NightlyLive = Nightly.toLayer(({ day }) =>
 *   LumeWorkflow.runAndWait({
 *     name: "orders",
 *     request: { flowVersion: "orders:v3", sourcePath: `s3://acme/${day}.csv` },
 *     timeout: "6 hours"
 *   }).pipe(Effect.flatMap(LumeRun.orFail), Effect.asVoid, Effect.orDie)
 * )
 * ```
 *
 * @since 1.0.0
 * @category combinators
 */
export const runAndWait = (
  options: RunAndWaitOptions
): Effect.Effect<
  LumeRun.TerminalRun,
  LumeError.SubmitError | LumeError.TimeoutError | LumeError.WaitFailedError,
  Requirements
> =>
  Effect.gen(function* () {
    yield* checkLimits(options, yield* LumeClient.LumeClient)
    const submitted = yield* submit(options)
    return yield* Effect.mapError(untilEnded({ ...options, run: submitted }), (failed) => {
      const { error, last_run: lastRun = submitted } = "run_id" in failed ? failed : { error: failed }
      return error._tag === "TimeoutError"
        ? error
        : new LumeError.WaitFailedError({ runId: submitted.id, lastRun, failure: error })
    })
  })
