/**
 * The library's tests: its own error, those that it handles, and those that it lets through.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as LumeTest from "effect-lume/LumeTest"
import * as QualityGate from "./QualityGate.js"

const request = { flowVersion: "invoice_cleaner:v4", sourcePath: "s3://acme/batch-001.csv" }

const pass = (script: LumeTest.Script) =>
  Effect.flatMap(QualityGate.QualityGate, (gate) => gate.pass(request)).pipe(
    LumeTest.waitFor,
    Effect.provide(Layer.provideMerge(QualityGate.layer(), LumeTest.layer(script)))
  )

describe("QualityGate", () => {
  it.effect("lets good batches pass, with their metadata", () =>
    Effect.gen(function* () {
      const metadata = yield* pass({ onRun: () => LumeTest.partiallyFails({ rejected: 10 }) })
      assert.strictEqual(metadata.results.mappedRows, 990)
    })
  )

  it.effect("stops a batch of which too much was rejected", () =>
    Effect.gen(function* () {
      const topErrors = [{ errorCode: "REQUIRED", field: "total", count: 300 }]
      const error = yield* Effect.flip(pass({ onRun: () => LumeTest.partiallyFails({ rejected: 300, topErrors }) }))
      assert(error._tag === "QualityError")
      assert.include(error.message, "30.0% of rows were rejected")
    })
  )

  it.effect("lets the client's errors through", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* Effect.flip(pass({ onRun: () => LumeTest.crashes() })))._tag, "RunFailedError")
      assert.strictEqual((yield* Effect.flip(pass({ onRun: LumeTest.hangs })))._tag, "TimeoutError")
    })
  )

  it.effect("waits where Lume has no room", () =>
    Effect.gen(function* () {
      const metadata = yield* Effect.gen(function* () {
        yield* LumeTest.failNext(4, { status: 429, retryAfter: 60 }, { on: "submit" })
        const gate = yield* QualityGate.QualityGate
        return yield* gate.pass(request)
      }).pipe(LumeTest.waitFor, Effect.provide(Layer.provideMerge(QualityGate.layer(), LumeTest.layer())))
      assert.strictEqual(metadata.results.inputRows, 1000)
    })
  )
})
