/**
 * Durable submits and waits where something else goes wrong: a deployment, the engine, an earlier version's rows.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as LumeTest from "../../src/LumeTest.js"
import * as LumeWorkflow from "../../src/workflow/LumeWorkflow.js"
import { messages } from "../support/observed.js"
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

describe("rows of one name that do not belong together", () => {
  const rows = (journal: Journal, key: string, ...replacement: readonly [string, string]) =>
    journal.set(key, (journal.get(key) ?? assert.fail()).replace(...replacement))

  it.effect("of a submit: nobody is given another request's run, or its error", () =>
    Effect.gen(function* () {
      for (const fails of [0, 1]) {
        const journal: Journal = new Map()
        yield* LumeTest.failNext(fails, { status: 422 }, { on: "submit" })
        yield* Effect.exit(inWorkflow(journal)(LumeWorkflow.submit(submission)))
        rows(journal, "orders/submit/1", request.sourcePath, "s3://acme/other.csv")
        const error = yield* Effect.flip(inWorkflow(journal)(LumeWorkflow.submit(submission)))
        assert(error._tag === "InvalidRequestError")
        assert.include(error.message, 'the name "orders" is that of another request')
      }
    }).pipe(Effect.provide(LumeTest.layer()))
  )

  it.effect("of a wait: nobody is given another run, or its error", () =>
    Effect.gen(function* () {
      for (const fails of [0, 1]) {
        const journal: Journal = new Map()
        const wait = LumeWorkflow.wait({ name: "orders", run: "run_1" })
        yield* LumeTest.failNext(fails, { status: 401 }, { on: "read" })
        yield* LumeTest.waitFor(Effect.exit(inWorkflow(journal)(wait)))
        rows(journal, "orders/wait/1", '"run_id":"run_1"', '"run_id":"run_2"')
        const error = yield* Effect.flip(inWorkflow(journal)(wait))
        assert(error._tag === "InvalidRequestError")
        assert.include(error.message, 'the name "orders" is that of a wait for another run, "run_2"')
      }
    }).pipe(Effect.provide(LumeTest.layer({ runs: { run_1: LumeTest.succeeds() } })))
  )

  it.effect("that can't be read are shown", () =>
    Effect.gen(function* () {
      const row = { run_id: "run_1", deadline: "soon", timeout: 1 }
      const journal: Journal = new Map([["orders/wait/deadline/1", JSON.stringify({ success: row })]])
      const error = yield* Effect.flip(inWorkflow(journal)(LumeWorkflow.wait({ name: "orders", run: "run_1" })))
      assert(error._tag === "DecodeError")
      assert.deepInclude(error, { path: "deadline", received: '"soon"', preview: JSON.stringify(row) })
    }).pipe(Effect.provide(LumeTest.layer()))
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
        const log = messages()
        const failing = inWorkflow(new Map(), { before: () => Effect.die(defect) })
        const error = yield* Effect.provide(Effect.flip(failing(LumeWorkflow.submit(submission))), log.layer)
        assert.deepStrictEqual(log.messages, ["The Activity orders/submit/intent has ended in a defect."])
        assert(error._tag === "SubmitOutcomeUnknownError" && error.failure._tag === "DecodeError")
        assert.deepInclude(error.failure, { path: "", expected: "a result" })
        assert.include(error.failure.received, "the defect")
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
      assert.include(error.message, "sending it again failed with RateLimitedError: A fault of the test.")
    }).pipe(Effect.provide(LumeTest.layer()))
  )

  it.effect("leaves it unknown in the process that comes after the first one's, too", () =>
    Effect.gen(function* () {
      const journal = yield* endedWhileSubmitting
      yield* LumeTest.failNext(1, { status: 401, detail: "" }, { on: "submit" })
      const error = yield* LumeTest.waitFor(Effect.flip(inWorkflow(journal)(resubmit)))
      assert(error._tag === "SubmitOutcomeUnknownError")
      assert.include(error.message, "sending it again failed with AuthenticationError. ")
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
