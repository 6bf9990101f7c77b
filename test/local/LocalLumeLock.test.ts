/**
 * One local Lume at a time on a targets folder, whichever process it is in.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as path from "node:path"
import { clean, live, quickly, refusal, serve } from "./lume.js"
import * as processes from "./process.js"
import { flow, folders } from "./support.js"

const inProcess = (targets: string) =>
  `Another local Lume of this process has the folder ${path.join(targets, ".lume")} in use. Close it first, or use another targets folder.`

const inAnother = (targets: string) =>
  `Another local Lume in another process has the folder ${path.join(targets, ".lume")} in use. Close it first, or use another targets folder.`

const setUp = Effect.map(folders({ "clean.csv": clean }), (places) => ({ ...places, flows: [flow] }))

describe("a second local Lume on the same folder", () => {
  live("is refused in the same process, under any name of the folder, until the first has closed", () =>
    Effect.gen(function* () {
      const { root, ...options } = yield* setUp
      const files = yield* FileSystem.FileSystem
      const link = path.join(root, "link")
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* serve(options)
          yield* files.symlink(options.targets, link)
          assert.strictEqual(yield* refusal(options), inProcess(options.targets))
          assert.strictEqual(yield* refusal({ ...options, targets: link }), inProcess(link))
        })
      )
      yield* serve(options)
    })
  )

  live("is refused once where both start at once", () =>
    Effect.gen(function* () {
      const { root: _, ...options } = yield* setUp
      const both = yield* Effect.all([Effect.exit(serve(options)), Effect.exit(serve(options))], {
        concurrency: "unbounded"
      })
      assert.sameMembers(
        both.map(({ _tag }) => _tag),
        ["Success", "Failure"]
      )
    })
  )

  live("is refused in another process, also after one was refused in this", () =>
    Effect.gen(function* () {
      const { root: _, ...options } = yield* setUp
      yield* serve(options)
      // A lock of the kernel's would be gone if the one that is refused had opened the file.
      yield* refusal(options)
      const other = yield* processes.serve(options)
      assert.deepStrictEqual(yield* other.next, { error: inAnother(options.targets) })
    })
  )

  live("is refused also after a run was to read the lock, or any other file of the store", () =>
    Effect.gen(function* () {
      const { root, ...options } = yield* setUp
      const { lume } = yield* serve({ ...options, sources: root })
      const codes = yield* Effect.forEach(
        ["targets/.lume/lock/database", "targets/.LUME/keys.json", "targets\\.lume\\journal.jsonl"],
        (sourcePath) =>
          Effect.gen(function* () {
            const run = yield* lume.runAndWait({ flowVersion: "people:v1", sourcePath }, quickly)
            assert(run._tag === "Failed", run._tag)
            return (yield* run.metadata).errors[0]?.errorCode
          })
      )
      assert.deepStrictEqual(new Set(codes), new Set(["SOURCE_NOT_ALLOWED"]))
      const other = yield* processes.serve(options)
      assert.deepStrictEqual(yield* other.next, { error: inAnother(options.targets) })
    })
  )

  live("is refused as long as the other process lives, however that ends", () =>
    Effect.gen(function* () {
      const { root: _, ...options } = yield* setUp
      const other = yield* processes.serve(options)
      assert.isString((yield* other.next).url)
      assert.strictEqual(yield* refusal(options), inAnother(options.targets))
      yield* other.signal("SIGKILL")
      yield* other.ended
      yield* serve(options)
    })
  )

  live("is refused where two processes are the first ones at the same time", () =>
    Effect.gen(function* () {
      const { root: _, ...options } = yield* setUp
      const two = yield* Effect.all([processes.serve(options), processes.serve(options)])
      const said = yield* Effect.forEach(two, ({ next }) => next, { concurrency: "unbounded" })
      assert.strictEqual(said.filter(({ url }) => url !== undefined).length, 1)
      assert.strictEqual(said.filter(({ error }) => error === inAnother(options.targets)).length, 1)
      const files = yield* FileSystem.FileSystem
      const left = yield* files.readDirectory(path.join(options.targets, ".lume"))
      assert.sameMembers(left, ["journal.jsonl", "keys.json", "lock"])
    })
  )
})

describe("a lock", () => {
  live("that is gone is made anew; one that can't be read is named", () =>
    Effect.gen(function* () {
      const { root: _, ...options } = yield* setUp
      const files = yield* FileSystem.FileSystem
      const lock = path.join(options.targets, ".lume/lock")
      yield* Effect.scoped(serve(options))
      yield* files.remove(lock, { recursive: true })
      yield* Effect.scoped(serve(options))
      yield* files.writeFileString(path.join(lock, "database"), "This is no database. ".repeat(1000))
      const message = yield* refusal(options)
      assert.include(message, `The lock ${lock} can't be had: `)
      assert.include(message, `If no local Lume uses the folder, remove ${lock}.`)
    })
  )
})
