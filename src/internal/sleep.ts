/**
 * Sleeping for any time.
 */
import * as Effect from "effect/Effect"

/** The live clock never wakes from a sleep of more milliseconds than this. */
export const longestSleep = 2 ** 31 - 1

/** Sleeps for the given milliseconds, in slices that the live clock wakes from. */
export const sleep = (millis: number): Effect.Effect<void> =>
  millis <= longestSleep
    ? Effect.sleep(millis)
    : Effect.zipRight(
        Effect.sleep(longestSleep),
        Effect.suspend(() => sleep(millis - longestSleep))
      )
