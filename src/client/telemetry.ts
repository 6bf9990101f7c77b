/**
 * What is seen of the client from outside: one span a wait, metrics, and logs at debug level.
 */
import * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import type * as Tracer from "effect/Tracer"
import type { StatusError } from "../LumeError.js"
import { isTerminal, type LumeRun, type RunId } from "../LumeRun.js"

const polls = Metric.counter("effect_lume_polls", {
  description: "Reads made by waits that have ended",
  incremental: true
})

const retries = Metric.counter("effect_lume_retries", {
  description: "Requests made again after a failure that may pass",
  incremental: true
})

const waits = Metric.counter("effect_lume_waits", {
  description: "Waits that have ended, by outcome: the tag of the run or of the error, Interrupted, or Left (watch)",
  incremental: true
})

const waitSeconds = Metric.histogram(
  "effect_lume_wait_duration_seconds",
  MetricBoundaries.exponential({ start: 1, factor: 2, count: 14 }),
  "How long waits took"
)

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

/** A read gave another status than the one before. */
export const statusChanged = (run: LumeRun, span: Tracer.Span | undefined, clock: Clock.Clock): Effect.Effect<void> =>
  Effect.suspend(() => {
    const status = String(run.status)
    span?.event("lume.status", clock.unsafeCurrentTimeNanos(), { "lume.status": status })
    span?.attribute("lume.status", status)
    if (isTerminal(run)) Option.map(flowVersionOf(run), (version) => span?.attribute("lume.flow_version", version))
    return Effect.logDebug(`Run ${run.id} is ${status}`)
  })

/** A read failed, and the wait goes on. */
export const readFailed = (id: RunId, error: StatusError): Effect.Effect<void> =>
  Effect.zipRight(countRetry, Effect.logDebug(`The wait for run ${id} goes on. ${error.message}`))

/** What a wait has come to when it is over. */
export interface Ended {
  readonly polls: number
  /** In milliseconds. */
  readonly took: number
  readonly lastRun: Option.Option<LumeRun>
}

/** A wait is over. */
export const waitEnded = (
  exit: Exit.Exit<unknown, unknown>,
  span: Tracer.Span | undefined,
  ended: Ended
): Effect.Effect<void> =>
  Effect.suspend(() => {
    span?.attribute("lume.polls", ended.polls)
    return Effect.zipRight(
      Effect.zipRight(Metric.incrementBy(polls, ended.polls), Metric.update(waitSeconds, ended.took / 1000)),
      Metric.increment(Metric.tagged(waits, "outcome", outcomeOf(exit, ended.lastRun)))
    )
  })
