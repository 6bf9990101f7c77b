/**
 * Requests as an edge runtime keeps them apart: what one of them does must not run what another one began.
 */
import * as Effect from "effect/Effect"
import { AsyncLocalStorage } from "node:async_hooks"

const requests = new AsyncLocalStorage<string>()

/** Runs an effect within the request of this name. */
export const within = <A, E>(request: string, effect: Effect.Effect<A, E>): Promise<A> =>
  requests.run(request, () => Effect.runPromise(effect))

/** The request within which this runs. */
export const current = Effect.sync(() => requests.getStore())

/** Some turns of the event loop, so that each request gets as far as it can by itself. */
export const settle = async (): Promise<void> => {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve))
}
