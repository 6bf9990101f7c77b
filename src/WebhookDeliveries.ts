/**
 * The memory of webhook deliveries: Lume can send the same one twice, or late, and one of them is handled.
 *
 * Two deliveries are the same if they are of the same run and say the same status; Lume gives deliveries no id.
 *
 * @module
 * @since 1.0.0
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as deliveryMemory from "./internal/deliveryMemory.js"
import { preview } from "./internal/text.js"
import { InvalidRequestError } from "./LumeError.js"

/**
 * The memory of deliveries, as a service: for memories that several processes share.
 *
 * @since 1.0.0
 * @category tags
 */
export class WebhookDeliveries extends Context.Tag("effect-lume/WebhookDeliveries")<WebhookDeliveries, Service>() {}

/**
 * What makes two deliveries the same.
 *
 * @since 1.0.0
 * @category models
 */
export interface Identity {
  /** The run that is spoken of. */
  readonly runId: string
  /** Lume's word for the run's state; `None` if the delivery says none. */
  readonly status: Option.Option<string>
}

/**
 * What a memory does.
 *
 * @since 1.0.0
 * @category models
 */
export interface Service {
  /**
   * Handles a delivery, unless it has been handled already. Of two at the same time, one is handled and the other
   * waits: it is done when the delivery has been handled. A delivery whose handling fails or is interrupted counts as
   * never seen, and whoever waits for it handles it in turn.
   *
   * `timeout` is the time within which `handle` ends by itself. A delivery that is in hand for longer counts as never
   * seen too: whoever had it is gone without a word, as a request is whose runtime has ended it. Default: no limit.
   *
   * Fails as `handle` does, and with whatever else keeps the memory from knowing. Either way, the sender is to send
   * the delivery again.
   */
  readonly once: <R>(
    delivery: Identity,
    handle: Effect.Effect<unknown, unknown, R>,
    options?: { readonly timeout?: Duration.Duration | undefined }
  ) => Effect.Effect<void, unknown, R>
}

/** A set can't hold more than 16 million. */
const mostCapacity = 10_000_000

/**
 * A memory within this process, of the deliveries that were handled last. One that has been forgotten is handled
 * again, as is any after a restart.
 *
 * Fails with `InvalidRequestError` if the capacity is not an integer from 1 to 10 million.
 *
 * @example
 * ```ts
 * import * as Layer from "effect/Layer"
 * import { WebhookDeliveries } from "effect-lume"
 *
 * const Deliveries = Layer.effect(
 *   WebhookDeliveries.WebhookDeliveries,
 *   WebhookDeliveries.makeInMemory({ capacity: 100_000 })
 * )
 * ```
 *
 * @since 1.0.0
 * @category constructors
 */
export const makeInMemory = (options?: {
  /** How many deliveries are remembered. Default: 10,000. */
  readonly capacity?: number | undefined
}): Effect.Effect<Service, InvalidRequestError> => {
  const capacity = options?.capacity ?? deliveryMemory.defaultCapacity
  return Effect.suspend(() =>
    Number.isSafeInteger(capacity) && capacity >= 1 && capacity <= mostCapacity
      ? Effect.succeed(deliveryMemory.make(capacity))
      : Effect.fail(
          new InvalidRequestError({
            detail: `capacity must be an integer from 1 to ${mostCapacity}, but is ${preview(capacity)}`
          })
        )
  )
}
