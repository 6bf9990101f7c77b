/**
 * Nothing is submitted twice: what a proxy's answer means, what `transformClient` may do, which connections are used.
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import { execFile, fork } from "node:child_process"
import { readFile, readFileSync } from "node:fs"
import * as Http from "node:http"
import * as Https from "node:https"
import type * as Net from "node:net"
import { fileURLToPath } from "node:url"
import * as LumeClient from "../src/LumeClient.js"
import * as LumeError from "../src/LumeError.js"
import { apiKey, clientLayer, fakeHttp, inTurn, json, type Respond, state } from "./support/fakeHttp.js"
import { until } from "./support/server.js"

const request = { flowVersion: "invoice_cleaner:v4", sourcePath: "s3://acme/batch-001.csv" }

const status =
  (code: number, headers: Record<string, string> = {}): Respond =>
  () =>
    json({ detail: "no" }, code, headers)

describe("a retry around", () => {
  it.effect("run starts one run where a proxy answers 503 with Retry-After", () =>
    Effect.gen(function* () {
      const http = fakeHttp(status(503, { "retry-after": "5" }))
      const fiber = yield* LumeClient.run(request).pipe(
        Effect.retry({ while: LumeError.isTransient, times: 3 }),
        Effect.flip,
        Effect.provide(clientLayer(http)),
        Effect.fork
      )
      yield* TestClock.adjust("5 minutes")
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "SubmitOutcomeUnknownError")
      assert.strictEqual(http.sent.length, 1)
    })
  )

  it.effect("runAndWait submits once where the wait fails, and says which run goes on", () =>
    Effect.gen(function* () {
      const http = fakeHttp((sent, index) =>
        sent.method === "POST" || index < 3 ? state("TRANSFORMING") : json({}, 503)
      )
      const fiber = yield* LumeClient.runAndWait(request, { tolerance: "1 minute" }).pipe(
        Effect.retry({ while: LumeError.isTransient, times: 3 }),
        Effect.flip,
        Effect.provide(clientLayer(http)),
        Effect.fork
      )
      yield* TestClock.adjust("5 minutes")
      const error = yield* Fiber.join(fiber)
      assert(error._tag === "WaitFailedError")
      assert.isFalse(LumeError.isTransient(error))
      assert.strictEqual(error.lastRun._tag, "Transforming")
      assert.strictEqual(error.failure._tag, "ApiError")
      assert.include(error.message, error.runId)
      assert.strictEqual(http.sent.filter(({ method }) => method === "POST").length, 1)
    })
  )

  it.effect("runAndWait gives the submitted run where no read has succeeded", () =>
    Effect.gen(function* () {
      const http = fakeHttp(inTurn(() => state("CREATED"), status(401)))
      const error = yield* Effect.flip(LumeClient.runAndWait(request)).pipe(Effect.provide(clientLayer(http)))
      assert(error._tag === "WaitFailedError")
      assert.strictEqual(error.lastRun._tag, "Created")
      assert.strictEqual(error.failure._tag, "AuthenticationError")
    })
  )
})

describe("transformClient", () => {
  const retrying = (http: ReturnType<typeof fakeHttp>) =>
    clientLayer(http, {
      retry: { times: 0 },
      transformClient: HttpClient.retryTransient({ times: 3, schedule: Schedule.spaced(1) })
    })

  it.live("that retries can't send a submit again", () =>
    Effect.gen(function* () {
      const http = fakeHttp(status(503))
      const error = yield* Effect.flip(LumeClient.run(request)).pipe(Effect.provide(retrying(http)))
      assert(error._tag === "SubmitOutcomeUnknownError" && error.failure._tag === "TransportError")
      assert.strictEqual(error.failure.reason, "Interrupted")
      assert.include(error.message, "transformClient")
      assert.strictEqual(http.sent.length, 1)
    })
  )

  it.live("that retries may send reads again", () =>
    Effect.gen(function* () {
      const http = fakeHttp(inTurn(status(503), status(503), () => state("CREATED", {}, "run_1")))
      const run = yield* LumeClient.runStatus("run_1").pipe(Effect.provide(retrying(http)))
      assert.strictEqual(run._tag, "Created")
      assert.strictEqual(http.sent.length, 3)
    })
  )

  it.live("may send a submit again where the first request was never sent", () =>
    Effect.gen(function* () {
      const refused = HttpClient.make((request) => Effect.fail(notSent(request)))
      const sent: Array<string> = []
      const counting = HttpClient.tapRequest(refused, ({ method }) => Effect.sync(() => sent.push(method)))
      const error = yield* LumeClient.make({
        apiKey: Redacted.make(apiKey),
        retry: { times: 0 },
        transformClient: HttpClient.retryTransient({ times: 2, schedule: Schedule.spaced(1) })
      }).pipe(
        Effect.flatMap((lume) => Effect.flip(lume.run(request))),
        Effect.provideService(HttpClient.HttpClient, counting)
      )
      assert.strictEqual(error._tag, "TransportError")
      assert.strictEqual(sent.length, 3)
    })
  )

  it.live("may send a submit again that Lume had no room for", () =>
    Effect.gen(function* () {
      const http = fakeHttp(inTurn(status(429), status(429), () => state("CREATED")))
      const run = yield* LumeClient.run(request).pipe(Effect.provide(retrying(http)))
      assert.strictEqual(run._tag, "Created")
      assert.strictEqual(http.sent.length, 3)
    })
  )

  it.live("may retry a token of its own, elsewhere, by POST", () =>
    Effect.gen(function* () {
      const http = fakeHttp((sent, index) =>
        sent.url.endsWith("/token") ? json({}, index === 0 ? 503 : 200) : state("CREATED")
      )
      const transformClient = (client: HttpClient.HttpClient) =>
        HttpClient.mapRequestEffect(client, (request) =>
          HttpClient.retryTransient(client, { times: 2, schedule: Schedule.spaced(1) })
            .post("https://auth.example/token")
            .pipe(Effect.as(request), Effect.orDie)
        )
      const run = yield* LumeClient.run(request).pipe(Effect.provide(clientLayer(http, { transformClient })))
      assert.strictEqual(run._tag, "Created")
      assert.strictEqual(http.sent.length, 3)
    })
  )

  it.effect("may send again what was answered by what certainly takes nothing, and nothing else", () =>
    Effect.gen(function* () {
      // as who renews a token after 401 does
      const sendingTwice = (client: HttpClient.HttpClient) =>
        HttpClient.transformResponse(client, (response) =>
          Effect.flatMap(response, (first) => (first.status < 300 ? Effect.succeed(first) : response))
        )
      const submit = (first: number, transformClient?: typeof sendingTwice) => {
        const http = fakeHttp(
          inTurn(
            () => new Response(null, { status: first }),
            () => state("CREATED")
          )
        )
        return LumeClient.run(request).pipe(
          Effect.match({ onFailure: ({ _tag }) => _tag, onSuccess: ({ _tag }) => _tag }),
          Effect.map((result) => [result, http.sent.length] as const),
          Effect.provide(clientLayer(http, { retry: { times: 0 }, transformClient }))
        )
      }
      const again: Array<number> = []
      for (let first = 300; first < 600; first++) {
        const [alone] = yield* submit(first)
        const [result, sent] = yield* submit(first, sendingTwice)
        assert.deepStrictEqual(
          [first, result, sent],
          alone === "SubmitOutcomeUnknownError" ? [first, alone, 1] : [first, "Created", 2]
        )
        if (sent === 2) again.push(first)
      }
      assert.deepStrictEqual(
        again,
        [301, 302, 307, 308, ...Array.from({ length: 100 }, (_, index) => 400 + index)].filter((code) => code !== 408)
      )
    })
  )

  it.effect("that follows redirects submits where they lead to, on the same server", () =>
    Effect.gen(function* () {
      const http = fakeHttp(inTurn(status(307, { location: "/runs/" }), () => state("CREATED")))
      const transformClient = HttpClient.followRedirects(3)
      const run = yield* LumeClient.run(request).pipe(Effect.provide(clientLayer(http, { transformClient })))
      assert.strictEqual(run._tag, "Created")
      assert.deepStrictEqual(
        http.sent.map(({ headers, url }) => [url, headers["lume-api-key"]]),
        ["https://api.lume.ai/runs", "https://api.lume.ai/runs/"].map((url) => [url, apiKey])
      )
    })
  )

  it.effect("that follows redirects submits no second time after one that says what became of the submit", () =>
    Effect.gen(function* () {
      const http = fakeHttp(inTurn(status(303, { location: "/runs/run_1" }), () => state("CREATED")))
      const transformClient = HttpClient.followRedirects(3)
      yield* Effect.exit(LumeClient.run(request)).pipe(Effect.provide(clientLayer(http, { transformClient })))
      assert.lengthOf(
        http.sent.filter(({ method }) => method === "POST"),
        1
      )
    })
  )

  it.effect("that fails by itself says how", () =>
    Effect.gen(function* () {
      const http = fakeHttp((_, __, request) =>
        Effect.fail(new HttpClientError.RequestError({ request, reason: "Encode" }))
      )
      const error = yield* Effect.flip(LumeClient.run(request)).pipe(Effect.provide(clientLayer(http)))
      assert.include(error.message, "Encode")
    })
  )

  it.effect.each([
    ["elsewhere", "https://auth.example/token"],
    ["on the same server", "https://gateway.example/token"]
  ] as const)("may fetch a token of its own before, by POST, %s", ([, url]) =>
    Effect.gen(function* () {
      const http = fakeHttp((sent) => (sent.url === url ? json({ token: "t" }) : state("CREATED")))
      const transformClient = (client: HttpClient.HttpClient) =>
        HttpClient.mapRequestEffect(client, (request) => Effect.as(Effect.orDie(client.post(url)), request))
      for (const _ of [1, 2]) {
        yield* LumeClient.run(request).pipe(
          Effect.provide(clientLayer(http, { baseUrl: "https://gateway.example/lume", transformClient }))
        )
      }
      assert.strictEqual(http.sent.length, 4)
    })
  )

  it.effect("may tell of a submit on the same server, by POST", () =>
    Effect.gen(function* () {
      const http = fakeHttp((sent) => (sent.url.endsWith("/audit") ? json({}) : state("CREATED")))
      const transformClient = (client: HttpClient.HttpClient) =>
        HttpClient.tap(client, () => client.post("https://api.lume.ai/audit"))
      const run = yield* LumeClient.run(request).pipe(Effect.provide(clientLayer(http, { transformClient })))
      assert.strictEqual(run._tag, "Created")
      assert.strictEqual(http.sent.length, 2)
    })
  )

  const changes: ReadonlyArray<
    readonly [string, (request: HttpClientRequest.HttpClientRequest) => HttpClientRequest.HttpClientRequest]
  > = [
    ["its headers", HttpClientRequest.setHeader("x-tenant", "acme")],
    ["its URL", HttpClientRequest.setUrl("https://api.lume.ai/v2/runs")],
    ["its body", HttpClientRequest.bodyText("{}", "application/json")],
    ["its method", HttpClientRequest.setMethod("PUT")]
  ]

  it.live.each(changes)("that changes %s and retries can't send a submit again", ([, change]) =>
    Effect.gen(function* () {
      const http = fakeHttp(status(503))
      const transformClient = (client: HttpClient.HttpClient) =>
        HttpClient.mapRequest(HttpClient.retryTransient(client, { times: 3, schedule: Schedule.spaced(1) }), change)
      const error = yield* Effect.flip(LumeClient.run(request)).pipe(
        Effect.provide(clientLayer(http, { retry: { times: 0 }, transformClient }))
      )
      assert.strictEqual(error._tag, "SubmitOutcomeUnknownError")
      assert.strictEqual(http.sent.length, 1)
    })
  )
})

describe("transformClient, where a request of its own fails after the answer to a submit", () => {
  const audits: ReadonlyArray<readonly [string, Respond]> = [
    ["for want of a connection", (_, __, request) => Effect.fail(notSent(request))],
    [
      "because it can't be sent",
      (_, __, request) => Effect.fail(new HttpClientError.RequestError({ request, reason: "Encode" }))
    ],
    ["with a status that Lume gives to what it has not taken", status(429)],
    ["with a status that Lume gives to what it refuses", status(422)],
    ["with a redirect", status(307, { location: "https://elsewhere.example" })]
  ]

  it.effect.each(audits)("%s, submits no second time, and the outcome is unknown", ([, audit]) =>
    Effect.gen(function* () {
      const http = fakeHttp((sent, index, request) =>
        sent.url.startsWith("https://audit.example") ? audit(sent, index, request) : state("CREATED")
      )
      const transformClient = (client: HttpClient.HttpClient) =>
        HttpClient.tap(client, () => HttpClient.filterStatusOk(client).post("https://audit.example"))
      const fiber = yield* LumeClient.run(request).pipe(
        Effect.retry({ while: LumeError.isTransient, times: 3 }),
        Effect.flip,
        Effect.provide(clientLayer(http, { transformClient })),
        Effect.fork
      )
      yield* TestClock.adjust("5 minutes")
      const error = yield* Fiber.join(fiber)
      assert.strictEqual(error._tag, "SubmitOutcomeUnknownError")
      assert.strictEqual(http.sent.filter(({ url }) => url.startsWith("https://api.lume.ai/")).length, 1)
    })
  )
})

const notSent = (request: Parameters<typeof HttpClient.execute>[0]) =>
  new HttpClientError.RequestError({
    request,
    reason: "Transport",
    cause: Object.assign(new Error("no"), { code: "ECONNREFUSED" })
  })

const clients = [
  ["Fetch", FetchHttpClient.layer],
  ["Undici", NodeHttpClient.layerUndici],
  ["Node", NodeHttpClient.layer]
] as const

const make = (baseUrl: string) => LumeClient.make({ apiKey: Redacted.make(apiKey), baseUrl, retry: { times: 0 } })

/** A server in another process, and how many requests it has got. */
const closingServer: Effect.Effect<{ readonly url: string; readonly received: () => number }, never, Scope.Scope> =
  Effect.map(
    Effect.acquireRelease(
      Effect.async<{ readonly port: number; readonly kill: () => void; readonly received: () => number }>((resume) => {
        const child = fork(fileURLToPath(new URL("support/closingServer.mjs", import.meta.url)))
        let received = 0
        child.on("message", (message) => {
          if (message === "received") received++
          else resume(Effect.succeed({ port: Number(message), kill: () => child.kill(), received: () => received }))
        })
      }),
      ({ kill }) => Effect.sync(kill)
    ),
    ({ port, received }) => ({ url: `http://127.0.0.1:${port}`, received })
  )

const begin = {
  "an I/O callback": (task: () => void) => readFile(fileURLToPath(import.meta.url), () => task()),
  "a timer": (task: () => void) => void setTimeout(task, 1),
  "an immediate": (task: () => void) => void setImmediate(task)
}

/** Keeps the event loop from doing anything for longer than the server keeps its connections. */
const block = () => {
  const until = Date.now() + 500
  while (Date.now() < until);
}

describe.each(clients)("after work that blocked the event loop, %s", (_, layer) => {
  it.scopedLive("submits on a connection that stands", () =>
    Effect.gen(function* () {
      const server = yield* closingServer
      const lume = yield* make(server.url)
      for (const [from, schedule] of Object.entries(begin)) {
        yield* lume.run(request)
        const run = yield* Effect.async<unknown, LumeError.SubmitError>((resume) =>
          schedule(() => {
            block()
            resume(lume.run(request))
          })
        ).pipe(Effect.mapError((error) => `from ${from}: ${error.message}`))
        assert.isDefined(run)
      }
      yield* until(() => server.received() === 6)
    }).pipe(Effect.provide(layer))
  )
})

const listening = (server: Net.Server): Effect.Effect<number, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.async<number>((resume) => {
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0))
      })
    }),
    () => Effect.sync(() => server.close())
  )

const certificate = (name: string) => ({
  key: readFileSync(new URL(`support/certificates/${name}.key`, import.meta.url)),
  cert: readFileSync(new URL(`support/certificates/${name}.pem`, import.meta.url))
})

it.scopedLive("a certificate that is refused, and https to a plain port, mean that nothing was sent", () =>
  Effect.gen(function* () {
    let received = 0
    const count = () => received++
    const expired = yield* listening(Https.createServer(certificate("expired"), count))
    const wrongHost = yield* listening(Https.createServer(certificate("wrongHost"), count))
    const plain = yield* listening(Http.createServer(count))
    const errors = yield* Effect.async<ReadonlyArray<{ readonly _tag: string; readonly message: string }>>((resume) => {
      execFile(
        process.execPath,
        [
          "--import",
          "tsx",
          fileURLToPath(new URL("support/submitOverTls.ts", import.meta.url)),
          ...[expired, wrongHost, plain].map((port) => `https://127.0.0.1:${port}`)
        ],
        {
          env: {
            ...process.env,
            NODE_EXTRA_CA_CERTS: fileURLToPath(new URL("support/certificates/ca.pem", import.meta.url))
          }
        },
        (_, output) => resume(Effect.succeed(JSON.parse(output)))
      )
    })
    assert.deepStrictEqual(
      errors.map(({ _tag }) => _tag),
      Array.from({ length: 9 }, () => "TransportError")
    )
    assert.include(errors[0]?.message, "CERT_HAS_EXPIRED")
    assert.include(errors[3]?.message, "ERR_TLS_CERT_ALTNAME_INVALID")
    assert.include(errors[6]?.message, "WRONG_VERSION_NUMBER")
    assert.strictEqual(received, 0)
  })
)

it.effect("under TestClock, a submit and its wait go on by fork, adjust, join", () =>
  Effect.gen(function* () {
    const http = fakeHttp(
      inTurn(
        () => state("CREATED"),
        () => state("TRANSFORMING"),
        () => state("SUCCEEDED")
      )
    )
    const fiber = yield* LumeClient.runAndWait(request).pipe(Effect.provide(clientLayer(http)), Effect.fork)
    yield* TestClock.adjust("5 seconds")
    assert.strictEqual((yield* Fiber.join(fiber))._tag, "Succeeded")
  })
)
