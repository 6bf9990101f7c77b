/**
 * A limit on log lines that anybody can cause.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/** Between two lines, in milliseconds. */
const interval = 60_000

/**
 * Makes a limit of one line a minute. `write` is given what to add to its line: how many lines before it were left out.
 */
export const make = (): ((write: (leftOut: string) => Effect.Effect<void>) => Effect.Effect<void>) => {
  let writtenAt = Number.NEGATIVE_INFINITY
  let leftOut = 0
  return (write) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      // a clock that was set back must not silence the log
      if (Math.abs(now - writtenAt) < interval) {
        leftOut++
        return Effect.void
      }
      const added = leftOut === 0 ? "" : ` (${leftOut} more since the last such line.)`
      writtenAt = now
      leftOut = 0
      return write(added)
    })
}
