/**
 * The client as layers and as functions: what is read from where, and which argument is which.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as LumeClient from "../src/LumeClient.js"
import type * as LumeError from "../src/LumeError.js"
import * as LumeRun from "../src/LumeRun.js"
import * as LumeTest from "../src/LumeTest.js"
import * as RunEvents from "../src/RunEvents.js"
import * as WebhookDeliveries from "../src/WebhookDeliveries.js"
import { environment, unreadable } from "./support/environment.js"
import { clientLayer, fakeHttp, type FakeHttp, inTurn, runId, state, states } from "./support/fakeHttp.js"

const request = { flowVersion: "invoice_cleaner:v4", sourcePath: "s3://acme/batch-001.csv" }

// by them, two copies of the package in one application share their services
it("the services have the package's keys", () => {
  const services = [LumeClient.LumeClient, RunEvents.RunEvents, WebhookDeliveries.WebhookDeliveries, LumeTest.LumeTest]
  assert.deepStrictEqual(
    services.map(({ key }) => key),
    ["effect-lume/LumeClient", "effect-lume/RunEvents", "effect-lume/WebhookDeliveries", "effect-lume/LumeTest"]
  )
})

describe("layerConfig", () => {
  it.effect("takes plain values, functions and schedules beside Configs", () =>
    Effect.gen(function* () {
      const http = fakeHttp(states("CREATED"))
      const fiber = yield* LumeClient.wait(runId).pipe(
        Effect.flip,
        Effect.provide(
          LumeClient.layerConfig({
            apiKey: Config.redacted("ACME_KEY"),
            baseUrl: "https://lume.example",
            paths: { submit: "/submit", status: (id) => `/state/${id}` },
            wait: { schedule: Schedule.spaced("10 seconds"), timeout: "20 seconds" },
            maxResponseBytes: Config.integer("MOST")
          }).pipe(Layer.provide(http.layer), Layer.provide(environment({ ACME_KEY: "acme-key", MOST: "1000" })))
        ),
        Effect.fork
      )
      yield* TestClock.adjust("20 seconds")
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "TimeoutError")
      assert.deepStrictEqual(
        http.sent.map(({ at, headers, url }) => [at, headers["lume-api-key"], url]),
        [0, 10_000, 20_000].map((at) => [at, "acme-key", `https://lume.example/state/${runId}`])
      )
    })
  )

  it.effect.each(["apiKey", "baseUrl", "requestTimeout"] as const)(
    "refuses null as %s, whatever the environment holds",
    (name) =>
      Effect.gen(function* () {
        // what plain JavaScript can pass in spite of the types
        const configs = { [name]: null } as unknown as LumeClient.Configs
        const error = yield* LumeClient.runStatus(runId).pipe(
          Effect.provide(
            LumeClient.layerConfig(configs).pipe(
              Layer.provide(fakeHttp(states("CREATED")).layer),
              Layer.provide(
                environment({ LUME_API_KEY: "a-key", LUME_BASE_URL: "https://lume.example", LUME_REQUEST_TIMEOUT: "5" })
              )
            )
          ),
          Effect.flip
        )
        assert(error._tag === "InvalidRequestError")
        assert.include(error.message, name)
      })
  )

  it.effect("says what can be done where the environment can't be read", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(LumeClient.runStatus(runId)).pipe(
        Effect.provide(
          LumeClient.layerConfig().pipe(
            Layer.provide(fakeHttp(states("CREATED")).layer),
            Layer.provide(Layer.setConfigProvider(unreadable))
          )
        ),
        Effect.flip
      )
      assert(ConfigError.isConfigError(error))
      assert.include(String(error), "--allow-env")
      assert.include(String(error), "Requires env access")
    })
  )

  it.effect("says so too where a caller's own Config can't be read there", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(LumeClient.runStatus(runId)).pipe(
        Effect.provide(
          LumeClient.layerConfig({ apiKey: Config.redacted("ACME_KEY") }).pipe(
            Layer.provide(fakeHttp(states("CREATED")).layer),
            Layer.provide(Layer.setConfigProvider(unreadable))
          )
        ),
        Effect.flip
      )
      assert(ConfigError.isConfigError(error))
      assert.include(String(error), "--allow-env")
    })
  )

  it.effect("says nothing of the environment where a caller's own Config dies", () =>
    Effect.gen(function* () {
      const baseUrl = Config.map(Config.succeed(""), (): string => {
        throw new Error("a bug")
      })
      const exit = yield* LumeClient.runStatus(runId).pipe(
        Effect.provide(
          LumeClient.layerConfig({ baseUrl }).pipe(
            Layer.provide(fakeHttp(states("CREATED")).layer),
            Layer.provide(environment({ LUME_API_KEY: "a-key" }))
          )
        ),
        Effect.exit
      )
      assert(Exit.isFailure(exit))
      assert.include(Cause.pretty(exit.cause), "a bug")
      assert.notInclude(Cause.pretty(exit.cause), "environment")
    })
  )
})

describe("layerConfigWithEvents", () => {
  it.scoped("reads the environment, and its waits are woken by events", () =>
    Effect.gen(function* () {
      const http = fakeHttp(states("CREATED", "SUCCEEDED"))
      const events = yield* Effect.map(Layer.build(RunEvents.layer), (context) => context)
      const fiber = yield* LumeClient.wait(runId).pipe(
        Effect.provide(
          LumeClient.layerConfigWithEvents().pipe(
            Layer.provide(http.layer),
            Layer.provide(environment({ LUME_API_KEY: "staging-key", LUME_BASE_URL: "https://staging.example" }))
          )
        ),
        Effect.provide(events),
        Effect.fork
      )
      yield* TestClock.adjust("7 seconds")
      yield* Effect.provide(RunEvents.publish({ runId }), events)
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "Succeeded")
      assert.isTrue(http.sent.every(({ url }) => url.startsWith("https://staging.example/")))
      // polls come every five minutes, the event after seven seconds
      assert.isAtLeast(http.sent[1]?.at ?? 0, 7_000)
      assert.isAtMost(http.sent[1]?.at ?? Infinity, 8_000)
    })
  )
})

describe("the functions", () => {
  const using = <A, E>(http: FakeHttp, effect: Effect.Effect<A, E, LumeClient.LumeClient>) =>
    Effect.gen(function* () {
      const fiber = yield* Effect.fork(Effect.provide(effect, clientLayer(http)))
      yield* TestClock.adjust("1 hour")
      return yield* Fiber.join(fiber)
    })

  const ended = () =>
    fakeHttp(
      inTurn(
        () => state("CREATED"),
        () => state("SUCCEEDED")
      )
    )
  const run = Effect.provide(LumeClient.runStatus(runId), clientLayer(fakeHttp(states("CREATED"))))
  const options = { pollInterval: "2 seconds" } as const

  it.effect.each([
    ["wait(run, options)", (run: LumeRun.LumeRun) => LumeClient.wait(run, options)],
    ["wait(run)", (run: LumeRun.LumeRun) => LumeClient.wait(run)],
    ["wait(id)", () => LumeClient.wait(runId)],
    ["wait(id, undefined)", () => LumeClient.wait(runId, undefined)],
    ["run.pipe(wait)", (run: LumeRun.LumeRun) => run.pipe(LumeClient.wait)],
    ["run.pipe(wait())", (run: LumeRun.LumeRun) => run.pipe(LumeClient.wait())],
    ["run.pipe(wait(undefined))", (run: LumeRun.LumeRun) => run.pipe(LumeClient.wait(undefined))],
    ["run.pipe(wait(options))", (run: LumeRun.LumeRun) => run.pipe(LumeClient.wait(options))],
    ["flatMap(wait)", (run: LumeRun.LumeRun) => Effect.flatMap(Effect.succeed(run), LumeClient.wait)],
    ["runAndWait(request)", () => LumeClient.runAndWait(request)],
    ["runAndWait(request, options)", () => LumeClient.runAndWait(request, options)]
  ] as const)("%s gives the run as it ended", ([, call]) =>
    Effect.gen(function* () {
      const finished = yield* using<
        LumeRun.TerminalRun,
        LumeError.WaitError | LumeError.SubmitError | LumeError.WaitFailedError
      >(ended(), call(yield* run))
      assert.strictEqual(finished._tag, "Succeeded")
    })
  )

  it.effect("what is no run is refused, and not taken for options", () =>
    Effect.gen(function* () {
      // as those who write no types give it
      for (const nothing of [null, {}, undefined] as unknown as ReadonlyArray<LumeRun.LumeRun>) {
        const error = yield* Effect.flip(using(ended(), LumeClient.wait(nothing, options)))
        assert.strictEqual(error._tag, "InvalidRequestError")
      }
    })
  )

  it.effect.each([
    ["watch(run, options)", (run: LumeRun.LumeRun) => LumeClient.watch(run, options)],
    ["watch(id)", () => LumeClient.watch(runId)],
    ["run.pipe(watch)", (run: LumeRun.LumeRun) => run.pipe(LumeClient.watch)],
    ["run.pipe(watch(options))", (run: LumeRun.LumeRun) => run.pipe(LumeClient.watch(options))]
  ] as const)("%s gives every status", ([, call]) =>
    Effect.gen(function* () {
      const runs = yield* using(ended(), Stream.runCollect(call(yield* run)))
      assert.deepStrictEqual(
        Array.from(runs, ({ _tag }) => _tag),
        ["Created", "Succeeded"]
      )
    })
  )

  it.effect("run and refresh do what the client's do", () =>
    Effect.gen(function* () {
      const refreshed = yield* using(ended(), Effect.flatMap(LumeClient.run(request), LumeClient.refresh))
      assert.strictEqual(refreshed._tag, "Succeeded")
    })
  )

  it.effect("orFail follows a wait without a lambda", () =>
    Effect.gen(function* () {
      const failed = fakeHttp(states("FAILED"))
      const error = yield* Effect.flip(using(failed, LumeClient.wait(runId).pipe(Effect.flatMap(LumeRun.orFail))))
      assert.strictEqual(error._tag, "RunFailedError")
    })
  )
})

describe("paths.status", () => {
  const refused = (id: string, status: (id: string) => string) =>
    Effect.gen(function* () {
      const http = fakeHttp(states("CREATED"))
      const error = yield* Effect.flip(LumeClient.runStatus(id)).pipe(
        Effect.provide(clientLayer(http, { paths: { submit: "/runs", status } }))
      )
      assert(error._tag === "InvalidRequestError")
      const what = `paths.status of the run id ${JSON.stringify(id)}`
      assert.strictEqual(error.detail, `${what} gives no URL beneath the base URL: correct it`)
      assert.deepStrictEqual(http.sent, [])
    })

  it.effect.each(["%2e%2e", "%2E.", ".%2e", "a\\..\\..\\b", "\\\\evil.example"])(
    "that does not encode the id %s is refused where it would lead elsewhere",
    (id) => refused(id, (id) => `/runs/${id}/state`)
  )

  it.effect.each(["%2e%2e\\admin\\keys", "a\\..\\..\\b\\c", "y\\..\\z", "%2e", ".%2E"])(
    "that ends with the id %s as it is, is refused too",
    (id) => refused(id, (id) => `/runs/${id}`)
  )

  it.effect("that begins with it, too", () => refused("%2e%2e", (id) => `/${id}`))

  it.effect("that throws is refused", () =>
    refused("run_1", () => {
      throw new Error("no")
    })
  )

  it.effect("no more than paths.submit may lead elsewhere", () =>
    Effect.gen(function* () {
      for (const submit of ["/..", "a/../../b", "\\\\evil.example", "/%2e%2e/", "/r\tuns"]) {
        const error = yield* LumeClient.runStatus(runId).pipe(
          Effect.provide(clientLayer(fakeHttp(states("CREATED")), { paths: { submit, status: (id) => `/${id}` } })),
          Effect.flip
        )
        assert(error._tag === "InvalidRequestError")
        assert.strictEqual(error.detail, "paths.submit gives no URL beneath the base URL: correct it")
      }
    })
  )

  it.effect("stays beneath the base URL, whatever it begins with", () =>
    Effect.gen(function* () {
      const http = fakeHttp(states("CREATED"))
      const statuses = ["//evil.example/a", "@evil.example", ":8080", "", "?a", "https://evil.example", "[", "\ud800"]
      for (const status of statuses) {
        const paths = { submit: "/runs", status: () => status }
        yield* LumeClient.runStatus(runId).pipe(
          Effect.provide(clientLayer(http, { paths, baseUrl: "https://lume.example/v1" }))
        )
      }
      assert.strictEqual(http.sent.length, statuses.length)
      for (const { headers, url } of http.sent) {
        assert.match(url, /^https:\/\/lume\.example\/v1\//)
        assert.strictEqual(headers["lume-api-key"], "lume-key-under-test")
      }
    })
  )

  it.effect("may be any path, with a query too", () =>
    Effect.gen(function* () {
      const http = fakeHttp(states("CREATED"))
      yield* LumeClient.runStatus(runId).pipe(
        Effect.provide(clientLayer(http, { paths: { submit: "/runs", status: (id) => `/state/${id}?full=a/b` } }))
      )
      assert.strictEqual(http.sent[0]?.url, `https://api.lume.ai/state/${runId}?full=a/b`)
    })
  )
})

it.effect("a proxy of a run, and a frozen run, have its metadata", () =>
  Effect.gen(function* () {
    const http = fakeHttp(states("FAILED"))
    const run = yield* LumeClient.runStatus(runId).pipe(Effect.provide(clientLayer(http)))
    assert(run._tag === "Failed")
    const direct = yield* run.metadata
    assert.deepStrictEqual(yield* new Proxy(run, {}).metadata, direct)
    assert.deepStrictEqual(yield* Object.freeze(run).metadata, direct)
    assert.isTrue(Option.isNone(direct.results))
  })
)
