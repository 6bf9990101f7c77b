/**
 * The folders that a run makes: they are its own, and it removes no other.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as path from "node:path"
import type * as LocalEngine from "../../src/local/LocalEngine.js"
import { failure, finished, flow, folders, live, people, run, written } from "./support.js"

const make = Effect.suspend(() => folders({ "people.csv": people }))

/** A run that stands in one of its stages until it may go on. */
const standing = (
  places: Effect.Effect.Success<typeof make>,
  stage: LocalEngine.Stage,
  options: Partial<LocalEngine.Job> = {}
) =>
  Effect.gen(function* () {
    const entered = yield* Deferred.make<void>()
    const mayGoOn = yield* Deferred.make<void>()
    const onStage = (now: LocalEngine.Stage) =>
      now === stage ? Effect.zipRight(Deferred.succeed(entered, undefined), Deferred.await(mayGoOn)) : Effect.void
    const running = yield* Effect.fork(run(places, "people.csv", { onStage, ...options }))
    yield* Deferred.await(entered)
    return { running, goOn: Deferred.succeed(mayGoOn, undefined) }
  })

describe("a folder for spilling", () => {
  live("may be the targets folder, by whatever name: the output stays", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const places = yield* make
      yield* files.makeDirectory(places.targets)
      const link = path.join(places.root, "link")
      yield* files.symlink(places.targets, link)
      for (const [index, spillFolder] of [places.targets, link].entries()) {
        finished(yield* run(places, "people.csv", { runId: `run_${index}`, spillFolder }))
        assert.includeMembers(yield* files.readDirectory(path.join(places.targets, `run_${index}`)), [
          "mapped.csv",
          "rejects.csv"
        ])
      }
      assert.deepStrictEqual((yield* files.readDirectory(places.targets)).toSorted(), ["run_0", "run_1"])
    })
  )

  live("keeps what is there, also under the run's id", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const places = yield* make
      const spillFolder = path.join(places.root, "spill")
      yield* files.makeDirectory(path.join(spillFolder, "run_1"), { recursive: true })
      yield* files.writeFileString(path.join(spillFolder, "run_1", "precious"), "")
      finished(yield* run(places, "people.csv", { spillFolder }))
      assert.deepStrictEqual(yield* files.readDirectory(spillFolder, { recursive: true }), ["run_1", "run_1/precious"])
    })
  )
})

describe("a hidden folder beside the output", () => {
  live("is kept: a run of that name is made all the same", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const places = yield* make
      for (const runId of ["lume", "git"]) {
        const precious = path.join(places.targets, `.${runId}`)
        yield* files.makeDirectory(precious, { recursive: true })
        yield* files.writeFileString(path.join(precious, "precious"), "")
        finished(yield* run(places, "people.csv", { runId }))
        assert.deepStrictEqual(yield* files.readDirectory(precious), ["precious"])
      }
    })
  )
})

describe("a second run of an id", () => {
  live("is refused while the first goes on, which ends as if it had been alone", () =>
    Effect.gen(function* () {
      const places = yield* make
      const { goOn, running } = yield* standing(places, "SYNCING_TARGET")
      const { errorCode, message } = failure(yield* run(places, "people.csv"))
      assert.strictEqual(errorCode, "TARGET_NOT_WRITABLE")
      assert.include(message, "another id")
      yield* goOn
      finished(yield* Fiber.join(running))
      assert.deepStrictEqual(yield* written(places), ["run_1", "run_1/mapped.csv", "run_1/rejects.csv"])
    })
  )

  it.scoped("does not lose its output to one that runs out of time", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const places = yield* make
      const { running } = yield* standing(places, "TRANSFORMING", { runTimeout: "1 hour" })
      // as another program would
      yield* files.makeDirectory(path.join(places.targets, "run_1"))
      yield* files.writeFileString(path.join(places.targets, "run_1", "precious"), "")
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(failure(yield* Fiber.join(running)).errorCode, "RUN_TIMEOUT")
      assert.deepStrictEqual(yield* written(places), ["run_1", "run_1/precious"])
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )

  live("is told so where an earlier process has left its work", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const places = yield* make
      const { running } = yield* standing(places, "SYNCING_TARGET")
      const left = (yield* files.readDirectory(places.targets)).find((name) => name.startsWith(".")) ?? ""
      yield* Fiber.interrupt(running)
      assert.deepStrictEqual(yield* written(places), [])
      yield* files.makeDirectory(path.join(places.targets, left))
      assert.include(failure(yield* run(places, "people.csv", { flow })).message, "another id")
      assert.deepStrictEqual(yield* written(places), [left])
    })
  )
})
