/**
 * What is seen of the client from outside, and that the key is in none of it.
 */
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Runtime from "effect/Runtime"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { readFileSync } from "node:fs"
import { inspect } from "node:util"
import * as LumeClient from "../src/LumeClient.js"
import * as LumeError from "../src/LumeError.js"
import type * as LumeRun from "../src/LumeRun.js"
import {
  clientLayer,
  disconnected,
  fakeHttp,
  type FakeHttp,
  inTurn,
  json,
  type Respond,
  runId,
  state,
  states
} from "./support/fakeHttp.js"
import { finishedMetadata } from "./support/metadata.js"
import { counted, described, logging, recorder, requestSpan } from "./support/observed.js"

const request = { flowVersion: "invoice_cleaner:v4", sourcePath: "s3://acme/batch-001.csv" }

const runToEnd = <A, E>(effect: Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(effect)
    yield* TestClock.adjust("1 minute")
    return yield* Fiber.join(fiber)
  })

describe("spans", () => {
  it.effect("a wait is one span, with an event for each change", () =>
    Effect.gen(function* () {
      const { layer, spans } = recorder()
      const http = fakeHttp(
        inTurn(
          ...["CREATED", "CREATED", "TRANSFORMING"].map(
            (word): Respond =>
              () =>
                state(word)
          ),
          disconnected,
          () => state("SUCCEEDED", finishedMetadata())
        )
      )
      yield* Effect.flatMap(LumeClient.LumeClient, (lume) => lume.wait(runId)).pipe(
        Effect.provide(clientLayer(http)),
        Effect.provide(layer),
        runToEnd
      )
      assert.deepStrictEqual(
        spans.map(({ name }) => name),
        ["LumeClient.wait"]
      )
      assert.deepStrictEqual(Object.fromEntries(spans[0]?.attributes ?? []), {
        "lume.run_id": runId,
        "lume.flow_version": "invoice_cleaner:v4",
        "lume.polls": 5,
        "lume.status": "SUCCEEDED"
      })
      assert.deepStrictEqual(
        spans[0]?.events,
        ["CREATED", "TRANSFORMING", "SUCCEEDED"].map((status) => ["lume.status", { "lume.status": status }])
      )
    })
  )

  it.effect("a submit and a read are spans, and so are requests where they are asked for", () =>
    Effect.gen(function* () {
      const { layer, spans } = recorder()
      const http = fakeHttp(states("CREATED"))
      yield* Effect.gen(function* () {
        const lume = yield* LumeClient.LumeClient
        yield* Effect.flatMap(lume.run(request), lume.refresh)
      }).pipe(Effect.provide(clientLayer(http, { traceRequests: true })), Effect.provide(layer))
      assert.deepStrictEqual(
        spans.map(({ name, parent }) => [name, parent]),
        [
          ["LumeClient.run", ""],
          [requestSpan("POST"), "LumeClient.run"],
          ["LumeClient.runStatus", ""],
          [requestSpan("GET"), "LumeClient.runStatus"]
        ]
      )
      assert.deepStrictEqual(Object.fromEntries(spans[0]?.attributes ?? []), {
        "lume.flow_version": request.flowVersion,
        "lume.source_path": request.sourcePath,
        "lume.run_id": runId
      })
    })
  )

  it.effect("a read and a watch name their run", () =>
    Effect.gen(function* () {
      const { layer, spans } = recorder()
      const http = fakeHttp(states("CREATED", "SUCCEEDED"))
      yield* Effect.gen(function* () {
        const lume = yield* LumeClient.LumeClient
        yield* lume.runStatus(runId)
        yield* Stream.runDrain(lume.watch(runId))
      }).pipe(Effect.provide(clientLayer(http)), Effect.provide(layer), runToEnd)
      assert.deepStrictEqual(
        spans.map(({ attributes, name }) => [name, attributes.get("lume.run_id")]),
        [
          ["LumeClient.runStatus", runId],
          ["LumeClient.watch", runId]
        ]
      )
    })
  )

  it.effect("what fails ends its span with its error, which names the run", () =>
    Effect.gen(function* () {
      const { layer, spans } = recorder()
      const fails = <A>(
        use: (lume: LumeClient.Service) => Effect.Effect<A, LumeError.LumeError>,
        ...answers: Array<Respond>
      ) =>
        Effect.flatMap(LumeClient.LumeClient, use).pipe(
          Effect.flip,
          Effect.provide(clientLayer(fakeHttp(inTurn(...answers)))),
          Effect.provide(layer),
          runToEnd
        )
      const gone = () => json({}, 410)
      const errors = [
        yield* fails(
          (lume) => lume.run(request),
          () => json({}, 422)
        ),
        yield* fails((lume) => lume.runStatus(runId), gone),
        yield* fails(
          (lume) => lume.wait(runId, { timeout: "7 seconds" }),
          () => state("CREATED")
        ),
        yield* fails((lume) => Stream.runDrain(lume.watch(runId)), gone),
        yield* fails(
          (lume) => lume.runAndWait(request),
          () => state("CREATED"),
          gone
        )
      ]
      assert.deepStrictEqual(
        spans.map(({ exit, name }) => [
          name,
          exit && (Exit.isSuccess(exit) ? "" : String(Option.getOrUndefined(Cause.failureOption(exit.cause))))
        ]),
        [
          ["LumeClient.run", String(errors[0])],
          ["LumeClient.runStatus", String(errors[1])],
          ["LumeClient.wait", String(errors[2])],
          ["LumeClient.watch", String(errors[3])],
          ["LumeClient.run", ""],
          ["LumeClient.wait", String(errors[4])]
        ]
      )
      for (const error of errors.slice(1)) assert.include(error.message, runId)
    })
  )

  it.effect("a run whose metadata does not name it has no flow version", () =>
    Effect.gen(function* () {
      const { layer, spans } = recorder()
      for (const metadata of [null, { run: null }, { flow_version: "a:v1" }]) {
        const http = fakeHttp(() => state("FAILED", metadata))
        yield* LumeClient.wait(runId).pipe(Effect.provide(clientLayer(http)), Effect.provide(layer))
      }
      assert.deepStrictEqual(
        spans.map(({ attributes }) => attributes.has("lume.flow_version")),
        [false, false, false]
      )
    })
  )
})

describe("the log", () => {
  it.effect("follows a wait, and warns once of a status that is not known", () =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const log = logging((message) => lines.push([message].flat().map(String).join(" ")))
      const http = fakeHttp(
        inTurn(
          () => state("CREATED"),
          disconnected,
          ...["QUEUED", "PAUSED", "SUCCEEDED"].map(
            (word): Respond =>
              () =>
                state(word)
          )
        )
      )
      yield* LumeClient.wait(runId).pipe(Effect.provide(clientLayer(http)), Effect.provide(log), runToEnd)
      const [created, failed, ...rest] = lines
      assert.strictEqual(created, `Run ${runId} is CREATED`)
      assert.match(failed ?? "", new RegExp(`^The wait for run ${runId} goes on\\. .*socket hang up`))
      assert.deepStrictEqual(rest, [
        `Run ${runId} is QUEUED`,
        `Run ${runId} has the status QUEUED, which this version of effect-lume does not know. The wait goes on.`,
        `Run ${runId} is PAUSED`,
        `Run ${runId} is SUCCEEDED`
      ])
    })
  )

  it.effect("shows a status in one line, and as much of it as fits", () =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const http = fakeHttp(states(`A\n\u001b[31m${"B".repeat(200)}`))
      const error = yield* LumeClient.wait(runId, { timeout: "1 second" }).pipe(
        Effect.provide(clientLayer(http)),
        Effect.provide(logging((message) => lines.push(String(message)))),
        Effect.flip,
        runToEnd
      )
      for (const line of [...lines, error.message]) {
        assert.include(line, "A [31mBBB")
        assert.notMatch(line, /B{80}|\p{Cc}/u)
      }
    })
  )
})

describe("metrics", () => {
  const names = [
    ["effect_lume_polls", {}],
    ["effect_lume_retries", {}],
    ["effect_lume_waits", { outcome: "Failed" }],
    ["effect_lume_waits", { outcome: "TimeoutError" }],
    ["effect_lume_waits", { outcome: "Interrupted" }],
    ["effect_lume_wait_duration_seconds", {}]
  ] as const

  const all = Effect.forEach(names, ([name, tags]) => counted(name, tags))

  it.effect("count polls, retries and waits by outcome", () =>
    Effect.gen(function* () {
      const before = yield* all
      const wait = (respond: Respond, timeout: string & {}) =>
        Effect.flatMap(LumeClient.LumeClient, (lume) => lume.wait(runId, { timeout: timeout as "1 second" })).pipe(
          Effect.provide(clientLayer(fakeHttp(respond))),
          Effect.exit
        )
      yield* runToEnd(
        wait(
          inTurn(
            () => state("CREATED"),
            disconnected,
            () => state("FAILED")
          ),
          "1 hour"
        )
      )
      yield* runToEnd(wait(states("CREATED"), "7 seconds"))
      const fiber = yield* Effect.fork(wait(states("CREATED"), "1 hour"))
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(fiber)
      const after = yield* all
      assert.deepStrictEqual(
        after.map((count, index) => count - (before[index] ?? 0)),
        [3 + 3 + 1, 1, 1, 1, 1, 3]
      )
    })
  )
})

describe("the page on observability", () => {
  const page = readFileSync(new URL("../docs/observability.md", import.meta.url), "utf8")
  const rows = [...page.matchAll(/^\| `(effect_lume_\w+)` +\| (\w+) +\| (.+?) *\|$/gm)]

  it.effect("says of each metric what its kind is, and what a collector is told of it", () =>
    Effect.gen(function* () {
      yield* runToEnd(
        LumeClient.wait(runId).pipe(Effect.provide(clientLayer(fakeHttp(inTurn(disconnected, () => state("FAILED"))))))
      )
      assert.lengthOf(rows, 4)
      for (const [, name = "", kind, text = ""] of rows) {
        const metrics = yield* described(name)
        assert.isNotEmpty(metrics, name)
        for (const metric of metrics) {
          assert.strictEqual(metric.kind, kind, name)
          assert.strictEqual(metric.incremental, kind === "counter" ? true : undefined, name)
          assert(metric.description !== undefined && metric.description !== "")
          assert.isTrue(text.startsWith(metric.description), `${text} begins with ${metric.description}`)
        }
      }
    })
  )
})

describe("a watch that its reader leaves", () => {
  const outcome = (name: string) => counted("effect_lume_waits", { outcome: name })
  const reading = (
    http: FakeHttp,
    left: (run: LumeRun.LumeRun) => Effect.Effect<void, { readonly _tag: "ReaderError" }>
  ) => LumeClient.watch(runId).pipe(Stream.runForEach(left), Effect.exit, Effect.provide(clientLayer(http)))
  const readerFails = Effect.fail({ _tag: "ReaderError" } as const)

  it.effect("counts as left where it is done with before the run has ended, and the time in seconds", () =>
    Effect.gen(function* () {
      const took = Effect.map(described("effect_lume_wait_duration_seconds"), (metrics) =>
        metrics.reduce((sum, metric) => sum + metric.sum, 0)
      )
      const [before, tookBefore] = [yield* outcome("Left"), yield* took]
      yield* runToEnd(
        LumeClient.watch(runId).pipe(
          Stream.take(2),
          Stream.runDrain,
          Effect.provide(
            clientLayer(
              fakeHttp(
                inTurn(
                  () => state("CREATED"),
                  () => state("TRANSFORMING")
                )
              )
            )
          )
        )
      )
      assert.strictEqual(yield* outcome("Left"), before + 1)
      assert.strictEqual(yield* took, tookBefore + 5)
    })
  )

  it.effect("counts as left, whatever the reader fails with", () =>
    Effect.gen(function* () {
      const before = yield* outcome("Left")
      yield* reading(fakeHttp(states("CREATED")), () => readerFails)
      assert.strictEqual(yield* outcome("Left"), before + 1)
      assert.strictEqual(yield* outcome("ReaderError"), 0)
    })
  )

  it.effect("counts as what the run ended with, if it had", () =>
    Effect.gen(function* () {
      const before = yield* outcome("Crashed")
      yield* reading(fakeHttp(states("CRASHED")), () => readerFails)
      assert.strictEqual(yield* outcome("Crashed"), before + 1)
    })
  )

  it.effect("counts as a defect where a schedule dies", () =>
    Effect.gen(function* () {
      const before = yield* outcome("Defect")
      const http = fakeHttp(states("CREATED"))
      const schedule = Schedule.map(Schedule.forever, () => {
        throw new Error("a bug")
      })
      yield* LumeClient.wait(runId, { schedule }).pipe(Effect.exit, Effect.provide(clientLayer(http)))
      assert.strictEqual(yield* outcome("Defect"), before + 1)
    })
  )

  it.effect("counts as its own failure, which the reader gets", () =>
    Effect.gen(function* () {
      const before = yield* outcome("AuthenticationError")
      yield* reading(
        fakeHttp(() => json({}, 401)),
        () => Effect.void
      )
      assert.strictEqual(yield* outcome("AuthenticationError"), before + 1)
    })
  )
})

describe("the key", () => {
  const sentinel = "SENTINEL-b7f3-key"

  /** Answers that echo the key wherever an answer can. */
  const echoes: ReadonlyArray<readonly [string, Respond]> = [
    ...[400, 401, 403, 404, 408, 409, 410, 422, 429, 500, 503].flatMap(
      (status): ReadonlyArray<readonly [string, Respond]> => [
        [
          `${status} text`,
          () => new Response(`your key ${sentinel}`, { status, headers: { "x-request-id": sentinel } })
        ],
        [`${status} detail`, () => json({ detail: `your key ${sentinel}` }, status)]
      ]
    ),
    ["302", () => new Response("", { status: 302, headers: { location: `https://${sentinel}.example/` } })],
    [
      "a page",
      () => new Response(`<title>${sentinel}</title>`, { headers: { "content-type": `text/html; a=${sentinel}` } })
    ],
    ["another id", () => state("CREATED", {}, sentinel)],
    ["a status", () => state(sentinel)],
    ["metadata", () => state("SUCCEEDED", { ...finishedMetadata(), results: { input_rows: sentinel } })],
    ["errors", () => state("FAILED", { errors: [{ stage: "A", error_code: "B", message: sentinel }] })],
    [
      "no connection",
      (_, __, request) => {
        const cause = Object.assign(new Error(`bad header ${sentinel}`), {
          code: "ECONNREFUSED",
          headers: { "lume-api-key": sentinel }
        })
        return Effect.fail(new HttpClientError.RequestError({ request, reason: "Transport", cause }))
      }
    ],
    [
      "no URL",
      (_, __, request) =>
        Effect.fail(new HttpClientError.RequestError({ request, reason: "InvalidUrl", description: sentinel }))
    ],
    ["never", () => Effect.never]
  ]

  const everywhere = (value: unknown): string =>
    [
      inspect(value, { showHidden: true, depth: 12, getters: true }),
      JSON.stringify(value, (_, item: unknown) => (typeof item === "bigint" ? String(item) : item)),
      String(value)
    ].join("\n")

  // The platform shows response headers in its spans, and what its errors hold to transformClient: an answer that echoes
  // the key there is beyond the client.
  const ours = echoes.filter(([name]) => !/text|302|a page|no connection|no URL/.test(name))

  it.effect.each([
    ...echoes.map(([name, respond]) => [name, respond, false] as const),
    ...ours.map(([name, respond]) => [`${name}, with requests traced and logged`, respond, true] as const)
  ])("is in nothing that can be seen: %s", ([, respond, traced]) =>
    Effect.gen(function* () {
      const { layer, spans } = recorder()
      const seen: Array<string> = []
      const log = logging((...what) => what.forEach((item) => seen.push(everywhere(item))))
      const transformClient = (client: HttpClient.HttpClient) =>
        client.pipe(
          HttpClient.tapRequest((request) => Effect.logInfo(request)),
          HttpClient.tapError((error) => Effect.logInfo(error, error.request.headers))
        )
      const options = {
        apiKey: Redacted.make(sentinel),
        retry: { times: 1 },
        ...(traced && { transformClient, traceRequests: true })
      }
      const program = Effect.gen(function* () {
        const lume = yield* LumeClient.LumeClient
        const wait = lume.wait(runId, { timeout: "8 seconds" })
        const metadata = Effect.flatMap(
          wait,
          (run) => run.metadata as Effect.Effect<unknown, LumeError.MetadataDecodeError>
        )
        const outcomes: ReadonlyArray<Effect.Effect<unknown, LumeError.LumeError>> = [
          lume.run(request),
          lume.runStatus(runId),
          wait,
          metadata,
          Stream.runCollect(lume.watch(runId, { timeout: "8 seconds" }))
        ]
        // from a fiber of another runtime, as a web framework would
        const runtime = yield* Effect.runtime()
        const fibers = outcomes.map((outcome) => Runtime.runFork(runtime)(Effect.exit(outcome)))
        yield* TestClock.adjust("3 minutes")
        return yield* Effect.forEach(fibers, Fiber.join)
      }).pipe(Effect.provide(clientLayer(fakeHttp(respond), options)))

      const exits = yield* program.pipe(Effect.provide(log), Effect.provide(layer))
      for (const exit of exits) {
        seen.push(everywhere(exit))
        if (Exit.isSuccess(exit)) continue
        seen.push(Cause.pretty(exit.cause, { renderErrorCause: true }))
        const error = Cause.squash(exit.cause)
        seen.push(everywhere(error), String(error instanceof Error ? error.stack : error))
        if (LumeError.isLumeError(error)) seen.push(JSON.stringify(yield* Schema.encode(LumeError.LumeError)(error)))
      }
      seen.push(everywhere(spans.map(({ attributes, events, name }) => [name, [...attributes], events])))
      seen.push(everywhere(yield* Metric.snapshot))
      assert.isAtLeast(spans.length, traced ? 8 : 4)
      for (const text of seen) {
        const place = text.indexOf(sentinel)
        assert.strictEqual(place, -1, text.slice(Math.max(0, place - 300), place + 50))
      }
    })
  )
})
