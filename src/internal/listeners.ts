/**
 * Who listens in this process for events of which run.
 */
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"

/** Events within this process, by run id. */
export interface Listeners {
  readonly publish: (event: { readonly runId: string }) => Effect.Effect<void>
  readonly subscribe: (runId: string) => Effect.Effect<Queue.Dequeue<void>, never, Scope.Scope>
  /** An event for everyone who listens, whatever the run. */
  readonly wakeAll: Effect.Effect<void>
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

/** Nobody listens yet. */
export const make = (): Listeners => {
  // By run id, so that an event costs what its own listeners cost, however many there are for other runs.
  const byRun = new Map<string, Set<Listener>>()

  const subscribe: Listeners["subscribe"] = (runId) => {
    const arrive = Effect.map(Queue.sliding<void>(1), (queue) => {
      const listener = new Listener(queue)
      const all = byRun.get(runId) ?? new Set()
      byRun.set(runId, all.add(listener))
      return { queue, listener, all }
    })
    const leave = ({ all, listener, queue }: Effect.Effect.Success<typeof arrive>) =>
      Effect.suspend(() => {
        all.delete(listener)
        if (all.size === 0) byRun.delete(runId)
        return Queue.shutdown(queue)
      })
    return Effect.map(Effect.acquireRelease(arrive, leave), ({ queue }) => queue)
  }

  // a promise, so that the listeners' continuations come before what follows here
  const tell = (listeners: Iterable<Listener>) =>
    Effect.promise(async () => {
      for (const listener of listeners) listener.tell()
    })

  return {
    publish: ({ runId }) => Effect.suspend(() => tell(byRun.get(runId) ?? [])),
    subscribe,
    wakeAll: Effect.suspend(() => tell([...byRun.values()].flatMap((all) => [...all])))
  }
}
