/**
 * Tests on a clock that skips time: whenever there is nothing left to do but sleep, it is the end of the shortest sleep.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

interface Sleeper {
  readonly wakesAt: number
  readonly wake: () => void
}

/** Like the live clock, it never wakes from longer sleeps. */
const longestSleep = 2 ** 31 - 1

/** All times in milliseconds. */
class SkippingClock implements Clock.Clock {
  readonly [Clock.ClockTypeId]: Clock.ClockTypeId = Clock.ClockTypeId
  /** Who sleeps. */
  readonly sleepers = new Set<Sleeper>()
  private now: number
  private skipping = false

  /** @param now where it begins, since 1970 */
  constructor(now: number) {
    this.now = now
  }

  unsafeCurrentTimeMillis(): number {
    return this.now
  }

  unsafeCurrentTimeNanos(): bigint {
    return BigInt(Math.round(this.now * 1e6))
  }

  readonly currentTimeMillis = Effect.sync(() => this.unsafeCurrentTimeMillis())
  readonly currentTimeNanos = Effect.sync(() => this.unsafeCurrentTimeNanos())

  sleep(duration: Duration.Duration): Effect.Effect<void> {
    return Effect.async((resume) => {
      const millis = Duration.toMillis(duration)
      const sleeper = {
        wakesAt: millis > longestSleep ? Infinity : this.now + millis,
        wake: () => resume(Effect.void)
      }
      this.sleepers.add(sleeper)
      this.skip()
      return Effect.sync(() => this.sleepers.delete(sleeper))
    })
  }

  private skip(): void {
    if (this.skipping) return
    this.skipping = true
    setImmediate(() =>
      setImmediate(() => {
        this.skipping = false
        this.wakeFirst()
      })
    )
  }

  private wakeFirst(): void {
    const first = [...this.sleepers].toSorted((one, other) => one.wakesAt - other.wakesAt)[0]
    if (first === undefined || first.wakesAt === Infinity) return
    this.sleepers.delete(first)
    this.now = first.wakesAt
    first.wake()
    if (this.sleepers.size > 0) this.skip()
  }
}

/** Runs an effect on such a clock of its own, which begins at `now`. */
export const skippingTime = <A, E, R>(
  use: (clock: SkippingClock) => Effect.Effect<A, E, R>,
  now = 0
): Effect.Effect<A, E, R> =>
  Effect.suspend(() => {
    const clock = new SkippingClock(now)
    return Effect.withClock(use(clock), clock)
  })
