/**
 * The web handler as a server calls it, with requests of which one is forged.
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Redacted from "effect/Redacted"
import * as LumeClient from "effect-lume/LumeClient"
import * as LumeWebhook from "effect-lume/LumeWebhook"
import { makeApp } from "./app.js"

const secret = Redacted.make("whsec-3b1f")

/** A Lume that knows one run, whose status the test sets. */
const lume = Effect.gen(function* () {
  const reads = yield* Queue.unbounded<string>()
  const run = { id: "run_1", status: "TRANSFORMING" }
  const fetch: typeof globalThis.fetch = (url) => {
    reads.unsafeOffer(String(url))
    return Promise.resolve(Response.json(run))
  }
  const http = Layer.provide(FetchHttpClient.layer, Layer.succeed(FetchHttpClient.Fetch, fetch))
  return { reads, run, http }
})

const deliver = (signature: string, body: string) =>
  new Request("https://acme.example/webhooks/lume", {
    method: "POST",
    headers: { [LumeWebhook.signatureHeader]: signature },
    body
  })

it.scopedLive("a delivery wakes the wait for its run, a forged one does not", () =>
  Effect.gen(function* () {
    const { http, reads, run } = yield* lume
    const app = yield* Effect.acquireRelease(
      Effect.sync(() => makeApp({ apiKey: Redacted.make("a-key"), secrets: [secret] }, http)),
      ({ dispose }) => Effect.promise(dispose)
    )
    const send = (request: Request) => Effect.promise(() => app.handler(request))

    const wait = app.runtime.runFork(Effect.flatMap(LumeClient.LumeClient, (lume) => lume.wait("run_1")))
    yield* Queue.take(reads)
    run.status = "SUCCEEDED"

    const body = JSON.stringify({ run_id: "run_1", status: "SUCCEEDED" })
    const forged = yield* LumeWebhook.sign({ secret: Redacted.make("a guess"), body })
    assert.strictEqual((yield* send(deliver(forged, body))).status, 401)
    assert.strictEqual(yield* Queue.size(reads), 0)

    const signature = yield* LumeWebhook.sign({ secret, body })
    assert.strictEqual((yield* send(deliver(signature, body))).status, 204)
    // Without the webhook, the wait would read again only after five minutes.
    assert.strictEqual((yield* Fiber.join(wait))._tag, "Succeeded")
  })
)
