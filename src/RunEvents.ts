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
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"

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
 * A listener. An edge runtime ends work that one request does in another one's place. So an event settles a promise of
 * the listener's: the continuation runs within the listener's own request, and puts the event on the queue.
 */
class Listener {
  readonly queue: Queue.Queue<void>
  /** Tells the listener of an event. */
  tell: () => void = () => {}

  constructor(queue: Queue.Queue<void>) {
    this.queue = queue
    this.listen()
  }

  private listen(): void {
    const told = new Promise<void>((resolve) => {
      this.tell = resolve
    })
    void told.then(() => {
      this.queue.unsafeOffer(undefined)
      this.listen()
    })
  }
}

const makeInMemory = (): Service => {
  // By run id, so that an event costs what its own listeners cost, however many there are for other runs.
  const listeners = new Map<string, Set<Listener>>()

  const listen = (runId: string): Effect.Effect<Listener> =>
    Effect.map(Queue.sliding<void>(1), (queue) => {
      const listener = new Listener(queue)
      const others = listeners.get(runId)
      if (others === undefined) listeners.set(runId, new Set([listener]))
      else others.add(listener)
      return listener
    })

  const leave = (runId: string, listener: Listener): Effect.Effect<void> =>
    Effect.suspend(() => {
      const all = listeners.get(runId)
      all?.delete(listener)
      if (all?.size === 0) listeners.delete(runId)
      return Queue.shutdown(listener.queue)
    })

  return {
    publish: ({ runId }) =>
      // a promise, so that the listeners' continuations come before what follows here
      Effect.promise(async () => {
        for (const listener of listeners.get(runId) ?? []) listener.tell()
      }),
    subscribe: (runId) =>
      Effect.map(
        Effect.acquireRelease(listen(runId), (listener) => leave(runId, listener)),
        ({ queue }) => queue
      )
  }
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
export const layer: Layer.Layer<RunEvents> = Layer.sync(RunEvents, makeInMemory)

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
