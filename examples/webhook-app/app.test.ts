/**
 * The whole of it, on loopback: a form is posted, the run is made, its webhook is delivered, and the page shows its end.
 */
import * as HttpServer from "@effect/platform/HttpServer"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { createServer } from "node:http"
import { app } from "./app.js"

describe("the webhook app", () => {
  it.scopedLive("shows a run's end as soon as its webhook is there", () =>
    Effect.gen(function* () {
      const context = yield* Layer.build(
        app.pipe(Layer.provideMerge(NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1" })))
      )
      const { address } = Context.get(context, HttpServer.HttpServer)
      assert("port" in address)
      const url = `http://127.0.0.1:${address.port}`
      const read = Effect.promise(async () => (await fetch(url)).text())

      const submitted = yield* Effect.promise(() =>
        fetch(`${url}/runs`, {
          method: "POST",
          redirect: "manual",
          body: new URLSearchParams({ source: "birdstrikes.csv" })
        })
      )
      assert.strictEqual(submitted.status, 303)
      assert.include(yield* read, "birdstrikes.csv")
      // Without the webhook, the wait would find out only after five minutes.
      yield* Effect.repeat(read, { until: (page) => page.includes("9970 of 10000 rows mapped") })

      const forged = yield* Effect.promise(() => fetch(`${url}/webhooks/lume`, { method: "POST", body: "{}" }))
      assert.strictEqual(forged.status, 401)
    })
  )
})
