/**
 * What is sent again, and when.
 */
import * as HttpClientError from "@effect/platform/HttpClientError"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as TestClock from "effect/TestClock"
import * as LumeClient from "../src/LumeClient.js"
import * as LumeError from "../src/LumeError.js"
import * as LumeTest from "../src/LumeTest.js"
import cases from "./cases/retry-after.json" with { type: "json" }
import { clientLayer, fakeHttp, type FakeHttp, inTurn, json, type Respond, runId, state } from "./support/fakeHttp.js"
import { property } from "./support/property.js"

const request = { flowVersion: "invoice_cleaner:v4", sourcePath: "s3://acme/batch-001.csv" }

const read = (http: FakeHttp, retry?: LumeClient.Options["retry"]) =>
  Effect.flatMap(LumeClient.LumeClient, (lume) => lume.runStatus(runId)).pipe(
    Effect.provide(clientLayer(http, { retry }))
  )

const submit = (http: FakeHttp, retry?: LumeClient.Options["retry"]) =>
  Effect.flatMap(LumeClient.LumeClient, (lume) => lume.run(request)).pipe(Effect.provide(clientLayer(http, { retry })))

const created: Respond = () => state("CREATED")

const status =
  (code: number, headers: Record<string, string> = {}): Respond =>
  () =>
    json({ detail: "no" }, code, headers)

const broken =
  (cause: unknown): Respond =>
  (_, __, request) =>
    Effect.fail(new HttpClientError.RequestError({ request, reason: "Transport", cause }))

const delays = ({ sent }: FakeHttp) => sent.slice(1).map(({ at }, index) => at - (sent[index]?.at ?? 0))

describe("retry-after.json", () => {
  it.effect.each(cases.map((test) => [test.id, test] as const))("%s", ([, test]) =>
    Effect.zipRight(
      TestClock.setTime(Date.parse(test.now)),
      LumeTest.waitFor(
        Effect.gen(function* () {
          const refused = yield* Effect.flip(read(fakeHttp(status(429, { "retry-after": test.header })), { times: 0 }))
          assert(refused._tag === "RateLimitedError")
          const asked = Option.map(refused.retryAfter, Duration.toMillis)
          assert.strictEqual(Option.getOrNull(asked), test.expectMillis)

          const http = fakeHttp(inTurn(status(429, { "retry-after": test.header }), created))
          yield* read(http)
          const [delay = -1] = delays(http)
          // never sooner than what was asked for, and never sooner than the backoff
          if ((test.expectMillis ?? 0) > 600) assert.strictEqual(delay, test.expectMillis)
          else assert(delay >= 400 && delay <= 600, `${delay} is no first backoff`)
        })
      )
    )
  )
})

describe("a read", () => {
  const transient = [408, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 525, 526, 527]

  it.effect.each(transient)("is made again after status %s, up to three times", (code) =>
    LumeTest.waitFor(
      Effect.gen(function* () {
        const recovers = fakeHttp(inTurn(status(code), status(code), status(code), created))
        assert.strictEqual((yield* read(recovers))._tag, "Created")
        const stays = fakeHttp(status(code))
        assert.isTrue(LumeError.isTransient(yield* Effect.flip(read(stays))))
        assert.strictEqual(stays.sent.length, 4)
      })
    )
  )

  it.effect("is made again after a lost answer, and after none in time", () =>
    LumeTest.waitFor(
      Effect.gen(function* () {
        const http = fakeHttp(inTurn(broken(new Error("reset")), () => Effect.never, created))
        assert.strictEqual((yield* read(http))._tag, "Created")
        assert.strictEqual(http.sent.length, 3)
      })
    )
  )

  it.effect.each([400, 401, 403, 404, 409, 410, 422, 302])("is not made again after status %s", (code) =>
    LumeTest.waitFor(
      Effect.gen(function* () {
        const http = fakeHttp(() => new Response(null, { status: code }))
        yield* Effect.flip(read(http))
        assert.strictEqual(http.sent.length, 1)
      })
    )
  )

  property.effect(
    "waits longer each time, with jitter, up to the cap, in whole milliseconds",
    [
      FastCheck.integer({ min: 1, max: 100_000 }),
      FastCheck.integer({ min: 1, max: 600_000 }),
      FastCheck.integer({ min: 0, max: 12 })
    ],
    ([base, cap, times]) =>
      LumeTest.waitFor(
        Effect.gen(function* () {
          const http = fakeHttp(status(503))
          yield* Effect.flip(read(http, { times, base, cap }))
          assert.strictEqual(http.sent.length, times + 1)
          delays(http).forEach((delay, index) => {
            const middle = base * 2 ** index
            assert(Number.isInteger(delay))
            assert.isAtLeast(delay, Math.min(cap, Math.floor(middle * 0.8)))
            assert.isAtMost(delay, Math.min(cap, Math.ceil(middle * 1.2)))
          })
        })
      ),
    { fastCheck: { numRuns: 50 } }
  )
})

describe("the jitter", () => {
  const delaysWith = (seed: string) =>
    LumeTest.waitFor(
      Effect.gen(function* () {
        const http = fakeHttp(status(503))
        yield* Effect.flip(read(http, { times: 3, base: 10_000, cap: 60_000 }))
        return delays(http)
      })
    ).pipe(Effect.withRandom(Random.make(seed)))

  it.effect("is chance, that of Effect's Random", () =>
    Effect.gen(function* () {
      assert.notDeepEqual(yield* delaysWith("a"), yield* delaysWith("b"))
      assert.deepStrictEqual(yield* delaysWith("a"), yield* delaysWith("a"))
    })
  )
})

describe("a submit", () => {
  const code = (code: string) => Object.assign(new Error("connect failed"), { code })
  const deep = (error: Error) => new TypeError("fetch failed", { cause: new Error("middle", { cause: error }) })

  const safe: ReadonlyArray<readonly [string, Respond]> = [
    ["ECONNREFUSED", broken(code("ECONNREFUSED"))],
    ["ENOTFOUND, deep", broken(deep(code("ENOTFOUND")))],
    ["EAI_AGAIN", broken(code("EAI_AGAIN"))],
    ["UND_ERR_CONNECT_TIMEOUT", broken(deep(code("UND_ERR_CONNECT_TIMEOUT")))],
    ["a certificate that is refused", broken(deep(code("DEPTH_ZERO_SELF_SIGNED_CERT")))],
    [
      "each of several addresses refused",
      broken(deep(new AggregateError([code("ECONNREFUSED"), code("ECONNREFUSED")])))
    ],
    ["429", status(429)]
  ]

  it.effect.each(safe)("is sent again where Lume took nothing: %s", ([, fail]) =>
    LumeTest.waitFor(
      Effect.gen(function* () {
        const http = fakeHttp(inTurn(fail, fail, created))
        assert.strictEqual((yield* submit(http))._tag, "Created")
        assert.strictEqual(http.sent.length, 3)
        assert.deepStrictEqual(http.sent[2]?.body, {
          flow_version: request.flowVersion,
          source_path: request.sourcePath
        })
        const error = yield* Effect.flip(submit(fakeHttp(fail)))
        assert.isTrue(LumeError.isTransient(error), error._tag)
      })
    )
  )

  const unsafe: ReadonlyArray<readonly [string, Respond]> = [
    ["ECONNRESET", broken(code("ECONNRESET"))],
    ["EPIPE", broken(deep(code("EPIPE")))],
    ["ETIMEDOUT", broken(code("ETIMEDOUT"))],
    ["UND_ERR_SOCKET", broken(deep(code("UND_ERR_SOCKET")))],
    ["UND_ERR_HEADERS_TIMEOUT", broken(deep(code("UND_ERR_HEADERS_TIMEOUT")))],
    [
      "one of several addresses refused, and a connection to another broken",
      broken(deep(new AggregateError([code("ECONNREFUSED"), code("ECONNRESET")])))
    ],
    ["several addresses, and nothing said of one", broken(new AggregateError([code("ECONNREFUSED"), undefined]))],
    ["no code", broken(new TypeError("fetch failed"))],
    ["no cause", broken(undefined)],
    ["no answer in time", () => Effect.never],
    ["500", status(500)],
    ["502", status(502)],
    ["503 without Retry-After", status(503)],
    ["503 with one that can't be read", status(503, { "retry-after": "soon" })],
    ["504", status(504)],
    ["a page with status 200", () => new Response("<title>Sign in</title>")],
    ["an empty answer", () => new Response(null, { status: 204 })],
    ["an answer that is too large", () => new Response("x".repeat(9 * 1024 ** 2))]
  ]

  it.effect.each(unsafe)("is sent once where it may have arrived: %s", ([, fail]) =>
    LumeTest.waitFor(
      Effect.gen(function* () {
        const http = fakeHttp(inTurn(fail, created))
        const error = yield* Effect.flip(
          Effect.flatMap(LumeClient.LumeClient, (lume) =>
            Effect.retry(lume.run(request), { while: LumeError.isTransient })
          ).pipe(Effect.provide(clientLayer(http)))
        )
        assert.strictEqual(error._tag, "SubmitOutcomeUnknownError")
        assert.include(error.message, request.sourcePath)
        assert.strictEqual(http.sent.length, 1)
      })
    )
  )

  it.effect("never sets force_rerun by itself", () =>
    LumeTest.waitFor(
      Effect.gen(function* () {
        const http = fakeHttp(inTurn(status(429), status(409)))
        yield* Effect.flip(submit(http))
        assert.notInclude(JSON.stringify(http.sent), "force_rerun")
      })
    )
  )
})
