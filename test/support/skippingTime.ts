/**
 * Tests on a clock that skips time.
 */
import * as Effect from "effect/Effect"
import { SkippingClock } from "../../src/internal/skippingClock.js"

/** Runs an effect on such a clock of its own, which begins at `now`. */
export const skippingTime = <A, E, R>(
  use: (clock: SkippingClock) => Effect.Effect<A, E, R>,
  now = 0
): Effect.Effect<A, E, R> =>
  Effect.suspend(() => {
    // like the live clock, it never wakes from longer sleeps
    const clock = new SkippingClock({ now, longestSleep: 2 ** 31 - 1, latest: Infinity, onLate: () => {} })
    return Effect.withClock(use(clock), clock)
  })
