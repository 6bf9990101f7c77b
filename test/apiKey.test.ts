/**
 * Where the key goes, and where it is never seen: other origins, errors, spans, messages about a base URL.
 */
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { inspect } from "node:util"
import * as LumeClient from "../src/LumeClient.js"
import { apiKey, clientLayer, fakeHttp, json, runId, state, states } from "./support/fakeHttp.js"
import { logged, recorder } from "./support/observed.js"

const read = LumeClient.runStatus(runId)

describe("the key", () => {
  it.effect.each([
    ["https://lume.example/v1", "https://lume.example/v1/other", true],
    ["https://lume.example", "https://lume.example.evil.example/", false],
    ["https://lume.example", "https://lume.example@evil.example/", false],
    ["https://lume.example", "http://lume.example/", false],
    ["https://lume.example", "https://lume.example:8443/", false],
    ["https://lume.example", "https://LUME.example:443/runs", true]
  ] as const)("of %s goes to %s: %s", ([baseUrl, url, goes]) =>
    Effect.gen(function* () {
      const http = fakeHttp(states("CREATED"))
      const transformClient = (client: HttpClient.HttpClient) =>
        HttpClient.mapRequest(client, HttpClientRequest.setUrl(url))
      yield* read.pipe(Effect.provide(clientLayer(http, { baseUrl, transformClient })))
      assert.strictEqual(http.sent[0]?.headers["lume-api-key"], goes ? apiKey : undefined)
    })
  )

  it.effect("is in no error that transformClient sees, also not in the request of its response", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      const http = fakeHttp((_, index, request) =>
        index === 0
          ? Effect.fail(new HttpClientError.RequestError({ request, reason: "Transport" }))
          : json({ detail: "no" }, 500)
      )
      const strict = HttpClient.filterStatusOk(
        HttpClient.make((request) => HttpClient.execute(request).pipe(Effect.provide(http.layer)))
      )
      const lume = yield* LumeClient.make({
        apiKey: Redacted.make(apiKey),
        retry: { times: 1, base: 1 },
        transformClient: HttpClient.tapError((error) => Effect.sync(() => seen.push(error)))
      }).pipe(Effect.provideService(HttpClient.HttpClient, strict))
      yield* Effect.flip(lume.run({ flowVersion: "a:v1", sourcePath: "b" }))
      yield* Effect.flip(lume.run({ flowVersion: "a:v1", sourcePath: "b" }))
      assert.strictEqual(seen.length, 2)
      for (const error of seen) {
        assert.notInclude(inspect(error, { depth: 10, showHidden: true, getters: true }), apiKey)
        assert(HttpClientError.isHttpClientError(error))
        if ("response" in error && error.response !== undefined) {
          assert.strictEqual(error.response.status, 500)
          assert.notInclude(JSON.stringify(error.response.request.headers), apiKey)
        }
      }
    })
  )

  it.effect("is in no span of a request, also where the answer's headers echo it", () =>
    Effect.gen(function* () {
      const { layer, spans } = recorder()
      const http = fakeHttp(() => {
        const answer = state("CREATED")
        for (const name of ["x-echo", "x-request-id", "content-type", "retry-after", "server", "accept"])
          answer.headers.set(name, apiKey)
        return answer
      })
      yield* read.pipe(Effect.provide(clientLayer(http, { traceRequests: true })), Effect.provide(layer))
      assert.isAtLeast(spans.length, 2)
      for (const { attributes } of spans) assert.notInclude(JSON.stringify([...attributes]), apiKey)
    })
  )

  it.effect.each([
    "https://user:secret-1@lume.example",
    "ftp://user:secret-1@lume.example",
    "//user:secret-1@lume",
    "https://lume.example?token=secret-1"
  ])("a base URL that can't be right is refused without what it holds: %s", (baseUrl) =>
    Effect.gen(function* () {
      const client = LumeClient.make({ apiKey: Redacted.make(apiKey), baseUrl })
      const error = yield* Effect.flip(client).pipe(Effect.provide(fakeHttp(states("CREATED")).layer))
      assert.strictEqual(error._tag, "InvalidRequestError")
      assert.notInclude(error.message, "secret-1")
      assert.include(error.message, "baseUrl")
    })
  )

  it.effect.each([
    ["http://lume.example", 1],
    ["https://lume.example", 0],
    ["http://localhost:4747", 0],
    ["http://127.0.0.1:4747", 0],
    ["http://[::1]:4747", 0],
    ["http://127.10.20.30", 0],
    ["http://lume.my.localhost:4747", 0],
    ["http://xlocalhost", 1],
    ["http://localhost.example", 1],
    ["http://127.0.0.1.evil.example", 1]
  ] as const)("over %s: %s warning", ([baseUrl, warnings]) =>
    Effect.gen(function* () {
      const log = logged()
      yield* Effect.zipRight(read, read).pipe(
        Effect.provide(clientLayer(fakeHttp(states("CREATED")), { baseUrl })),
        Effect.provide(log.layer)
      )
      assert.strictEqual(log.lines.filter((line) => line.includes("not https")).length, warnings)
    })
  )
})

describe("the key that an answer echoes", () => {
  const key = `Key/1%2+~&<>"'key`
  const inJson = (text: string) => JSON.stringify(text).slice(1, -1)

  const unit = (char: string, digits: number) => char.charCodeAt(0).toString(16).padStart(digits, "0")
  const each = (write: (char: string) => string) => Array.from(key, write).join("")

  /** The ways in which JSON and URLs can write it, within a text of JSON. */
  const spellings: ReadonlyArray<readonly [name: string, text: string]> = [
    ["as it is", inJson(key)],
    ["in the other case", inJson(key).toUpperCase()],
    ["in JSON's escapes", each((char) => `\\u${unit(char, 4)}`)],
    ["in their other case", each((char) => `\\u${unit(char, 4).toUpperCase()}`)],
    ["in JSON's escapes within JSON", each((char) => `\\\\u${unit(char, 4)}`)],
    ["as a URL writes it", each((char) => `%${unit(char, 2)}`)],
    ["as HTML numbers its characters", each((char) => `&#${char.charCodeAt(0)};`)],
    ["in HTML's other numbers", each((char) => `&#X00${unit(char, 2)};`)],
    [
      "as HTML names its characters",
      key.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;").replace("'", "&apos;")
    ],
    ["with a backslash before a slash", inJson(key).replace("/", "\\/")],
    ["in several at once", each((char) => (/[a-z]/.test(char) ? `\\u${unit(char, 4)}` : inJson(char)))]
  ]

  it.effect.each(spellings)("%s, is cut out of texts and names of a run, and of a refusal", ([, text]) =>
    Effect.gen(function* () {
      const pairs = `{"by": "a ${text} b", "${text}": [["${text}"], {"__proto__": "${text}"}], "n": [1, null]}`
      const body = `{"id": "${runId}", "status": "CREATED", "metadata": ${pairs}, "run_metadata": ${pairs}}`
      const http = fakeHttp((_, index) => new Response(body, { status: index === 0 ? 200 : 500 }))
      const clean = '{"by":"a <redacted> b","n":[1,null],"<redacted>":[["<redacted>"],{"__proto__":"<redacted>"}]}'
      const lume = yield* LumeClient.make({ apiKey: Redacted.make(key), retry: { times: 0 } }).pipe(
        Effect.provide(http.layer)
      )
      const run = yield* lume.runStatus(runId)
      const sorted = (value: unknown) => JSON.stringify(Object.entries(Object(value)).toSorted())
      assert.strictEqual(sorted(run.rawMetadata), sorted(JSON.parse(clean)))
      assert.strictEqual(sorted(run.runMetadata), sorted(JSON.parse(clean)))
      const error = yield* Effect.flip(lume.runStatus(runId))
      assert(error._tag === "ApiError")
      assert.include(error.detail, '"by": "a <redacted> b", "<redacted>"')
    })
  )

  it.effect("is cut out before an answer that is one text is cut short, so that no half of it is left", () =>
    Effect.gen(function* () {
      const http = fakeHttp((_, index) => new Response(JSON.stringify(`${".".repeat(index)}${key}`)))
      const lume = yield* LumeClient.make({ apiKey: Redacted.make(key), retry: { times: 0 } }).pipe(
        Effect.provide(http.layer)
      )
      for (let before = 0; before < 120; before++) {
        const error = yield* Effect.flip(lume.runStatus(runId))
        assert(error._tag === "DecodeError")
        assert.notInclude(error.message, key.slice(0, 4))
      }
    })
  )

  it.effect("of fewer than six characters is no secret, and left", () =>
    Effect.gen(function* () {
      for (const [key, shown] of [
        ["lume5", "lume5"],
        ["lume-6", "<redacted>"]
      ] as const) {
        const metadata = { by: key }
        const http = fakeHttp((_, index) => (index === 0 ? state("CREATED", metadata) : json({ detail: key }, 500)))
        const options = { apiKey: Redacted.make(key), retry: { times: 0 } }
        const [run, error] = yield* Effect.zip(read, Effect.flip(read)).pipe(Effect.provide(clientLayer(http, options)))
        assert.deepStrictEqual(run.rawMetadata, { by: shown })
        assert(error._tag === "ApiError")
        assert.strictEqual(error.detail, shown)
      }
    })
  )
})

describe("caches", () => {
  it.effect("are told to answer no read with an earlier answer", () =>
    Effect.gen(function* () {
      const http = fakeHttp(states("CREATED"))
      yield* read.pipe(Effect.provide(clientLayer(http)))
      assert.strictEqual(http.sent[0]?.headers["cache-control"], "no-cache")
      assert.strictEqual(http.sent[0]?.headers["accept"], "application/json")
    })
  )
})
