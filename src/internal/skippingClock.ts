/**
 * A clock that skips time: whenever there is nothing left to do but sleep, it is the end of the shortest sleep.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

interface Sleeper {
  readonly wakesAt: number
  readonly wake: () => void
}

/** The next turn of the event loop, by when everything has run that can. */
const nextTurn: (task: () => void) => void =
  typeof globalThis.setImmediate === "function"
    ? globalThis.setImmediate
    : (task) => {
        const { port1, port2 } = new MessageChannel()
        port1.addEventListener("message", () => {
          port1.close()
          task()
        })
        port1.start()
        port2.postMessage(undefined)
      }

/** All times in milliseconds. */
export interface Options {
  /** Where it begins, since 1970. */
  readonly now: number
  /** It never wakes from longer sleeps, as the live clock doesn't. */
  readonly longestSleep: number
  /** Instead of a time after this, `onLate` is called. */
  readonly latest: number
  readonly onLate: () => void
}

/** @see Options */
export class SkippingClock implements Clock.Clock {
  readonly [Clock.ClockTypeId]: Clock.ClockTypeId = Clock.ClockTypeId
  /** Who sleeps. */
  readonly sleepers = new Set<Sleeper>()
  private now: number
  private skipping = false
  private readonly options: Options

  constructor(options: Options) {
    this.now = options.now
    this.options = options
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
        wakesAt: millis > this.options.longestSleep ? Infinity : this.now + millis,
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
    nextTurn(() =>
      nextTurn(() => {
        this.skipping = false
        this.wakeFirst()
      })
    )
  }

  private wakeFirst(): void {
    const first = [...this.sleepers].toSorted((one, other) => one.wakesAt - other.wakesAt)[0]
    if (first === undefined || first.wakesAt === Infinity) return
    if (first.wakesAt > this.options.latest) return this.options.onLate()
    this.sleepers.delete(first)
    this.now = first.wakesAt
    first.wake()
    if (this.sleepers.size > 0) this.skip()
  }
}
