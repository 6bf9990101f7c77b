/**
 * What is seen of the client from outside: spans, metrics, log lines at debug and warning level.
 *
 * Only the span of `watch` is made elsewhere, with the stream that it is about, in `LumeClient.ts`.
 */
import * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import type * as Tracer from "effect/Tracer"
import type { StatusError } from "../LumeError.js"
import { statusWord } from "../internal/text.js"
import { isTerminal, type LumeRun, type RunId } from "../LumeRun.js"

const pollCounter = Metric.counter("effect_lume_polls", {
  description: "Reads made by waits that have ended",
  incremental: true
})

const retries = Metric.counter("effect_lume_retries", {
  description: "Requests made again after a failure that may pass",
  incremental: true
})

const waits = Metric.counter("effect_lume_waits", {
  description: "Waits that have ended, by outcome: the tag of the run or of the error, Interrupted, Defect, or Left",
  incremental: true
})

const waitSeconds = Metric.histogram(
  "effect_lume_wait_duration_seconds",
  MetricBoundaries.exponential({ start: 1, factor: 2, count: 14 }),
  "How long waits took"
)

/** Makes an effect a span. A stack trace would cost more than the rest of it. */
export const inSpan = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  name: string,
  attributes: Record<string, unknown>
): Effect.Effect<A, E, Exclude<R, Tracer.ParentSpan>> =>
  Effect.withSpan(effect, name, { attributes, captureStackTrace: false })

/** The key would be readable on the way. */
export const warnUnencrypted = (baseUrl: string): Effect.Effect<void> =>
  Effect.logWarning(`Lume's base URL ${baseUrl} is not https: everybody on the way can read the API key.`)

/** Counts a request that is made again. */
export const countRetry: Effect.Effect<void> = Metric.increment(retries)

const outcomeOf = (exit: Exit.Exit<unknown, unknown>, last: Option.Option<LumeRun>): string =>
  Exit.match(exit, {
    onSuccess: () =>
      Option.match(last, { onNone: () => "Left", onSome: (run) => (isTerminal(run) ? run._tag : "Left") }),
    onFailure: (cause) =>
      Option.match(Cause.failureOption(cause), {
        onNone: () => (Cause.isInterrupted(cause) ? "Interrupted" : "Defect"),
        onSome: (error) => (Predicate.hasProperty(error, "_tag") ? String(error._tag) : "Failed")
      })
  })

/** A terminal run's metadata names its flow version; nothing needs to be decoded to see it. */
const flowVersionOf = ({ rawMetadata }: LumeRun): Option.Option<unknown> =>
  Predicate.hasProperty(rawMetadata, "run") && Predicate.hasProperty(rawMetadata.run, "flow_version")
    ? Option.some(rawMetadata.run.flow_version)
    : Option.none()

/** `onStatus` died, or interrupted itself, as an offer to a queue does that is shut down. */
export const onStatusBrokeOff = (id: RunId, cause: Cause.Cause<never>): Effect.Effect<void> =>
  Effect.logError(`The onStatus of the wait for run ${id} broke off. The wait goes on.`, cause)

/** Nothing wakes the wait: `RunEvents` takes too long. */
export const listensTooLate = (id: RunId): Effect.Effect<void> =>
  Effect.logWarning(`RunEvents did not begin to listen for run ${id} in time. The wait goes on without events.`)

/** Nothing wakes the wait: `RunEvents` has died. */
export const listeningBrokeOff = (id: RunId, cause: Cause.Cause<never>): Effect.Effect<void> =>
  Effect.logError(`RunEvents broke off listening for run ${id}. The wait goes on without events.`, cause)

/** What a wait has come to when it is over. */
export interface Ended {
  readonly polls: number
  /** In milliseconds. */
  readonly took: number
  readonly lastRun: Option.Option<LumeRun>
}

/** What is seen of one wait. */
export class WaitTelemetry {
  private readonly span: Tracer.Span | undefined
  private readonly clock: Clock.Clock
  private hasWarned = false

  constructor(fiber: Fiber.RuntimeFiber<unknown, unknown>, clock: Clock.Clock) {
    this.span = fiber.currentSpan?._tag === "Span" ? fiber.currentSpan : undefined
    this.clock = clock
  }

  /** A read gave another status than the one before. */
  statusChanged(run: LumeRun): Effect.Effect<void> {
    const status = statusWord(run.status)
    this.span?.event("lume.status", this.clock.unsafeCurrentTimeNanos(), { "lume.status": status })
    this.span?.attribute("lume.status", status)
    if (isTerminal(run)) Option.map(flowVersionOf(run), (version) => this.span?.attribute("lume.flow_version", version))
    const log = Effect.logDebug(`Run ${run.id} is ${status}`)
    if (run._tag !== "Unrecognized" || this.hasWarned) return log
    this.hasWarned = true
    return Effect.zipRight(
      log,
      Effect.logWarning(
        `Run ${run.id} has the status ${status}, which this version of effect-lume does not know. The wait goes on.`
      )
    )
  }

  /** A read failed, and the wait goes on. */
  readFailed(id: RunId, error: StatusError): Effect.Effect<void> {
    return Effect.zipRight(countRetry, Effect.logDebug(`The wait for run ${id} goes on. ${error.message}`))
  }

  /** The wait is over. */
  ended(exit: Exit.Exit<unknown, unknown>, { lastRun, polls, took }: Ended): Effect.Effect<void> {
    this.span?.attribute("lume.polls", polls)
    return Effect.zipRight(
      Effect.zipRight(Metric.incrementBy(pollCounter, polls), Metric.update(waitSeconds, took / 1000)),
      Metric.increment(Metric.tagged(waits, "outcome", outcomeOf(exit, lastRun)))
    )
  }
}
