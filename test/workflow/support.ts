/**
 * An engine that only keeps what Activities came to, as JSON text by their keys: what a database would hold. A workflow
 * is run again by running it again.
 */
import { assert } from "@effect/vitest"
import * as Workflow from "@effect/workflow/Workflow"
import { makeUnsafe, WorkflowEngine, WorkflowInstance } from "@effect/workflow/WorkflowEngine"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as LumeTest from "../../src/LumeTest.js"
import * as LumeWorkflow from "../../src/workflow/LumeWorkflow.js"

/** Rows by key, each `{ "success": … }` or `{ "failure": … }`. */
export type Journal = Map<string, string>

const Test = Workflow.make({ name: "Test", payload: {}, idempotencyKey: () => "" })

export const executionId = "execution_1"

const notUsed = Effect.dieMessage("not used here")

/** What may go wrong with the engine's database. */
export interface Faults {
  /** Is run before the key is looked up; its defects are the engine's. */
  readonly before?: (key: string) => Effect.Effect<void>
  /** Is run when the Activity is done, before its row is written. */
  readonly beforeWrite?: (key: string) => Effect.Effect<void>
}

const engine = (journal: Journal, { before, beforeWrite }: Faults) =>
  makeUnsafe({
    register: () => Effect.void,
    execute: () => notUsed,
    poll: () => notUsed,
    interrupt: () => notUsed,
    resume: () => notUsed,
    deferredResult: () => notUsed,
    deferredDone: () => notUsed,
    scheduleClock: () => notUsed,
    activityExecute: (activity, attempt) =>
      Effect.gen(function* () {
        const key = `${activity.name}/${attempt}`
        if (before !== undefined) yield* before(key)
        const row = journal.get(key)
        if (row !== undefined) return read(row)
        const exit = yield* Effect.exit(activity.executeEncoded as Effect.Effect<unknown, unknown, WorkflowInstance>)
        if (Exit.isFailure(exit) && Cause.isInterrupted(exit.cause))
          return yield* Effect.failCause(exit.cause as Cause.Cause<never>)
        if (beforeWrite !== undefined) yield* beforeWrite(key)
        const written = Exit.match(exit, {
          onSuccess: (success) => ({ success }),
          onFailure: (cause) => ({ failure: Option.getOrThrow(Cause.failureOption(cause)) })
        })
        journal.set(key, JSON.stringify(written))
        return read(JSON.stringify(written))
      })
  })

const read = (text: string): Workflow.Result<unknown, unknown> => {
  const row: Record<string, unknown> = JSON.parse(text)
  return new Workflow.Complete({ exit: "failure" in row ? Exit.fail(row["failure"]) : Exit.succeed(row["success"]) })
}

/** Runs what is done in a workflow, over what earlier runs of it have left. */
export const inWorkflow =
  (journal: Journal, faults: Faults = {}) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, Exclude<R, WorkflowEngine | WorkflowInstance>> =>
    Effect.provide(
      effect,
      Context.make(WorkflowEngine, engine(journal, faults)).pipe(
        Context.add(WorkflowInstance, WorkflowInstance.initial(Test, executionId))
      )
    )

export const request = {
  flowVersion: "invoice_cleaner:v4",
  sourcePath: "s3://acme/batch-001.csv",
  runMetadata: { team: "a" }
}
export const submission = { name: "orders", request }

/** Runs an effect for some time, then kills it. */
export const killedAfter = <A, E, R>(time: Duration.DurationInput, effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(effect)
    yield* LumeTest.advance(time)
    yield* Fiber.interruptFork(fiber)
    yield* LumeTest.advance(0)
  })

/** The journal of a process that ended while it was submitting. */
export const endedWhileSubmitting = Effect.gen(function* () {
  const journal: Journal = new Map()
  yield* LumeTest.failNext(1, "timeout", { on: "submit", received: true })
  yield* killedAfter("1 second", inWorkflow(journal)(LumeWorkflow.submit(submission)))
  assert.deepStrictEqual([...journal.keys()], ["orders/submit/intent/1"])
  assert.lengthOf(yield* LumeTest.submitted, 1)
  return journal
})
