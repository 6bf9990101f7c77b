/**
 * Its tests: each outcome in a few lines, an hour in milliseconds, without a sleep, a port or a mock library.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import { LumeClient } from "effect-lume"
import * as LumeTest from "effect-lume/LumeTest"
import { Alerts, ingest } from "./ingest.js"

const batch = "s3://acme/batch-001.csv"

/** Runs the application against such a Lume; its result, and what was alerted. */
const running = <A, E>(
  application: Effect.Effect<A, E, Alerts | LumeClient.LumeClient | LumeTest.LumeTest>,
  script: LumeTest.Script = {}
) =>
  Effect.gen(function* () {
    const sent = yield* Ref.make<ReadonlyArray<string>>([])
    const alerts = Layer.succeed(Alerts, { send: (message) => Ref.update(sent, (all) => [...all, message]) })
    const result = yield* LumeTest.waitFor(application).pipe(Effect.provide([alerts, LumeTest.layer(script)]))
    return { result, alerts: yield* Ref.get(sent) }
  })

describe("ingest", () => {
  it.effect("counts the rows of a batch that succeeds", () =>
    Effect.gen(function* () {
      const { result } = yield* running(ingest(batch), { onRun: () => LumeTest.succeeds({ rows: 250 }) })
      assert.strictEqual(result, 250)
    })
  )

  it.effect("uses a batch of which few rows were rejected", () =>
    Effect.gen(function* () {
      const { result } = yield* running(ingest(batch), { onRun: () => LumeTest.partiallyFails({ rejected: 20 }) })
      assert.strictEqual(result, 980)
    })
  )

  it.effect("refuses a batch of which many were", () =>
    Effect.gen(function* () {
      const { result } = yield* running(Effect.flip(ingest(batch)), {
        onRun: () => LumeTest.partiallyFails({ rejected: 400 })
      })
      assert.strictEqual(result._tag, "QualityTooLow")
    })
  )

  it.effect("alerts where a run fails, with its cause", () =>
    Effect.gen(function* () {
      const { alerts } = yield* running(ingest(batch), {
        onRun: () => LumeTest.fails({ stage: "SYNCING_SOURCE", errorCode: "SOURCE_NOT_FOUND", message: "No object." })
      })
      assert.deepStrictEqual(alerts, ["run_test_1 ended FAILED: SOURCE_NOT_FOUND"])
    })
  )

  it.effect("alerts after an hour of nothing", () =>
    Effect.gen(function* () {
      const { alerts, result } = yield* running(Effect.flip(ingest(batch)), { onRun: LumeTest.hangs })
      assert.strictEqual(result._tag, "TimeoutError")
      assert.include(alerts[0], "run_test_1")
    })
  )

  it.effect("survives a flaky network, and submits once", () =>
    Effect.gen(function* () {
      const { result } = yield* running(
        Effect.gen(function* () {
          yield* LumeTest.failNext(3, "network", { on: "read" })
          yield* LumeTest.failNext(2, "html502", { on: "read" })
          yield* LumeTest.failNext(1, "timeout", { on: "read" })
          const rows = yield* ingest(batch)
          return { rows, submitted: (yield* LumeTest.submitted).length }
        })
      )
      assert.deepStrictEqual(result, { rows: 1000, submitted: 1 })
    })
  )

  it.effect("does not submit again where an answer was lost", () =>
    Effect.gen(function* () {
      const { result } = yield* running(
        Effect.gen(function* () {
          yield* LumeTest.failNext(1, "network", { on: "submit", received: true })
          const error = yield* Effect.flip(ingest(batch))
          return { error: error._tag, submitted: (yield* LumeTest.submitted).length }
        })
      )
      assert.deepStrictEqual(result, { error: "SubmitOutcomeUnknownError", submitted: 1 })
    })
  )

  it.effect("lets a batch that was there before pass", () =>
    Effect.gen(function* () {
      const { result } = yield* running(Effect.all([ingest(batch), ingest(batch)]))
      assert.deepStrictEqual(result, [1000, 0])
    })
  )

  it.effect("needs no more than one method, where a test uses no more", () =>
    Effect.gen(function* () {
      const lume = Layer.mock(LumeClient.LumeClient, { runAndWait: () => Effect.succeed(LumeTest.run("Crashed")) })
      const alerts = Layer.mock(Alerts, { send: () => Effect.void })
      assert.strictEqual(yield* Effect.provide(ingest(batch), [lume, alerts]), 0)
    })
  )
})
