/**
 * The test kit: timelines, faults, what is observed, values that fit together, and time.
 */
import { assert, describe, it } from "@effect/vitest"
import { deepStrictEqual } from "@effect/vitest/utils"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as TestContext from "effect/TestContext"
import { onTestFinished, vi } from "vitest"
import * as LumeClient from "../src/LumeClient.js"
import type * as LumeError from "../src/LumeError.js"
import * as LumeMetadata from "../src/LumeMetadata.js"
import * as LumeRun from "../src/LumeRun.js"
import * as LumeTest from "../src/LumeTest.js"
import * as RunEvents from "../src/RunEvents.js"
import { property, someOf } from "./support/property.js"

const request = { flowVersion: "invoice_cleaner:v4", sourcePath: "s3://acme/batch-001.csv" }

const withLume = <A, E>(
  use: (lume: LumeClient.Service) => Effect.Effect<A, E, LumeTest.LumeTest>,
  script?: LumeTest.Script
) =>
  Effect.flatMap(LumeClient.LumeClient, (lume) => LumeTest.waitFor(use(lume))).pipe(
    Effect.provide(LumeTest.layer(script))
  )

const end = (timeline: LumeTest.Timeline) => withLume((lume) => lume.runAndWait(request), { onRun: () => timeline })

/** Each status, and the second from which on it is seen. */
const statuses = (timeline: LumeTest.Timeline) =>
  withLume(
    (lume) =>
      Effect.gen(function* () {
        const startedAt = yield* Clock.currentTimeMillis
        const seen: Array<readonly [string | null, number]> = []
        const run = yield* lume.run(request)
        yield* lume.watch(run, { pollInterval: "1 second", timeout: "2 minutes" }).pipe(
          Stream.runForEach((run) =>
            Effect.map(Clock.currentTimeMillis, (now) => seen.push([run.status, (now - startedAt) / 1000]))
          ),
          Effect.catchTag("TimeoutError", () => Effect.void)
        )
        return seen
      }),
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
      assert.deepInclude(results, { inputRows: 7, mappedRows: 7, rejectedRows: 0 })
      deepStrictEqual(results.targetLocations, { mapped: "here", rejects: Option.none() })
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
      assert.deepStrictEqual(
        (yield* statuses(LumeTest.fails({ stage: "EXPORTING" }))).map(([status]) => status),
        ["CREATED", "SYNCING_SOURCE", "TRANSFORMING", "SYNCING_TARGET", "FAILED"]
      )

      // as everywhere, undefined is not given
      const none = { errors: undefined, run: { status: undefined }, results: { inputRows: undefined } } as never
      const usual = yield* end(LumeTest.fails({ ...cause, metadata: none }))
      assert(usual._tag === "Failed")
      assert.deepStrictEqual((yield* usual.metadata).errors, [cause])
      const ten = yield* end(LumeTest.succeeds({ rows: 10, metadata: none }))
      assert(ten._tag === "Succeeded")
      assert.deepInclude((yield* ten.metadata).results, { inputRows: 10, mappedRows: 10, rejectedRows: 0 })

      const crashed = yield* end(LumeTest.crashes())
      assert(crashed._tag === "Crashed")
      assert.deepStrictEqual((yield* crashed.metadata).errors, [])
    })
  )

  it.effect("have metadata that names the run, its status, and the cause", () =>
    Effect.gen(function* () {
      const wire = (timeline: LumeTest.Timeline) => Effect.map(end(timeline), ({ rawMetadata }) => rawMetadata)
      const about = { run_id: "run_test_1", flow_version: request.flowVersion, source_path: request.sourcePath }
      const none = { results: null, validation: null }
      const cause = {
        stage: "TRANSFORMING",
        error_code: "TEST_FAILURE",
        message: "The test lets this run fail."
      }
      assert.deepInclude(yield* wire(LumeTest.fails()), {
        ...none,
        run: { ...about, status: "FAILED" },
        errors: [cause]
      })
      assert.deepInclude(yield* wire(LumeTest.crashes()), { ...none, run: { ...about, status: "CRASHED" }, errors: [] })
      for (const status of ["FAILED", "CRASHED"])
        assert.deepInclude(yield* wire(LumeTest.timeline([{ status }])), { ...none, run: { ...about, status } })
      for (const [timeline, status] of [
        [LumeTest.succeeds(), "SUCCEEDED"],
        [LumeTest.partiallyFails(), "PARTIAL_FAILED"],
        [LumeTest.timeline([{ status: "SUCCEEDED" }]), "SUCCEEDED"]
      ] as const) {
        assert.deepInclude(yield* wire(timeline), { run: { ...about, status }, errors: [] })
      }
      const going = yield* withLume((lume) => Effect.flatMap(lume.run(request), lume.refresh), {
        onRun: () => LumeTest.unknownStatus("QUEUED")
      })
      assert.deepStrictEqual(going.rawMetadata, {})
      const judged = yield* wire(LumeTest.fails({ metadata: { validation: { testsExecuted: 4, testsFailed: 1 } } }))
      assert.propertyVal(judged, "results", null)
      assert.nestedPropertyVal(judged, "validation.tests_executed", 4)
    })
  )

  it.effect("hang, or show a status that nobody knows", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* statuses(LumeTest.hangs()), [
        ["CREATED", 0],
        ["SYNCING_SOURCE", 5],
        ["TRANSFORMING", 10]
      ])
      assert.deepStrictEqual(yield* statuses(LumeTest.unknownStatus("QUEUED", LumeTest.crashes({ in: 4000 }))), [
        ["QUEUED", 0],
        ["CREATED", 10],
        ["SYNCING_SOURCE", 11],
        ["TRANSFORMING", 12],
        ["CRASHED", 14]
      ])
      assert.deepStrictEqual((yield* statuses(LumeTest.unknownStatus(null))).at(-1), ["SUCCEEDED", 40])
      const late = LumeTest.timeline([{ status: "CRASHED", after: "5 seconds" }])
      assert.deepStrictEqual(yield* statuses(LumeTest.unknownStatus("QUEUED", late)), [
        ["QUEUED", 0],
        ["CRASHED", 15]
      ])
    })
  )

  it.effect("are whatever is wanted, with metadata that fits, that is given, or that is made", () =>
    Effect.gen(function* () {
      const steps = (metadata?: unknown) =>
        LumeTest.timeline([
          { status: "SYNCING_SOURCE", after: "1 minute" },
          { status: "TRANSFORMING", after: "3 seconds" },
          { status: "PARTIAL_FAILED", after: "1 second", metadata }
        ])
      assert.deepStrictEqual(
        (yield* statuses(steps())).map(([status]) => status),
        ["CREATED", "SYNCING_SOURCE", "TRANSFORMING", "PARTIAL_FAILED"]
      )
      const fitting = yield* end(steps())
      assert(fitting._tag === "PartialFailed")
      const { pipeline, results } = yield* fitting.metadata
      deepStrictEqual(pipeline.stages, {
        syncSource: Option.some(Duration.seconds(3)),
        transform: Option.some(Duration.seconds(1)),
        syncTarget: Option.none()
      })
      assert.strictEqual(results.rejectedRows, 20)

      const given = yield* end(steps({ results: 3 }))
      assert(given._tag === "PartialFailed")
      assert.deepStrictEqual(given.rawMetadata, { results: 3 })
      assert.strictEqual((yield* Effect.flip(given.metadata)).path, "run")

      const acceptedAt = yield* Clock.currentTimeMillis
      const made = yield* end(steps((subject: LumeTest.Subject) => subject))
      assert.deepInclude(made.rawMetadata, { runId: "run_test_1", ...request, acceptedAt, took: 64_000 })
    })
  )

  it.effect("have times that fit their own", () =>
    Effect.gen(function* () {
      yield* LumeTest.advance("1 hour")
      for (const timeline of [
        LumeTest.succeeds({ in: "100 seconds" }),
        LumeTest.partiallyFails({ in: "100 seconds" })
      ]) {
        const startedAt = yield* Clock.currentTimeMillis
        const run = yield* end(timeline)
        assert(run._tag === "Succeeded" || run._tag === "PartialFailed")
        const { pipeline } = yield* run.metadata
        assert.strictEqual(DateTime.toEpochMillis(pipeline.createdAt), startedAt)
        assert.strictEqual(DateTime.toEpochMillis(pipeline.completedAt), startedAt + 100_000)
        deepStrictEqual(pipeline.stages, {
          syncSource: Option.some(Duration.seconds(20)),
          transform: Option.some(Duration.seconds(50)),
          syncTarget: Option.some(Duration.seconds(20))
        })
      }
      const run = yield* end(LumeTest.fails({ stage: "TRANSFORMING", in: "10 seconds" }))
      assert(run._tag === "Failed")
      const stages = Option.flatMap((yield* run.metadata).pipeline, ({ stages }) => stages)
      deepStrictEqual(Option.getOrThrow(stages), {
        syncSource: Option.some(Duration.seconds(2)),
        transform: Option.some(Duration.seconds(7)),
        syncTarget: Option.none()
      })
    })
  )

  it.effect("take what is given before what they would make", () =>
    Effect.gen(function* () {
      const few = yield* end(LumeTest.partiallyFails({ rows: 3 }))
      assert(few._tag === "PartialFailed")
      assert.deepInclude((yield* few.metadata).results, { inputRows: 3, mappedRows: 0, rejectedRows: 3 })

      const counts: ReadonlyArray<readonly [LumeTest.Timeline, input: number, mapped: number, rejected: number]> = [
        [LumeTest.succeeds(), 1000, 1000, 0],
        [LumeTest.succeeds({ metadata: { results: { mappedRows: 10 } } }), 10, 10, 0],
        [LumeTest.succeeds({ rows: 7, metadata: { results: { rejectedRows: 2 } } }), 7, 5, 2],
        [LumeTest.partiallyFails(), 1000, 980, 20],
        [LumeTest.partiallyFails({ rows: 0 }), 0, 0, 0],
        [LumeTest.partiallyFails({ rejected: 2000 }), 2000, 0, 2000],
        [LumeTest.partiallyFails({ rows: 5, rejected: 6 }), 6, 0, 6],
        [LumeTest.partiallyFails({ rejected: 5, metadata: { results: { mappedRows: 80 } } }), 85, 80, 5],
        [LumeTest.partiallyFails({ rows: 90, metadata: { results: { mappedRows: 80 } } }), 90, 80, 10],
        [LumeTest.partiallyFails({ metadata: { results: { mappedRows: 80 } } }), 100, 80, 20],
        [LumeTest.partiallyFails({ metadata: { results: { inputRows: 10 } } }), 10, 0, 10]
      ]
      for (const [timeline, inputRows, mappedRows, rejectedRows] of counts) {
        const run = yield* end(timeline)
        assert(run._tag === "Succeeded" || run._tag === "PartialFailed")
        assert.deepInclude((yield* run.metadata).results, { inputRows, mappedRows, rejectedRows })
      }

      const bad = yield* end(LumeTest.succeeds({ rows: 100, metadata: { validation: { errorRate: 0.2 } } }))
      assert(bad._tag === "Succeeded")
      assert.deepInclude((yield* bad.metadata).validation, { errorRate: 0.2, testsExecuted: 500, testsFailed: 100 })

      const unreadable = yield* end(LumeTest.succeeds({ metadata: { validation: { errorRate: 2 } } }))
      assert(unreadable._tag === "Succeeded")
      assert.strictEqual((yield* Effect.flip(unreadable.metadata)).path, "validation.error_rate")

      const errors = [{ stage: "SYNCING_TARGET", errorCode: "A", message: "b" }]
      const failed = yield* end(LumeTest.fails({ metadata: { errors, results: { inputRows: 5 } } }))
      assert(failed._tag === "Failed")
      const metadata = yield* failed.metadata
      assert.deepStrictEqual(metadata.errors, errors)
      deepStrictEqual(
        Option.flatMap(metadata.results, ({ mappedRows }) => mappedRows),
        Option.some(5)
      )
      assert(Option.isNone(metadata.validation))
    })
  )

  it("make numbers that fit what is given", () => {
    const times = ({ completedAt, createdAt, duration }: LumeMetadata.LumeMetadata["pipeline"]) =>
      [createdAt, completedAt].map((at) => DateTime.toEpochMillis(at)).concat(Duration.toMillis(duration))
    const [createdAt, completedAt] = [DateTime.unsafeMake(1_000_000), DateTime.unsafeMake(4_600_000)]
    const pipeline = (given: LumeTest.MetadataOverrides["pipeline"]) => LumeTest.metadata({ pipeline: given }).pipeline
    assert.deepStrictEqual(times(pipeline({ createdAt, completedAt })), [1_000_000, 4_600_000, 3_600_000])
    assert.deepStrictEqual(times(pipeline({ completedAt })), [4_570_000, 4_600_000, 30_000])
    const long = pipeline({ createdAt, stages: { transform: Option.some(Duration.minutes(5)) } })
    // 15 seconds of the usual 30 are not of this stage
    assert.deepStrictEqual(times(long), [1_000_000, 1_315_000, 315_000])
    deepStrictEqual(long.stages.syncSource, Option.some(Duration.seconds(6)))
    const tight = pipeline({ duration: Duration.seconds(20), stages: { transform: Option.some(Duration.seconds(20)) } })
    deepStrictEqual(tight.stages.syncSource, Option.some(Duration.zero))

    const validation = (given: LumeTest.MetadataOverrides["validation"], inputRows = 1000) =>
      LumeTest.metadata({ results: { inputRows }, validation: given }).validation
    assert.deepInclude(validation({ errorRate: 0.2, testsFailed: 10 }), { testsExecuted: 50 })
    assert.deepInclude(validation({ errorRate: 0.05 }, 7), { testsExecuted: 40, testsFailed: 2 })
    const few = LumeTest.metadata({ results: { rejectedRows: 20 }, validation: { testsExecuted: 3 } }).validation
    assert.deepInclude(few, { testsExecuted: 3, testsFailed: 3, errorRate: 1 })
    assert.deepInclude(validation({ errorRate: 0 }), { testsExecuted: 5000, testsFailed: 0 })
    assert.deepInclude(validation({ errorRate: 0.0001 }, 100), { testsExecuted: 10_000, testsFailed: 1 })
    assert.deepInclude(validation({ errorRate: 0.2, testsFailed: 0 }), { testsExecuted: 5000, testsFailed: 0 })
    assert.deepInclude(validation({ testsExecuted: 0 }), { testsExecuted: 0, testsFailed: 0, errorRate: 0 })
    const topErrors = [{ errorCode: "A", field: "b", count: 100 }]
    assert.deepInclude(validation({ errorRate: 0.01, topErrors }), { testsExecuted: 10_000, testsFailed: 100 })

    const made = LumeTest.metadata()
    assert.deepStrictEqual(made.run, {
      runId: "run_test",
      flowVersion: "test_flow:v1",
      sourcePath: "s3://lume-test/source.csv",
      status: "SUCCEEDED"
    })
    deepStrictEqual(made.results.targetLocations, {
      mapped: "s3://lume-test/run_test/mapped.csv",
      rejects: Option.none()
    })
    assert.deepStrictEqual(made.validation.topErrors, [])
    const rejecting = LumeTest.metadata({ results: { rejectedRows: 20 } })
    assert.deepInclude(rejecting.results, { inputRows: 1000, mappedRows: 980 })
    deepStrictEqual(rejecting.results.targetLocations.rejects, Option.some("s3://lume-test/run_test/rejects.csv"))
    assert.deepStrictEqual(rejecting.validation.topErrors, [{ errorCode: "INVALID_VALUE", field: "amount", count: 20 }])
    const counts = (results: LumeTest.MetadataOverrides["results"]) => LumeTest.metadata({ results }).results
    assert.deepInclude(counts({ rejectedRows: 2000 }), { inputRows: 2000, mappedRows: 0 })
    assert.deepInclude(counts({ mappedRows: 5 }), { inputRows: 5, mappedRows: 5, rejectedRows: 0 })
  })

  it.effect("die where they are none, and say of what", () =>
    Effect.gen(function* () {
      const said = (script: LumeTest.Script) =>
        Effect.map(Effect.exit(withLume((lume) => lume.run(request), script)), (exit) =>
          Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "nothing"
        )
      // as those who write no types, or look into a record, give them
      const none = undefined as unknown as LumeTest.Timeline
      const scripts: ReadonlyArray<readonly [LumeTest.Script, string]> = [
        [{ onRun: () => none }, `onRun of ${request.sourcePath} has no timeline`],
        [{ runs: { run_9: none } }, "run_9 has no timeline"],
        [{ onRun: () => LumeTest.succeeds({ in: -5000 }) }, "no duration at its step SYNCING_SOURCE: NaN"],
        [{ onRun: () => LumeTest.fails({ in: Number.NaN }) }, "no duration at its step SYNCING_SOURCE: NaN"],
        [
          { onRun: () => LumeTest.unknownStatus("QUEUED", [{ status: "FAILED", after: -1 }]) },
          "at its step FAILED: NaN"
        ],
        [{ runs: { run_9: [null as never] } }, "the timeline of run_9 has a step that is none"],
        [{ runs: { run_9: [{ status: "CREATED" }, 1 as never] } }, "the timeline of run_9 has a step that is none"],
        [{ runs: { run_9: [{ status: "CREATED", after: Number.NaN }] } }, "the timeline of run_9 has a time"],
        [{ client: { requestTimeout: -1 } }, "requestTimeout must be a positive duration"]
      ]
      for (const [script, expected] of scripts) assert.include(yield* said(script), expected)
      assert.strictEqual((yield* end(LumeTest.succeeds({ in: "5 seconds" })))._tag, "Succeeded")
    })
  )

  it.effect("may never end", () =>
    withLume(
      (lume) =>
        Effect.gen(function* () {
          const error = yield* Effect.flip(lume.runAndWait(request, { timeout: "1 minute" }))
          assert(error._tag === "TimeoutError")
          deepStrictEqual(
            Option.map(error.lastRun, ({ status }) => status),
            Option.some("CREATED")
          )
        }),
      { onRun: () => LumeTest.succeeds({ in: Duration.infinity }) }
    )
  )

  it.effect("are of known ids too", () =>
    Effect.gen(function* () {
      const [known, unknown, submitted] = yield* withLume(
        (lume) => Effect.all([lume.wait("run_test_1"), Effect.flip(lume.runStatus("run_1")), lume.runAndWait(request)]),
        { runs: { run_test_1: LumeTest.crashes({ in: "1 minute" }) } }
      )
      assert.deepStrictEqual([known._tag, known.id], ["Crashed", LumeRun.RunId.make("run_test_1")])
      assert.strictEqual(unknown._tag, "RunNotFoundError")
      assert.deepStrictEqual([submitted._tag, submitted.id], ["Succeeded", LumeRun.RunId.make("run_test_2")])
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
      assert(error._tag === "AlreadyProcessedError")
      assert.strictEqual(error.detail, "this source path is processed again only with force_rerun")
    })
  )

  it.effect("was submitted: a run that existed from the beginning has none", () =>
    withLume(
      (lume) =>
        Effect.gen(function* () {
          const { flowVersion, sourcePath } = LumeTest.metadata().run
          yield* lume.wait("run_1")
          assert.strictEqual((yield* lume.run({ flowVersion, sourcePath }))._tag, "Created")
        }),
      { runs: { run_1: LumeTest.succeeds() } }
    )
  )
})

describe("a source path that has not", () => {
  it.effect.each([
    ["PARTIAL_FAILED", LumeTest.partiallyFails],
    ["FAILED", LumeTest.fails],
    ["CRASHED", LumeTest.crashes]
  ] as const)("is not refused: %s", ([, timeline]) =>
    Effect.gen(function* () {
      const tags = yield* withLume(
        (lume) =>
          Effect.forEach([request, request], (request) => Effect.map(lume.runAndWait(request), ({ _tag }) => _tag)),
        { onRun: () => timeline() }
      )
      assert.strictEqual(tags[0], tags[1])
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
      if (error._tag === "RateLimitedError") deepStrictEqual(error.retryAfter, Option.some(Duration.seconds(9)))
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

  it.effect("come to a read and to those that are made again for it", () =>
    Effect.gen(function* () {
      const requests = yield* withLume(
        (lume) =>
          Effect.gen(function* () {
            yield* LumeTest.failNext(3, "network")
            yield* lume.runStatus("run_1")
            return yield* LumeTest.requests
          }),
        { runs: { run_1: LumeTest.hangs() } }
      )
      assert.lengthOf(requests, 4)
    })
  )

  it.effect.each([100, 103, 199, 204, 205, 304, 600, 999])("can be an answer with status %s", (status) =>
    withLume((lume) =>
      Effect.gen(function* () {
        yield* LumeTest.failNext(1, { status })
        const error = yield* Effect.flip(lume.runStatus("run_7"))
        assert.include(error.message, "run_7")
        assert.notStrictEqual(error._tag, "RunNotFoundError")
        if (status < 200 || status > 599) assert.include(error.message, String(status))
      })
    )
  )

  it.effect("say what Lume would say of them, or what they are told to", () =>
    withLume((lume) =>
      Effect.gen(function* () {
        const read = (fault: LumeTest.Fault, times = 4) =>
          Effect.zipRight(LumeTest.failNext(times, fault), Effect.flip(lume.runStatus("run_7")))
        for (const status of [200, 299]) {
          const unreadable = yield* read({ status, detail: "not here" }, 1)
          assert(unreadable._tag === "DecodeError")
          assert.deepInclude(unreadable, { status, preview: '{"detail":"not here"}' })
          deepStrictEqual(unreadable.contentType, Option.some("application/json"))
        }
        const { message } = yield* read({ status: 599 })
        assert.include(message, "failed with status 599: A fault of the test.")
        const limited = yield* read({ status: 429 })
        assert(limited._tag === "RateLimitedError")
        assert(Option.isNone(limited.retryAfter))
        const proxy = yield* read("html502")
        assert(proxy._tag === "ApiError")
        assert.deepInclude(proxy, { status: 502, detail: "502 Bad Gateway" })
        const refused = yield* read("network")
        assert(refused._tag === "TransportError")
        assert.strictEqual(refused.detail, "ECONNREFUSED: a fault of the test")
        const unknown = yield* Effect.flip(lume.runStatus("run_7"))
        assert(unknown._tag === "RunNotFoundError")
        assert.strictEqual(unknown.detail, "Run not found")

        yield* LumeTest.failNext(1, "network", { on: "submit", received: true })
        const lost = yield* Effect.flip(lume.run(request))
        assert(lost._tag === "SubmitOutcomeUnknownError" && lost.failure._tag === "TransportError")
        assert.strictEqual(lost.failure.detail, "ECONNRESET: a fault of the test")
        yield* LumeTest.failNext(1, "html502", { on: "submit" })
        yield* Effect.flip(lume.run({ ...request, sourcePath: "other" }))
        assert.lengthOf(yield* LumeTest.submitted, 1)
      })
    )
  )

  it.effect("are also requests that are none, which only what changes them can send", () =>
    withLume(
      (lume) =>
        Effect.gen(function* () {
          const error = yield* Effect.flip(lume.run(request))
          assert(error._tag === "InvalidRequestError")
          deepStrictEqual(error.status, Option.some(422))
          assert.match(error.detail, /^body: .*flow_version/)
          assert.lengthOf(yield* LumeTest.submitted, 0)
        }),
      {
        client: {
          transformClient: HttpClient.mapRequest((request) => HttpClientRequest.bodyText(request, "{}"))
        }
      }
    )
  )

  it.effect("die where they are none", () =>
    withLume((lume) =>
      Effect.gen(function* () {
        for (const count of [-1, 1.5, Number.NaN]) {
          const exit = yield* Effect.exit(LumeTest.failNext(count, "network"))
          assert.include(String(exit), `the count of failNext must be an integer of at least 0, but is ${count}`)
        }
        const misspelt = yield* Effect.exit(LumeTest.failNext(1, "nework" as "network"))
        assert.match(String(misspelt), /a fault must be .*html502.*, but is .*nework/)
        const exit = yield* Effect.exit(LumeTest.failNext(1, { status: Number.NaN }))
        assert.include(String(exit), "the status of a fault must be an integer")
        const soon = yield* Effect.exit(LumeTest.failNext(1, { status: 429, retryAfter: 0.5 }))
        assert.include(String(soon), "the retryAfter of a fault must be an integer")
        yield* LumeTest.failNext(Infinity, "network")
        assert.strictEqual((yield* Effect.flip(lume.runStatus("run_7")))._tag, "TransportError")
      })
    )
  )

  it.effect("come to a wait, which ends where it can't be cured", () =>
    Effect.gen(function* () {
      const error = yield* withLume((lume) =>
        Effect.zipRight(LumeTest.failNext(1, { status: 401 }, { on: "read" }), Effect.flip(lume.runAndWait(request)))
      )
      assert(error._tag === "WaitFailedError")
      assert.strictEqual(error.failure._tag, "AuthenticationError")
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
          const ended = yield* lume.runAndWait({ ...request, runMetadata }, { pollInterval: "15 seconds" })
          assert.deepStrictEqual(ended.runMetadata, runMetadata)
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
    assert.strictEqual(LumeTest.run("Unrecognized").status, "QUEUED")
    assert.strictEqual(LumeTest.run("Created", { id: "run_7", runMetadata: { a: 1 } }).runMetadata["a"], 1)
    // a status is only for those that are not recognized
    assert.strictEqual(LumeTest.run("Created", { status: "CRASHED" }).status, "CREATED")
    for (const tag of ["Created", "Unrecognized"] as const) assert.deepStrictEqual(LumeTest.run(tag).rawMetadata, {})
    for (const tag of ["Succeeded", "PartialFailed", "Failed", "Crashed"] as const) {
      const { rawMetadata, status } = LumeTest.run(tag)
      assert.nestedPropertyVal(rawMetadata, "run.status", status)
    }
  })

  it.effect("have metadata that fits", () =>
    Effect.gen(function* () {
      const { results } = yield* LumeTest.run("PartialFailed", { metadata: { results: { inputRows: 50 } } }).metadata
      assert.deepInclude(results, { inputRows: 50, mappedRows: 30, rejectedRows: 20 })
      const few = yield* LumeTest.run("PartialFailed", { metadata: { results: { inputRows: 5 } } }).metadata
      assert.deepInclude(few.results, { inputRows: 5, mappedRows: 0, rejectedRows: 5 })
      const { validation } = LumeTest.metadata({ validation: { testsExecuted: 10, testsFailed: 5 } })
      assert.strictEqual(validation.errorRate, 0.5)
      const partial = LumeTest.metadata({ results: { inputRows: 10, mappedRows: 4 } })
      assert.strictEqual(partial.results.rejectedRows, 6)
      assert.strictEqual(partial.run.status, "PARTIAL_FAILED")
      const { pipeline } = LumeTest.metadata({
        pipeline: { duration: Duration.seconds(60), stages: { transform: Option.none() } }
      })
      deepStrictEqual(pipeline.stages, {
        syncSource: Option.some(Duration.seconds(12)),
        transform: Option.none(),
        syncTarget: Option.some(Duration.seconds(12))
      })
      assert.isTrue(Schema.is(LumeMetadata.LumeMetadata)(LumeTest.metadata()))
    })
  )

  it.effect("of failed runs say why, unless they are told not to", () =>
    Effect.gen(function* () {
      const errors = [{ stage: "TRANSFORMING", errorCode: "A", message: "b" }]
      assert.deepStrictEqual((yield* LumeTest.run("Failed", { errors }).metadata).errors, errors)
      assert.lengthOf((yield* LumeTest.run("Failed").metadata).errors, 1)
      assert.lengthOf((yield* LumeTest.run("Crashed").metadata).errors, 0)
      const unreadable = LumeTest.run("Failed", { rawMetadata: { errors: "many" } })
      assert.strictEqual((yield* Effect.flip(unreadable.metadata))._tag, "MetadataDecodeError")
    })
  )

  property.all("keep the invariants, whatever they are", [LumeTest.arbitrary.metadata], ([metadata]) => {
    const { pipeline, results, run, validation } = metadata
    assert.strictEqual(results.inputRows, results.mappedRows + results.rejectedRows)
    assert.strictEqual(run.status, results.rejectedRows > 0 ? "PARTIAL_FAILED" : "SUCCEEDED")
    const { errorRate, testsExecuted, testsFailed, topErrors } = validation
    assert.strictEqual(errorRate, testsExecuted === 0 ? 0 : testsFailed / testsExecuted)
    assert.isAtLeast(
      testsFailed,
      topErrors.reduce((sum, { count }) => sum + count, 0)
    )
    const stages = Object.values(pipeline.stages).map((stage) => Duration.toMillis(Option.getOrThrow(stage)))
    assert.isAtMost(
      stages.reduce((sum, stage) => sum + stage, 0),
      Duration.toMillis(pipeline.duration)
    )
    const duration = DateTime.distance(pipeline.createdAt, pipeline.completedAt)
    assert.strictEqual(duration, Duration.toMillis(pipeline.duration))
  })

  it("reach every state, with and without what a run may have", () => {
    const wires = someOf(LumeTest.arbitrary.wire, 300)
    const statuses = ["CREATED", "SYNCING_SOURCE", "TRANSFORMING", "SYNCING_TARGET", "QUEUED", null]
    const ends = ["SUCCEEDED", "PARTIAL_FAILED", "FAILED", "CRASHED"]
    assert.sameMembers([...new Set(wires.map(({ status }) => status))], [...statuses, ...ends])
    const parts = wires
      .filter(({ status }) => status === "FAILED" || status === "CRASHED")
      .map(({ metadata }) => metadata as Record<string, unknown>)
    for (const part of ["results", "validation"])
      assert.sameMembers([...new Set(parts.map((metadata) => metadata[part] === null))], [true, false], part)
    for (const wire of wires)
      if (ends.includes(String(wire.status))) assert.nestedPropertyVal(wire.metadata, "run.status", wire.status)

    const counts = someOf(LumeTest.arbitrary.metadata, 300).map(({ results, validation }) => {
      const counts = validation.topErrors.map(({ count }) => count)
      assert.strictEqual(
        validation.testsFailed,
        counts.reduce((sum, count) => sum + count, 0)
      )
      assert.strictEqual(results.rejectedRows, Math.max(0, ...counts))
      return [results.mappedRows, results.rejectedRows, validation.testsExecuted - validation.testsFailed]
    })
    for (const index of [0, 1, 2]) assert.isAbove(new Set(counts.map((some) => some[index])).size, 50)
  })

  /** What stands at each place of some JSON, as text. All items of a list are at one place, and so are its lengths. */
  const leaves = (values: ReadonlyArray<unknown>): ReadonlyMap<string, ReadonlyArray<string>> => {
    const found = new Map<string, Array<string>>()
    const look = (place: string, value: unknown): void => {
      if (Array.isArray(value)) {
        look(`${place}.length`, value.length)
        for (const item of value) look(`${place}[]`, item)
      } else if (typeof value === "object" && value !== null) {
        for (const [key, item] of Object.entries(value)) look(`${place}.${key}`, item)
      } else {
        const all = found.get(place) ?? []
        all.push(String(value))
        found.set(place, all)
      }
    }
    for (const value of values) look("", value)
    return found
  }

  /** At each place all are as they should be, and there are at least so many different ones, of so many lengths. */
  const vary = (
    values: ReadonlyArray<unknown>,
    places: Readonly<Record<string, readonly [pattern: RegExp, different: number, lengths: number]>>
  ) => {
    const found = leaves(values)
    for (const [place, [pattern, different, lengths]] of Object.entries(places)) {
      const all = found.get(place) ?? []
      for (const value of all) assert.match(value, pattern, place)
      assert.isAtLeast(new Set(all).size, different, place)
      assert.isAtLeast(new Set(all.map(({ length }) => length)).size, lengths, place)
    }
  }

  const anyText = [/^.{1,20}$/su, 30, 3] as const
  const anyId = [/^run_[0-9A-Z]{10}$/, 100, 1] as const
  const fewItems = [/^[0-3]$/, 4, 1] as const
  const anyCount = [/^\d{1,7}$/, 50, 3] as const

  it("of metadata vary in each of their parts", () => {
    const encode = Schema.encodeSync(LumeMetadata.LumeMetadata)
    const some = someOf(LumeTest.arbitrary.metadata, 500)
    vary(
      some.map((metadata) => encode(metadata)),
      {
        ".run.run_id": anyId,
        ".run.flow_version": [/^[a-z_]{1,12}:v[1-9]$/, 50, 3],
        ".run.source_path": anyText,
        ".pipeline.duration_seconds": [/^\d{1,5}(\.\d+)?$/, 50, 3],
        ".results.mapped_rows": anyCount,
        ".results.rejected_rows": [/^(\d{1,3}|1000)$/, 50, 3],
        ".validation.tests_executed": anyCount,
        ".validation.top_errors.length": fewItems,
        ".validation.top_errors[].error_code": anyText,
        ".validation.top_errors[].field": anyText,
        ".validation.top_errors[].count": [/^([1-9]\d{0,2}|1000)$/, 50, 3]
      }
    )
    const times = some.map(({ pipeline }) => DateTime.toEpochMillis(pipeline.createdAt))
    for (const time of times) assert.isTrue(time >= 0 && time <= 4e12, String(time))
    assert.isAbove(new Set(times).size, 200)
  })

  it("of runs vary in each of their parts", () => {
    const some = someOf(LumeTest.arbitrary.wire, 1500)
    vary(some, { ".id": anyId })
    vary(
      some.filter(({ status }) => status === "FAILED" || status === "CRASHED"),
      {
        ".metadata.errors.length": fewItems,
        ".metadata.errors[].stage": anyText,
        ".metadata.errors[].error_code": anyText,
        ".metadata.errors[].message": anyText
      }
    )
    const going = some.filter(({ status }) => ["CREATED", "QUEUED", null].includes(status))
    assert.sameMembers([...new Set(going.map(({ metadata }) => JSON.stringify(metadata)))], ["{}", "null"])
    const pairs = some.map(({ run_metadata }) => run_metadata as Record<string, unknown> | null)
    assert.include(pairs, null)
    const names = pairs.flatMap((pairs) => (pairs === null ? [] : [Object.keys(pairs)]))
    assert.sameMembers([...new Set(names.map(({ length }) => length))], [0, 1, 2, 3])
    for (const name of names.flat()) assert.match(name, anyText[0])
  })

  const areSame = Schema.equivalence(LumeMetadata.LumeMetadata)

  property.all("of metadata go to JSON and back", [LumeTest.arbitrary.metadata], ([metadata]) => {
    const json = JSON.stringify(Schema.encodeSync(LumeMetadata.LumeMetadata)(metadata))
    assert.isTrue(areSame(Schema.decodeUnknownSync(LumeMetadata.LumeMetadata)(JSON.parse(json)), metadata))
  })

  const readMetadata = (run: LumeRun.LumeRun): Effect.Effect<void, LumeError.MetadataDecodeError> => {
    if (!LumeRun.isTerminal(run)) return Effect.void
    return run._tag === "Succeeded" || run._tag === "PartialFailed"
      ? Effect.asVoid(run.metadata)
      : Effect.asVoid(run.metadata)
  }

  property.effect("of runs go from JSON and back to it, and can be read", [LumeTest.arbitrary.wire], ([wire]) =>
    Effect.gen(function* () {
      const run = yield* Schema.decode(LumeRun.LumeRun)(wire)
      const encoded = yield* Schema.encode(LumeRun.LumeRun)(run)
      assert.deepStrictEqual<unknown>(encoded, { ...wire, run_metadata: wire.run_metadata ?? {} })
      yield* readMetadata(run)
    })
  )

  property.effect("of runs go to JSON and back", [LumeTest.arbitrary.run], ([run]) =>
    Effect.gen(function* () {
      const json = JSON.stringify(yield* Schema.encode(LumeRun.LumeRun)(run))
      const again = yield* Schema.decodeUnknown(LumeRun.LumeRun)(JSON.parse(json))
      assert.strictEqual(again._tag, run._tag)
      assert.strictEqual(JSON.stringify(yield* Schema.encode(LumeRun.LumeRun)(again)), json)
      assert.isTrue(Schema.is(LumeRun.LumeRun)(run))
    })
  )

  property.effect(
    "of runs come through the client as they are",
    [LumeTest.arbitrary.run],
    ([run]) =>
      Effect.gen(function* () {
        const steps = LumeTest.timeline([{ status: run.status, metadata: run.rawMetadata }])
        const read = yield* withLume((lume) => lume.runStatus(run.id), { runs: { [run.id]: steps } })
        assert.deepStrictEqual([read._tag, read.id, read.status], [run._tag, run.id, run.status])
        assert.strictEqual(JSON.stringify(read.rawMetadata), JSON.stringify(run.rawMetadata))
        yield* readMetadata(read)
      }),
    { fastCheck: { numRuns: 30 } }
  )
})

describe("time that is advanced", () => {
  it.effect("passes for what was forked before", () =>
    Effect.gen(function* () {
      const lume = yield* LumeClient.LumeClient
      const fiber = yield* Effect.fork(lume.runAndWait(request))
      yield* LumeTest.advance("29 seconds")
      assert(Option.isNone(yield* Fiber.poll(fiber)))
      yield* LumeTest.advance("1 second")
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "Succeeded")
    }).pipe(Effect.provide(LumeTest.layer()))
  )

  it.effect("passes by TestClock too, with the same requests as waitFor makes", () => {
    const times = (wait: (lume: LumeClient.Service) => Effect.Effect<unknown, unknown, LumeTest.LumeTest>) =>
      Effect.gen(function* () {
        yield* LumeTest.failNext(1, "timeout", { on: "read" })
        yield* LumeTest.failNext(1, { status: 429, retryAfter: 7 }, { on: "read" })
        yield* wait(yield* LumeClient.LumeClient)
        return yield* LumeTest.requests
      }).pipe(Effect.provide(LumeTest.layer()), Effect.withRandom(Random.make("fixed")))
    return Effect.gen(function* () {
      const byTestClock = yield* times((lume) =>
        Effect.gen(function* () {
          const fiber = yield* Effect.fork(lume.runAndWait(request))
          yield* TestClock.adjust("2 minutes")
          return yield* Fiber.join(fiber)
        })
      )
      yield* TestClock.setTime(0)
      assert.deepStrictEqual(yield* times((lume) => LumeTest.waitFor(lume.runAndWait(request))), byTestClock)
      const [submit, timedOut, limited, read] = byTestClock.map(({ at }) => at)
      assert.deepStrictEqual([submit, timedOut, read], [0, 0, Number(limited) + 7_000])
      assert.isAbove(Number(limited), 60_000)
    })
  })
})

describe("time that is skipped", () => {
  it.effect("goes to the end of the effect, and on from there", () =>
    Effect.gen(function* () {
      yield* LumeTest.advance("1 hour")
      const sleeps = Effect.all([Effect.sleep("1 day"), Effect.sleep("2 hours")], { concurrency: "unbounded" })
      const times = yield* LumeTest.waitFor(
        Effect.all([Clock.currentTimeMillis, sleeps, Clock.currentTimeMillis, Clock.currentTimeNanos]),
        { limit: "2 days" }
      )
      const end = Duration.toMillis("25 hours")
      assert.deepStrictEqual(times, [
        Duration.toMillis("1 hour"),
        [undefined, undefined],
        end,
        BigInt(end) * 1_000_000n
      ])
      assert.strictEqual(yield* Clock.currentTimeMillis, end)
    })
  )

  it.effect("leaves their time to requests that are made side by side with sleeps", () =>
    withLume((lume) =>
      Effect.gen(function* () {
        const startedAt = yield* Clock.currentTimeMillis
        yield* Effect.all([Effect.sleep("31 seconds"), lume.run(request)], { concurrency: "unbounded" })
        const beating = yield* Effect.fork(Effect.forever(Effect.sleep("1 second")))
        yield* Effect.forEach(["x", "y"], (sourcePath) => Effect.scoped(lume.run({ ...request, sourcePath })), {
          concurrency: 2
        })
        yield* Fiber.interrupt(beating)
        const at = (yield* LumeTest.requests).map(({ at }) => at - startedAt)
        assert.deepStrictEqual(at, [0, 31_000, 31_000])
      })
    )
  )

  it.effect("wakes whoever sleeps in the order of their sleeps' ends", () =>
    Effect.gen(function* () {
      const woken: Array<number> = []
      const sleepers = [50, 10, 30, 10.5, 0].map((millis) =>
        Effect.delay(
          Effect.sync(() => woken.push(millis)),
          millis
        )
      )
      yield* LumeTest.waitFor(Effect.all(sleepers, { concurrency: "unbounded" }))
      assert.deepStrictEqual(woken, [0, 10, 10.5, 30, 50])
      yield* LumeTest.waitFor(Effect.sleep(0.5))
      // the test's clock can't hold fractions
      assert.strictEqual(yield* Clock.currentTimeNanos, 51_000_000n)
    })
  )

  it.effect("does an hour of polls, and no more of them than there are", () =>
    Effect.gen(function* () {
      const lume = yield* LumeClient.LumeClient
      const error = yield* Effect.flip(LumeTest.waitFor(lume.runAndWait(request, { pollInterval: "7 seconds" })))
      assert(error._tag === "TimeoutError")
      assert.strictEqual(error.polls, 516)
      assert.strictEqual(yield* Clock.currentTimeMillis, Duration.toMillis("1 hour"))
    }).pipe(Effect.provide(LumeTest.layer({ onRun: LumeTest.hangs })))
  )

  it.effect("takes no real time where nothing but time is waited for", () =>
    Effect.gen(function* () {
      const timers = vi.spyOn(globalThis, "setTimeout")
      onTestFinished(() => timers.mockRestore())
      yield* LumeTest.waitFor(Effect.repeatN(Effect.sleep("1 minute"), 999))
      assert.isBelow(timers.mock.calls.length, 10)
    })
  )

  it("needs neither setImmediate nor MessageChannel", async () => {
    vi.stubGlobal("setImmediate", undefined)
    vi.stubGlobal("MessageChannel", undefined)
    onTestFinished(() => void vi.unstubAllGlobals())
    vi.resetModules()
    const { LumeClient, LumeTest } = await import("../src/index.js")
    const run = Effect.flatMap(LumeClient.LumeClient, (lume) => LumeTest.waitFor(lume.runAndWait(request))).pipe(
      Effect.provide([LumeTest.layer(), TestContext.TestContext])
    )
    assert.strictEqual((await Effect.runPromise(run))._tag, "Succeeded")
  })

  it.effect("does many waits at once", () =>
    Effect.gen(function* () {
      const lume = yield* LumeClient.LumeClient
      const waits = Effect.forEach(
        Array.from({ length: 200 }, (_, index) => `batch-${index}`),
        (sourcePath) => lume.runAndWait({ ...request, sourcePath }),
        { concurrency: "unbounded" }
      )
      const runs = yield* LumeTest.waitFor(waits)
      assert.isTrue(runs.every((run) => run._tag === "Succeeded"))
      assert.strictEqual(yield* Clock.currentTimeMillis, 30_000)
    }).pipe(Effect.provide(LumeTest.layer()))
  )

  it.effect("passes for what was forked before as well, so that it can be joined", () =>
    Effect.gen(function* () {
      const lume = yield* LumeClient.LumeClient
      const fiber = yield* Effect.fork(lume.runAndWait(request))
      yield* LumeTest.advance("10 seconds")
      const both = yield* LumeTest.waitFor(
        Effect.all([Fiber.join(fiber), Effect.as(Effect.sleep("12 seconds"), "slept")], { concurrency: 2 })
      )
      assert.strictEqual(both[0]._tag, "Succeeded")
      assert.strictEqual(yield* Clock.currentTimeMillis, 30_000)
    }).pipe(Effect.provide(LumeTest.layer()))
  )

  it.effect("can be advanced by the effect itself, which then sees that time", () =>
    Effect.gen(function* () {
      const seen = yield* LumeTest.waitFor(
        Effect.gen(function* () {
          let ticks = 0
          const tick = Effect.sync(() => ticks++)
          yield* Effect.fork(Effect.forever(Effect.delay(tick, "1 second")))
          yield* LumeTest.advance("59 seconds")
          const before = [ticks, yield* Clock.currentTimeMillis]
          yield* TestClock.adjust("1 second")
          return [...before, ticks, yield* Clock.currentTimeMillis]
        })
      )
      assert.deepStrictEqual(seen, [59, 59_000, 60, 60_000])
    })
  )

  it.effect("can be skipped within what skips it", () =>
    Effect.gen(function* () {
      yield* LumeTest.waitFor(
        Effect.zipRight(Effect.sleep("1 minute"), LumeTest.waitFor(Effect.sleep("1 hour"))).pipe(
          Effect.zipRight(Effect.sleep("1 minute"))
        )
      )
      assert.strictEqual(yield* Clock.currentTimeMillis, Duration.toMillis("62 minutes"))
    })
  )

  it.effect("goes on as the test's own for daemons that the effect leaves behind", () =>
    Effect.gen(function* () {
      const ticks: Array<number> = []
      const tick = Effect.map(Clock.currentTimeMillis, (now) => ticks.push(now))
      const daemon = yield* LumeTest.waitFor(
        Effect.zipLeft(Effect.forkDaemon(Effect.forever(Effect.delay(tick, "10 seconds"))), Effect.sleep("25 seconds"))
      )
      assert.deepStrictEqual(ticks, [10_000, 20_000])
      yield* TestClock.adjust("4 seconds")
      assert.lengthOf(ticks, 2)
      yield* TestClock.adjust("11 seconds")
      assert.deepStrictEqual(ticks, [10_000, 20_000, 30_000, 40_000])
      yield* Fiber.interrupt(daemon)
    })
  )

  const answersAfter = (realMillis: number) =>
    Effect.async<string>((resume) => {
      const timer = setTimeout(() => resume(Effect.succeed("answer")), realMillis)
      return Effect.sync(() => clearTimeout(timer))
    })

  it.effect("stands still for real I/O that takes some milliseconds", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* LumeTest.waitFor(Effect.timeout(answersAfter(5), "1 second")), "answer")
      assert.strictEqual(yield* Clock.currentTimeMillis, 0)
    })
  )

  it.effect("passes where real I/O takes longer, and something sleeps", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(LumeTest.waitFor(Effect.timeout(answersAfter(600_000), "1 hour")))
      assert.isTrue(Cause.isTimeoutException(error))
      assert.strictEqual(yield* Clock.currentTimeMillis, Duration.toMillis("1 hour"))
    })
  )

  it.effect("stands still for as long as nobody sleeps", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* LumeTest.waitFor(answersAfter(50)), "answer")
      assert.strictEqual(yield* Clock.currentTimeMillis, 0)
      const interruptedSleep = Effect.timeout(Effect.yieldNow(), "1 minute")
      yield* LumeTest.waitFor(Effect.all([interruptedSleep, Effect.sleep("1 second"), answersAfter(50)]))
      assert.strictEqual(yield* Clock.currentTimeMillis, 1_000)
    })
  )
})

describe("an effect that does not succeed in time", () => {
  it.effect("fails as it does, at its time", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(LumeTest.waitFor(Effect.delay(Effect.fail("late"), "1 minute")))
      assert.strictEqual(error, "late")
      assert.strictEqual(yield* Clock.currentTimeMillis, 60_000)
      const defect = yield* Effect.exit(LumeTest.waitFor(Effect.die("broken")))
      assert.deepStrictEqual(defect, Exit.die("broken"))
    })
  )

  it.effect("dies where it goes on for longer than the limit", () =>
    Effect.gen(function* () {
      const forever = Effect.forever(Effect.sleep("1 minute"))
      const day = yield* Effect.exit(LumeTest.waitFor(forever))
      assert.include(String(day), "had not ended after 1d of virtual time")
      assert.strictEqual(yield* Clock.currentTimeMillis, Duration.toMillis("1 day"))
      const hour = yield* Effect.exit(LumeTest.waitFor(forever, { limit: "1 hour" }))
      assert.include(String(hour), "had not ended after 1h of virtual time")
    })
  )

  it.effect("dies where it waits for what nothing brings", () =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(LumeTest.waitFor(Effect.zipRight(Effect.sleep("1 hour"), Effect.never)))
      assert.include(String(exit), "nothing wakes it")
    })
  )

  it.effect("is interrupted with what waits for it, and its finalizers can sleep", () =>
    Effect.gen(function* () {
      const finalized = yield* Deferred.make<number>()
      const finalizer = Effect.zipRight(
        Effect.sleep("5 seconds"),
        Effect.flatMap(Clock.currentTimeMillis, (now) => Deferred.succeed(finalized, now))
      )
      const effect = Effect.never.pipe(Effect.onInterrupt(() => finalizer))
      const fiber = yield* Effect.fork(LumeTest.waitFor(effect))
      yield* Effect.yieldNow()
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(yield* Deferred.await(finalized), 5_000)
    })
  )

  it.effect("dies where its limit, or a time that is advanced, is none", () =>
    Effect.gen(function* () {
      for (const limit of [-1, Number.NaN]) {
        const exit = yield* Effect.exit(LumeTest.waitFor(Effect.void, { limit }))
        assert.include(String(exit), "the limit of waitFor must be a non-negative")
        assert.include(String(yield* Effect.exit(LumeTest.advance(limit))), "the duration of advance must be")
      }
    })
  )

  it.live("needs a clock that can be moved, and says so", () =>
    Effect.gen(function* () {
      assert.include(
        String(yield* Effect.exit(LumeTest.waitFor(Effect.void))),
        "LumeTest.waitFor needs effect's TestClock"
      )
      assert.include(String(yield* Effect.exit(LumeTest.advance(1))), "LumeTest.advance needs effect's TestClock")
    })
  )
})

describe("whatever befalls its reads", () => {
  const fault = FastCheck.constantFrom<LumeTest.Fault>("network", "html502", { status: 503, retryAfter: 1 })

  property.effect(
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
    { fastCheck: { numRuns: 20 } }
  )
})

describe("the client", () => {
  const Woken = LumeTest.layerWithEvents({ onRun: () => LumeTest.succeeds({ in: "2 minutes" }) }).pipe(
    Layer.provideMerge(RunEvents.layer)
  )

  it.effect("is woken by events, and polls slowly without", () =>
    Effect.gen(function* () {
      const startedAt = yield* Clock.currentTimeMillis
      yield* LumeTest.waitFor(LumeClient.runAndWait(request))
      assert.strictEqual((yield* Clock.currentTimeMillis) - startedAt, 300_000)

      const run = yield* LumeTest.waitFor(LumeClient.run({ ...request, sourcePath: "other" }))
      const waiting = yield* Effect.fork(LumeClient.wait(run))
      yield* LumeTest.advance("2 minutes")
      assert(Option.isNone(yield* Fiber.poll(waiting)))
      yield* RunEvents.publish({ runId: run.id })
      yield* LumeTest.advance("1 second")
      assert.strictEqual((yield* Fiber.join(waiting))._tag, "Succeeded")
    }).pipe(Effect.provide(Woken))
  )

  it.effect("has the options of the application", () =>
    withLume(
      (lume) =>
        Effect.gen(function* () {
          const error = yield* Effect.flip(lume.runAndWait(request))
          assert(error._tag === "TimeoutError")
          assert.deepStrictEqual(error.timeout, Duration.seconds(10))
          const paths = (yield* LumeTest.requests).map(({ path }) => path)
          assert.deepStrictEqual(paths.slice(0, 2), ["/v9/runs", "/v9/runs/run_test_1"])
        }),
      { client: { baseUrl: "https://lume.example/v9", wait: { timeout: "10 seconds" } } }
    )
  )

  it.effect("of a layer that was built on the live clock finds runs that begin on the test's", () =>
    Effect.gen(function* () {
      const live = yield* Layer.build(LumeTest.layer({ runs: { run_9: LumeTest.succeeds({ in: "1 minute" }) } })).pipe(
        Effect.withClock(Clock.make())
      )
      const ended = yield* LumeTest.waitFor(LumeClient.wait("run_9")).pipe(Effect.provide(live))
      assert.strictEqual(ended._tag, "Succeeded")
    }).pipe(Effect.scoped)
  )
})
