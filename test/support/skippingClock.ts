/**
 * A clock that skips time: whenever nothing is left to do but sleep, it is the end of the shortest sleep.
 *
 * Like the live clock, it never wakes from a sleep of more than 2^31 - 1 milliseconds. Its sleeps can be counted.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

interface Sleeper {
  readonly wakesAt: number
  readonly wake: () => void
}

const longestSleep = 2 ** 31 - 1

export class SkippingClock implements Clock.Clock {
  readonly [Clock.ClockTypeId]: Clock.ClockTypeId = Clock.ClockTypeId
  readonly sleepers = new Set<Sleeper>()
  private now = 0
  private skipping = false

  /** Milliseconds since 1970; nothing may sleep yet. */
  setTime(millis: number): void {
    this.now = millis
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
    // Two turns of the event loop let everything run that can.
    setImmediate(() =>
      setImmediate(() => {
        this.skipping = false
        const first = [...this.sleepers].toSorted((one, other) => one.wakesAt - other.wakesAt)[0]
        if (first === undefined || first.wakesAt === Infinity) return
        this.sleepers.delete(first)
        this.now = first.wakesAt
        first.wake()
        if (this.sleepers.size > 0) this.skip()
      })
    )
  }
}

/** Runs an effect on a clock of its own that skips time. */
export const skippingTime = <A, E, R>(use: (clock: SkippingClock) => Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.suspend(() => {
    const clock = new SkippingClock()
    return Effect.withClock(use(clock), clock)
  })
