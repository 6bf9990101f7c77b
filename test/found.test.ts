/**
 * What real infrastructure and callers ran into, through the real client over a fake `HttpClient`.
 */
import * as HttpClientError from "@effect/platform/HttpClientError"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as LumeClient from "../src/LumeClient.js"
import * as LumeError from "../src/LumeError.js"
import * as LumeRun from "../src/LumeRun.js"
import * as LumeTest from "../src/LumeTest.js"
import cases from "./cases/found.json" with { type: "json" }
import { clientLayer, fakeHttp, runId, states } from "./support/fakeHttp.js"

const request = { flowVersion: "invoice_cleaner:v4", sourcePath: "s3://acme/batch-001.csv" }

const Answer = Schema.Struct({
  status: Schema.Number,
  headers: Schema.optional(Schema.Record({ key: Schema.String, value: Schema.String })),
  body: Schema.optional(Schema.String)
})

const about = { id: Schema.String, why: Schema.String }

const Submit = Schema.Struct({
  ...about,
  response: Schema.optional(Answer),
  cause: Schema.optional(Schema.Struct({ code: Schema.String, syscall: Schema.optional(Schema.String) })),
  expect: Schema.Struct({
    error: Schema.String,
    requests: Schema.Number,
    transient: Schema.optional(Schema.Boolean)
  })
})

/** The cases that were found to have a shape. */
const shaped: Array<string> = []

/** The cases that have this shape, each with its title. */
const like = <A, I>(kind: string, schema: Schema.Schema<A, I>): ReadonlyArray<readonly [string, A]> =>
  cases.flatMap((test) =>
    test.kind === kind
      ? Either.match(Schema.decodeUnknownEither(schema)(test), {
          onLeft: () => [],
          onRight: (read) => {
            shaped.push(test.id)
            return [[`${test.id}: ${test.why}`, read] as const]
          }
        })
      : []
  )

const answer = ({ body, headers, status }: typeof Answer.Type): Response =>
  new Response(status === 304 ? null : (body ?? ""), { status, headers: headers ?? {} })

const submits = like("submit", Submit)

it("every submit, read and request of the cases has one shape, and so a test", () => {
  const kinds = new Set(["submit", "read", "request"])
  // what no JSON file can hold stands beside the cases, under "a request"
  const tested = cases.filter((test) => kinds.has(test.kind) && !("runMetadata" in test && test.kind === "request"))
  assert.sameMembers(
    shaped,
    tested.map(({ id }) => id)
  )
})

describe("a submit", () => {
  it.effect.each(submits)("%s", ([, test]) =>
    LumeTest.waitFor(
      Effect.gen(function* () {
        const http = fakeHttp((_, __, request) =>
          test.response === undefined
            ? Effect.fail(
                new HttpClientError.RequestError({
                  request,
                  reason: "Transport",
                  cause: Object.assign(new Error("lost"), test.cause)
                })
              )
            : answer(test.response)
        )
        const error = yield* Effect.flatMap(LumeClient.LumeClient, (lume) => Effect.flip(lume.run(request))).pipe(
          Effect.provide(clientLayer(http, { retry: { times: 3, base: 1 } }))
        )
        assert.strictEqual(error._tag, test.expect.error)
        assert.strictEqual(http.sent.length, test.expect.requests)
        if (test.expect.transient !== undefined) assert.strictEqual(LumeError.isTransient(error), test.expect.transient)
      })
    )
  )

  it.effect.each([100, 101, 600, 799, 999, 305])("of which a proxy says %s may have arrived", (status) =>
    Effect.gen(function* () {
      const odd = Object.defineProperty(new Response(null, { status: 200 }), "status", { value: status })
      const http = fakeHttp(() => odd)
      const error = yield* Effect.flip(LumeClient.run(request)).pipe(Effect.provide(clientLayer(http)))
      assert.strictEqual(error._tag, "SubmitOutcomeUnknownError")
      assert.strictEqual(http.sent.length, 1)
    })
  )

  it.effect.each([
    ["getaddrinfo with a code that nobody has heard of", { code: "ESOMETHING", syscall: "getaddrinfo" }, 4],
    ["Node's client speaking TLS to a plain port", { code: "EPROTO", message: opensslSays("wrong version number") }, 4],
    ["no TLS version in common", { code: "EPROTO", message: opensslSays("tlsv1 alert protocol version") }, 4],
    ["an alert that can come after data", { code: "EPROTO", message: opensslSays("sslv3 alert bad certificate") }, 1],
    ["EPROTO that says nothing", { code: "EPROTO" }, 1],
    ["a proxy that refuses CONNECT", { message: "Proxy response (407) !== 200 when HTTP Tunneling" }, 4],
    ["a proxy's words in others", { message: "Not Proxy response (407) !== 200 when HTTP Tunneling" }, 1],
    ["a proxy of an older Undici", { message: "Proxy response (503)!== 200 when HTTP Tunneling" }, 4],
    ["a port that Fetch never connects to", { message: "bad port" }, 4],
    ["a port of another kind", { message: "a bad port" }, 1],
    ["and its number", { message: "bad port 5" }, 1],
    ["Deno before a connection stands", { message: "client error (Connect): dns error" }, 4],
    ["Deno after that", { message: "client error (SendRequest): connection closed" }, 1]
  ] as const)("that meets %s", ([, cause, requests]) =>
    LumeTest.waitFor(
      Effect.gen(function* () {
        const http = fakeHttp((_, __, request) =>
          Effect.fail(
            new HttpClientError.RequestError({
              request,
              reason: "Transport",
              cause: new TypeError("fetch failed", { cause: Object.assign(new Error("lost"), cause) })
            })
          )
        )
        const error = yield* Effect.flip(LumeClient.run(request)).pipe(Effect.provide(clientLayer(http)))
        assert.strictEqual(http.sent.length, requests)
        // no thread's number, and no line of OpenSSL's source
        assert.notMatch(error.message, /SSL routines|openssl/)
      })
    )
  )

  it.effect("says OpenSSL's words for a problem with its code", () =>
    Effect.gen(function* () {
      const saidOf = (code: string) => {
        const cause = Object.assign(new Error(opensslSays("wrong version number")), { code })
        const http = fakeHttp((_, __, request) =>
          Effect.fail(new HttpClientError.RequestError({ request, reason: "Transport", cause }))
        )
        return Effect.flip(LumeClient.runStatus("run_1")).pipe(
          Effect.map(({ message }) => message),
          Effect.provide(clientLayer(http, { retry: { times: 0 } }))
        )
      }
      assert.include(yield* saidOf("EPROTO"), " EPROTO: wrong version number")
      const fromFetch = yield* saidOf("ERR_SSL_WRONG_VERSION_NUMBER")
      assert.include(fromFetch, " ERR_SSL_WRONG_VERSION_NUMBER: wrong version number")
    })
  )
})

function opensslSays(reason: string) {
  return `write EPROTO 803C:error:0A00010B:SSL routines:ssl3_get_record:${reason}:../deps/openssl/record.c:350:`
}

describe("a read", () => {
  const Runs = Schema.Struct({
    ...about,
    response: Answer,
    expect: Schema.Struct({ run: Schema.Struct({ _tag: Schema.String }), runMetadata: Schema.Unknown })
  })

  it.effect.each(like("read", Runs))("%s", ([, test]) =>
    Effect.gen(function* () {
      const run = yield* LumeClient.runStatus("run_1").pipe(
        Effect.provide(clientLayer(fakeHttp(() => answer(test.response))))
      )
      assert.strictEqual(run._tag, test.expect.run._tag)
      assert.deepStrictEqual(run.runMetadata, test.expect.runMetadata)
    })
  )

  const Delays = Schema.Struct({
    ...about,
    response: Answer,
    expect: Schema.Struct({ firstDelayAtLeastMillis: Schema.Number })
  })

  it.effect.each(like("read", Delays))("%s", ([, test]) =>
    LumeTest.waitFor(
      Effect.gen(function* () {
        const headers = test.response.headers?.["retry-after"]?.startsWith("a date")
          ? { "retry-after": new Date(-600_000).toUTCString() }
          : test.response.headers
        const http = fakeHttp(() => answer({ ...test.response, headers }))
        yield* Effect.flip(LumeClient.runStatus("run_1")).pipe(Effect.provide(clientLayer(http)))
        assert.isAtLeast((http.sent[1]?.at ?? 0) - (http.sent[0]?.at ?? 0), test.expect.firstDelayAtLeastMillis)
      })
    )
  )

  const Pages = Schema.Struct({ ...about, repeat: Schema.String, bytes: Schema.Number, status: Schema.Number })

  it.effect.each(like("read", Pages))("%s", ([, test]) =>
    Effect.gen(function* () {
      const page = (bytes: number) => test.repeat.repeat(Math.ceil(bytes / test.repeat.length)).slice(0, bytes)
      const time = (bytes: number) =>
        Effect.gen(function* () {
          const http = fakeHttp(() => new Response(page(bytes), { status: test.status }))
          const startedAt = performance.now()
          const error = yield* Effect.flip(LumeClient.runStatus("run_1")).pipe(
            Effect.provide(clientLayer(http, { retry: { times: 0 } }))
          )
          assert(error._tag === "ApiError")
          assert.notInclude(error.detail, "\n")
          assert.isAtMost(error.detail.length, 200)
          return performance.now() - startedAt
        })
      yield* time(test.bytes)
      const small = yield* Effect.map(Effect.replicateEffect(time(test.bytes / 4), 5), (times) => Math.min(...times))
      // on a busy machine most measurements are of its load: the least of up to fifty is of the code
      let large = Infinity
      for (let times = 0; times < 50 && large >= 8 * small + 5; times += 1) {
        large = Math.min(large, yield* time(test.bytes))
      }
      assert.isBelow(large, 8 * small + 5)
    })
  )

  const Keys = Schema.Struct({
    ...about,
    key: Schema.String,
    body: Schema.String,
    expect: Schema.Struct({ keyNowhere: Schema.Literal(true) })
  })

  it.effect.each(like("read", Keys))("%s", ([, test]) =>
    Effect.gen(function* () {
      const read = (body: string) =>
        Effect.exit(LumeClient.runStatus("run_1")).pipe(
          Effect.provide(
            clientLayer(
              fakeHttp(() => new Response(body)),
              { apiKey: Redacted.make(test.key), retry: { times: 0 } }
            )
          )
        )
      const run = yield* Effect.flatten(read(test.body))
      const failed = yield* Effect.flip(LumeRun.orFail(run))
      const broken = yield* read(test.body.slice(0, -3))
      for (const shown of [JSON.stringify(run.rawMetadata), failed.message, JSON.stringify(failed), String(broken)]) {
        assert.notInclude(shown, test.key)
        assert.notInclude(shown, JSON.stringify(test.key).slice(1, -1))
        assert.notInclude(shown, test.key.replaceAll("/", "\\/"))
      }
      assert.include(failed.message, "<redacted>")
    })
  )

  it.effect("an answer that echoes the key 20,000 levels deep is an answer", () =>
    Effect.gen(function* () {
      const deep = `${'{"a":'.repeat(20_000)}"lume-key-under-test"${"}".repeat(20_000)}`
      const http = fakeHttp(() => new Response(`{"id":"run_1","status":"CREATED","metadata":${deep}}`))
      const run = yield* LumeClient.runStatus("run_1").pipe(Effect.provide(clientLayer(http)))
      assert.strictEqual(run._tag, "Created")
    })
  )

  it.effect.each([
    ['{"id":"run_1","status":NaN}', {}, "NaN at position 23"],
    ['{"id":"run_1",}', {}, "not valid JSON"],
    ["", {}, "nothing"],
    ["\u001f\u008b\b\u0000", { "content-encoding": "gzip" }, "content-encoding: gzip"]
  ] as const)("an answer %j that is no JSON names what it is", ([body, headers, mention]) =>
    Effect.gen(function* () {
      const http = fakeHttp(() => new Response(body, { headers }))
      const error = yield* Effect.flip(LumeClient.runStatus("run_1")).pipe(
        Effect.provide(clientLayer(http, { retry: { times: 0 } }))
      )
      assert.include(error.message, mention)
    })
  )
})

describe("a key that is cut off", () => {
  const key = "lume_key_abcdefghijklmnopqrstuvwxyz"
  const shown = (response: () => Response) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(LumeClient.runStatus("run_1")).pipe(
        Effect.provide(clientLayer(fakeHttp(response), { apiKey: Redacted.make(key), retry: { times: 0 } }))
      )
      assert.notInclude(`${error.message} ${JSON.stringify(error)}`, key.slice(0, 10))
    })

  it.effect.each([
    ["where a body stops being JSON", () => new Response(`{"k": ${key}}`)],
    ["in a request id", () => new Response("no", { status: 500, headers: { "x-request-id": "r".repeat(170) + key } })],
    ["in a content type", () => new Response("no", { headers: { "content-type": "r".repeat(170) + key } })],
    ["in a content encoding", () => new Response("no", { headers: { "content-encoding": "r".repeat(20) + key } })]
  ] as const)("%s is in no error", ([, response]) => shown(response))

  it.effect("is in no metadata, escaped in JSON within JSON", () =>
    Effect.gen(function* () {
      const secret = "ab/cd1234567"
      const inner = JSON.stringify({ k: secret }).replace("/", "\\/")
      const body = JSON.stringify({ id: "run_1", status: "FAILED", metadata: { inner } })
      const run = yield* LumeClient.runStatus("run_1").pipe(
        Effect.provide(
          clientLayer(
            fakeHttp(() => new Response(body)),
            { apiKey: Redacted.make(secret) }
          )
        )
      )
      assert.notInclude(JSON.stringify(run.rawMetadata).replaceAll("\\", ""), secret)
    })
  )
})

describe("a request", () => {
  const Fields = Schema.Struct({ ...about, field: Schema.String, value: Schema.String })
  const refused = (input: unknown) =>
    Effect.gen(function* () {
      const http = fakeHttp(states("CREATED"))
      // callers without types can give anything
      const error = yield* Effect.flip(LumeClient.run({ ...request, ...(input as object) })).pipe(
        Effect.provide(clientLayer(http))
      )
      assert.strictEqual(error._tag, "InvalidRequestError")
      assert.deepStrictEqual(http.sent, [])
      return error
    })

  it.effect.each(like("request", Fields))("%s", ([, { field, value }]) =>
    refused(
      field === "runMetadata.key"
        ? { runMetadata: { [value]: 1 } }
        : field === "runMetadata.value"
          ? { runMetadata: { deep: [value] } }
          : { [field]: value }
    )
  )

  it.effect.each([
    ["a symbol key", { [Symbol("a")]: 1 }],
    ["a toJSON that is hidden (not enumerable)", Object.defineProperty({}, "toJSON", { value: () => 1 })],
    ["an array with a toJSON", Object.assign([1], { toJSON: () => 1 })],
    ["the number -0", -0],
    ["a hidden property", Object.defineProperty({}, "hidden", { value: 1 })],
    ["an array with a property beside its items", Object.assign([1], { extra: 1 })]
  ])("with %s in its runMetadata is refused, because JSON would write something else", ([, value]) =>
    Effect.gen(function* () {
      const error = yield* refused({ runMetadata: { here: [value] } })
      assert.include(error.message, "here[0]")
    })
  )

  it("every request of the cases is above", () => {
    const named = cases.flatMap((test) => ("runMetadata" in test ? [test.runMetadata] : []))
    assert.deepStrictEqual(named, [
      "a symbol key",
      "a toJSON that is hidden (not enumerable)",
      "an array with a toJSON",
      "the number -0"
    ])
  })
})

describe("a caller without types", () => {
  // what TypeScript would refuse
  const anything = (value: unknown) => value as never

  const calls: Readonly<Record<string, (lume: LumeClient.Service) => Effect.Effect<unknown, unknown>>> = {
    "wait(undefined)": (lume) => lume.wait(anything(undefined)),
    "wait(null)": (lume) => lume.wait(anything(null)),
    "watch(undefined)": (lume) => Stream.runDrain(lume.watch(anything(undefined))),
    "refresh(undefined)": (lume) => lume.refresh(anything(undefined)),
    "wait(id, null)": (lume) => lume.wait(runId, anything(null)),
    "runAndWait(request, null)": (lume) => lume.runAndWait(request, anything(null)),
    "wait(an object with an id that is no run)": (lume) => lume.wait(anything({ id: runId, _tag: "Succeeded" })),
    "wait(id, { timeout: null })": (lume) => lume.wait(runId, anything({ timeout: null })),
    "wait(id, { onStatus: 1 })": (lume) => lume.wait(runId, anything({ onStatus: 1 })),
    "wait(id, { schedule: {} })": (lume) => lume.wait(runId, anything({ schedule: {} })),
    "run(undefined)": (lume) => lume.run(anything(undefined)),
    "runStatus(undefined)": (lume) => lume.runStatus(anything(undefined))
  }

  it.effect.each(Object.entries(calls))("%s fails with InvalidRequestError, and nothing is sent", ([, call]) =>
    Effect.gen(function* () {
      const http = fakeHttp(states("SUCCEEDED"))
      const exit = yield* Effect.exit(Effect.flatMap(LumeClient.LumeClient, call)).pipe(
        Effect.provide(clientLayer(http))
      )
      assert.deepStrictEqual(
        Exit.mapError(exit, (error) => (LumeError.isLumeError(error) ? error._tag : error)),
        Exit.fail("InvalidRequestError")
      )
      assert.deepStrictEqual(http.sent, [])
    })
  )

  it("every call of the cases is above", () => {
    const named = cases.flatMap((test) => ("call" in test ? [test.call] : []))
    assert.isNotEmpty(named)
    for (const call of named) assert.property(calls, call)
  })
})
