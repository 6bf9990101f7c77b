/**
 * What only the wire shows, on each of the platform's clients: lost answers, redirects, bodies without end, sockets.
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import type { HttpClientResponse } from "@effect/platform/HttpClientResponse"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { gzipSync } from "node:zlib"
import * as LumeClient from "../src/LumeClient.js"
import { apiKey, runId } from "./support/fakeHttp.js"
import { answer, serve, until } from "./support/server.js"

const request = { flowVersion: "invoice_cleaner:v4", sourcePath: "s3://acme/batch-001.csv" }
const created = { id: runId, status: "CREATED", metadata: {} }

const clients: ReadonlyArray<readonly [string, Layer.Layer<HttpClient.HttpClient>]> = [
  ["Fetch", FetchHttpClient.layer],
  ["Undici", NodeHttpClient.layerUndici],
  ["Node", NodeHttpClient.layer]
]

const make = (baseUrl: string, options: Partial<LumeClient.Options> = {}) =>
  LumeClient.make({ apiKey: Redacted.make(apiKey), baseUrl, retry: { times: 2, base: 1 }, ...options })

const closedPort = Effect.map(Effect.scoped(serve(() => {})), ({ url }) => url)

describe.each(clients)("%s", (name, layer) => {
  const live = <A, E>(title: string, effect: Effect.Effect<A, E, HttpClient.HttpClient | Scope.Scope>) =>
    it.scopedLive(title, () => Effect.provide(effect, layer))

  live(
    "a submit is repeated where no connection was made, and is safe to repeat then",
    Effect.gen(function* () {
      let attempts = 0
      const counting = HttpClient.tapRequest(() => Effect.sync(() => attempts++))
      const lume = yield* make(yield* closedPort, { transformClient: counting })
      const error = yield* Effect.flip(lume.run(request))
      assert(error._tag === "TransportError" && error.reason === "Network")
      assert.strictEqual(attempts, 3)
      assert.include(error.message, "ECONNREFUSED")
    })
  )

  live(
    "a submit whose answer is lost is sent once, and its outcome is unknown",
    Effect.gen(function* () {
      const server = yield* serve((request) => request.on("end", () => request.socket.destroy()))
      const lume = yield* make(server.url)
      const error = yield* Effect.flip(lume.run(request))
      assert(error._tag === "SubmitOutcomeUnknownError" && error.failure._tag === "TransportError")
      assert.strictEqual(server.requests.length, 1)
    })
  )

  live(
    "a submit whose answer is cut short is sent once, and its outcome is unknown",
    Effect.gen(function* () {
      const server = yield* serve((_, response) => {
        response.writeHead(201, { "content-length": 1000 })
        response.write('{"id": "run_')
        setImmediate(() => response.destroy())
      })
      const lume = yield* make(server.url)
      assert.strictEqual((yield* Effect.flip(lume.run(request)))._tag, "SubmitOutcomeUnknownError")
      assert.strictEqual(server.requests.length, 1)
    })
  )

  live(
    "a read whose answer is lost is repeated",
    Effect.gen(function* () {
      const server = yield* serve((request, response, index) =>
        index < 2 ? request.socket.destroy() : answer(response, created)
      )
      const lume = yield* make(server.url)
      assert.strictEqual((yield* lume.runStatus(runId))._tag, "Created")
      assert.strictEqual(server.requests.length, 3)
    })
  )

  live(
    "a redirect is not followed: the key goes nowhere else",
    Effect.gen(function* () {
      const elsewhere = yield* serve((_, response) => answer(response, created))
      const server = yield* serve((_, response) => {
        response.writeHead(302, { location: `${elsewhere.url}/runs/${runId}` })
        response.end("moved")
      })
      const lume = yield* make(server.url)
      for (const attempt of [Effect.flip(lume.runStatus(runId)), Effect.flip(lume.run(request))]) {
        const error = yield* attempt
        assert(error._tag === "TransportError" && error.reason === "Redirect")
        assert.include(error.message, elsewhere.url)
      }
      assert.strictEqual(elsewhere.requests.length, 0)
      assert.strictEqual(server.requests.length, 2)
    })
  )

  live(
    "a byte-order mark is stripped, with and without a length",
    Effect.gen(function* () {
      const server = yield* serve((_, response, index) => {
        const body = Buffer.from(`\ufeff${JSON.stringify(created)}`)
        response.writeHead(200, index === 0 ? { "content-length": body.length } : {})
        response.end(body)
      })
      const lume = yield* make(server.url, { retry: { times: 0 } })
      assert.strictEqual((yield* lume.runStatus(runId))._tag, "Created")
      assert.strictEqual((yield* lume.runStatus(runId))._tag, "Created")
    })
  )

  live(
    "a body that is too large is cut off while it is read",
    Effect.gen(function* () {
      let endless = 0
      const server = yield* serve((_, response, index) => {
        if (index === 0) response.writeHead(200, { "content-length": 50_000_000 })
        const chunk = Buffer.alloc(65_536, 32)
        const more = () => {
          endless += chunk.length
          while (response.writable && response.write(chunk)) endless += chunk.length
        }
        response.on("drain", more)
        more()
      })
      const lume = yield* make(server.url, { maxResponseBytes: 100_000 })
      for (const _ of ["declared", "endless"]) {
        const error = yield* Effect.flip(lume.runStatus(runId))
        assert(error._tag === "TransportError" && error.reason === "TooLarge", error.message)
        assert.include(error.message, "100000")
      }
      yield* until(() => server.sockets.size === 0)
      assert.isBelow(endless, 20_000_000)
    })
  )

  live(
    "interrupting a wait closes its socket, before the answer and in the middle of it",
    Effect.gen(function* () {
      const server = yield* serve((_, response, index) => {
        if (index > 0) response.write("{")
      })
      const lume = yield* make(server.url)
      for (const requests of [1, 2]) {
        const fiber = yield* Effect.fork(lume.wait(runId))
        yield* until(() => server.requests.length === requests)
        yield* Fiber.interrupt(fiber)
        assert(Exit.isInterrupted(yield* Fiber.await(fiber)))
        yield* until(() => server.sockets.size === 0)
      }
    })
  )

  live(
    "a wait's deadline closes the socket of the read in flight",
    Effect.gen(function* () {
      const server = yield* serve((_, response) => response.write("{"))
      const lume = yield* make(server.url)
      const error = yield* Effect.flip(lume.wait(runId, { timeout: "200 millis" }))
      assert.strictEqual(error._tag, "TimeoutError")
      yield* until(() => server.sockets.size === 0)
    })
  )

  live(
    "the deadline closes that socket even where the wait can't be interrupted",
    Effect.gen(function* () {
      const server = yield* serve((_, response) => response.write("{"))
      const lume = yield* make(server.url)
      const error = yield* Effect.flip(Effect.uninterruptible(lume.wait(runId, { timeout: "200 millis" })))
      assert.strictEqual(error._tag, "TimeoutError")
      yield* until(() => server.sockets.size === 0)
    })
  )

  live(
    "a stalled body of an answer that refuses does not hide the refusal",
    Effect.gen(function* () {
      const server = yield* serve((_, response) => {
        response.writeHead(401)
        response.write("Inval")
      })
      const lume = yield* make(server.url)
      const error = yield* Effect.flip(lume.runStatus(runId))
      assert.strictEqual(error._tag, "AuthenticationError")
      yield* until(() => server.sockets.size === 0)
    })
  )

  live(
    "nor where the time that is left ends before the body",
    Effect.gen(function* () {
      const server = yield* serve((_, response) => {
        response.writeHead(403)
        response.write("Inval")
      })
      const lume = yield* make(server.url, { requestTimeout: "500 millis" })
      assert.strictEqual((yield* Effect.flip(lume.runStatus(runId)))._tag, "AuthenticationError")
      const waited = yield* Effect.flip(lume.wait(runId, { timeout: "500 millis" }))
      assert.strictEqual(waited._tag, "AuthenticationError")
      yield* until(() => server.sockets.size === 0)
    })
  )

  live(
    "an answer that switches protocols leaves no socket open",
    Effect.gen(function* () {
      const server = yield* serve((request, response) => {
        response.destroy()
        request.socket.destroy()
      })
      // Node's server answers an upgrade only where it was asked for one: written by hand
      server.intercept((socket) =>
        socket.write("HTTP/1.1 101 Switching Protocols\r\nupgrade: other\r\nconnection: upgrade\r\n\r\n")
      )
      const lume = yield* make(server.url, { retry: { times: 0 } })
      const error = yield* Effect.flip(lume.run(request))
      assert.strictEqual(error._tag, "SubmitOutcomeUnknownError")
      yield* until(() => server.sockets.size === 0)
    })
  )

  live(
    "a body that is still compressed is named",
    Effect.gen(function* () {
      const server = yield* serve((_, response) =>
        response.writeHead(200, { "content-encoding": "zstd-not-known" }).end("\u0028\u00b5\u002f\u00fd")
      )
      const lume = yield* make(server.url, { retry: { times: 0 } })
      const error = yield* Effect.flip(lume.runStatus(runId))
      assert.include(error.message, "content-encoding: zstd-not-known")
    })
  )

  live(
    "an answer that transformClient has read can be read again, whatever its length",
    Effect.gen(function* () {
      const server = yield* serve((_, response, index) => {
        const isRun = index % 2 === 0
        const body = JSON.stringify(isRun ? created : { detail: "no such flow" })
        const length = index < 8 ? { "content-length": body.length } : {}
        response.writeHead(isRun ? 200 : 422, { "content-type": "application/json", ...length })
        // in two parts, and chunked without a length
        response.write(body.slice(0, 10))
        response.end(body.slice(10))
      })
      for (const read of ["text", "json", "text", "json"] as const) {
        const seen: Array<string> = []
        const transformClient = HttpClient.tap((response) =>
          Effect.map(Effect.orDie(response[read]), (body) => void seen.push(JSON.stringify(body)))
        )
        const lume = yield* make(server.url, { transformClient })
        assert.strictEqual((yield* lume.run(request))._tag, "Created")
        assert.include((yield* Effect.flip(lume.run(request))).message, "no such flow")
        assert.lengthOf(seen, 2)
        const small = yield* make(server.url, { transformClient, maxResponseBytes: 20 })
        const error = yield* Effect.flip(small.runStatus(runId))
        assert(error._tag === "TransportError" && error.reason === "TooLarge", error.message)
        yield* Effect.flip(small.runStatus(runId))
      }
    })
  )

  live(
    "an answer that was read as bytes, or given up, is an error if anything, no defect, and interrupts nothing",
    Effect.gen(function* () {
      const tagOf = ({ _tag }: { readonly _tag: string }) => _tag
      const server = yield* serve((_, response, index) => {
        const body = JSON.stringify(created)
        const length = index % 4 < 2 ? { "content-length": body.length } : {}
        response.writeHead(index % 2 === 0 ? 200 : 422, { "content-type": "application/json", ...length })
        response.write(body.slice(0, 10))
        setTimeout(() => response.end(body.slice(10)), 50)
      })
      for (const transformClient of [
        HttpClient.tap((response) => response.arrayBuffer),
        HttpClient.tap((response) => Stream.runDrain(response.stream)),
        HttpClient.tap((response) => Effect.timeoutOption(Effect.ignore(response.text), 10)),
        HttpClient.tap((response) => Effect.timeoutOption(Effect.ignore(response.arrayBuffer), 10))
      ]) {
        const lume = yield* make(server.url, { transformClient, retry: { times: 0 }, requestTimeout: 300 })
        for (const _ of ["with a length", "without"]) {
          // some of the platform's clients keep bytes too
          const tag = yield* Effect.match(lume.run(request), { onFailure: tagOf, onSuccess: tagOf })
          assert.include(["SubmitOutcomeUnknownError", "Created"], tag)
          assert.strictEqual((yield* Effect.flip(lume.run(request)))._tag, "InvalidRequestError")
        }
      }
    })
  )

  live(
    "an answer that was read as a stream is an error that keeps nobody waiting",
    Effect.gen(function* () {
      const server = yield* serve((_, response) => response.end(JSON.stringify(created)))
      const transformClient = HttpClient.tap((response) => Stream.runDrain(response.stream))
      const lume = yield* make(server.url, { transformClient, retry: { times: 0 } })
      const error = yield* Effect.flip(lume.runStatus(runId))
      // some clients give nothing more, without an error
      assert.include(["TransportError", "DecodeError"], error._tag)
      assert.match(error.message, /its body was read before, and not .* as text|unusable|got nothing/)
    })
  )

  live(
    "what is not read in transformClient, though it could be, is read as ever",
    Effect.gen(function* () {
      const server = yield* serve((_, response) => response.end(JSON.stringify(created)))
      const touched = HttpClient.tap(({ arrayBuffer, json, stream, text }) =>
        Effect.sync(() => [arrayBuffer, json, stream, text])
      )
      const lume = yield* make(server.url, { transformClient: touched })
      assert.strictEqual((yield* lume.run(request))._tag, "Created")
    })
  )

  live(
    "an answer that the application's own client reads and shows is read again",
    Effect.gen(function* () {
      const injected = yield* HttpClient.HttpClient
      const run_metadata = { city: "Orl\ufffdans" }
      const server = yield* serve((_, response, index) => {
        const length = index < 4 ? { "content-type": "application/json" } : { "content-type": "text/plain" }
        response.writeHead(index % 2 === 0 ? 200 : 422, length)
        response.end(JSON.stringify(index % 2 === 0 ? { ...created, run_metadata } : { detail: "no such flow" }))
      })
      for (const log of [
        HttpClient.tap((response: HttpClientResponse) => Effect.ignore(response.text)),
        HttpClient.tap((response: HttpClientResponse) => Effect.sync(() => JSON.stringify(response)))
      ]) {
        const lume = yield* make(server.url).pipe(Effect.provideService(HttpClient.HttpClient, log(injected)))
        const run = yield* lume.run(request)
        assert.deepStrictEqual(run.runMetadata, run_metadata)
        assert.include((yield* Effect.flip(lume.run(request))).message, "no such flow")
      }
    })
  )

  live(
    "what was read before is bounded by its bytes",
    Effect.gen(function* () {
      const injected = yield* HttpClient.HttpClient
      const reads = HttpClient.tap(injected, (response) => Effect.ignore(response.text))
      const bytes = Buffer.from(JSON.stringify({ ...created, metadata: { city: "Orléans" } }))
      const server = yield* serve((_, response) => {
        response.writeHead(200, { "content-type": "application/json" })
        response.write(bytes)
        response.end()
      })
      const read = (maxResponseBytes: number) =>
        Effect.flatMap(make(server.url, { maxResponseBytes }), (lume) => lume.runStatus(runId)).pipe(
          Effect.provideService(HttpClient.HttpClient, reads)
        )
      assert.strictEqual((yield* read(bytes.length))._tag, "Created")
      const error = yield* Effect.flip(read(bytes.length - 1))
      assert(error._tag === "TransportError" && error.reason === "TooLarge", error.message)
    })
  )

  if (name !== "Fetch") return

  live(
    "a compressed body is bounded by what it holds, not by the length that it declares",
    Effect.gen(function* () {
      const body = gzipSync(JSON.stringify({ ...created, metadata: { padding: " ".repeat(200_000) } }))
      const headers = { "content-encoding": "gzip", "content-length": body.length }
      const server = yield* serve((_, response) => response.writeHead(200, headers).end(body))
      const lume = yield* make(server.url, { maxResponseBytes: 100_000 })
      const error = yield* Effect.flip(lume.runStatus(runId))
      assert(error._tag === "TransportError" && error.reason === "TooLarge", error.message)
      assert.strictEqual((yield* (yield* make(server.url)).runStatus(runId))._tag, "Created")
    })
  )

  live(
    "a body of which a browser hides that it was compressed, is read, and bounded by what it holds",
    Effect.gen(function* () {
      const text = JSON.stringify({ ...created, metadata: { city: "Orléans", padding: " ".repeat(200_000) } })
      const headers = { "content-type": "application/json", "content-length": "300" }
      const fetch: typeof globalThis.fetch = () => Promise.resolve(new Response(text, { headers }))
      const read = (options: Partial<LumeClient.Options>) =>
        Effect.flatMap(make("http://127.0.0.1:1", options), (lume) => lume.runStatus(runId)).pipe(
          Effect.provideService(FetchHttpClient.Fetch, fetch)
        )
      assert.strictEqual((yield* read({}))._tag, "Created")
      const error = yield* Effect.flip(read({ maxResponseBytes: 100_000 }))
      assert(error._tag === "TransportError" && error.reason === "TooLarge", error.message)
    })
  )

  live(
    "Fetch is told to keep nothing, whatever the application's own RequestInit says",
    Effect.gen(function* () {
      const seen: Array<RequestInit | undefined> = []
      const fetch: typeof globalThis.fetch = (_, init) => {
        seen.push(init)
        return Promise.resolve(Response.json(created))
      }
      const lume = yield* make("http://127.0.0.1:1")
      yield* lume
        .runStatus(runId)
        .pipe(
          Effect.provideService(FetchHttpClient.RequestInit, { cache: "force-cache" }),
          Effect.provideService(FetchHttpClient.Fetch, fetch)
        )
      assert.strictEqual(seen[0]?.cache, "no-store")
    })
  )

  live(
    "the application's own RequestInit is kept, but for redirects",
    Effect.gen(function* () {
      const server = yield* serve((_, response) => {
        response.writeHead(307, { location: "/elsewhere" })
        response.end()
      })
      const lume = yield* make(server.url)
      const error = yield* lume
        .runStatus(runId)
        .pipe(
          Effect.provideService(FetchHttpClient.RequestInit, { redirect: "follow", headers: { "x-team": "billing" } }),
          Effect.flip
        )
      assert(error._tag === "TransportError" && error.reason === "Redirect")
      assert.strictEqual(server.requests.length, 1)
      assert.strictEqual(server.requests[0]?.headers["x-team"], "billing")
      assert.strictEqual(server.requests[0]?.headers["lume-api-key"], apiKey)
    })
  )

  live(
    "no code of the cause says nothing of what was sent",
    Effect.gen(function* () {
      const lume = yield* make("http://127.0.0.1:1")
      const bare = () => Promise.reject(new TypeError("fetch failed"))
      const error = yield* lume.run(request).pipe(Effect.provideService(FetchHttpClient.Fetch, bare), Effect.flip)
      assert.strictEqual(error._tag, "SubmitOutcomeUnknownError")
      assert(Option.isNone(error._tag === "SubmitOutcomeUnknownError" ? error.failure.runId : Option.some("")))
    })
  )
})
