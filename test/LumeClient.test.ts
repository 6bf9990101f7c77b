/**
 * What the client sends, what it refuses to send, and what its options do.
 */
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import { deepStrictEqual } from "@effect/vitest/utils"
import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import * as LumeClient from "../src/LumeClient.js"
import type * as LumeRun from "../src/LumeRun.js"
import type * as RunRequest from "../src/RunRequest.js"
import { environment } from "./support/environment.js"
import { apiKey, clientLayer, fakeHttp, json, runId, state, states } from "./support/fakeHttp.js"

const request = { flowVersion: "invoice_cleaner:v4", sourcePath: "s3://acme/batch-001.csv" }

const submit = (input: RunRequest.Input) => Effect.flatMap(LumeClient.LumeClient, (lume) => lume.run(input))
const read = (id: string) => Effect.flatMap(LumeClient.LumeClient, (lume) => lume.runStatus(id))

describe("run", () => {
  it.effect("posts the flow version and the source path, with the key in its header", () =>
    Effect.gen(function* () {
      const http = fakeHttp(states("CREATED"))
      const run = yield* submit(request).pipe(Effect.provide(clientLayer(http)))
      assert.strictEqual(run._tag, "Created")
      assert.deepStrictEqual(
        http.sent.map(({ body, method, url }) => ({ body, method, url })),
        [
          {
            method: "POST",
            url: "https://api.lume.ai/runs",
            body: { flow_version: "invoice_cleaner:v4", source_path: "s3://acme/batch-001.csv" }
          }
        ]
      )
      assert.strictEqual(http.sent[0]?.headers["lume-api-key"], apiKey)
      assert.strictEqual(http.sent[0]?.headers["content-type"], "application/json")
      assert.strictEqual(http.sent[0]?.headers["accept"], "application/json")
      assert.isUndefined(http.sent[0]?.headers["cache-control"])
    })
  )

  it.effect("sends metadata and force_rerun where they are given, as they are given", () =>
    Effect.gen(function* () {
      const http = fakeHttp(states("CREATED"))
      const runMetadata = { nightly: true, parts: [1, "two", null], nested: { ["__proto__"]: 1 } }
      yield* submit({ ...request, runMetadata, forceRerun: false }).pipe(Effect.provide(clientLayer(http)))
      assert.strictEqual(
        JSON.stringify(http.sent[0]?.body),
        JSON.stringify({
          flow_version: request.flowVersion,
          source_path: request.sourcePath,
          run_metadata: runMetadata,
          force_rerun: false
        })
      )
    })
  )

  it.effect("gives back the caller's pairs, a pair named __proto__ included", () =>
    Effect.gen(function* () {
      const body = `{"id": "${runId}", "status": "CREATED", "run_metadata": {"__proto__": 1, "by": "nightly"}}`
      const http = fakeHttp(() => new Response(body, { status: 202 }))
      const run = yield* submit(request).pipe(Effect.provide(clientLayer(http)))
      assert.strictEqual(JSON.stringify(run.runMetadata), '{"__proto__":1,"by":"nightly"}')
    })
  )

  const cyclic: Record<string, unknown> = {}
  cyclic["self"] = cyclic

  /** An object of so many levels. */
  const nested = (levels: number): Record<string, unknown> => (levels === 1 ? {} : { a: nested(levels - 1) })

  /** A request whose pairs can't be read. */
  const broken = (thrown: unknown): object =>
    Object.defineProperty({ ...request }, "runMetadata", {
      enumerable: true,
      get: () => {
        throw thrown
      }
    })

  it.effect.each([
    ["100 levels", nested(100)],
    ["a number named toJSON", { toJSON: 1 }],
    ["no prototype", Object.assign(Object.create(null), { a: 1 })]
  ] as const)("sends pairs of %s", ([, runMetadata]) =>
    Effect.gen(function* () {
      const http = fakeHttp(states("CREATED"))
      yield* submit({ ...request, runMetadata }).pipe(Effect.provide(clientLayer(http)))
      assert.strictEqual(
        JSON.stringify(Reflect.get(Object(http.sent[0]?.body), "run_metadata")),
        JSON.stringify(runMetadata)
      )
    })
  )

  const flowVersion = 'flowVersion must be a flow version "name:version", such as "invoice_cleaner:v4"'
  const sourcePath = "sourcePath must be a non-empty text without half surrogate pairs, which nobody can receive"
  const aRequest = "the request must be an object with flowVersion and sourcePath"

  const wrong: ReadonlyArray<readonly [string, unknown, string]> = [
    ["no version", { ...request, flowVersion: "invoice_cleaner" }, `${flowVersion}, but is "invoice_cleaner"`],
    ["an empty version", { ...request, flowVersion: "cleaner:" }, `${flowVersion}, but is "cleaner:"`],
    ["an empty name", { ...request, flowVersion: ":v4" }, `${flowVersion}, but is ":v4"`],
    ["a blank name", { ...request, flowVersion: " :v4" }, `${flowVersion}, but is " :v4"`],
    ["a blank version", { ...request, flowVersion: "a: " }, `${flowVersion}, but is "a: "`],
    ["two colons", { ...request, flowVersion: "a:b:c" }, `${flowVersion}, but is "a:b:c"`],
    ["white space before", { ...request, flowVersion: "\ta:b" }, `${flowVersion}, but is "\\ta:b"`],
    ["white space behind", { ...request, flowVersion: "a:b " }, `${flowVersion}, but is "a:b "`],
    ["half a pair in a version", { ...request, flowVersion: "a:b\ud800" }, `${flowVersion}, but is "a:b\\ud800"`],
    ["half a pair within it", { ...request, flowVersion: "a:b\ud800c" }, `${flowVersion}, but is "a:b\\ud800c"`],
    ["an empty source path", { ...request, sourcePath: "" }, `${sourcePath}, but is ""`],
    ["no source path", { flowVersion: request.flowVersion }, `${sourcePath}, but is nothing`],
    ["a number for a flag", { ...request, forceRerun: 1 }, "forceRerun must be a boolean, but is 1"],
    ["a list of pairs", { ...request, runMetadata: [["a", 1]] }, "runMetadata must be an object, but is an array of 1"],
    [
      "a Date as the pairs",
      { ...request, runMetadata: new Date(0) },
      "runMetadata must be a plain object, but is a Date"
    ],
    [
      "half a pair in a name",
      { ...request, runMetadata: { "\ud800": 1 } },
      "runMetadata must be an object whose names have no half surrogate pairs, which nobody can receive, but is an object"
    ],
    [
      "a getter that throws",
      broken(new Error("broken\n")),
      "the request must be a plain object, but is one that can't be read: broken"
    ],
    [
      "a getter that throws anything",
      broken(Object.create(null)),
      "the request must be a plain object, but is one that can't be read: an object"
    ],
    ["nothing", undefined, `${aRequest}, but is nothing`],
    ["null", null, `${aRequest}, but is null`],
    ["a text", "invoice_cleaner:v4", `${aRequest}, but is "invoice_cleaner:v4"`],
    ...(
      [
        ["undefined", undefined, "a value that JSON can hold, but is nothing"],
        ["NaN", Number.NaN, "a value that JSON can hold, but is NaN"],
        ["-0", -0, "a number that JSON keeps, which -0 is not, but is -0"],
        ["half a pair", "\ud800", 'a text without half surrogate pairs, which nobody can receive, but is "\\ud800"'],
        ["toJSON", { toJSON: () => 1 }, "an object without toJSON, which replaces it, but is an object"],
        [
          "a hidden property",
          Object.defineProperty({}, "hidden", { value: 1 }),
          "an object of which JSON leaves nothing out, but is an object"
        ],
        ["a Date", new Date(0), "a plain object, but is a Date"],
        ["a Map", new Map(), "a plain object, but is a Map"],
        ["a bigint", 1n, "a value that JSON can hold, but is the bigint 1"],
        ["a function", () => 1, "a value that JSON can hold, but is a function"]
      ] as const
    ).map(
      ([title, a, message]) =>
        [
          `${title} in a pair`,
          { ...request, runMetadata: { a: [1, a] } },
          `runMetadata.a[1] must be ${message}`
        ] as const
    ),
    [
      "101 levels",
      { ...request, runMetadata: nested(101) },
      `runMetadata${".a".repeat(100)} must be at most 100 levels, but is an object`
    ],
    [
      "a cycle",
      { ...request, runMetadata: cyclic },
      "runMetadata.self must be a value that does not hold itself, but is an object"
    ]
  ]

  it.effect.each(wrong)("refuses %s before anything is sent", ([, input, detail]) =>
    Effect.gen(function* () {
      const http = fakeHttp(states("CREATED"))
      // Types can't stop a caller in JavaScript.
      const error = yield* submit(input as RunRequest.Input).pipe(Effect.flip, Effect.provide(clientLayer(http)))
      assert(error._tag === "InvalidRequestError")
      assert.strictEqual(error.detail, detail)
      assert.deepStrictEqual(http.sent, [])
    })
  )

  it.effect.each([
    [401, "AuthenticationError"],
    [403, "AuthenticationError"],
    [400, "InvalidRequestError"],
    [404, "InvalidRequestError"],
    [410, "InvalidRequestError"],
    [418, "InvalidRequestError"],
    [422, "InvalidRequestError"],
    [409, "AlreadyProcessedError"],
    [408, "SubmitOutcomeUnknownError"],
    [429, "RateLimitedError"],
    [304, "SubmitOutcomeUnknownError"],
    [302, "TransportError"],
    [500, "SubmitOutcomeUnknownError"],
    [503, "SubmitOutcomeUnknownError"]
  ] as const)("reads status %s as %s", ([status, tag]) =>
    Effect.gen(function* () {
      const http = fakeHttp(() =>
        status === 304
          ? new Response(null, { status })
          : json({ error_code: "NOT_SO", message: "for a reason" }, status, { "x-request-id": "req-1" })
      )
      const error = yield* submit(request).pipe(Effect.flip, Effect.provide(clientLayer(http, { retry: { times: 0 } })))
      assert.strictEqual(error._tag, tag)
      assert.isFalse("runId" in error && Option.isSome(error.runId))
      if (status !== 304 && status !== 302) assert.include(error.message, "NOT_SO: for a reason")
      if (error._tag === "AlreadyProcessedError") {
        assert.strictEqual(error.flowVersion, request.flowVersion)
        assert.strictEqual(error.sourcePath, request.sourcePath)
      }
      if (error._tag === "SubmitOutcomeUnknownError") {
        assert(error.failure._tag === "ApiError")
        if (status !== 304) deepStrictEqual(error.failure.requestId, Option.some("req-1"))
        assert.notInclude(error.message, "try again")
      }
    })
  )
})

describe("runStatus", () => {
  it.effect("gets one segment of a path", () =>
    Effect.gen(function* () {
      const id = "a%2Fb:c&d…\\..\\"
      const http = fakeHttp(() => state("CREATED", {}, id))
      const run = yield* read(id).pipe(Effect.provide(clientLayer(http)))
      assert.strictEqual(run.id, id)
      assert.strictEqual(http.sent[0]?.url, `https://api.lume.ai/runs/${encodeURIComponent(id)}`)
    })
  )

  it.effect.each(
    ["", "a/b", "../x", "..", ".", "a b", "a?b", "a#b", "a\nb", "a\u0000b", "\u00a0", "\ud800"].map((id) => [
      JSON.stringify(id),
      id
    ])
  )("refuses the id %s before anything is sent", ([, id]) =>
    Effect.gen(function* () {
      const http = fakeHttp(states("CREATED"))
      const attempts = Effect.gen(function* () {
        const lume = yield* LumeClient.LumeClient
        return yield* Effect.all([Effect.flip(lume.runStatus(id ?? "")), Effect.flip(lume.wait(id ?? ""))])
      })
      for (const error of yield* Effect.provide(attempts, clientLayer(http))) {
        assert.strictEqual(error._tag, "InvalidRequestError")
        assert.include(error.message, "run id")
      }
      assert.deepStrictEqual(http.sent, [])
    })
  )

  it.effect("takes a received id as it is, and refuses to send it where it can't be sent", () =>
    Effect.gen(function* () {
      const http = fakeHttp(() => state("CREATED", {}, "a/b"))
      const error = yield* Effect.flatMap(submit(request), LumeClient.refresh).pipe(
        Effect.flip,
        Effect.provide(clientLayer(http))
      )
      assert.strictEqual(error._tag, "InvalidRequestError")
      assert.strictEqual(http.sent.length, 1)
    })
  )

  it.effect("refresh reads the run again", () =>
    Effect.gen(function* () {
      const http = fakeHttp(states("CREATED", "TRANSFORMING"))
      const run = yield* Effect.flatMap(submit(request), LumeClient.refresh).pipe(Effect.provide(clientLayer(http)))
      assert.strictEqual(run._tag, "Transforming")
      assert.strictEqual(http.sent[1]?.url, `https://api.lume.ai/runs/${runId}`)
    })
  )

  it.effect.each([
    [410, "RunNotFoundError"],
    [409, "InvalidRequestError"],
    [501, "ApiError"],
    [300, "ApiError"]
  ] as const)("reads status %s as %s", ([status, tag]) =>
    Effect.gen(function* () {
      const http = fakeHttp(() => json({ message: "gone" }, status))
      const error = yield* read(runId).pipe(Effect.flip, Effect.provide(clientLayer(http, { retry: { times: 0 } })))
      assert.strictEqual(error._tag, tag)
      assert.include(error.message, runId)
    })
  )
})

describe("options", () => {
  const base = { apiKey: Redacted.make(apiKey) }

  it.effect.each(["https://lume.example/api/v1", "https://lume.example/api/v1/", "https://lume.example/api/v1//"])(
    "baseUrl %s keeps its path",
    (baseUrl) =>
      Effect.gen(function* () {
        const http = fakeHttp(states("CREATED"))
        yield* Effect.zip(submit(request), read(runId)).pipe(Effect.provide(clientLayer(http, { baseUrl })))
        assert.deepStrictEqual(
          http.sent.map(({ url }) => url),
          ["https://lume.example/api/v1/runs", `https://lume.example/api/v1/runs/${runId}`]
        )
      })
  )

  it.effect("paths are where the endpoints are", () =>
    Effect.gen(function* () {
      const http = fakeHttp(states("CREATED"))
      const paths = { submit: "v2/submit", status: (id: LumeRun.RunId) => `/v2/status/${id}` }
      yield* Effect.zip(submit(request), read(runId)).pipe(Effect.provide(clientLayer(http, { paths })))
      assert.deepStrictEqual(
        http.sent.map(({ url }) => url),
        ["https://api.lume.ai/v2/submit", `https://api.lume.ai/v2/status/${runId}`]
      )
    })
  )

  it.effect("the key is trimmed", () =>
    Effect.gen(function* () {
      const http = fakeHttp(states("CREATED"))
      yield* read(runId).pipe(Effect.provide(clientLayer(http, { apiKey: Redacted.make(`  ${apiKey}\n`) })))
      assert.strictEqual(http.sent[0]?.headers["lume-api-key"], apiKey)
    })
  )

  const wrong: ReadonlyArray<readonly [string, Partial<LumeClient.Options>, string]> = [
    ["an empty key", { apiKey: Redacted.make(" ") }, "API key is empty"],
    ["a key that is no text", { apiKey: Redacted.make(5) as never }, "API key is empty"],
    ["a key with a space", { apiKey: Redacted.make("lume sentinel") }, "white space"],
    ["a key with a line break", { apiKey: Redacted.make("lume\r\nsentinel: x") }, "white space"],
    ["a key outside ASCII", { apiKey: Redacted.make("sentinel-é") }, "ASCII"],
    ["a plain key", { apiKey: "sentinel" as never }, "Redacted"]
  ]

  it.effect.each(wrong)("refuses %s", ([, options, mention]) =>
    Effect.gen(function* () {
      const error = yield* LumeClient.make({ ...base, ...options }).pipe(
        Effect.flip,
        Effect.provide(fakeHttp(states("CREATED")).layer)
      )
      assert.strictEqual(error._tag, "InvalidRequestError")
      assert.include(error.message, mention)
      assert.notInclude(error.message, "sentinel")
    })
  )

  it.effect("requestTimeout may be Infinity", () =>
    Effect.gen(function* () {
      const http = fakeHttp(states("CREATED"))
      const run = yield* Effect.provide(read(runId), clientLayer(http, { requestTimeout: Infinity }))
      assert.strictEqual(run._tag, "Created")
    })
  )

  it.effect("requestTimeout bounds one request, body included", () =>
    Effect.gen(function* () {
      const stalled = new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode("{")) })
      const http = fakeHttp((_, index) => (index === 0 ? Effect.never : new Response(stalled)))
      const attempt = Effect.flip(read(runId)).pipe(
        Effect.provide(clientLayer(http, { requestTimeout: "2 seconds", retry: { times: 0 } }))
      )
      for (const _ of ["no answer", "no body"]) {
        const fiber = yield* Effect.fork(attempt)
        yield* TestClock.adjust("1999 millis")
        assert(Option.isNone(yield* Fiber.poll(fiber)))
        yield* TestClock.adjust("1 millis")
        const error = yield* Fiber.join(fiber)
        assert(error._tag === "TransportError" && error.reason === "RequestTimeout")
        assert.include(error.message, "2 s")
      }
    })
  )

  it.effect("requestTimeout is a minute unless it is given", () =>
    Effect.gen(function* () {
      const http = fakeHttp(() => Effect.never)
      const reading = yield* Effect.fork(
        Effect.flip(Effect.provide(read(runId), clientLayer(http, { retry: { times: 0 } })))
      )
      yield* TestClock.adjust("59 seconds")
      assert(Option.isNone(yield* Fiber.poll(reading)))
      yield* TestClock.adjust("1 second")
      const error = yield* Fiber.join(reading)
      assert(error._tag === "TransportError")
      assert.strictEqual(error.reason, "RequestTimeout")
    })
  )

  it.effect("transformClient sees every request, without the key, and every failure of a status", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      const http = fakeHttp((_, index) => (index === 0 ? state("CREATED") : json({ detail: "no" }, 404)))
      const transformClient = (client: HttpClient.HttpClient) =>
        client.pipe(
          HttpClient.mapRequest(HttpClientRequest.setHeader("x-team", "billing")),
          HttpClient.tapRequest((request) => Effect.sync(() => seen.push({ ...request.headers }))),
          HttpClient.filterStatusOk
        )
      const result = yield* Effect.zip(submit(request), Effect.either(read(runId))).pipe(
        Effect.provide(clientLayer(http, { transformClient }))
      )
      assert(Either.isLeft(result[1]) && result[1].left._tag === "RunNotFoundError")
      assert.strictEqual(http.sent[0]?.headers["x-team"], "billing")
      assert.strictEqual(http.sent[0]?.headers["lume-api-key"], apiKey)
      assert.strictEqual(seen.length, 2)
      assert.notInclude(JSON.stringify(seen), apiKey)
    })
  )
})

describe("layerConfig", () => {
  const built = (entries: Record<string, string>, configs?: Parameters<typeof LumeClient.layerConfig>[0]) => {
    const http = fakeHttp(states("CREATED"))
    return Effect.as(
      read(runId).pipe(
        Effect.provide(LumeClient.layerConfig(configs)),
        Effect.provide(http.layer),
        Effect.provide(environment(entries))
      ),
      http.sent
    )
  }

  it.effect("reads the key and the base URL", () =>
    Effect.gen(function* () {
      const sent = yield* built({ LUME_API_KEY: "from-environment", LUME_BASE_URL: "http://localhost:8080/lume/" })
      assert.strictEqual(sent[0]?.url, `http://localhost:8080/lume/runs/${runId}`)
      assert.strictEqual(sent[0]?.headers["lume-api-key"], "from-environment")
    })
  )

  it.effect("takes what is given before what is in the environment", () =>
    Effect.gen(function* () {
      const entries = { LUME_API_KEY: "from-environment", LUME_BASE_URL: " ", OTHER_KEY: "from-other" }
      const sent = yield* built(entries, { apiKey: Config.redacted("OTHER_KEY") })
      assert.strictEqual(sent[0]?.url, `https://api.lume.ai/runs/${runId}`)
      assert.strictEqual(sent[0]?.headers["lume-api-key"], "from-other")
    })
  )

  it.effect.each([
    ["2", "2 seconds"],
    ["90", "90 seconds"],
    ["0.5", "500 millis"],
    ["1.25", "1250 millis"],
    [" 3 ", "3 seconds"],
    ["2 minutes", "2 minutes"]
  ] as const)("LUME_REQUEST_TIMEOUT=%s is %s", ([text, duration]) =>
    Effect.gen(function* () {
      const http = fakeHttp(() => Effect.never)
      const fiber = yield* read(runId).pipe(
        Effect.provide(LumeClient.layerConfig({ retry: Config.succeed({ times: 0 }) })),
        Effect.provide(http.layer),
        Effect.provide(environment({ LUME_API_KEY: apiKey, LUME_REQUEST_TIMEOUT: text })),
        Effect.flip,
        Effect.fork
      )
      yield* TestClock.adjust(Duration.subtract(duration, "1 millis"))
      assert(Option.isNone(yield* Fiber.poll(fiber)))
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "TransportError")
    })
  )

  it.effect.each([
    [{}, "LUME_API_KEY"],
    ...["soon", "0", "-1", "1e3", "5 s"].map((text) => [
      { LUME_API_KEY: apiKey, LUME_REQUEST_TIMEOUT: text },
      `a positive number of seconds, or a duration such as "2 minutes", but received "${text}"`
    ])
  ] as ReadonlyArray<[Record<string, string>, string]>)("fails with a ConfigError: %j", ([entries, mention]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(built(entries))
      assert(ConfigError.isConfigError(error))
      const shown = String(error).replaceAll("\\", "")
      assert.include(shown, mention)
      assert.include(shown, "LUME_API_KEY" in entries ? "LUME_REQUEST_TIMEOUT" : "LUME_API_KEY")
      assert.notInclude(JSON.stringify(error), apiKey)
    })
  )

  it.effect("refuses a key that can't be a header, without showing it", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(built({ LUME_API_KEY: "two words" }))
      assert.include(String(error), "InvalidRequestError")
      assert.notInclude(JSON.stringify(error), "two words")
    })
  )
})
