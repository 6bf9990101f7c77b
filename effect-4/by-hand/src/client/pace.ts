/**
 * Schedules, stepped by hand: the one place that knows how effect steps them.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Pull from "effect/Pull"
import * as Schedule from "effect/Schedule"

/** Where a schedule stands: its own step, once it has begun. */
export type State = unknown

type Step<In> = (now: number, input: In) => Pull.Pull<[unknown, Duration.Duration], never, unknown>

export const initial = <In>(_schedule: Schedule.Schedule<unknown, In>): State => undefined

const isThere = <A, E>(effect: Effect.Effect<A, E>): effect is Exit.Success<A, E> =>
  Exit.isExit(effect) && Exit.isSuccess(effect)

/**
 * Steps a schedule: goes on with the delay until the next time in milliseconds, undefined where it is done, and with where
 * it stands then. `now` is in milliseconds since 1970.
 */
export const next = <In, A, E>(
  schedule: Schedule.Schedule<unknown, In>,
  state: State,
  now: number,
  input: In,
  then: (delay: number | undefined, state: State) => Effect.Effect<A, E>
): Effect.Effect<A, E> => {
  if (state === undefined) {
    return Effect.flatMap(Schedule.toStep(schedule), (step) => next(schedule, step, now, input, then))
  }
  // the only state that this module gives
  const step = state as Step<In>
  const pulled = step(now, input)
  // most schedules answer at once, and a match costs a poll more than they do
  if (isThere(pulled)) return then(Duration.toMillis(pulled.value[1]), state)
  return Pull.matchEffect(pulled, {
    onSuccess: ([, delay]) => then(Duration.toMillis(delay), state),
    onFailure: Effect.failCause,
    onDone: () => then(undefined, state)
  })
}
