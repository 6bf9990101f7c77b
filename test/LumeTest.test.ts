/**
 * The test kit: timelines, faults, what is observed, values that fit together, and time.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as LumeClient from "../src/LumeClient.js"
import type * as LumeError from "../src/LumeError.js"
import * as LumeMetadata from "../src/LumeMetadata.js"
import * as LumeRun from "../src/LumeRun.js"
import * as LumeTest from "../src/LumeTest.js"

const request = { flowVersion: "invoice_cleaner:v4", sourcePath: "s3://acme/batch-001.csv" }

const withLume = <A, E>(
  use: (lume: LumeClient.Service) => Effect.Effect<A, E, LumeTest.LumeTest>,
  script?: LumeTest.Script
) =>
  Effect.flatMap(LumeClient.LumeClient, (lume) => LumeTest.waitFor(use(lume))).pipe(
    Effect.provide(LumeTest.layer(script))
  )

const end = (timeline: LumeTest.Timeline) => withLume((lume) => lume.runAndWait(request), { onRun: () => timeline })

const statuses = (timeline: LumeTest.Timeline) =>
  withLume(
    (lume) =>
      Effect.flatMap(lume.run(request), (run) =>
        lume.watch(run, { pollInterval: 100, timeout: "2 minutes" }).pipe(
          Stream.mapEffect((run) =>
            Effect.map(Clock.currentTimeMillis, (at) => [run.status, Math.round(at / 1000)] as const)
          ),
          Stream.catchAll(() => Stream.empty),
          Stream.runCollect,
          Effect.map((chunk) => [...chunk])
        )
      ),
    { onRun: () => timeline }
  )

describe("timelines", () => {
  it.effect("succeed through every status, in 30 seconds unless told otherwise", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* statuses(LumeTest.succeeds()), [
        ["CREATED", 0],
        ["SYNCING_SOURCE", 3],
        ["TRANSFORMING", 9],
        ["SYNCING_TARGET", 24],
        ["SUCCEEDED", 30]
      ])
      const run = yield* end(
        LumeTest.succeeds({
          in: "2 minutes",
          rows: 7,
          metadata: { results: { targetLocations: { mapped: "here", rejects: Option.none() } } }
        })
      )
      assert(run._tag === "Succeeded")
      const { pipeline, results, run: about } = yield* run.metadata
      assert.deepStrictEqual(results, {
        inputRows: 7,
        mappedRows: 7,
        rejectedRows: 0,
        targetLocations: { mapped: "here", rejects: Option.none() }
      })
      assert.deepStrictEqual(about, { runId: run.id, ...request, status: "SUCCEEDED" })
      assert.strictEqual(Duration.toMillis(pipeline.duration), 120_000)
    })
  )

  it.effect("fail in part, fail, crash", () =>
    Effect.gen(function* () {
      const topErrors = [{ errorCode: "REQUIRED", field: "total", count: 30 }]
      const partial = yield* end(LumeTest.partiallyFails({ rows: 100, rejected: 25, topErrors }))
      assert(partial._tag === "PartialFailed")
      const { results, validation } = yield* partial.metadata
      assert.deepInclude(results, { inputRows: 100, mappedRows: 75, rejectedRows: 25 })
      assert.deepStrictEqual(validation, { testsExecuted: 500, testsFailed: 30, errorRate: 0.06, topErrors })

      const cause = { stage: "SYNCING_SOURCE", errorCode: "SOURCE_NOT_FOUND", message: "No object." }
      const failed = yield* end(LumeTest.fails(cause))
      assert(failed._tag === "Failed")
      assert.deepStrictEqual((yield* failed.metadata).errors, [cause])
      assert.deepStrictEqual(
        (yield* statuses(LumeTest.fails(cause))).map(([status]) => status),
        ["CREATED", "SYNCING_SOURCE", "FAILED"]
      )

      const crashed = yield* end(LumeTest.crashes())
      assert(crashed._tag === "Crashed")
      assert.deepStrictEqual((yield* crashed.metadata).errors, [])
    })
  )

  it.effect("hang, show a status that nobody knows, or whatever is wanted", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual((yield* statuses(LumeTest.unknownStatus("QUEUED"))).slice(0, 2), [
        ["QUEUED", 0],
        ["CREATED", 10]
      ])
      assert.strictEqual((yield* Effect.flip(end(LumeTest.hangs())))._tag, "TimeoutError")
      const steps = [
        { status: null },
        { status: "TRANSFORMING", after: "1 minute" as const },
        { status: "SUCCEEDED", after: "1 second" as const, metadata: () => ({ results: 3 }) }
      ]
      const run = yield* end(LumeTest.timeline(steps))
      assert(run._tag === "Succeeded")
      assert.strictEqual((yield* Effect.flip(run.metadata)).path, "run")
    })
  )

  it.effect("are of known ids too", () =>
    Effect.gen(function* () {
      const script = { runs: { run_known: LumeTest.succeeds() } }
      const [run, unknown] = yield* withLume(
        (lume) => Effect.all([lume.wait("run_known"), Effect.flip(lume.runStatus("run_1"))]),
        script
      )
      assert.strictEqual(run.id, "run_known")
      assert.strictEqual(unknown._tag, "RunNotFoundError")
    })
  )
})

describe("a source path that has succeeded", () => {
  it.effect("is refused, unless the caller forces a rerun", () =>
    Effect.gen(function* () {
      const error = yield* withLume((lume) =>
        Effect.gen(function* () {
          yield* lume.run(request)
          yield* lume.runAndWait(request)
          const error = yield* Effect.flip(lume.run(request))
          yield* lume.run({ ...request, forceRerun: true })
          yield* lume.run({ ...request, flowVersion: "invoice_cleaner:v5" })
          return error
        })
      )
      assert.strictEqual(error._tag, "AlreadyProcessedError")
    })
  )
})

describe("faults", () => {
  it.effect.each([
    ["network", "TransportError"],
    ["timeout", "TransportError"],
    ["html502", "ApiError"],
    [{ status: 429, retryAfter: 9 }, "RateLimitedError"],
    [{ status: 401 }, "AuthenticationError"]
  ] as ReadonlyArray<readonly [LumeTest.Fault, string]>)("%s befalls a read as %s", ([fault, tag]) =>
    Effect.gen(function* () {
      const error = yield* withLume((lume) =>
        Effect.zipRight(
          LumeTest.failNext(9, fault, { on: "read" }),
          Effect.flip(Effect.flatMap(lume.run(request), lume.refresh))
        )
      )
      assert.strictEqual(error._tag, tag)
      if (error._tag === "RateLimitedError") assert.deepStrictEqual(error.retryAfter, Option.some(Duration.seconds(9)))
    })
  )

  it.effect.each([
    ["network", false, "Created", 1],
    ["network", true, "SubmitOutcomeUnknownError", 1],
    ["timeout", false, "SubmitOutcomeUnknownError", 0],
    ["timeout", true, "SubmitOutcomeUnknownError", 1],
    ["html502", true, "SubmitOutcomeUnknownError", 1]
  ] as const)("%s befalls a submit that was received (%s) as %s", ([fault, received, tag, submitted]) =>
    Effect.gen(function* () {
      const result = yield* withLume((lume) =>
        Effect.gen(function* () {
          yield* LumeTest.failNext(1, fault, { on: "submit", received })
          const outcome = yield* Effect.merge(lume.run(request))
          return { tag: outcome._tag, submitted: (yield* LumeTest.submitted).length }
        })
      )
      assert.deepStrictEqual<unknown>(result, { tag, submitted })
    })
  )

  it.effect("come in the order in which they were planned, and then no more", () =>
    Effect.gen(function* () {
      const tags = yield* withLume((lume) =>
        Effect.gen(function* () {
          const run = yield* lume.run(request)
          yield* LumeTest.failNext(1, { status: 403 })
          yield* LumeTest.failNext(1, { status: 422 })
          return yield* Effect.replicateEffect(
            Effect.map(Effect.merge(lume.refresh(run)), ({ _tag }) => _tag),
            3
          )
        })
      )
      assert.deepStrictEqual(tags, ["AuthenticationError", "InvalidRequestError", "Created"])
    })
  )
})

describe("what is observed", () => {
  it.effect("is every request, with its time, and never the key", () =>
    Effect.gen(function* () {
      const [requests, submitted] = yield* withLume((lume) =>
        Effect.gen(function* () {
          const runMetadata = { by: "nightly" }
          yield* lume.runAndWait({ ...request, runMetadata }, { pollInterval: "15 seconds" })
          return yield* Effect.all([LumeTest.requests, LumeTest.submitted])
        })
      )
      assert.deepStrictEqual(
        requests.map(({ at, method, path }) => [method, path, at]),
        [
          ["POST", "/runs", 0],
          ["GET", "/runs/run_test_1", 0],
          ["GET", "/runs/run_test_1", 15_000],
          ["GET", "/runs/run_test_1", 30_000]
        ]
      )
      assert.deepStrictEqual<unknown>(requests[0]?.body, {
        flow_version: request.flowVersion,
        source_path: request.sourcePath,
        run_metadata: { by: "nightly" }
      })
      assert.deepStrictEqual<unknown>(submitted, [{ ...request, runMetadata: { by: "nightly" } }])
      assert.notInclude(JSON.stringify([requests, submitted]), "key")
    })
  )
})

describe("values", () => {
  it("are in the state that was asked for", () => {
    const tags = [
      "Created",
      "SyncingSource",
      "Transforming",
      "SyncingTarget",
      "Unrecognized",
      "Succeeded",
      "PartialFailed",
      "Failed",
      "Crashed"
    ] as const
    for (const tag of tags) assert.strictEqual(LumeTest.run(tag)._tag, tag)
    assert.strictEqual(LumeTest.run("Unrecognized", { status: null }).status, null)
    assert.strictEqual(LumeTest.run("Created", { id: "run_7", runMetadata: { a: 1 } }).runMetadata["a"], 1)
  })

  it.effect("have metadata that fits", () =>
    Effect.gen(function* () {
      const { results } = yield* LumeTest.run("PartialFailed", {
        metadata: { results: { inputRows: 50, rejectedRows: 5 } }
      }).metadata
      assert.strictEqual(results.mappedRows, 45)
      const errors = [{ stage: "TRANSFORMING", errorCode: "A", message: "b" }]
      assert.deepStrictEqual((yield* LumeTest.run("Failed", { errors }).metadata).errors, errors)
      assert.strictEqual(
        LumeTest.metadata({ validation: { testsExecuted: 10, testsFailed: 5 } }).validation.errorRate,
        0.5
      )
      assert.strictEqual(LumeTest.metadata({ results: { inputRows: 10, mappedRows: 4 } }).results.rejectedRows, 6)
    })
  )

  it.prop(
    "keep the invariants, whatever they are",
    [LumeTest.arbitrary.metadata],
    ([{ pipeline, results, validation }]) => {
      assert.strictEqual(results.inputRows, results.mappedRows + results.rejectedRows)
      assert.strictEqual(
        validation.errorRate,
        validation.testsExecuted === 0 ? 0 : validation.testsFailed / validation.testsExecuted
      )
      const stages = Object.values(pipeline.stages).map((stage) => Duration.toMillis(Option.getOrThrow(stage)))
      assert.isAtMost(
        stages.reduce((sum, stage) => sum + stage, 0),
        Duration.toMillis(pipeline.duration)
      )
      assert.isTrue(
        Schema.is(LumeMetadata.LumeMetadata)({
          pipeline,
          results,
          validation,
          errors: [],
          run: LumeTest.metadata().run
        })
      )
    }
  )

  it.effect.prop("of runs go to JSON and back, and can be read", [LumeTest.arbitrary.wire], ([wire]) =>
    Effect.gen(function* () {
      const run = yield* Schema.decode(LumeRun.LumeRun)(wire)
      const encoded = yield* Schema.encode(LumeRun.LumeRun)(run)
      assert.deepStrictEqual<unknown>(encoded, { ...wire, run_metadata: wire.run_metadata ?? {} })
      if (LumeRun.isTerminal(run))
        yield* Effect.map(run.metadata as Effect.Effect<unknown, LumeError.MetadataDecodeError>, () => undefined)
    })
  )

  it.prop("of runs are runs", [LumeTest.arbitrary.run], ([run]) => {
    assert.isTrue(Schema.is(LumeRun.LumeRun)(run))
  })
})

describe("time", () => {
  it.effect("is advanced for what was forked before", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.fork(Effect.flatMap(LumeClient.LumeClient, (lume) => lume.runAndWait(request)))
      yield* LumeTest.advance("29 seconds")
      assert(Option.isNone(yield* Fiber.poll(fiber)))
      yield* LumeTest.advance("1 second")
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "Succeeded")
    }).pipe(Effect.provide(LumeTest.layer()))
  )

  it.effect("is skipped in an effect, and goes on from there", () =>
    Effect.gen(function* () {
      yield* LumeTest.advance("1 hour")
      const [from, to] = yield* LumeTest.waitFor(
        Effect.gen(function* () {
          const from = yield* Clock.currentTimeMillis
          yield* Effect.all([Effect.sleep("1 day"), Effect.sleep("2 hours")], { concurrency: "unbounded" })
          return [from, yield* Clock.currentTimeMillis]
        })
      )
      assert.strictEqual(from, Duration.toMillis("1 hour"))
      assert.strictEqual(to, Duration.toMillis("25 hours"))
      assert.strictEqual(yield* Clock.currentTimeMillis, to)
    })
  )

  it.effect("is moved on by an effect that fails, and by one that never ends", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(LumeTest.waitFor(Effect.delay(Effect.fail("late"), "1 minute")))
      assert.strictEqual(error, "late")
      const exit = yield* Effect.exit(LumeTest.waitFor(Effect.forever(Effect.sleep("30 days"))))
      assert(Exit.isFailure(exit))
      assert.include(String(exit.cause), "365d")
    })
  )
})

describe("whatever befalls its reads", () => {
  const fault = FastCheck.constantFrom<LumeTest.Fault>("network", "html502", { status: 503, retryAfter: 1 })

  it.effect.prop(
    "a wait ends right",
    [FastCheck.array(fault, { maxLength: 8 })],
    ([faults]) =>
      Effect.gen(function* () {
        const run = yield* withLume((lume) =>
          Effect.zipRight(
            Effect.forEach(faults, (fault) => LumeTest.failNext(1, fault, { on: "read" })),
            lume.runAndWait(request)
          )
        )
        assert.strictEqual(run._tag, "Succeeded")
      }),
    { fastCheck: { numRuns: 20 }, timeout: 20_000 }
  )
})
