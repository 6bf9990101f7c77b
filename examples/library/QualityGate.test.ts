/**
 * The library's tests: what passes, the errors that it handles, and those that it lets through.
 */
import { assert, describe, it } from "@effect/vitest"
import { deepStrictEqual } from "@effect/vitest/utils"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { LumeError } from "effect-lume"
import * as LumeTest from "effect-lume/LumeTest"
import * as QualityGate from "./QualityGate.js"

const request = { flowVersion: "invoice_cleaner:v4", sourcePath: "s3://acme/batch-001.csv" }

const pass = Effect.flatMap(QualityGate.QualityGate, (gate) => LumeTest.waitFor(gate.pass(request)))

/** The library, over a Lume whose runs follow this timeline. */
const over = (onRun: () => LumeTest.Timeline) =>
  Effect.provide(Layer.provideMerge(QualityGate.layer(), LumeTest.layer({ onRun })))

describe("QualityGate", () => {
  it.effect("lets a good batch pass, with its metadata, once", () =>
    Effect.gen(function* () {
      const metadata = yield* pass
      deepStrictEqual(
        Option.map(metadata, ({ results }) => results.mappedRows),
        Option.some(1000)
      )
      deepStrictEqual(yield* pass, Option.none())
    }).pipe(over(LumeTest.succeeds))
  )

  it.effect("stops a batch of which too much was rejected", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(pass)
      assert.strictEqual(error._tag, "QualityError")
      assert.include(error.message, "the share of rejected rows is 0.3, above the limit of 0.05")
    }).pipe(over(() => LumeTest.partiallyFails({ rejected: 300 })))
  )

  it.effect("stops a batch in which too many tests failed", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(pass)
      assert.strictEqual(error._tag, "QualityError")
      assert.include(error.message, "the share of failed tests is 0.02, above the limit of 0.01")
    }).pipe(
      over(() =>
        LumeTest.partiallyFails({ rejected: 1, metadata: { validation: { testsExecuted: 1000, testsFailed: 20 } } })
      )
    )
  )

  it.effect("lets a failed run through as the client's error", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* Effect.flip(pass))._tag, "RunFailedError")
    }).pipe(over(LumeTest.crashes))
  )

  it.effect("lets a timeout through as the client's error", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* Effect.flip(pass))._tag, "TimeoutError")
    }).pipe(over(LumeTest.hangs))
  )

  it.effect("submits once, however its user retries, where Lume can't be read for long", () =>
    Effect.gen(function* () {
      yield* LumeTest.failNext(Infinity, { status: 503 }, { on: "read" })
      const gate = yield* QualityGate.QualityGate
      const retried = Effect.retry(gate.pass(request), { while: LumeError.isTransient, times: 3 })
      assert.strictEqual((yield* Effect.flip(LumeTest.waitFor(retried)))._tag, "WaitFailedError")
      assert.lengthOf(yield* LumeTest.submitted, 1)
    }).pipe(over(LumeTest.succeeds))
  )

  it.effect("tries again for an hour where Lume has no room", () =>
    Effect.gen(function* () {
      yield* LumeTest.failNext(20, { status: 429, retryAfter: 60 }, { on: "submit" })
      assert.isTrue(Option.isSome(yield* pass))
      assert.lengthOf(yield* LumeTest.submitted, 1)
    }).pipe(over(LumeTest.succeeds))
  )
})
