/**
 * What is seen of the client from outside: one span a wait, metrics, and logs at debug level.
 */
import * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
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

/** Is told what a wait meets on its way. */
export interface Observer {
  /** A read is about to be made. */
  readonly polled: () => void
  /** A read gave another status than the one before. */
  readonly changed: (run: LumeRun) => Effect.Effect<void>
  /** A read failed, and the wait goes on. */
  readonly failed: (error: StatusError) => Effect.Effect<void>
  /** The wait is over. */
  readonly ended: (exit: Exit.Exit<unknown, unknown>) => Effect.Effect<void>
}

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

const makeObserver = (id: RunId, clock: Clock.Clock, span: Option.Option<Tracer.Span>): Observer => {
  const startedAt = clock.unsafeCurrentTimeNanos()
  let count = 0
  let last = Option.none<LumeRun>()
  const attribute = (name: string, value: unknown) => {
    if (Option.isSome(span)) span.value.attribute(name, value)
  }
  return {
    polled: () => {
      count++
    },
    changed: (run) =>
      Effect.suspend(() => {
        last = Option.some(run)
        if (Option.isSome(span)) {
          span.value.event("lume.status", clock.unsafeCurrentTimeNanos(), { "lume.status": String(run.status) })
        }
        attribute("lume.status", String(run.status))
        if (isTerminal(run)) Option.map(flowVersionOf(run), (version) => attribute("lume.flow_version", version))
        return Effect.logDebug(`Run ${id} is ${run.status}`)
      }),
    failed: (error) => Effect.zipRight(countRetry, Effect.logDebug(`The wait for run ${id} goes on. ${error.message}`)),
    ended: (exit) =>
      Effect.suspend(() => {
        attribute("lume.polls", count)
        const took = Duration.toSeconds(Duration.nanos(clock.unsafeCurrentTimeNanos() - startedAt))
        return Effect.zipRight(
          Effect.zipRight(Metric.incrementBy(polls, count), Metric.update(waitSeconds, took)),
          Metric.increment(Metric.tagged(waits, "outcome", outcomeOf(exit, last)))
        )
      })
  }
}

/** Begins to observe a wait for a run, in the span that it is called in. */
export const observe = (id: RunId): Effect.Effect<Observer> =>
  Effect.clockWith((clock) => Effect.map(Effect.option(Effect.currentSpan), (span) => makeObserver(id, clock, span)))
