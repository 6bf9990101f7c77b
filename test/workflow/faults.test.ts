/**
 * Durable submits and waits where something else goes wrong: a deployment, the engine, an earlier version's rows.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as LumeTest from "../../src/LumeTest.js"
import * as LumeWorkflow from "../../src/workflow/LumeWorkflow.js"
import {
  endedWhileSubmitting,
  executionId,
  inWorkflow,
  type Journal,
  killedAfter,
  request,
  submission
} from "./support.js"

describe("a deployment that is taken back", () => {
  const wait = (run: string) => LumeWorkflow.wait({ name: "orders", run, timeout: "1 hour", pollInterval: "1 minute" })

  it.effect("leaves no refusal of its own: a wait for another run was refused, and the first one goes on", () =>
    Effect.gen(function* () {
      const journal: Journal = new Map()
      yield* killedAfter("1 second", inWorkflow(journal)(wait("run_1")))
      const refused = yield* Effect.flip(inWorkflow(journal)(wait("run_2")))
      assert.strictEqual(refused._tag, "InvalidRequestError")
      assert.include(refused.message, "run_1")
      assert.strictEqual((yield* LumeTest.waitFor(inWorkflow(journal)(wait("run_1")))).id, "run_1")
    }).pipe(Effect.provide(LumeTest.layer({ runs: { run_1: LumeTest.succeeds({ in: "1 minute" }) } })))
  )

  it.effect("leaves a submit that may have started a run of unknown outcome, though another was refused", () =>
    Effect.gen(function* () {
      const journal = yield* endedWhileSubmitting
      const other = LumeWorkflow.submit({ ...submission, request: { ...request, sourcePath: "s3://acme/other.csv" } })
      const refused = yield* Effect.flip(inWorkflow(journal)(other))
      assert.strictEqual(refused._tag, "InvalidRequestError")
      assert.include(refused.message, "may have started a run")
      const error = yield* Effect.flip(inWorkflow(journal)(LumeWorkflow.submit(submission)))
      assert.strictEqual(error._tag, "SubmitOutcomeUnknownError")
      assert.lengthOf(yield* LumeTest.submitted, 1)
    }).pipe(Effect.provide(LumeTest.layer()))
  )

  it.effect("leaves rows that it could not read to the version that can", () =>
    Effect.gen(function* () {
      const journal: Journal = new Map()
      const key = "orders/wait/deadline/1"
      yield* killedAfter("1 second", inWorkflow(journal)(wait("run_1")))
      const row = journal.get(key) ?? assert.fail()
      journal.set(key, row.replace("deadline", "until"))
      assert.strictEqual((yield* Effect.flip(inWorkflow(journal)(wait("run_1"))))._tag, "DecodeError")
      journal.set(key, row)
      assert.strictEqual((yield* LumeTest.waitFor(inWorkflow(journal)(wait("run_1"))))._tag, "Succeeded")
    }).pipe(Effect.provide(LumeTest.layer({ runs: { run_1: LumeTest.succeeds({ in: "1 minute" }) } })))
  )
})

describe("a defect of the engine", () => {
  it.effect("after a submit was sent leaves what it came to, for when this process is asked again", () =>
    Effect.gen(function* () {
      const journal: Journal = new Map()
      const failing = inWorkflow(journal, {
        beforeWrite: (key) => (key === "orders/submit/1" ? Effect.die(new Error("a bug")) : Effect.void)
      })
      const error = yield* Effect.flip(failing(LumeWorkflow.submit(submission)))
      assert.strictEqual(error._tag, "SubmitOutcomeUnknownError")
      assert.strictEqual((yield* inWorkflow(journal)(LumeWorkflow.submit(submission))).id, "run_test_1")
      assert.lengthOf(yield* LumeTest.submitted, 1)
    }).pipe(Effect.provide(LumeTest.layer()))
  )

  it.effect("is a failure with a type, whatever the defect is", () =>
    Effect.gen(function* () {
      const circular = Object.assign(new Error("a pool"), { self: {} })
      circular.self = circular
      for (const defect of [circular, { count: 1n }, 1n, Object.create(null), "a text", undefined, () => {}]) {
        const failing = inWorkflow(new Map(), { before: () => Effect.die(defect) })
        const error = yield* Effect.flip(failing(LumeWorkflow.submit(submission)))
        assert(error._tag === "SubmitOutcomeUnknownError")
        assert.include(error.message, "the defect")
      }
      assert.lengthOf(yield* LumeTest.submitted, 0)
    }).pipe(Effect.provide(LumeTest.layer()))
  )
})

describe("a second submit, made because the outcome of the first was unknown", () => {
  const resubmit = LumeWorkflow.submit({ ...submission, ifUnknown: "resubmit" })

  it.effect("leaves it unknown where it fails itself, and says why it did", () =>
    Effect.gen(function* () {
      yield* LumeTest.failNext(1, "html502", { on: "submit", received: true })
      yield* LumeTest.failNext(9, { status: 429 }, { on: "submit" })
      const error = yield* LumeTest.waitFor(Effect.flip(inWorkflow(new Map())(resubmit)))
      assert(error._tag === "SubmitOutcomeUnknownError")
      assert.include(error.message, `workflow_execution_id ${executionId}`)
      assert.include(error.message, "RateLimitedError")
    }).pipe(Effect.provide(LumeTest.layer()))
  )

  it.effect("leaves it unknown in the process that comes after the first one's, too", () =>
    Effect.gen(function* () {
      const journal = yield* endedWhileSubmitting
      yield* LumeTest.failNext(1, { status: 401 }, { on: "submit" })
      const error = yield* LumeTest.waitFor(Effect.flip(inWorkflow(journal)(resubmit)))
      assert(error._tag === "SubmitOutcomeUnknownError")
      assert.include(error.message, "AuthenticationError")
    }).pipe(Effect.provide(LumeTest.layer()))
  )

  it.effect("says that its path has been processed where that is so, by whichever run", () =>
    Effect.gen(function* () {
      yield* inWorkflow(new Map())(LumeWorkflow.submit(submission))
      yield* LumeTest.advance("1 hour")
      // this one is not received
      yield* LumeTest.failNext(1, "html502", { on: "submit" })
      const error = yield* LumeTest.waitFor(Effect.flip(inWorkflow(new Map())(resubmit)))
      assert.strictEqual(error._tag, "AlreadyProcessedError")
    }).pipe(Effect.provide(LumeTest.layer()))
  )
})
