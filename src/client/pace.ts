/**
 * Schedules, stepped by hand: the one place that knows how effect steps them.
 */
import * as Effect from "effect/Effect"
import type * as Schedule from "effect/Schedule"
import * as ScheduleDecision from "effect/ScheduleDecision"
import * as ScheduleIntervals from "effect/ScheduleIntervals"

/** Where a schedule stands. */
export type State = unknown

export const initial = <In>(schedule: Schedule.Schedule<unknown, In>): State => schedule.initial

/**
 * Steps a schedule, then calls `onNext` with the delay in milliseconds (`undefined` if the schedule is done) and with
 * the new state. `now` is in milliseconds since 1970.
 */
export const next = <In, A, E>(
  schedule: Schedule.Schedule<unknown, In>,
  state: State,
  now: number,
  input: In,
  onNext: (delay: number | undefined, state: State) => Effect.Effect<A, E>
): Effect.Effect<A, E> =>
  Effect.flatMap(schedule.step(now, input, state), ([next, , decision]) =>
    onNext(ScheduleDecision.isDone(decision) ? undefined : ScheduleIntervals.start(decision.intervals) - now, next)
  )
