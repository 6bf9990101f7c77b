/**
 * Deliveries as Lume sends them, and webhooks to receive them.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as LumeWebhook from "../../src/LumeWebhook.js"
import { toWebHandler } from "./serving.js"

export const secret = Redacted.make("whsec-3b1f")
export const secrets = [secret] as const
export const url = "https://acme.example/webhooks/lume"

export const bodyOf = (runId = "run_1", status = "SUCCEEDED") => JSON.stringify({ run_id: runId, status })

/** A request as Lume sends it. */
export const signed = (body: string, init: RequestInit = {}) =>
  Effect.map(
    LumeWebhook.sign({ secret, body }),
    (signature) =>
      new Request(url, { method: "POST", body, ...init, headers: { [LumeWebhook.signatureHeader]: signature } })
  )

/** Node's types don't know that a stream as a body needs `duplex`. */
export type StreamInit = RequestInit & { readonly duplex: "half" }

/** The app as a function from a web request to its response. */
export const serve = <R, SecretsR = never, DeliveriesR = never>(
  options: LumeWebhook.HttpAppOptions<R, SecretsR, DeliveriesR>
) =>
  Effect.map(
    toWebHandler(LumeWebhook.httpApp(options)),
    (handler) => (request: Request) => Effect.promise(() => handler(request))
  )

/** A handler that keeps the events that it was given. */
export const recording = () => {
  const events: Array<LumeWebhook.WebhookEvent> = []
  return { events, handler: (event: LumeWebhook.WebhookEvent) => Effect.sync(() => events.push(event)) }
}

/** A handler that says when it has started, and ends when it is let. */
export const gated = Effect.gen(function* () {
  const started = yield* Deferred.make<void>()
  const gate = yield* Deferred.make<void>()
  let calls = 0
  return {
    calls: () => calls,
    handler: () =>
      Effect.suspend(() => {
        calls++
        return Effect.zipRight(Deferred.succeed(started, undefined), Deferred.await(gate))
      }),
    started: Deferred.await(started),
    open: Deferred.succeed(gate, undefined)
  }
})

/** A handler that hangs when it is called first, and is done at once from then on. */
export const hanging = (hang: Effect.Effect<unknown> = Effect.never) =>
  Effect.map(Deferred.make<void>(), (started) => {
    let calls = 0
    let interrupted = 0
    return {
      calls: () => calls,
      interrupted: () => interrupted,
      handler: () =>
        Effect.suspend(() => {
          if (++calls > 1) return Effect.void
          return Deferred.succeed(started, undefined).pipe(
            Effect.zipRight(hang),
            Effect.onInterrupt(() => Effect.sync(() => interrupted++))
          )
        }),
      started: Deferred.await(started)
    }
  })

/** A turn of the event loop, in which an answer that is ready gets out. */
export const turn = Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
