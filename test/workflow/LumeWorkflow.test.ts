/**
 * Durable submits and waits: what a workflow that is run again finds, and what Lume sees of it.
 */
import * as Workflow from "@effect/workflow/Workflow"
import * as WorkflowEngine from "@effect/workflow/WorkflowEngine"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as FastCheck from "effect/FastCheck"
import { vi } from "vitest"
import * as LumeClient from "../../src/LumeClient.js"
import * as LumeError from "../../src/LumeError.js"
import * as LumeRun from "../../src/LumeRun.js"
import * as LumeTest from "../../src/LumeTest.js"
import * as LumeWorkflow from "../../src/workflow/LumeWorkflow.js"
import { clientLayer, fakeHttp, json, state } from "../support/fakeHttp.js"
import cases from "../cases/journal.json" with { type: "json" }
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

/** The module as another process has it. */
const anotherProcess: Effect.Effect<typeof LumeWorkflow> = Effect.promise(async () => {
  vi.resetModules()
  return import("../../src/workflow/LumeWorkflow.js")
})

const millis = Effect.map(Clock.currentTimeMillis, Number)

describe("a workflow on the engine in memory", () => {
  const Nightly = Workflow.make({
    name: "Nightly",
    payload: { path: Schema.String },
    idempotencyKey: ({ path }) => path,
    success: LumeRun.TerminalRun,
    error: Schema.Union(LumeError.SubmitError, LumeError.TimeoutError, LumeError.WaitFailedError)
  })
  const engine = (script?: LumeTest.Script) =>
    Nightly.toLayer(({ path }) =>
      LumeWorkflow.runAndWait({ name: "orders", request: { ...request, sourcePath: path }, timeout: "1 day" })
    ).pipe(Layer.provideMerge(WorkflowEngine.layerMemory), Layer.provideMerge(LumeTest.layer(script)))

  it.effect("ends with the run, which names the workflow's execution in its pairs", () =>
    Effect.gen(function* () {
      const run = yield* LumeTest.waitFor(Nightly.execute({ path: "a.csv" }))
      assert.strictEqual(run._tag, "Succeeded")
      const [submitted] = yield* LumeTest.submitted
      assert.deepStrictEqual(submitted?.runMetadata, {
        team: "a",
        workflow_execution_id: yield* Nightly.executionId({ path: "a.csv" })
      })
      assert.deepStrictEqual(run.runMetadata, submitted?.runMetadata)
    }).pipe(Effect.provide(engine()))
  )

  it.effect("ends with the run however it ended: a failed one is a value", () =>
    Effect.gen(function* () {
      const run = yield* LumeTest.waitFor(Nightly.execute({ path: "a.csv" }))
      assert.strictEqual(run._tag, "Failed")
    }).pipe(Effect.provide(engine({ onRun: () => LumeTest.fails() })))
  )

  it.effect("fails with the error of a submit that was refused, as the class that it was", () =>
    Effect.gen(function* () {
      yield* LumeTest.failNext(1, { status: 401 }, { on: "submit" })
      const error = yield* Effect.flip(LumeTest.waitFor(Nightly.execute({ path: "a.csv" })))
      assert.instanceOf(error, LumeError.AuthenticationError)
    }).pipe(Effect.provide(engine()))
  )

  it.effect("says that the run goes on where waiting for it fails", () =>
    Effect.gen(function* () {
      yield* LumeTest.failNext(99, { status: 401 }, { on: "read" })
      const error = yield* Effect.flip(LumeTest.waitFor(Nightly.execute({ path: "a.csv" })))
      assert(error._tag === "WaitFailedError")
      assert.strictEqual(error.runId, "run_test_1")
      assert.strictEqual(error.lastRun._tag, "Created")
      assert.strictEqual(error.failure._tag, "AuthenticationError")
    }).pipe(Effect.provide(engine()))
  )

  it.effect("says how the run was last read, when the workflow is run again too", () =>
    Effect.gen(function* () {
      const journal: Journal = new Map()
      const once = inWorkflow(journal)(LumeWorkflow.runAndWait(submission))
      const first = yield* Effect.fork(Effect.flip(once))
      yield* LumeTest.advance("20 seconds")
      yield* LumeTest.failNext(99, { status: 401 }, { on: "read" })
      yield* LumeTest.advance("20 seconds")
      for (const error of [yield* Fiber.join(first), yield* Effect.flip(once)]) {
        assert(error._tag === "WaitFailedError")
        assert.strictEqual(error.lastRun._tag, "Transforming")
        assert.include(error.message, "last read as TRANSFORMING")
      }
    }).pipe(Effect.provide(LumeTest.layer()))
  )
})

describe("a submit", () => {
  it.effect("is not made again when the workflow is run again, by the same process or another", () =>
    Effect.gen(function* () {
      const journal: Journal = new Map()
      const another = yield* anotherProcess
      const first = yield* inWorkflow(journal)(LumeWorkflow.submit(submission))
      const second = yield* inWorkflow(journal)(LumeWorkflow.submit(submission))
      const third = yield* inWorkflow(journal)(another.submit(submission))
      assert.deepStrictEqual([first.id, second.id, third.id], ["run_test_1", "run_test_1", "run_test_1"])
      assert.lengthOf(yield* LumeTest.submitted, 1)
    }).pipe(Effect.provide(LumeTest.layer()))
  )

  it.effect("fails with the same error when the workflow is run again", () =>
    Effect.gen(function* () {
      const journal: Journal = new Map()
      yield* LumeTest.failNext(1, { status: 422 }, { on: "submit" })
      const first = yield* Effect.flip(inWorkflow(journal)(LumeWorkflow.submit(submission)))
      const second = yield* Effect.flip(inWorkflow(journal)(LumeWorkflow.submit(submission)))
      assert(first._tag === "InvalidRequestError")
      assert.strictEqual(second.message, first.message)
      assert.lengthOf(yield* LumeTest.requests, 1)
    }).pipe(Effect.provide(LumeTest.layer()))
  )

  it.effect("that another process has begun is of unknown outcome, and is not made", () =>
    Effect.gen(function* () {
      const journal = yield* endedWhileSubmitting
      const another = yield* anotherProcess
      const error = yield* Effect.flip(inWorkflow(journal)(another.submit(submission)))
      assert(error._tag === "SubmitOutcomeUnknownError")
      assert(error.failure._tag === "TransportError")
      assert.strictEqual(error.failure.reason, "Interrupted")
      assert.include(error.message, `workflow_execution_id ${executionId}`)
      assert.lengthOf(yield* LumeTest.submitted, 1)
    }).pipe(Effect.provide(LumeTest.layer()))
  )

  it.effect("that this process has begun, and that was interrupted, is of unknown outcome, and is not made again", () =>
    Effect.gen(function* () {
      const journal = yield* endedWhileSubmitting
      const error = yield* Effect.flip(inWorkflow(journal)(LumeWorkflow.submit(submission)))
      assert(error._tag === "SubmitOutcomeUnknownError")
      const again = yield* Effect.flip(inWorkflow(journal)(LumeWorkflow.submit(submission)))
      assert.strictEqual(again._tag, "SubmitOutcomeUnknownError")
      assert.lengthOf(yield* LumeTest.submitted, 1)
    }).pipe(Effect.provide(LumeTest.layer()))
  )

  it.effect("is made again where its outcome is unknown and the caller wants it so, once in each process", () =>
    Effect.gen(function* () {
      const journal = yield* endedWhileSubmitting
      const another = yield* anotherProcess
      const submit = another.submit({ ...submission, ifUnknown: "resubmit" })
      const run = yield* inWorkflow(journal)(submit)
      assert.strictEqual(run.id, "run_test_2")
      assert.strictEqual((yield* inWorkflow(journal)(submit)).id, "run_test_2")
      assert.lengthOf(yield* LumeTest.submitted, 2)
    }).pipe(Effect.provide(LumeTest.layer()))
  )

  it.effect("is made again no third time by a process, however often it is interrupted", () =>
    Effect.gen(function* () {
      const journal = yield* endedWhileSubmitting
      const resubmit = inWorkflow(journal)(LumeWorkflow.submit({ ...submission, ifUnknown: "resubmit" }))
      yield* LumeTest.failNext(1, "timeout", { on: "submit", received: true })
      yield* killedAfter("1 second", resubmit)
      assert.lengthOf(yield* LumeTest.submitted, 2)
      assert.strictEqual((yield* Effect.flip(resubmit))._tag, "SubmitOutcomeUnknownError")
      assert.lengthOf(yield* LumeTest.submitted, 2)
    }).pipe(Effect.provide(LumeTest.layer()))
  )

  it.effect("that is refused is not made again, whatever the caller wants", () =>
    Effect.gen(function* () {
      yield* LumeTest.failNext(1, { status: 422 }, { on: "submit" })
      const resubmit = LumeWorkflow.submit({ ...submission, ifUnknown: "resubmit" })
      assert.strictEqual((yield* Effect.flip(inWorkflow(new Map())(resubmit)))._tag, "InvalidRequestError")
      assert.lengthOf(yield* LumeTest.requests, 1)
    }).pipe(Effect.provide(LumeTest.layer()))
  )

  it.effect("that is made again and refused as processed says so", () =>
    Effect.gen(function* () {
      const journal = yield* endedWhileSubmitting
      yield* LumeTest.advance("1 hour")
      const another = yield* anotherProcess
      const error = yield* Effect.flip(inWorkflow(journal)(another.submit({ ...submission, ifUnknown: "resubmit" })))
      assert.strictEqual(error._tag, "AlreadyProcessedError")
    }).pipe(Effect.provide(LumeTest.layer()))
  )

  it.effect("whose answer was lost is of unknown outcome, and is made again once where the caller wants it so", () =>
    Effect.gen(function* () {
      yield* LumeTest.failNext(4, "html502", { on: "submit" })
      const fail = yield* Effect.flip(inWorkflow(new Map())(LumeWorkflow.submit(submission)))
      assert.strictEqual(fail._tag, "SubmitOutcomeUnknownError")
      assert.lengthOf(yield* LumeTest.requests, 1)
      const resubmit = LumeWorkflow.submit({ ...submission, ifUnknown: "resubmit" })
      const second = yield* Effect.flip(inWorkflow(new Map())(resubmit))
      assert(second._tag === "SubmitOutcomeUnknownError")
      assert.strictEqual(second.failure._tag, "ApiError")
      assert.lengthOf(yield* LumeTest.requests, 3)
      assert.strictEqual((yield* inWorkflow(new Map())(resubmit)).id, "run_test_1")
    }).pipe(Effect.provide(LumeTest.layer()))
  )

  it.effect("whose result the engine could not write down gives the same run when it is asked again", () =>
    Effect.gen(function* () {
      const journal: Journal = new Map()
      const lost = inWorkflow(journal, {
        beforeWrite: (key) => (key === "orders/submit/1" ? Effect.interrupt : Effect.void)
      })(LumeWorkflow.submit(submission))
      yield* Effect.exit(lost)
      const run = yield* inWorkflow(journal)(LumeWorkflow.submit(submission))
      assert.strictEqual(run.id, "run_test_1")
      assert.lengthOf(yield* LumeTest.submitted, 1)
    }).pipe(Effect.provide(LumeTest.layer()))
  )

  it.effect("whose result the engine never gives, because it could not write it down, is asked for again", () =>
    Effect.gen(function* () {
      const begun = yield* millis
      let writes = 0
      const submit = inWorkflow(new Map(), {
        beforeWrite: (key) =>
          Effect.suspend(() => (key === "orders/submit/1" && ++writes < 3 ? Effect.never : Effect.void))
      })(LumeWorkflow.submit(submission))
      assert.strictEqual((yield* LumeTest.waitFor(submit)).id, "run_test_1")
      assert.strictEqual(writes, 3)
      // 10 and 20 seconds of patience
      assert.isAtLeast((yield* millis) - begun, 30_000)
      assert.lengthOf(yield* LumeTest.submitted, 1)
    }).pipe(Effect.provide(LumeTest.layer()))
  )

  it.effect("waits for an engine whose shard moves, or whose database is away, and ends in no defect", () =>
    Effect.gen(function* () {
      const troubles = [
        "AlreadyProcessingMessage",
        "EntityNotAssignedToRunner",
        "MailboxFull",
        "PersistenceError",
        "RunnerNotRegistered",
        "RunnerUnavailable"
      ]
      const submit = inWorkflow(new Map(), {
        before: () =>
          Effect.suspend(() => {
            const _tag = troubles.pop()
            return _tag === undefined ? Effect.void : Effect.die({ _tag })
          })
      })(LumeWorkflow.submit(submission))
      assert.strictEqual((yield* LumeTest.waitFor(submit)).id, "run_test_1")
      assert.deepStrictEqual(troubles, [])
    }).pipe(Effect.provide(LumeTest.layer()))
  )

  it.effect("says that the engine has not answered for seconds, then each minute", () =>
    Effect.gen(function* () {
      let calls = 0
      const submit = (failures: number) =>
        inWorkflow(new Map(), {
          before: () =>
            Effect.suspend(() => (++calls > failures ? Effect.void : Effect.die({ _tag: "PersistenceError" })))
        })(LumeWorkflow.submit({ ...submission, request: { ...request, forceRerun: true } }))
      const log = messages()
      yield* LumeTest.waitFor(submit(4)).pipe(Effect.provide(log.layer))
      assert.deepStrictEqual(log.messages, [])
      calls = 0
      yield* LumeTest.waitFor(submit(5)).pipe(Effect.provide(log.layer))
      assert.lengthOf(log.messages, 1)
      calls = 0
      // the pause is 5 seconds by then
      yield* LumeTest.waitFor(submit(5 + 12 + 2)).pipe(Effect.provide(log.layer))
      assert.lengthOf(log.messages, 3)
      for (const message of log.messages) assert.include(message, "the Activity orders/submit")
      assert.include(log.messages[2], "more since the last such line")
    }).pipe(Effect.provide(LumeTest.layer()))
  )

  it.effect("with the name of another request is refused, and gives nobody else's run", () =>
    Effect.gen(function* () {
      const journal: Journal = new Map()
      yield* inWorkflow(journal)(LumeWorkflow.submit(submission))
      const other = LumeWorkflow.submit({ ...submission, request: { ...request, sourcePath: "s3://acme/other.csv" } })
      const error = yield* Effect.flip(inWorkflow(journal)(other))
      assert(error._tag === "InvalidRequestError")
      assert.include(error.message, '"orders"')
      assert.lengthOf(yield* LumeTest.submitted, 1)
    }).pipe(Effect.provide(LumeTest.layer()))
  )

  it.effect("of at most 64 KiB is made, and of a byte more is refused before anything is kept", () =>
    Effect.gen(function* () {
      const empty = JSON.stringify({ flow_version: "a:v1", source_path: "b", run_metadata: { pad: "" } }).length
      const padded = (length: number) => ({
        name: "orders",
        request: { flowVersion: "a:v1", sourcePath: "b", runMetadata: { pad: "x".repeat(length) } }
      })
      const journal: Journal = new Map()
      const error = yield* Effect.flip(inWorkflow(journal)(LumeWorkflow.submit(padded(64 * 1024 - empty + 1))))
      assert(error._tag === "InvalidRequestError")
      assert.include(error.message, "65537 bytes")
      assert.strictEqual(journal.size, 0)
      yield* inWorkflow(journal)(LumeWorkflow.submit(padded(64 * 1024 - empty)))
    }).pipe(Effect.provide(LumeTest.layer()))
  )

  it.effect("may name the workflow's execution itself, as one that is read again does", () =>
    Effect.gen(function* () {
      const runMetadata = { workflow_execution_id: executionId }
      const run = yield* inWorkflow(new Map())(
        LumeWorkflow.submit({ ...submission, request: { ...request, runMetadata } })
      )
      assert.deepStrictEqual(run.runMetadata, runMetadata)
    }).pipe(Effect.provide(LumeTest.layer()))
  )

  it.effect("that can't be right is refused before anything is kept", () =>
    Effect.gen(function* () {
      const journal: Journal = new Map()
      const refused: ReadonlyArray<readonly [LumeWorkflow.SubmitOptions, string]> = [
        [{ ...submission, name: " " }, "name must be a non-empty text without NUL characters"],
        [{ ...submission, name: "nightly\0" }, "name must be a non-empty text without NUL characters"],
        [{ ...submission, name: 7 as never }, "name must be a non-empty text without NUL characters"],
        [{ ...submission, request: { ...request, flowVersion: "no colon" } }, "flowVersion must be a flow version"],
        [{ ...submission, ifUnknown: "retry" as "resubmit" }, 'ifUnknown must be "fail" or "resubmit"'],
        [
          { ...submission, request: { ...request, runMetadata: { workflow_execution_id: "mine" } } },
          "runMetadata.workflow_execution_id is where the workflow's own execution id goes"
        ]
      ]
      for (const [options, said] of refused) {
        const error = yield* Effect.flip(inWorkflow(journal)(LumeWorkflow.submit(options)))
        assert(error._tag === "InvalidRequestError")
        assert.include(error.message, said)
      }
      const limits = { timeout: -1, pollInterval: 0, tolerance: "soon" as "1 second" }
      for (const [name, limit] of Object.entries(limits)) {
        const both = Effect.flip(LumeWorkflow.runAndWait({ ...submission, [name]: limit }))
        const wait = Effect.flip(LumeWorkflow.wait({ name: "orders", run: "run_1", [name]: limit }))
        for (const error of [yield* inWorkflow(journal)(both), yield* inWorkflow(journal)(wait)]) {
          assert.strictEqual(error._tag, "InvalidRequestError")
          assert.include(error.message, `${name} must be`)
        }
      }
      assert.strictEqual(journal.size, 0)
      assert.lengthOf(yield* LumeTest.requests, 0)
    }).pipe(Effect.provide(LumeTest.layer()))
  )
})

describe("a wait", () => {
  const hanging = LumeTest.layer({ runs: { run_1: LumeTest.hangs() } })
  const wait = LumeWorkflow.wait({ name: "orders", run: "run_1", timeout: "1 hour", pollInterval: "1 minute" })

  it.effect("is not made again when the workflow is run again", () =>
    Effect.gen(function* () {
      const journal: Journal = new Map()
      const log = messages()
      const ended = yield* Effect.provide(LumeTest.waitFor(inWorkflow(journal)(wait)), log.layer)
      assert.deepStrictEqual(log.messages, [])
      const reads = (yield* LumeTest.requests).length
      const again = yield* inWorkflow(journal)((yield* anotherProcess).wait({ name: "orders", run: "run_1" }))
      assert.strictEqual(again.status, ended.status)
      assert.deepStrictEqual(again.rawMetadata, ended.rawMetadata)
      assert.lengthOf(yield* LumeTest.requests, reads)
    }).pipe(Effect.provide(LumeTest.layer({ runs: { run_1: LumeTest.partiallyFails() } })))
  )

  it.effect("of hours is not taken for one whose result is overdue", () =>
    Effect.gen(function* () {
      yield* LumeTest.waitFor(Effect.flip(inWorkflow(new Map())(wait)))
      // one at the beginning, one a minute, one at the deadline
      assert.lengthOf(yield* LumeTest.requests, 61)
    }).pipe(Effect.provide(hanging))
  )

  it.effect("that a restart cuts in two ends when it would have without, whatever the new code says", () =>
    Effect.gen(function* () {
      const journal: Journal = new Map()
      const begun = yield* millis
      yield* killedAfter("40 minutes", inWorkflow(journal)(wait))
      yield* LumeTest.advance("10 minutes")
      const longer = LumeWorkflow.wait({ name: "orders", run: "run_1", timeout: "3 hours", pollInterval: "1 minute" })
      const error = yield* LumeTest.waitFor(Effect.flip(inWorkflow(journal)(longer)))
      assert(error._tag === "TimeoutError")
      assert.strictEqual((yield* millis) - begun, 3_600_000)
      assert.strictEqual(Duration.toMillis(error.timeout), 3_600_000)
    }).pipe(Effect.provide(hanging))
  )

  it.effect("whose deadline has passed meanwhile reads its run once more", () =>
    Effect.gen(function* () {
      const journal: Journal = new Map()
      yield* killedAfter("1 minute", inWorkflow(journal)(wait))
      yield* LumeTest.advance("2 days")
      const before = yield* millis
      const ended = yield* LumeTest.waitFor(inWorkflow(journal)(wait))
      assert.strictEqual(ended._tag, "Succeeded")
      assert.strictEqual(yield* millis, before)
    }).pipe(Effect.provide(LumeTest.layer({ runs: { run_1: LumeTest.succeeds({ in: "1 day" }) } })))
  )

  it.effect("ends within a second of its deadline where a restart comes later and the run goes on", () =>
    Effect.gen(function* () {
      const journal: Journal = new Map()
      yield* killedAfter("1 minute", inWorkflow(journal)(wait))
      yield* LumeTest.advance("2 days")
      const before = yield* millis
      const error = yield* LumeTest.waitFor(Effect.flip(inWorkflow(journal)(wait)))
      assert.strictEqual(error._tag, "TimeoutError")
      assert.isAtMost((yield* millis) - before, 1_000)
    }).pipe(Effect.provide(hanging))
  )

  it.effect("is moved by as much as another machine's clock is off, and no more", () =>
    Effect.gen(function* () {
      const ended = (deadline: (begun: number) => number) =>
        Effect.gen(function* () {
          const begun = yield* millis
          const row = { run_id: "run_1", deadline: new Date(deadline(begun)).toISOString(), timeout: 3_600_000 }
          const journal: Journal = new Map([["orders/wait/deadline/1", JSON.stringify({ success: row })]])
          yield* LumeTest.waitFor(Effect.flip(inWorkflow(journal)(wait)))
          return (yield* millis) - begun
        })
      // half of the hour is left, by a clock that is two minutes ahead, or that is years ahead
      assert.strictEqual(yield* ended((begun) => begun + 32 * 60_000), 32 * 60_000)
      assert.strictEqual(yield* ended((begun) => begun + 1e12), 3_600_000)
    }).pipe(Effect.provide(hanging))
  )

  it.effect("tells the onStatus of its client's waits", () => {
    const statuses: Array<string | null> = []
    const onStatus = ({ status }: LumeRun.LumeRun) => Effect.sync(() => void statuses.push(status))
    return Effect.gen(function* () {
      yield* inWorkflow(new Map())(LumeWorkflow.wait({ name: "orders", run: "run_01HYE5ZJ4T8Q2W" }))
      assert.deepStrictEqual(statuses, ["SUCCEEDED"])
    }).pipe(
      Effect.provide(
        clientLayer(
          fakeHttp(() => state("SUCCEEDED")),
          { wait: { onStatus } }
        )
      )
    )
  })

  it.effect.each([
    ["a defect", Effect.die(new Error("a bug"))],
    // as an offer to a queue does that is shut down
    ["an interruption", Effect.interrupt]
  ] as const)("is not ended by %s of that onStatus, which is logged", ([, end]) => {
    const journal: Journal = new Map()
    const log = messages()
    return Effect.gen(function* () {
      const ended = yield* inWorkflow(journal)(LumeWorkflow.wait({ name: "orders", run: "run_01HYE5ZJ4T8Q2W" }))
      assert.strictEqual(ended._tag, "Succeeded")
      assert.lengthOf(log.messages, 1)
      assert.include(log.messages[0], "onStatus")
    }).pipe(
      Effect.provide(log.layer),
      Effect.provide(
        clientLayer(
          fakeHttp(() => state("SUCCEEDED")),
          { wait: { onStatus: () => end } }
        )
      )
    )
  })

  it.effect("goes on for as long as its client's waits do, where nothing else is said", () =>
    Effect.gen(function* () {
      const begun = yield* millis
      const unlimited = LumeWorkflow.wait({ name: "orders", run: "run_01HYE5ZJ4T8Q2W", pollInterval: "1 minute" })
      const error = yield* LumeTest.waitFor(Effect.flip(inWorkflow(new Map())(unlimited)))
      assert.strictEqual(error._tag, "TimeoutError")
      assert.strictEqual((yield* millis) - begun, 10 * 60_000)
    }).pipe(
      Effect.provide(
        clientLayer(
          fakeHttp(() => state("CREATED")),
          { wait: { timeout: "10 minutes" } }
        )
      )
    )
  )

  it.effect("goes on for an hour where the client is none of ours", () =>
    Effect.gen(function* () {
      let asked: LumeClient.WaitOptions | undefined
      const client = Layer.mock(LumeClient.LumeClient, {
        wait: (_run, options) => {
          asked = options
          return Effect.succeed(LumeTest.run("Succeeded"))
        }
      })
      const wait = LumeWorkflow.wait({ name: "orders", run: "run_1" })
      yield* Effect.provide(inWorkflow(new Map())(wait), client)
      assert.strictEqual(asked?.timeout, 3_600_000)
    })
  )

  it.effect.each([0, Infinity])("may tolerate failures for %s milliseconds", (tolerance) =>
    Effect.gen(function* () {
      yield* LumeTest.failNext(2, "network", { on: "read" })
      const wait = LumeWorkflow.wait({ name: "orders", run: "run_1", timeout: "1 minute", tolerance })
      const error = yield* LumeTest.waitFor(Effect.flip(inWorkflow(new Map())(wait)))
      assert.strictEqual(error._tag, tolerance === 0 ? "TransportError" : "TimeoutError")
    }).pipe(Effect.provide(hanging))
  )

  it.effect("after a submit fails as waits do, with the run as it was submitted where it was read no more", () =>
    Effect.gen(function* () {
      const both = LumeWorkflow.runAndWait({ ...submission, timeout: "1 minute" })
      const late = yield* LumeTest.waitFor(Effect.flip(inWorkflow(new Map())(both)))
      assert.strictEqual(late._tag, "TimeoutError")

      const journal: Journal = new Map([["orders/wait/deadline/1", JSON.stringify({ success: { until: "then" } })]])
      const unread = yield* LumeTest.waitFor(Effect.flip(inWorkflow(journal)(both)))
      assert(unread._tag === "WaitFailedError")
      assert.strictEqual(unread.failure._tag, "DecodeError")
      assert.strictEqual(unread.lastRun.id, "run_test_2")
    }).pipe(Effect.provide(LumeTest.layer({ onRun: LumeTest.hangs })))
  )

  it.effect("goes on for ever where it is told so, through restarts", () =>
    Effect.gen(function* () {
      const journal: Journal = new Map()
      const forEver = inWorkflow(journal)(
        LumeWorkflow.wait({ name: "orders", run: "run_1", timeout: Infinity, pollInterval: "1 hour" })
      )
      yield* killedAfter("2 hours", forEver)
      const ended = yield* LumeTest.waitFor(forEver, { limit: "60 days" })
      assert.strictEqual(ended._tag, "Succeeded")
    }).pipe(Effect.provide(LumeTest.layer({ runs: { run_1: LumeTest.succeeds({ in: "40 days" }) } })))
  )

  it.effect("for a run that has ended returns it, and keeps and reads nothing", () =>
    Effect.gen(function* () {
      const journal: Journal = new Map()
      const run = LumeTest.run("Crashed")
      assert.strictEqual(yield* inWorkflow(journal)(LumeWorkflow.wait({ name: "orders", run })), run)
      assert.strictEqual(journal.size, 0)
    }).pipe(Effect.provide(hanging))
  )

  it.effect("with the name of a wait for another run is refused", () =>
    Effect.gen(function* () {
      const journal: Journal = new Map()
      yield* killedAfter("1 second", inWorkflow(journal)(wait))
      const error = yield* Effect.flip(inWorkflow(journal)(LumeWorkflow.wait({ name: "orders", run: "run_2" })))
      assert(error._tag === "InvalidRequestError")
      assert.include(error.message, "run_1")
    }).pipe(Effect.provide(hanging))
  )
})

describe("a run of more than 1 MiB", () => {
  const large = { rows: "x".repeat(1024 ** 2) }
  /** The run, as it is in so many answers, and then. */
  const http = (answers: number, after: (id: string) => Response) =>
    fakeHttp(({ method, url }, index) => {
      const id = method === "POST" ? "run_1" : url.slice(url.lastIndexOf("/") + 1)
      return index < answers
        ? json({ id, status: "SUCCEEDED", metadata: large, run_metadata: { team: "a" } })
        : after(id)
    })

  it.effect("is kept without its metadata, which is read again", () => {
    const fake = http(2, (id) => json({ id, status: "SUCCEEDED", metadata: large, run_metadata: {} }))
    return Effect.gen(function* () {
      const journal: Journal = new Map()
      for (const run of ["run_1", "run_1"]) {
        const ended = yield* inWorkflow(journal)(LumeWorkflow.wait({ name: "orders", run }))
        assert.strictEqual(ended._tag, "Succeeded")
        assert.deepStrictEqual(ended.rawMetadata, large)
      }
      assert.isBelow(journal.get("orders/wait/1")?.length ?? Infinity, 200)
    }).pipe(Effect.provide(clientLayer(fake)))
  })

  it.effect("is read once where it is given by the process that has read it", () => {
    const fake = fakeHttp(({ method }) =>
      json({ id: "run_1", status: method === "POST" ? "CREATED" : "SUCCEEDED", metadata: large, run_metadata: {} })
    )
    return Effect.gen(function* () {
      const ended = yield* inWorkflow(new Map())(LumeWorkflow.runAndWait(submission))
      assert.deepStrictEqual(ended.rawMetadata, large)
      assert.lengthOf(fake.sent, 2, "a submit and a read")
    }).pipe(Effect.provide(clientLayer(fake)))
  })

  it.effect("keeps its outcome where its metadata can't be read again", () => {
    const log = messages()
    const fake = http(1, () => new Response(null, { status: 404 }))
    return Effect.gen(function* () {
      const journal: Journal = new Map()
      const wait = inWorkflow(journal)(LumeWorkflow.wait({ name: "orders", run: "run_1" }))
      yield* wait
      const again = yield* wait
      assert(again._tag === "Succeeded")
      assert.deepStrictEqual(again.runMetadata, { team: "a" })
      assert.strictEqual((yield* Effect.flip(again.metadata))._tag, "MetadataDecodeError")
      assert.strictEqual(again.rawMetadata, undefined)
      assert.lengthOf(log.messages, 1)
      assert.include(log.messages[0], "The metadata of run run_1 is missing. Lume knows no run run_1")
    }).pipe(Effect.provide(log.layer), Effect.provide(clientLayer(fake)))
  })

  it.effect("is kept without its pairs too where they are what is large", () => {
    const fake = fakeHttp(() => json({ id: "run_1", status: "SUCCEEDED", metadata: {}, run_metadata: large }))
    return Effect.gen(function* () {
      const journal: Journal = new Map()
      const ended = yield* inWorkflow(journal)(LumeWorkflow.wait({ name: "orders", run: "run_1" }))
      assert.deepStrictEqual(ended.runMetadata, large)
      assert.isBelow(journal.get("orders/wait/1")?.length ?? Infinity, 200)
    }).pipe(Effect.provide(clientLayer(fake)))
  })

  it.effect("as the last one of a timeout is kept without its metadata", () => {
    const fake = fakeHttp(() => json({ id: "run_1", status: "CREATED", metadata: large }))
    return Effect.gen(function* () {
      const journal: Journal = new Map()
      const wait = inWorkflow(journal)(LumeWorkflow.wait({ name: "orders", run: "run_1", timeout: "7 seconds" }))
      const error = yield* LumeTest.waitFor(Effect.flip(wait))
      assert(error._tag === "TimeoutError")
      assert.strictEqual(Option.getOrThrow(error.lastRun).status, "CREATED")
      assert.isBelow(journal.get("orders/wait/1")?.length ?? Infinity, 500)
    }).pipe(Effect.provide(clientLayer(fake)))
  })
})

describe("the journal", () => {
  const layer = LumeTest.layer({ runs: { run_1: LumeTest.succeeds() } })
  const submit = LumeWorkflow.submit(submission)
  const wait = LumeWorkflow.wait({ name: "orders", run: "run_1" })

  it.effect("of every version is read by this one", () =>
    Effect.gen(function* () {
      for (const { gives, is, rows } of cases) {
        const journal: Journal = new Map(Object.entries(rows).map(([key, row]) => [key, JSON.stringify(row)]))
        const workflow = inWorkflow(journal)
        const tag =
          "orders/wait/1" in rows
            ? Either.merge(yield* Effect.either(workflow(wait)))._tag
            : Either.merge(yield* Effect.either(workflow(submit)))._tag
        assert.strictEqual(tag, gives, is)
      }
      assert.lengthOf(yield* LumeTest.requests, 0)
    }).pipe(Effect.provide(layer))
  )

  it.effect("is written as the cases are", () =>
    Effect.gen(function* () {
      const journal: Journal = new Map()
      yield* inWorkflow(journal)(submit)
      yield* LumeTest.waitFor(inWorkflow(journal)(wait))
      const keysOf = (row: string | undefined) => Object.keys(JSON.parse(row ?? "{}").success)
      const rows: Record<string, { readonly success: object }> = Object.assign(
        {},
        ...cases.toReversed().map((one) => one.rows)
      )
      for (const [key, row] of journal) {
        assert.deepStrictEqual(keysOf(row), Object.keys(rows[key]?.success ?? {}), key)
      }
      assert.strictEqual(journal.size, 4)
    }).pipe(Effect.provide(layer))
  )

  it.effect("that can't be read is a failure with a type, and nothing is sent", () =>
    Effect.gen(function* () {
      const row = FastCheck.jsonValue().filter(
        (value) => typeof value !== "object" || value === null || !("run" in value)
      )
      const rows = FastCheck.record({
        key: FastCheck.constantFrom("submit/intent", "submit", "wait/deadline", "wait"),
        row: FastCheck.oneof(FastCheck.record({ success: row }), FastCheck.record({ failure: row }))
      })
      for (const { key, row } of FastCheck.sample(rows, 200)) {
        const journal: Journal = new Map([[`orders/${key}/1`, JSON.stringify(row)]])
        const isSubmit = key.startsWith("submit")
        const workflow = inWorkflow(journal)
        const error = isSubmit ? yield* Effect.flip(workflow(submit)) : yield* Effect.flip(workflow(wait))
        const decode = error._tag === "SubmitOutcomeUnknownError" ? error.failure : error
        assert.strictEqual(error._tag, isSubmit ? "SubmitOutcomeUnknownError" : "DecodeError")
        assert.strictEqual(decode._tag, "DecodeError")
        assert.include(error.message, "journal")
      }
      assert.lengthOf(yield* LumeTest.requests, 0)
    }).pipe(Effect.provide(layer))
  )
})
