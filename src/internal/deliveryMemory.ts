/**
 * The memory of deliveries within one process.
 *
 * Whoever finds a delivery in hand looks again after a pause. It never awaits whoever has the delivery in hand: an edge
 * runtime ends a request that awaits what another request is to give.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"

/** How many deliveries are remembered if nothing else is said. */
export const defaultCapacity = 10_000

/** Between two looks at a delivery that is in hand. */
const pause = Duration.millis(100)

/** How long after its time limit a delivery is still taken to be in hand, in milliseconds. */
const grace = 1_000

/** A delivery in hand. */
interface Claim {
  /** When whoever has it is taken to be gone, in milliseconds on the monotonic clock. */
  readonly lostAt: number
}

const now = Effect.clockWith((clock) => Effect.sync(() => Number(clock.unsafeCurrentTimeNanos()) / 1e6))

/** Makes a memory of as many deliveries as `capacity` says; one more, and the oldest is forgotten. */
export const make = (capacity: number) => {
  const handled = new Set<string>()
  const inHand = new Map<string, Claim>()

  const remember = (key: string): void => {
    const [oldest] = handled
    if (oldest !== undefined && handled.size >= capacity) handled.delete(oldest)
    handled.add(key)
  }

  /** A runtime can end a request without a word, whose delivery may never come again. */
  const forgetLost = (now: number): void => {
    for (const [key, { lostAt }] of inHand) {
      if (now <= lostAt) return
      inHand.delete(key)
    }
  }

  /** Whether the delivery has been handled, now or before; false if it is in hand. */
  const attempt = <R>(key: string, handle: Effect.Effect<unknown, unknown, R>, timeout: Duration.Duration) =>
    Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(now, (now): Effect.Effect<boolean, unknown, R> => {
        if (handled.has(key)) return Effect.succeed(true)
        const other = inHand.get(key)
        if (other !== undefined && now <= other.lostAt) return Effect.succeed(false)
        forgetLost(now)
        const claim: Claim = { lostAt: now + Duration.toMillis(timeout) + grace }
        inHand.set(key, claim)
        return Effect.onExit(Effect.as(restore(handle), true), (exit) =>
          Effect.sync(() => {
            if (inHand.get(key) === claim) inHand.delete(key)
            if (Exit.isSuccess(exit)) remember(key)
          })
        )
      })
    )

  const once = <R>(
    key: string,
    handle: Effect.Effect<unknown, unknown, R>,
    timeout: Duration.Duration
  ): Effect.Effect<void, unknown, R> =>
    Effect.flatMap(attempt(key, handle, timeout), (done) =>
      done ? Effect.void : Effect.flatMap(Effect.sleep(pause), () => once(key, handle, timeout))
    )

  return {
    once: <R>(
      delivery: { readonly runId: string; readonly status: Option.Option<string> },
      handle: Effect.Effect<unknown, unknown, R>,
      options?: { readonly timeout?: Duration.Duration | undefined }
    ): Effect.Effect<void, unknown, R> =>
      once(
        JSON.stringify([delivery.runId, Option.getOrNull(delivery.status)]),
        handle,
        options?.timeout ?? Duration.infinity
      )
  }
}
