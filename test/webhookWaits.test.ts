/**
 * Waits and webhooks together: whatever becomes of the deliveries, every wait ends right.
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import { createServer } from "node:http"
import * as LocalLume from "../src/local/LocalLume.js"
import * as LumeClient from "../src/LumeClient.js"
import * as LumeWebhook from "../src/LumeWebhook.js"
import * as RunEvents from "../src/RunEvents.js"
import { flow, folders } from "./local/support.js"
import { apiKey, fakeHttp, state } from "./support/fakeHttp.js"
import { unlogged } from "./support/observed.js"
import { serve, until } from "./support/server.js"

const secret = Redacted.make("whsec-3b1f")

describe("deliveries", () => {
  const runIds = ["run_a", "run_b", "run_c"] as const
  const ends = { run_a: 60, run_b: 90, run_c: 120 }
  const words = { run_a: "SUCCEEDED", run_b: "FAILED", run_c: "PARTIAL_FAILED" } as const

  /** Three runs that end one after the other, a client with events, and a webhook that publishes them. */
  const make = Effect.gen(function* () {
    const http = fakeHttp(({ at, url }) => {
      const id = runIds.find((id) => url.endsWith(id)) ?? "run_a"
      return state(at >= ends[id] * 1000 ? words[id] : "TRANSFORMING", {}, id)
    })
    const context = yield* Layer.build(
      LumeClient.layerWithEvents({ apiKey: Redacted.make(apiKey) }).pipe(
        Layer.provide(http.layer),
        Layer.provideMerge(RunEvents.layer)
      )
    )
    const app = LumeWebhook.httpApp({ secrets: [secret], handler: RunEvents.publish })
    const deliver = (runId: string, by = secret) =>
      Effect.gen(function* () {
        const body = JSON.stringify({ run_id: runId, status: "SUCCEEDED" })
        const signature = yield* LumeWebhook.sign({ secret: by, body })
        const request = new Request("http://localhost/", {
          method: "POST",
          body,
          headers: { "x-lume-signature-256": signature }
        })
        const response = yield* app.pipe(
          Effect.provideService(HttpServerRequest.HttpServerRequest, HttpServerRequest.fromWeb(request)),
          Effect.provide(unlogged),
          Effect.provide(context)
        )
        return response.status
      })
    const lume = Context.get(context, LumeClient.LumeClient)
    const fibers = yield* Effect.all([
      Effect.fork(lume.wait(runIds[0])),
      Effect.fork(lume.wait(runIds[1])),
      Effect.fork(lume.wait(runIds[2]))
    ])
    return { deliver, fibers, http }
  })

  it.scoped("may come twice, in any order, too early, forged, or after all is over", () =>
    Effect.gen(function* () {
      const { deliver, fibers, http } = yield* make
      yield* TestClock.adjust("10 seconds")
      // forged: nothing is read
      const before = http.sent.length
      assert.strictEqual(yield* deliver("run_a", Redacted.make("another")), 401)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(http.sent.length, before)
      // too early, and another before its turn: the waits go on
      assert.strictEqual(yield* deliver("run_c"), 204)
      yield* TestClock.adjust("109 seconds")
      assert.strictEqual(yield* deliver("run_b"), 204)
      assert.strictEqual(yield* deliver("run_b"), 204)
      assert.strictEqual(yield* deliver("run_a"), 204)
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(fibers[0]))._tag, "Succeeded")
      assert.strictEqual((yield* Fiber.join(fibers[1]))._tag, "Failed")
      // the third's event came too early, and none comes any more: it finds out by itself
      yield* TestClock.adjust("5 minutes")
      assert.strictEqual((yield* Fiber.join(fibers[2]))._tag, "PartialFailed")
      // late
      const after = http.sent.length
      assert.strictEqual(yield* deliver("run_a"), 204)
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual(http.sent.length, after)
    })
  )

  it.scoped("may never come", () =>
    Effect.gen(function* () {
      const { fibers } = yield* make
      yield* TestClock.adjust("5 minutes")
      const runs = yield* Effect.forEach(fibers, (fiber) => Fiber.join(fiber))
      assert.deepStrictEqual(
        runs.map(({ status }) => status),
        ["SUCCEEDED", "FAILED", "PARTIAL_FAILED"]
      )
    })
  )
})

describe("a server that is killed between submit and delivery", () => {
  it.scopedLive("and started again, hears of the run, and waits for it by its id", () =>
    Effect.gen(function* () {
      const places = yield* folders({ "people.csv": "Id,Born,Name\n1,1815-12-10,Ada\n" })
      // Whoever listens here first is not there when the delivery comes.
      const gone = yield* Effect.scoped(
        Effect.map(
          serve(() => {}),
          ({ url }) => url
        )
      )
      const context = yield* Layer.build(LocalLume.layer({ flows: [flow], ...places, webhook: { url: gone, secret } }))
      const local = Context.get(context, LocalLume.LocalLume)
      const options = { apiKey: local.apiKey, baseUrl: local.url }
      const lume = yield* LumeClient.make(options).pipe(Effect.provide(FetchHttpClient.layer))
      const run = yield* lume.run({ flowVersion: "people:v1", sourcePath: "people.csv" })
      yield* Effect.repeat(lume.refresh(run), { until: ({ _tag }) => _tag === "Succeeded" })

      const heard: Array<string> = []
      const app = LumeWebhook.httpApp({
        secrets: [secret],
        handler: ({ runId }) => Effect.sync(() => heard.push(runId))
      })
      yield* Layer.build(
        HttpServer.serve(app).pipe(
          Layer.provide(NodeHttpServer.layer(createServer, { host: "127.0.0.1", port: Number(new URL(gone).port) }))
        )
      )
      yield* until(() => heard.includes(run.id))

      const after = yield* Effect.flatMap(LumeClient.LumeClient, (lume) => lume.wait(run.id)).pipe(
        Effect.provide(LumeClient.layerWithEvents(options)),
        Effect.provide([FetchHttpClient.layer, RunEvents.layer])
      )
      assert.strictEqual(after._tag, "Succeeded")
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )
})
