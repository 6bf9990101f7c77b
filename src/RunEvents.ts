/**
 * Events about runs, by run id: a webhook, or anything else that hears of a run, publishes; a wait listens.
 *
 * An event is a hint that a run may have ended, and says nothing more: whoever hears it reads the run.
 *
 * @module
 * @since 1.0.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as listeners from "./internal/listeners.js"

/**
 * Events about runs, as a service.
 *
 * @since 1.0.0
 * @category tags
 */
export class RunEvents extends Context.Tag("effect-lume/RunEvents")<RunEvents, Service>() {}

/**
 * What the service does.
 *
 * @since 1.0.0
 * @category models
 */
export interface Service {
  /** Tells everyone who listens for this run. If nobody does, nothing is kept. */
  readonly publish: (event: { readonly runId: string }) => Effect.Effect<void>

  /**
   * Listens for events of one run until the scope closes. Events that come before the last one is taken are one: at
   * most one is kept. A wait that is not listening within 5 seconds goes on without events.
   */
  readonly subscribe: (runId: string) => Effect.Effect<Queue.Dequeue<void>, never, Scope.Scope>
}

/**
 * Events within this process. Build it once: a webhook and a wait that were given two of these don't hear each other.
 *
 * @example
 * ```ts
 * import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
 * import * as Layer from "effect/Layer"
 * import { LumeClient, RunEvents } from "effect-lume"
 *
 * const Lume = LumeClient.layerConfigWithEvents().pipe(
 *   Layer.provideMerge(RunEvents.layer),
 *   Layer.provide(FetchHttpClient.layer)
 * )
 * ```
 *
 * @since 1.0.0
 * @category layers
 */
export const layer: Layer.Layer<RunEvents> = Layer.sync(RunEvents, () => listeners.make())

/**
 * Tells everyone who listens for a run that it may have ended. It fits as the handler of a webhook:
 * `LumeWebhook.httpApp({ secrets, handler: RunEvents.publish })`. Never fails.
 *
 * @example
 * ```ts
 * import { RunEvents } from "effect-lume"
 *
 * // a queue or another system has said that the run ended
 * const wake = RunEvents.publish({ runId: "run_01HYE5ZJ4T8Q2W" })
 * ```
 *
 * @since 1.0.0
 * @category accessors
 */
export const publish = (event: { readonly runId: string }): Effect.Effect<void, never, RunEvents> =>
  Effect.flatMap(RunEvents, (events) => events.publish(event))
