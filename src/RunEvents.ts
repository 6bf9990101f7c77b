/**
 * Events about runs, by run id: a webhook, or anything else that hears of a run, publishes; a wait listens.
 *
 * An event is a hint that a run may have ended, and says nothing more: whoever hears it reads the run.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"

/** Events about runs, as a service. */
export class RunEvents extends Context.Tag("effect-lume/RunEvents")<RunEvents, Service>() {}

/** What the service does. */
export interface Service {
  /** Tells everyone who listens for this run. Where nobody does, nothing is kept. */
  readonly publish: (event: { readonly runId: string }) => Effect.Effect<void>

  /**
   * Listens for events of one run until the scope closes. Events that come before the last one is taken are one: at
   * most one is kept.
   */
  readonly subscribe: (runId: string) => Effect.Effect<Queue.Dequeue<void>, never, Scope.Scope>
}

const makeInMemory = (): Service => {
  // By run id, so that an event costs what its own listeners cost, however many there are for other runs.
  const listeners = new Map<string, Set<Queue.Queue<void>>>()

  const listen = (runId: string): Effect.Effect<Queue.Queue<void>> =>
    Effect.map(Queue.sliding<void>(1), (queue) => {
      const others = listeners.get(runId)
      if (others === undefined) listeners.set(runId, new Set([queue]))
      else others.add(queue)
      return queue
    })

  const leave = (runId: string, queue: Queue.Queue<void>): Effect.Effect<void> =>
    Effect.suspend(() => {
      const all = listeners.get(runId)
      all?.delete(queue)
      if (all?.size === 0) listeners.delete(runId)
      return Queue.shutdown(queue)
    })

  return {
    publish: ({ runId }) =>
      Effect.sync(() => {
        for (const queue of listeners.get(runId) ?? []) queue.unsafeOffer(undefined)
      }),
    subscribe: (runId) => Effect.acquireRelease(listen(runId), (queue) => leave(runId, queue))
  }
}

/**
 * Events within this process. Build it once: a webhook and a wait that were given two of these don't hear each other.
 */
export const layer: Layer.Layer<RunEvents> = Layer.sync(RunEvents, makeInMemory)

/** `Service.publish`, as the handler of a webhook: `LumeWebhook.httpApp({ secrets, handler: RunEvents.publish })`. */
export const publish = (event: { readonly runId: string }): Effect.Effect<void, never, RunEvents> =>
  Effect.flatMap(RunEvents, (events) => events.publish(event))
