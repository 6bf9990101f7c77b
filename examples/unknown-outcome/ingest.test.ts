/**
 * A submit whose answer is lost, with and without a webhook that tells of its run.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { LumeClient, LumeError } from "effect-lume"
import * as LumeTest from "effect-lume/LumeTest"
import { heard, layer, submit } from "./ingest.js"

const request = { flowVersion: "invoice_cleaner:v4", sourcePath: "s3://acme/batch-001.csv" }

/** What the webhook of a run says that was submitted with this id. */
const event = (submitId: string) => ({
  runId: "run_test_1",
  status: Option.some("SUCCEEDED"),
  flowVersion: Option.none(),
  sourcePath: Option.none(),
  runMetadata: Option.some({ submit_id: submitId }),
  raw: {}
})

const loseTheAnswer = LumeTest.failNext(1, "network", { on: "submit", received: true })
const world = Effect.provide(Layer.merge(LumeTest.layer(), layer))

describe("a submit whose answer is lost", () => {
  it.effect("finds its run by the webhook", () =>
    Effect.gen(function* () {
      yield* loseTheAnswer
      const submitting = yield* Effect.fork(submit(request, "batch-001"))
      yield* LumeTest.advance("1 minute")
      yield* heard(event("another batch"))
      yield* heard(event("batch-001"))
      const run = yield* LumeTest.waitFor(LumeClient.wait(yield* Fiber.join(submitting)))
      assert.strictEqual(run._tag, "Succeeded")
      assert.deepStrictEqual(run.runMetadata, { submit_id: "batch-001" })
      assert.lengthOf(yield* LumeTest.submitted, 1)
    }).pipe(world)
  )

  it.effect("fails with what is unknown where no webhook comes", () =>
    Effect.gen(function* () {
      yield* loseTheAnswer
      const error = yield* Effect.flip(LumeTest.waitFor(submit(request, "batch-001")))
      assert.strictEqual(error._tag, "SubmitOutcomeUnknownError")
      assert.lengthOf(yield* LumeTest.submitted, 1)
    }).pipe(world)
  )

  it.effect("needs no webhook where the answer comes", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* LumeTest.waitFor(submit(request, "batch-001")), "run_test_1")
    }).pipe(world)
  )

  it.effect("submits once, however its user retries, where Lume can't be read", () =>
    Effect.gen(function* () {
      yield* loseTheAnswer
      yield* LumeTest.failNext(Infinity, { status: 503 }, { on: "read" })
      const retried = Effect.retry(submit(request, "batch-001"), { while: LumeError.isTransient, times: 3 })
      const submitting = yield* Effect.fork(retried)
      yield* LumeTest.advance("1 minute")
      yield* heard(event("batch-001"))
      assert.strictEqual(yield* LumeTest.waitFor(Fiber.join(submitting)), "run_test_1")
      assert.lengthOf(yield* LumeTest.submitted, 1)
    }).pipe(world)
  )

  it.effect("keeps its id for itself until it is over", () =>
    Effect.gen(function* () {
      yield* loseTheAnswer
      const submitting = yield* Effect.fork(submit(request, "batch-001"))
      yield* LumeTest.advance("1 minute")
      assert.strictEqual((yield* Effect.flip(submit(request, "batch-001")))._tag, "SubmitIdInUse")
      yield* heard(event("batch-001"))
      assert.strictEqual(yield* LumeTest.waitFor(Fiber.join(submitting)), "run_test_1")
      assert.lengthOf(yield* LumeTest.submitted, 1)
      yield* LumeTest.waitFor(submit({ ...request, sourcePath: "s3://acme/batch-002.csv" }, "batch-001"))
    }).pipe(world)
  )
})
