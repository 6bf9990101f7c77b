/**
 * The wait: reads a run again and again until it has ended, time is up, or an error that waiting can't cure.
 *
 * It knows no HTTP: it is given "read this run, within this time". `wait` and `watch` are the same loop, taken to its
 * end or step by step.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import type * as Schedule from "effect/Schedule"
import * as ScheduleDecision from "effect/ScheduleDecision"
import * as ScheduleIntervals from "effect/ScheduleIntervals"
import * as Stream from "effect/Stream"
import * as LumeError from "../LumeError.js"
import * as LumeRun from "../LumeRun.js"
import * as retry from "./retry.js"
import { sleep } from "./sleep.js"
import * as telemetry from "./telemetry.js"

/** How to wait; all times in milliseconds. */
export interface Plan {
  readonly timeout: number
  readonly pace: Schedule.Schedule<unknown, Option.Option<LumeRun.LumeRun>>
  readonly tolerance: number
  readonly backoff: retry.Backoff
}

/** What to wait for. */
export interface Subject {
  readonly id: LumeRun.RunId
  /** Whether the run is known to exist: a run was given, not just an id. */
  readonly known: boolean
  /** Reads the run once, giving up after `limit` milliseconds. */
  readonly read: (limit: number) => Effect.Effect<LumeRun.LumeRun, LumeError.StatusError>
}

/** How long the last read, made at the deadline, may take. */
const lastReadTime = 1_000

/** How long a run that is known to exist may be unknown to Lume's readers. */
const appearanceTime = 10_000

const shortestPause = 1

/**
 * Starts a wait and gives the effect of its next step: the run as next read, after a pause unless it is the first.
 * A step after a terminal run is not to be taken.
 */
const start = (
  { id, known, read }: Subject,
  { backoff, pace, timeout, tolerance }: Plan,
  observer: telemetry.Observer
): Effect.Effect<Effect.Effect<LumeRun.LumeRun, LumeError.WaitError>> =>
  Effect.clockWith((clock) =>
    Effect.sync(() => {
      const startedAt = clock.unsafeCurrentTimeNanos()
      const elapsed = (): number => Number(clock.unsafeCurrentTimeNanos() - startedAt) / 1e6

      let polls = 0
      let atDeadline = false
      let paceState: unknown = pace.initial
      let lastRun = Option.none<LumeRun.LumeRun>()
      let lastFailure = Option.none<LumeError.StatusError>()
      let failures = 0
      let failingSince = 0
      let warned = false

      const timedOut = Effect.suspend(() =>
        Effect.fail(
          new LumeError.TimeoutError({ runId: id, timeout: Duration.millis(timeout), polls, lastRun, lastFailure })
        )
      )

      const succeeded = (run: LumeRun.LumeRun): Effect.Effect<LumeRun.LumeRun> => {
        const unchanged = Option.isSome(lastRun) && lastRun.value.status === run.status
        lastRun = Option.some(run)
        lastFailure = Option.none()
        failures = 0
        if (unchanged) return Effect.succeed(run)
        const warns = run._tag === "Unrecognized" && !warned
        warned ||= warns
        return Effect.as(
          warns ? Effect.zipRight(observer.changed(run), warnUnrecognized(run)) : observer.changed(run),
          run
        )
      }

      const failed = (
        error: LumeError.StatusError,
        readAt: number,
        cutByDeadline: boolean
      ): Effect.Effect<LumeRun.LumeRun, LumeError.WaitError> => {
        if (cutByDeadline && isRequestTimeout(error)) return timedOut
        const notYet =
          error._tag === "RunNotFoundError" && known && Option.isNone(lastRun) && elapsed() < appearanceTime
        if (!notYet && !isNoNews(error)) return Effect.fail(error)
        lastFailure = Option.some(error)
        failures++
        if (failures === 1) failingSince = readAt
        if (atDeadline) return timedOut
        if (elapsed() - failingSince >= tolerance) return Effect.fail(error)
        return Effect.zipRight(observer.failed(error), next)
      }

      const poll = Effect.suspend(() => {
        polls++
        observer.polled()
        const readAt = elapsed()
        const left = timeout - readAt
        if (left <= 0) atDeadline = true
        return Effect.matchEffect(read(atDeadline ? lastReadTime : left), {
          onSuccess: succeeded,
          // the live clock's timers can be early by a fraction of a millisecond
          onFailure: (error) => failed(error, readAt, !atDeadline && timeout - elapsed() < 1)
        })
      })

      /** Sleeps until the next poll is due, or until the deadline where that comes first. */
      const pause = (due: number): Effect.Effect<void> => {
        const left = timeout - elapsed()
        if (due >= left) atDeadline = true
        return sleep(Math.max(shortestPause, Math.ceil(Math.min(due, left))))
      }

      const pauseByPace: Effect.Effect<void, LumeError.TimeoutError> = Effect.suspend(() => {
        if (atDeadline) return timedOut
        const now = clock.unsafeCurrentTimeMillis()
        return Effect.flatMap(pace.step(now, lastRun, paceState), ([state, , decision]) => {
          if (ScheduleDecision.isDone(decision)) return timedOut
          paceState = state
          const interval = ScheduleIntervals.start(decision.intervals) - now
          return failures === 0
            ? pause(interval)
            : Effect.flatMap(Random.next, (random) =>
                pause(Math.max(Math.min(interval, retry.delay(backoff, failures, random)), askedFor(lastFailure)))
              )
        })
      })

      const next: Effect.Effect<LumeRun.LumeRun, LumeError.WaitError> = Effect.suspend(() =>
        polls === 0 ? poll : Effect.zipRight(pauseByPace, poll)
      )
      return next
    })
  )

/** Waits until the run has ended. */
export const wait = (subject: Subject, plan: Plan): Effect.Effect<LumeRun.TerminalRun, LumeError.WaitError> =>
  Effect.flatMap(telemetry.observe(subject.id), (observer) =>
    Effect.flatMap(start(subject, plan, observer), (next) => {
      const untilTerminal: Effect.Effect<LumeRun.TerminalRun, LumeError.WaitError> = Effect.flatMap(next, (run) =>
        LumeRun.isTerminal(run) ? Effect.succeed(run) : untilTerminal
      )
      return Effect.onExit(untilTerminal, observer.ended)
    })
  )

/** The run as first read, then at every change of its status, to its end. */
export const watch = (subject: Subject, plan: Plan): Stream.Stream<LumeRun.LumeRun, LumeError.WaitError> =>
  Stream.unwrapScoped(
    Effect.gen(function* () {
      const observer = yield* telemetry.observe(subject.id)
      yield* Effect.addFinalizer(observer.ended)
      return Stream.repeatEffect(yield* start(subject, plan, observer))
    })
  ).pipe(
    Stream.takeUntil(LumeRun.isTerminal),
    Stream.changesWith((before, after) => before.status === after.status)
  )

// ---------------------------------------------------------------------------------------------------------------------
// What a poll's outcome means to a wait

/** A failure that says nothing of the run and may pass: a wait goes on. */
const isNoNews = (error: LumeError.StatusError): boolean => error._tag === "DecodeError" || LumeError.isTransient(error)

const isRequestTimeout = (error: LumeError.StatusError): boolean =>
  error._tag === "TransportError" && error.reason === "RequestTimeout"

/** How long the last failure asks to wait, in milliseconds. */
const askedFor = (failure: Option.Option<LumeError.StatusError>): number =>
  failure.pipe(Option.flatMap(LumeError.retryAfter), Option.match({ onNone: () => 0, onSome: Duration.toMillis }))

const warnUnrecognized = (run: LumeRun.Unrecognized): Effect.Effect<void> =>
  Effect.logWarning(
    `Run ${run.id} has the status ${run.status}, which this version of effect-lume does not know. The wait goes on.`
  )
