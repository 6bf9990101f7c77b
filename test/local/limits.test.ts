/**
 * What a run may use: memory, disk, time; and what a job can't ask for.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Deferred from "effect/Deferred"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as path from "node:path"
import type { LocalFlow } from "../../src/local/LocalFlow.js"
import { distance, endless, failure, finished, flow, folders, live, people, query, run, written } from "./support.js"

const make = (sql: string): LocalFlow => ({ name: "slow", version: "v1", fields: { x: sql }, tests: [] })

/** What is far from done in a second, and is stopped at once when it is asked to. */

describe("memory", () => {
  live("that is too little: FAILED, with what to do", () =>
    Effect.gen(function* () {
      const places = yield* folders({ "people.csv": people })
      const outcome = yield* run(places, "people.csv", { memoryLimit: FileSystem.MiB(1) })
      const { errorCode, message } = failure(outcome)
      assert.strictEqual(errorCode, "OUT_OF_MEMORY")
      assert.include(message, "Raise the memory limit")
      assert.deepStrictEqual(yield* written(places), [])
    })
  )

  live("that does not suffice is had from the folder for spilling, which is empty afterwards", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const text = "x".repeat(80)
      const rows = Array.from({ length: 200_000 }, (_, row) => `${(row * 7919) % 200_000},${text}${row * 31}`)
      const places = yield* folders({ "a.csv": `v,text\n${rows.join("\n")}\n` })
      const spillFolder = path.join(places.root, "spill")
      const spilled = yield* Deferred.make<ReadonlyArray<string>>()
      const outcome = yield* run(places, "a.csv", {
        flow: {
          ...make("row_number() OVER (ORDER BY v::INT)"),
          fields: { text: "text", n: "row_number() OVER (ORDER BY v::INT)" }
        },
        memoryLimit: FileSystem.MiB(64),
        spillFolder,
        onStage: (stage) =>
          stage === "SYNCING_TARGET"
            ? Effect.asVoid(
                Deferred.complete(spilled, Effect.orDie(files.readDirectory(spillFolder, { recursive: true })))
              )
            : Effect.void
      })
      assert.strictEqual(finished(outcome).results.mappedRows, 200_000)
      // the run's own folder, and what is in it
      assert.isAbove((yield* Deferred.await(spilled)).length, 1)
      assert.deepStrictEqual(yield* files.readDirectory(spillFolder), [])
    })
  )
})

const realTime = Effect.withClock(Clock.make())

describe("time", () => {
  /** A run that is in TRANSFORMING, whose limit is an hour of the test's clock. */
  const transforming = (places: Effect.Effect.Success<ReturnType<typeof folders>>, expression: string) =>
    Effect.gen(function* () {
      const entered = yield* Deferred.make<void>()
      const running = yield* Effect.fork(
        run(places, "people.csv", {
          flow: make(expression),
          runTimeout: "1 hour",
          onStage: (stage) =>
            stage === "TRANSFORMING" ? Effect.asVoid(Deferred.succeed(entered, undefined)) : Effect.void
        })
      )
      yield* Deferred.await(entered)
      return running
    })

  it.scoped("that is over: FAILED with RUN_TIMEOUT, in the stage that it was in, and nothing left", () =>
    Effect.gen(function* () {
      const places = yield* folders({ "people.csv": people })
      const running = yield* transforming(places, endless)
      yield* TestClock.adjust("1 hour")
      const { errorCode, message, stage } = failure(yield* Fiber.join(running))
      assert.strictEqual(`${stage} ${errorCode}`, "TRANSFORMING RUN_TIMEOUT")
      assert.include(message, "time limit of 1h.")
      assert.deepStrictEqual(yield* written(places), [])
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )

  live("that is infinite is allowed", () =>
    Effect.gen(function* () {
      const places = yield* folders({ "people.csv": people })
      assert.strictEqual((yield* run(places, "people.csv", { runTimeout: Infinity })).status, "PARTIAL_FAILED")
    })
  )

  it.scoped("is not spent on an expression that does not heed its interruption", () =>
    Effect.gen(function* () {
      const places = yield* folders({ "people.csv": people })
      const [taken] = yield* realTime(Effect.timed(query(`SELECT ${distance("'a'", 6000)} AS x`)))
      // DuckDB looks for an interruption between steps of 2,048 values. Five of these are one step, of some seconds on
      // any machine: a distance takes the square of the length.
      const length = Math.ceil(6000 * Math.sqrt(1500 / Duration.toMillis(taken)))
      const slow = (text: string) => distance(text, length)
      const running = yield* transforming(places, slow("Id"))
      const three = yield* Effect.fork(query(`SELECT ${slow("range::VARCHAR")} AS x FROM range(3)`))
      // So that DuckDB has begun.
      yield* realTime(Effect.sleep("500 millis"))
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(failure(yield* Fiber.join(running)).errorCode, "RUN_TIMEOUT")
      assert(Option.isNone(yield* Fiber.poll(three)), "three of the five values take less time than the wait")
      assert.deepStrictEqual(yield* written(places), [])
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )
})

describe("expressions that do not heed their interruption", () => {
  live("end by themselves after their time is over, and hold nothing that later runs need", () =>
    Effect.gen(function* () {
      const places = yield* folders({ "people.csv": "Id\n1\n" })
      const [taken] = yield* Effect.timed(query(`SELECT ${distance("'a'", 6000)} AS x`))
      // longer than the two seconds that an interrupted run waits for it
      const length = Math.ceil(6000 * Math.sqrt(3500 / Duration.toMillis(taken)))
      const deaf = { ...make(`${distance("Id", length)}`), tests: [] }
      // DuckDB computes on the threads that Node reads files with: there are four
      const outcomes = yield* Effect.all(
        Array.from({ length: 4 }, (_, index) =>
          run(places, "people.csv", { runId: `run_${index}`, flow: deaf, runTimeout: "300 millis" })
        ),
        { concurrency: "unbounded" }
      )
      for (const outcome of outcomes) assert.strictEqual(failure(outcome).errorCode, "RUN_TIMEOUT")
      const after = yield* run(places, "people.csv", { runId: "run_after", flow: make("Id") })
      assert.strictEqual(after.status, "SUCCEEDED")
    })
  )
})

describe("a job that can't be run", () => {
  const ids = ["", ".", "..", ".hidden", "a/b", "../a", "a\\b", "a\u0000b", "a\nb", "x".repeat(61)]

  live("has a run id that is no file name", () =>
    Effect.gen(function* () {
      const places = yield* folders({ "people.csv": people })
      for (const runId of ids) {
        const { errorCode, message } = failure(yield* run(places, "people.csv", { runId }))
        assert.strictEqual(errorCode, "JOB_INVALID", runId)
        assert.include(message, "is no file name")
      }
      assert.deepStrictEqual(yield* written(places), [])
      for (const runId of ["run_01JA.b-c", "é 😀", "a:b", "x".repeat(60)]) {
        assert.strictEqual((yield* run(places, "people.csv", { runId })).status, "PARTIAL_FAILED", runId)
      }
    })
  )

  live("has the id of a run whose output is there", () =>
    Effect.gen(function* () {
      const places = yield* folders({ "people.csv": people })
      yield* run(places, "people.csv")
      const before = yield* written(places)
      const { errorCode, message } = failure(yield* run(places, "people.csv"))
      assert.strictEqual(errorCode, "TARGET_NOT_WRITABLE")
      assert.include(message, "another id")
      assert.deepStrictEqual(yield* written(places), before)
    })
  )

  live("has a limit that can't be one, or a field whose place is lost", () =>
    Effect.gen(function* () {
      const places = yield* folders({ "people.csv": people })
      const wrong = [
        { memoryLimit: 0 },
        { memoryLimit: -1n },
        { memoryLimit: Number.NaN },
        { memoryLimit: 1.5 },
        { runTimeout: 0 },
        { runTimeout: -1 },
        { runTimeout: Number.NaN },
        { runTimeout: Duration.zero },
        { flow: { ...flow, fields: { ...flow.fields, 2: "Id" } } }
      ]
      for (const options of wrong) {
        const { errorCode, message } = failure(yield* run(places, "people.csv", options))
        assert.strictEqual(errorCode, "JOB_INVALID", message)
        assert.include(message, "flow" in options ? '"2"' : Object.keys(options).join())
      }
    })
  )
})
