/**
 * What comes back for a request, part by part: how much of a body is read and for how long, what a client's own errors
 * mean, and which requests a `transformClient` may make beside ours.
 */
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import * as LumeClient from "../src/LumeClient.js"
import { apiKey, clientLayer, fakeHttp, inTurn, json, type Respond, runId, state } from "./support/fakeHttp.js"
import { turn } from "./support/webhook.js"

const request = { flowVersion: "invoice_cleaner:v4", sourcePath: "s3://acme/batch-001.csv" }

const once = { retry: { times: 0 } } as const

/** An answer whose body begins, and does not go on. */
const unending = (status: number, headers: Record<string, string> = {}): Response =>
  new Response(new ReadableStream<Uint8Array>({ pull: () => new Promise(() => {}) }), { status, headers })

/** What a read is after so much time, in milliseconds; nothing while it goes on. */
const readAfter = (millis: number, respond: Respond, options: Partial<LumeClient.Options> = {}) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.merge(LumeClient.runStatus(runId)).pipe(
      Effect.provide(clientLayer(fakeHttp(respond), { ...once, ...options })),
      Effect.fork
    )
    yield* Effect.repeatN(turn, 3)
    yield* TestClock.adjust(millis)
    yield* Effect.repeatN(turn, 3)
    const exit = yield* Fiber.poll(fiber)
    return Option.isNone(exit) ? undefined : yield* Fiber.join(fiber)
  })

describe("a body", () => {
  it.effect("that can't fit by its declared length is not waited for beyond what is quoted of it", () =>
    Effect.gen(function* () {
      const declared = () => unending(200, { "content-length": "101" })
      assert.isUndefined(yield* readAfter(1_999, declared, { maxResponseBytes: 100 }))
      const error = yield* readAfter(2_000, declared, { maxResponseBytes: 100 })
      assert.deepInclude(error, {
        _tag: "TransportError",
        reason: "TooLarge",
        detail: "the body has more than 100 bytes"
      })
    })
  )

  it.effect("that just fits by its declared length is read", () =>
    Effect.gen(function* () {
      const text = JSON.stringify({ id: runId, status: "CREATED" }).padEnd(100)
      const respond = () => new Response(text, { headers: { "content-length": "100" } })
      assert.strictEqual((yield* readAfter(0, respond, { maxResponseBytes: 100 }))?._tag, "Created")
    })
  )

  it.effect.each(["50", "0", "", "-1", "1e1", "50, 50"])(
    "of more bytes than declared (%j) is too large all the same",
    (length) =>
      Effect.gen(function* () {
        const text = JSON.stringify({ id: runId, status: "CREATED" }).padEnd(101)
        const respond = () => new Response(text, { headers: { "content-length": length } })
        const error = yield* readAfter(0, respond, { maxResponseBytes: 100 })
        assert.deepInclude(error, { _tag: "TransportError", reason: "TooLarge" })
      })
  )

  const declaring = (body: Uint8Array): ReadonlyArray<Record<string, string>> => [
    {},
    { "content-length": String(body.length) }
  ]

  it.effect("that is not UTF-8 is no run, whatever it would say", () =>
    Effect.gen(function* () {
      const text = `{"id": "${runId}", "status": "CREATED", "run_metadata": {"city": "Orl\u00e9ans"}}`
      const body = Buffer.from(text, "latin1")
      for (const headers of declaring(body)) {
        const respond = () => new Response(body, { headers })
        const error = yield* readAfter(0, respond)
        assert.deepInclude(error, { _tag: "DecodeError", received: "bytes that are not UTF-8" })
        const submitted = yield* Effect.flip(LumeClient.run(request)).pipe(
          Effect.provide(clientLayer(fakeHttp(respond), once))
        )
        assert.strictEqual(submitted._tag, "SubmitOutcomeUnknownError")
      }
    })
  )

  it.effect("may hold the character that stands for what could not be read elsewhere", () =>
    Effect.gen(function* () {
      const run_metadata = { city: "Orl\ufffdans" }
      for (const mark of ["", "\ufeff"]) {
        const body = Buffer.from(`${mark}${JSON.stringify({ id: runId, status: "CREATED", run_metadata })}`)
        for (const headers of [
          ...declaring(body),
          // the length of what was compressed
          { "content-encoding": "gzip", "content-length": "20" }
        ]) {
          const run = yield* readAfter(0, () => new Response(body, { headers }))
          assert(run?._tag === "Created")
          assert.deepStrictEqual(run.runMetadata, run_metadata)
        }
      }
    })
  )

  it.effect("may have been read by transformClient, where its length is declared", () =>
    Effect.gen(function* () {
      const body = JSON.stringify({ id: runId, status: "CREATED" })
      const respond = () => new Response(body, { headers: { "content-length": String(body.length) } })
      const transformClient = HttpClient.tap(({ text }) => Effect.ignore(text))
      assert.strictEqual((yield* readAfter(0, respond, { transformClient }))?._tag, "Created")
    })
  )

  it.effect("that is not there is nothing, not too much", () =>
    Effect.gen(function* () {
      const error = yield* readAfter(0, () => new Response(null))
      assert.deepInclude(error, { _tag: "DecodeError", received: "nothing" })
    })
  )

  it.effect("that breaks off says so, and why", () =>
    Effect.gen(function* () {
      const error = yield* readAfter(
        0,
        () => new Response(new ReadableStream({ pull: (controller) => controller.error(new Error("cut")) }))
      )
      assert.deepInclude(error, { _tag: "TransportError", reason: "Network", detail: "the answer broke off: cut" })
    })
  )

  it.effect("that is only quoted and does not come is left out, also where time is up before", () =>
    Effect.gen(function* () {
      for (const [millis, requestTimeout] of [
        [2_000, "1 minute"],
        [1_000, "1 second"]
      ] as const) {
        const respond = () => unending(503)
        assert.isUndefined(yield* readAfter(millis - 1, respond, { requestTimeout }))
        const error = yield* readAfter(millis, respond, { requestTimeout })
        assert.deepInclude(error, { _tag: "ApiError", status: 503, detail: "" })
      }
    })
  )
})

describe("a run", () => {
  it.effect("that is another one is no answer", () =>
    Effect.gen(function* () {
      const error = yield* readAfter(0, () => state("SUCCEEDED", {}, "run_OTHER"))
      assert.deepInclude(error, { _tag: "DecodeError", path: "id", expected: `"${runId}"`, received: '"run_OTHER"' })
    })
  )
})

describe("a status", () => {
  it.effect("that is not 2xx is no run, whatever the body says", () =>
    Effect.gen(function* () {
      const body = JSON.stringify({ id: runId, status: "CREATED" })
      for (const [status, tag] of [
        [200, "Created"],
        [299, "Created"],
        [300, "ApiError"],
        [399, "ApiError"]
      ] as const) {
        assert.strictEqual((yield* readAfter(0, () => new Response(body, { status })))?._tag, tag)
      }
    })
  )
})

describe("a time limit", () => {
  it.effect("is said to be the request's where it is, and what was left of the wait where that is less", () =>
    Effect.gen(function* () {
      const hangs: Respond = () => Effect.never
      const error = yield* readAfter(5_000, hangs, { requestTimeout: "5 seconds" })
      assert.deepInclude(error, { reason: "RequestTimeout", detail: "no whole answer within 5 s" })
      for (const [timeout, said] of [
        [5_000, "within 5 s"],
        [4_000, "in the time left, 4 s"]
      ] as const) {
        const fiber = yield* LumeClient.wait(runId, { timeout }).pipe(
          Effect.flip,
          Effect.provide(clientLayer(fakeHttp(hangs), { requestTimeout: "5 seconds" })),
          Effect.fork
        )
        yield* Effect.repeatN(turn, 3)
        yield* TestClock.adjust(timeout)
        yield* TestClock.adjust("5 seconds")
        const timedOut = yield* Fiber.join(fiber)
        assert.include(timedOut.message, said)
      }
    })
  )
})

describe("a client's own error", () => {
  /** A client over one that answers so, which fails with this of the answer. */
  const failing = (
    error: (
      request: HttpClientRequest.HttpClientRequest,
      response: HttpClientResponse.HttpClientResponse
    ) => HttpClientError.HttpClientError
  ) =>
    LumeClient.make({ ...once, apiKey: Redacted.make(apiKey) }).pipe(
      Effect.provideService(
        HttpClient.HttpClient,
        HttpClient.make((request) => Effect.fail(error(request, HttpClientResponse.fromWeb(request, state("CREATED")))))
      )
    )

  it.effect("of an answer that can't be read is no answer, whatever its status", () =>
    Effect.gen(function* () {
      const lume = yield* failing(
        (request, response) =>
          new HttpClientError.ResponseError({ request, response, reason: "Decode", cause: new Error("not JSON") })
      )
      const error = yield* Effect.flip(lume.runStatus(runId))
      assert.deepInclude(error, { _tag: "TransportError", detail: "the answer broke off: not JSON" })
      assert.strictEqual((yield* Effect.flip(lume.run(request)))._tag, "SubmitOutcomeUnknownError")
    })
  )

  it.effect("of a request that can't be sent is one of the request: nothing was sent", () =>
    Effect.gen(function* () {
      const clients = [
        [
          yield* failing((request) => new HttpClientError.RequestError({ request, reason: "Encode" })),
          // Effect 4 calls it EncodeError
          "the request can't be sent (Encode"
        ],
        [
          yield* failing(
            (request) =>
              new HttpClientError.RequestError({ request, reason: "InvalidUrl", description: "no such place" })
          ),
          "no such place"
        ]
      ] as const
      for (const [lume, said] of clients) {
        const errors = [yield* Effect.flip(lume.runStatus(runId)), yield* Effect.flip(lume.run(request))]
        for (const error of errors) {
          assert(error._tag === "InvalidRequestError")
          assert.isTrue(error.detail.startsWith(said), error.detail)
        }
      }
    })
  )

  it.effect("of a status is that status", () =>
    Effect.gen(function* () {
      const http = fakeHttp(() => json({ detail: "gone" }, 410))
      const strict = Effect.map(HttpClient.HttpClient, HttpClient.filterStatusOk)
      const lume = yield* LumeClient.make({ ...once, apiKey: Redacted.make(apiKey) }).pipe(
        Effect.provideServiceEffect(HttpClient.HttpClient, strict),
        Effect.provide(http.layer)
      )
      assert.deepInclude(yield* Effect.flip(lume.runStatus(runId)), {
        _tag: "RunNotFoundError",
        status: 410,
        detail: "gone"
      })
    })
  )
})

describe("what a transformClient sends beside ours", () => {
  const token = (method: "GET" | "POST", url: string) => (client: HttpClient.HttpClient) =>
    HttpClient.transform(client, (sending, request) =>
      request.url.endsWith("/token")
        ? sending
        : Effect.zipRight(client.execute(HttpClientRequest.make(method)(url)), sending)
    )

  const lumesOwn = "https://api.lume.ai/token"

  it.effect("may be a read of Lume's own before a submit", () =>
    Effect.gen(function* () {
      const http = fakeHttp(
        inTurn(
          () => json({}),
          () => state("CREATED")
        )
      )
      const run = yield* LumeClient.run(request).pipe(
        Effect.provide(clientLayer(http, { ...once, transformClient: token("GET", lumesOwn) }))
      )
      assert.strictEqual(run._tag, "Created")
      assert.deepStrictEqual(
        http.sent.map(({ method }) => method),
        ["GET", "POST"]
      )
    })
  )

  it.effect("may be a POST to Lume before a read", () =>
    Effect.gen(function* () {
      const http = fakeHttp(
        inTurn(
          () => json({}),
          () => state("CREATED")
        )
      )
      const run = yield* LumeClient.runStatus(runId).pipe(
        Effect.provide(clientLayer(http, { ...once, transformClient: token("POST", lumesOwn) }))
      )
      assert.strictEqual(run._tag, "Created")
    })
  )

  it.effect("is a submit again after 429 alone, also where the client fails with the status", () =>
    Effect.gen(function* () {
      for (const [first, tag] of [
        [429, "Created"],
        [503, "SubmitOutcomeUnknownError"]
      ] as const) {
        const http = fakeHttp(
          inTurn(
            () => json({}, first),
            () => state("CREATED")
          )
        )
        const strict = Effect.map(HttpClient.HttpClient, HttpClient.filterStatusOk)
        const lume = yield* LumeClient.make({
          ...once,
          apiKey: Redacted.make(apiKey),
          transformClient: HttpClient.retry({ times: 1 })
        }).pipe(Effect.provideServiceEffect(HttpClient.HttpClient, strict), Effect.provide(http.layer))
        const outcome = yield* Effect.merge(lume.run(request))
        assert.strictEqual(outcome._tag, tag)
        assert.strictEqual(http.sent.length, first === 429 ? 2 : 1)
      }
    })
  )
})
