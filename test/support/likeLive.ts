/**
 * The test's clock, with what the live one has beside: a longest sleep, and machines that fall asleep.
 */
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

/** The live clock never wakes from sleeps of more milliseconds. */
const longestSleep = 2 ** 31 - 1

/** Runs an effect on such a clock, which counts who sleeps on it. */
export const likeLive = <A, E, R>(use: (sleeping: () => number) => Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.clockWith((clock) => {
    let sleeping = 0
    const overrides: Pick<Clock.Clock, "sleep"> = {
      sleep: (duration) =>
        Effect.suspend(() => {
          sleeping++
          return Effect.ensuring(
            Duration.toMillis(duration) > longestSleep ? Effect.never : clock.sleep(duration),
            Effect.sync(() => sleeping--)
          )
        })
    }
    return Effect.withClock(
      use(() => sleeping),
      Object.assign(Object.create(clock), overrides)
    )
  })

/** Runs an effect on a clock that can jump, as where the machine sleeps: time passes then that no timer has counted. */
export const withJumps = <A, E, R>(
  use: (jump: (millis: number) => Effect.Effect<void>) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.clockWith((clock) => {
    let jumped = 0
    const millis = () => clock.unsafeCurrentTimeMillis() + jumped
    const nanos = () => clock.unsafeCurrentTimeNanos() + BigInt(jumped) * 1_000_000n
    const overrides: Partial<Clock.Clock> = {
      unsafeCurrentTimeMillis: millis,
      unsafeCurrentTimeNanos: nanos,
      currentTimeMillis: Effect.sync(millis),
      currentTimeNanos: Effect.sync(nanos)
    }
    return Effect.withClock(
      use((by) => Effect.sync(() => void (jumped += by))),
      Object.assign(Object.create(clock), overrides)
    )
  })
