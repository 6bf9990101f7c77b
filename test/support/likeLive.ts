/**
 * The test's clock, with the longest sleep of the live one.
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
