/**
 * The application's tests: each outcome in a few lines, an hour in milliseconds, without sleeps, ports or mocks.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import { LumeClient } from "effect-lume"
import * as LumeTest from "effect-lume/LumeTest"
import { Alerts, ingest } from "./ingest.js"

/** The alerts that were sent. */
class Sent extends Context.Tag("Sent")<Sent, Ref.Ref<ReadonlyArray<string>>>() {}

const recordingAlerts = Layer.effectContext(
  Effect.map(Ref.make<ReadonlyArray<string>>([]), (sent) =>
    Context.make(Sent, sent).pipe(
      Context.add(Alerts, { send: (message) => Ref.update(sent, (all) => [...all, message]) })
    )
  )
)

/** Provides what the application needs: alerts that are recorded, and a Lume whose runs follow this timeline. */
const over = (onRun?: () => LumeTest.Timeline) => Effect.provide([recordingAlerts, LumeTest.layer({ onRun })])

/** 1.004% of the tests failed. */
const justAbove = { testsExecuted: 100_000, testsFailed: 1_004, errorRate: 0.01 }

const ingesting = LumeTest.waitFor(ingest("s3://acme/batch-001.csv"))
const alerts = Effect.flatMap(Sent, Ref.get)

describe("ingest", () => {
  it.effect("counts the rows of a batch that succeeds", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* ingesting, 250)
    }).pipe(over(() => LumeTest.succeeds({ rows: 250 })))
  )

  it.effect("uses a batch of which few rows were rejected", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* ingesting, 980)
    }).pipe(over(() => LumeTest.partiallyFails({ rejected: 20 })))
  )

  it.effect("refuses a batch of which many were", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* Effect.flip(ingesting))._tag, "QualityError")
    }).pipe(over(() => LumeTest.partiallyFails({ rejected: 400 })))
  )

  it.effect("refuses a batch whose rate is just above the limit, although Lume rounds it down to it", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* Effect.flip(ingesting))._tag, "QualityError")
    }).pipe(over(() => LumeTest.partiallyFails({ metadata: { validation: justAbove } })))
  )

  it.effect("alerts where a run fails, with its cause", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* ingesting, 0)
      assert.match((yield* alerts).join(), /run_test_1 ended FAILED: .*SOURCE_NOT_FOUND/)
    }).pipe(over(() => LumeTest.fails({ stage: "SYNCING_SOURCE", errorCode: "SOURCE_NOT_FOUND" })))
  )

  it.effect("alerts where Lume crashes", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* ingesting, 0)
      assert.include((yield* alerts)[0], "run_test_1 ended CRASHED")
    }).pipe(over(LumeTest.crashes))
  )

  it.effect("alerts after an hour of nothing", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* Effect.flip(ingesting))._tag, "TimeoutError")
      assert.include((yield* alerts)[0], "run_test_1 ended before the run did (timeout 1h")
    }).pipe(over(LumeTest.hangs))
  )

  it.effect("survives a flaky network, and submits once", () =>
    Effect.gen(function* () {
      yield* LumeTest.failNext(3, "network", { on: "read" })
      yield* LumeTest.failNext(2, "html502", { on: "read" })
      yield* LumeTest.failNext(1, "timeout", { on: "read" })
      assert.strictEqual(yield* ingesting, 1000)
      assert.lengthOf(yield* LumeTest.submitted, 1)
    }).pipe(over())
  )

  it.effect("does not submit again where an answer was lost", () =>
    Effect.gen(function* () {
      yield* LumeTest.failNext(1, "network", { on: "submit", received: true })
      assert.strictEqual((yield* Effect.flip(ingesting))._tag, "SubmitOutcomeUnknownError")
      assert.lengthOf(yield* LumeTest.submitted, 1)
    }).pipe(over())
  )

  it.effect("lets a batch pass that has been ingested before", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* ingesting, 1000)
      assert.strictEqual(yield* ingesting, 0)
      assert.lengthOf(yield* LumeTest.submitted, 1)
    }).pipe(over())
  )

  it.effect("needs no more than one method, where a test uses no more", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* ingest("s3://acme/batch-001.csv"), 0)
    }).pipe(
      Effect.provide([
        recordingAlerts,
        Layer.mock(LumeClient.LumeClient, { runAndWait: () => Effect.succeed(LumeTest.run("Crashed")) })
      ])
    )
  )
})
