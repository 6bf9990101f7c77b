/**
 * Both sides, with every byte between them: what the server fails with, the caller catches.
 */
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as HttpServer from "@effect/platform/HttpServer"
import * as RpcClient from "@effect/rpc/RpcClient"
import * as RpcSerialization from "@effect/rpc/RpcSerialization"
import * as RpcServer from "@effect/rpc/RpcServer"
import { assert, describe, it } from "@effect/vitest"
import { deepStrictEqual } from "@effect/vitest/utils"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { LumeClient, LumeError, LumeRun } from "effect-lume"
import { handlers, Runs } from "./runs.js"

const http = (answer: (request: Request) => Promise<Response> | Response) =>
  Layer.succeed(
    HttpClient.HttpClient,
    HttpClient.make((request, url) =>
      Effect.map(
        Effect.promise(async () => {
          const body = request.body._tag === "Uint8Array" ? new Blob([new Uint8Array(request.body.body)]) : null
          return answer(new Request(url, { method: request.method, headers: request.headers, body }))
        }),
        (response) => HttpClientResponse.fromWeb(request, response)
      )
    )
  )

/** A Lume that has no room for new runs, and knows one. */
const lume = http(({ method, url }) =>
  method === "POST"
    ? new Response("busy", { status: 429, headers: { "retry-after": "60" } })
    : url.endsWith("/run_1")
      ? Response.json({ id: "run_1", status: "FAILED", metadata: {}, run_metadata: { team: "billing" } })
      : new Response(null, { status: 404 })
)

const client = LumeClient.layer({ apiKey: Redacted.make("a-key"), retry: { times: 0 } }).pipe(Layer.provide(lume))

/** The caller's client, over a server in this process. */
const caller = Effect.gen(function* () {
  const server = yield* Effect.acquireRelease(
    Effect.sync(() =>
      RpcServer.toWebHandler(Runs, {
        layer: Layer.mergeAll(Layer.provide(handlers, client), RpcSerialization.layerNdjson, HttpServer.layerContext)
      })
    ),
    ({ dispose }) => Effect.promise(dispose)
  )
  const protocol = RpcClient.layerProtocolHttp({ url: "http://rpc.test" }).pipe(
    Layer.provide([http((request) => server.handler(request)), RpcSerialization.layerNdjson])
  )
  return yield* Effect.provide(RpcClient.make(Runs), yield* Layer.build(protocol))
})

describe("runs over RPC", () => {
  it.scopedLive("fail with the client's own errors, their data and messages intact", () =>
    Effect.gen(function* () {
      const runs = yield* caller
      const error = yield* Effect.flip(runs.Submit({ flowVersion: "invoice_cleaner:v4", sourcePath: "b.csv" }))
      assert(error._tag === "RateLimitedError")
      assert.instanceOf(error, LumeError.RateLimitedError)
      deepStrictEqual(Option.map(error.retryAfter, Duration.toSeconds), Option.some(60))
      assert.include(error.message, "Try again in 60 s")
      assert.isTrue(LumeError.isTransient(error))
    })
  )

  it.scopedLive("are runs on the other side too", () =>
    Effect.gen(function* () {
      const runs = yield* caller
      const run = Option.getOrThrow(yield* Stream.runHead(runs.Watch({ runId: "run_1" })))
      assert.strictEqual(run._tag, "Failed")
      assert.deepStrictEqual(run.runMetadata, { team: "billing" })
      assert.isTrue(LumeRun.isTerminal(run))
      const unknown = yield* Effect.flip(Stream.runHead(runs.Watch({ runId: "run_2" })))
      assert.strictEqual(unknown._tag, "RunNotFoundError")
    })
  )
})
