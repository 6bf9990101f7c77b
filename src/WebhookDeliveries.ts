/**
 * The memory of webhook deliveries: Lume can send the same one twice, or late, and one of them is handled.
 *
 * Two deliveries are the same where they are of the same run and say the same status; Lume gives deliveries no id.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"

/** The memory of deliveries, as a service: for memories that several processes share. */
export class WebhookDeliveries extends Context.Tag("effect-lume/WebhookDeliveries")<WebhookDeliveries, Service>() {}

/** What makes two deliveries the same. */
export interface Identity {
  /** The run that is spoken of. */
  readonly runId: string
  /** Lume's word for the run's state; `None` where the delivery says none. */
  readonly status: Option.Option<string>
}

/** What a memory does. */
export interface Service {
  /**
   * Handles a delivery, unless it has been handled already. Of two at the same time, one is handled, and the other
   * waits for it: it is only done when the delivery has been handled. A delivery whose handling fails or is
   * interrupted counts as never seen, and whoever waits for it handles it in turn.
   *
   * Fails as `handle` does, and with whatever else keeps the memory from knowing: either way, the sender is to send
   * the delivery again.
   */
  readonly once: <R>(delivery: Identity, handle: Effect.Effect<unknown, unknown, R>) => Effect.Effect<void, unknown, R>
}

/**
 * A memory within this process, of the deliveries that were handled last. One that has been forgotten is handled
 * again, as is any after a restart.
 */
export const makeInMemory = (options?: {
  /** How many deliveries are remembered. Default: 10,000. */
  readonly capacity?: number | undefined
}): Service => {
  const capacity = options?.capacity ?? 10_000
  const handled = new Set<string>()
  const inHand = new Map<string, Effect.Latch>()

  const remember = (key: string): void => {
    handled.add(key)
    if (handled.size <= capacity) return
    for (const oldest of handled) {
      handled.delete(oldest)
      return
    }
  }

  const handleAs = <R>(key: string, handle: Effect.Effect<unknown, unknown, R>): Effect.Effect<void, unknown, R> =>
    Effect.uninterruptibleMask((restore) =>
      Effect.suspend(() => {
        if (handled.has(key)) return Effect.void
        const other = inHand.get(key)
        if (other !== undefined) return restore(Effect.zipRight(other.await, handleAs(key, handle)))
        const done = Effect.unsafeMakeLatch(false)
        inHand.set(key, done)
        return Effect.onExit(Effect.asVoid(restore(handle)), (exit) => {
          inHand.delete(key)
          if (Exit.isSuccess(exit)) remember(key)
          return done.open
        })
      })
    )

  return {
    once: ({ runId, status }, handle) => handleAs(JSON.stringify([runId, Option.getOrNull(status)]), handle)
  }
}
