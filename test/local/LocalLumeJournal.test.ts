/**
 * The store on a disk that is slow or full, which no real one is when a test wants it.
 */
import * as PlatformError from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { assert, describe } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as handlers from "../../src/local/internal/handlers.js"
import * as http from "../../src/local/internal/http.js"
import { JournalError } from "../../src/local/internal/journal.js"
import type * as ledger from "../../src/local/internal/ledger.js"
import * as runs from "../../src/local/internal/runs.js"
import { layerDisk, layerMemory, Store } from "../../src/local/internal/store.js"
import { flowVersion } from "../../src/local/LocalFlow.js"
import * as LumeRun from "../../src/LumeRun.js"
import { FlowVersion } from "../../src/RunRequest.js"
import { clean, live } from "./lume.js"
import { flow, folders } from "./support.js"

const quiet = Logger.minimumLogLevel(LogLevel.None)

const retention = { keepFor: Infinity, keepRuns: 10_000 }

const accepted = (id: string): ledger.Entry => ({
  _tag: "Accepted",
  id: LumeRun.RunId.make(id),
  at: 0,
  request: { flowVersion: FlowVersion.make("people:v1"), sourcePath: "clean.csv" }
})

/** A disk that does what a test says. */
interface Disk {
  syncs: number
  /** How many bytes of a write reach the file before it fails. */
  room: number
  /** Whether a file can be cut back. */
  canTruncate: boolean
  canRename: boolean
  /** Until what a sync waits. */
  sync: Effect.Effect<void>
}

const full = new PlatformError.SystemError({
  module: "FileSystem",
  method: "writeAll",
  reason: "Unknown",
  description: "no space left on device"
})

const spoil = (file: FileSystem.File, disk: Disk): FileSystem.File => {
  const spoilt: Pick<FileSystem.File, "sync" | "truncate" | "writeAll"> = {
    truncate: (length) => (disk.canTruncate ? file.truncate(length) : Effect.fail(full)),
    writeAll: (buffer) =>
      buffer.length <= disk.room
        ? file.writeAll(buffer)
        : Effect.zipRight(file.writeAll(buffer.subarray(0, disk.room)), Effect.fail(full)),
    sync: Effect.suspend(() => {
      disk.syncs += 1
      return Effect.zipRight(disk.sync, file.sync)
    })
  }
  return Object.create(file, Object.getOwnPropertyDescriptors(spoilt))
}

/** A store on such a disk. */
const setUp = Effect.gen(function* () {
  const disk: Disk = { syncs: 0, room: Infinity, canTruncate: true, canRename: true, sync: Effect.void }
  const files = yield* FileSystem.FileSystem
  const { targets } = yield* folders({})
  const spoilt = Layer.succeed(FileSystem.FileSystem, {
    ...files,
    rename: (from, to) => (disk.canRename ? files.rename(from, to) : Effect.fail(full)),
    open: (path, options) => Effect.map(files.open(path, options), (file) => spoil(file, disk))
  })
  const open = Effect.map(
    Layer.build(Layer.provide(layerDisk(`${targets}/.lume`, retention), spoilt)),
    Context.get(Store)
  )
  const idsAfterwards = Effect.scoped(
    Effect.gen(function* () {
      const ledger = yield* (yield* open).ledger
      return ledger.unfinished().map(({ id }): string => id)
    })
  )
  return { disk, open, idsAfterwards, journal: `${targets}/.lume/journal.jsonl`, files }
})

describe("an entry", () => {
  live("is on disk before anybody hears of it, and all that wait share a sync", () =>
    Effect.gen(function* () {
      const { disk, files, journal, open } = yield* setUp
      const store = yield* open
      const gate = yield* Effect.makeLatch(false)
      disk.sync = gate.await
      disk.syncs = 0
      const isThere = (id: string) => Effect.map(store.ledger, (ledger) => ledger.run(id) !== undefined)

      const first = yield* Effect.fork(store.add(accepted("run_0")))
      yield* Effect.repeat(files.readFileString(journal), { until: (text) => text.includes("run_0") })
      assert.isNull(yield* Fiber.poll(first).pipe(Effect.map(Option.getOrNull)))
      assert.isFalse(yield* isThere("run_0"))
      const others = yield* Effect.forEach(Array.from({ length: 200 }), (_, index) =>
        Effect.fork(store.add(accepted(`run_${index + 1}`)))
      )
      yield* Effect.yieldNow({ priority: 1 })
      yield* gate.open
      yield* Fiber.join(first)
      yield* Fiber.joinAll(others)
      assert.isTrue(yield* isThere("run_200"))
      assert.isAtMost(disk.syncs, 3)
    })
  )

  live("that the disk has no room for is refused, and leaves nothing behind", () =>
    Effect.gen(function* () {
      const { disk, idsAfterwards, open } = yield* setUp
      yield* Effect.scoped(
        Effect.gen(function* () {
          const store = yield* open
          yield* store.add(accepted("run_1"))
          disk.room = 20
          const error = yield* Effect.flip(store.add(accepted("run_2")))
          assert.include(error.message, "journal.jsonl can't be written: ")
          assert.include(error.message, "no space left on device")
          assert.isUndefined((yield* store.ledger).run("run_2"))
          // as long as what was begun can't be undone, nothing may follow it
          disk.canTruncate = false
          yield* Effect.flip(store.add(accepted("run_3")))
          disk.room = Infinity
          yield* Effect.flip(store.add(accepted("run_4")))
          disk.canTruncate = true
          yield* store.add(accepted("run_5"))
        })
      )
      assert.deepStrictEqual(yield* idsAfterwards, ["run_1", "run_5"])
    })
  )
})

describe("the journal", () => {
  for (const [what, lose] of [
    ["deleted", (files: FileSystem.FileSystem, journal: string) => files.remove(journal)],
    [
      // as a server in another thread of this process does, which no lock of the kernel's keeps away
      "replaced by another store's",
      (files: FileSystem.FileSystem, journal: string) =>
        Effect.zipRight(files.copyFile(journal, `${journal}.other`), files.rename(`${journal}.other`, journal))
    ]
  ] as const) {
    live(`is refused where the journal was ${what}: nobody hears of what the next start does not know`, () =>
      Effect.gen(function* () {
        const { files, idsAfterwards, journal, open } = yield* setUp
        yield* Effect.scoped(
          Effect.gen(function* () {
            const store = yield* open
            yield* store.add(accepted("run_1"))
            yield* lose(files, journal)
            const { message } = yield* Effect.flip(store.add(accepted("run_2")))
            assert.include(message, "was deleted, or replaced")
            assert.deepStrictEqual(
              (yield* store.ledger).unfinished().map(({ id }): string => id),
              ["run_1"]
            )
          })
        )
        assert.notInclude(yield* idsAfterwards, "run_2")
      })
    )
  }

  live("is written anew when most of it is no longer needed, and goes on where that fails", () =>
    Effect.gen(function* () {
      const { disk, files, idsAfterwards, journal, open } = yield* setUp
      const lines = Effect.map(files.readFileString(journal), (text) => text.trim().split("\n").length)
      yield* Effect.scoped(
        Effect.gen(function* () {
          const store = yield* open
          yield* store.add(accepted("run_1"))
          const delivered = store.add({ _tag: "Delivered", id: LumeRun.RunId.make("run_0") })
          const tooMany = Effect.all(Effect.replicate(delivered, 1_010), { concurrency: "unbounded", discard: true })
          disk.canRename = false
          yield* tooMany
          yield* store.add(accepted("run_2"))
          assert.isAbove(yield* lines, 1_010)
          disk.canRename = true
          yield* tooMany
          yield* Effect.repeat(lines, { until: (count) => count < 100 })
          yield* store.add(accepted("run_3"))
        })
      )
      assert.deepStrictEqual(yield* idsAfterwards, ["run_1", "run_2", "run_3"])
    }).pipe(Effect.provide(quiet))
  )
})

describe("a full disk", () => {
  /** A store of which some entries are refused, as many times as is left to. */
  const refusing = (left: { [tag: string]: number }) =>
    Layer.effect(
      Store,
      Effect.map(Store, (store) => ({
        ...store,
        add: (entry: ledger.Entry) =>
          Effect.suspend(() => {
            const times = left[entry._tag] ?? 0
            if (times === 0) return store.add(entry)
            left[entry._tag] = times - 1
            return Effect.fail(new JournalError({ message: "no space left on device" }))
          })
      }))
    ).pipe(Layer.provide(layerMemory(retention)))

  live("answers a submit with 503, and an end is told once there is room", () =>
    Effect.gen(function* () {
      const places = yield* folders({ "clean.csv": clean })
      const flows = new Map([[flowVersion(flow), flow]])
      const limits = { memoryLimit: undefined, spillFolder: undefined, runTimeout: Duration.infinity }
      const made = yield* runs.make({ ...places, flows, limits, concurrency: 1, deliver: Option.none() })
      const apiKey = Redacted.make("a-key")
      const app = yield* handlers.make({ flows, runs: made, apiKey })
      const url = yield* http.serve(app, { host: "127.0.0.1", port: 0, fault: undefined })
      yield* made.start
      const send = (place: string, init: RequestInit = {}) =>
        Effect.promise(async () => {
          const response = await fetch(url + place, { ...init, headers: { "lume-api-key": "a-key" } })
          return { status: response.status, body: await response.json() }
        })
      const body = JSON.stringify({ flow_version: "people:v1", source_path: "clean.csv" })
      const submit = send("/runs", { method: "POST", body })
      assert.deepStrictEqual(yield* submit, { status: 503, body: { detail: "no space left on device" } })
      const { body: run, status } = yield* submit
      assert.strictEqual(status, 201)
      yield* Effect.repeat(send(`/runs/${run.id}`), { until: ({ body }) => body.status === "SUCCEEDED" })
    }).pipe(Effect.provide([refusing({ Accepted: 1, Ended: 1 }), NodeHttpServer.layerContext, quiet]))
  )
})
