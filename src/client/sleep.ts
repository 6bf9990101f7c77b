/**
 * Sleeping for any time.
 */
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

/** The live clock never wakes from a sleep of more milliseconds than this. */
export const longestSleep = 2 ** 31 - 1

/** Sleeps for the given milliseconds, in slices that the live clock wakes from. */
export const sleep = (clock: Clock.Clock, millis: number): Effect.Effect<void> =>
  millis <= longestSleep
    ? clock.sleep(Duration.millis(millis))
    : Effect.zipRight(
        clock.sleep(Duration.millis(longestSleep)),
        Effect.suspend(() => sleep(clock, millis - longestSleep))
      )
