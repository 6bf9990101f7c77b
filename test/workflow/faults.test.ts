/**
 * Durable submits and waits where something else goes wrong: a deployment, the engine, an earlier version's rows.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as LumeTest from "../../src/LumeTest.js"
import * as LumeWorkflow from "../../src/workflow/LumeWorkflow.js"
import { endedWhileSubmitting, inWorkflow, type Journal, killedAfter, request, submission } from "./support.js"

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
