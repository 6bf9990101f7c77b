/**
 * Keeps a folder to one local Lume at a time, whichever process it is in.
 *
 * Between processes the lock is the kernel's, which ends with the process however that ends: the one that DuckDB takes on
 * a database file that it has open. The kernel frees it as soon as *any* handle of this process on that file is
 * closed. So nothing here may ever read, copy or open that file a second time, and it is not opened where it was made.
 *
 * Within a process that lock does not hold. Here it is a set that every copy of this module in the thread shares. Worker
 * threads share neither; there the journal tells that another one has taken its place.
 */
import { DuckDBInstance } from "@duckdb/node-api"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { randomUUID } from "node:crypto"
import * as path from "node:path"
import { because, LocalLumeError } from "./error.js"
import { makeFolder } from "./makeFolder.js"

const inUse = (folder: string, where: string): LocalLumeError =>
  new LocalLumeError({
    message: `Another local Lume ${where} has the folder ${folder} in use. Close it first, or use another targets folder.`
  })

// ---------------------------------------------------------------------------------------------------------------------
// Within this process

const shared = Symbol.for("effect-lume/local/folders")

const folders = (): Set<string> => {
  const found: unknown = Reflect.get(globalThis, shared)
  if (found instanceof Set) return found
  const made = new Set<string>()
  Reflect.set(globalThis, shared, made)
  return made
}

const acquireInProcess = (folder: string, id: string): Effect.Effect<void, LocalLumeError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.suspend(() => {
      if (folders().has(id)) return inUse(folder, "of this process")
      folders().add(id)
      return Effect.void
    }),
    () => Effect.sync(() => folders().delete(id))
  )

// ---------------------------------------------------------------------------------------------------------------------
// Between processes

const unusable = (folder: string) =>
  because((why) => `The folder ${folder} can't be used: ${why}. Check that there is space, and its permissions.`)

const openDatabase = (file: string) =>
  Effect.tryPromise({
    try: () => DuckDBInstance.create(file, { threads: "1", memory_limit: "16MB" }),
    catch: (error) => ({ message: error instanceof Error ? error.message : String(error) })
  })

const close = (database: DuckDBInstance) => Effect.sync(() => database.closeSync())

const name = "database"

const maker = "lock-"

/**
 * Makes the file to be locked, in a folder of its own that appears in one step: of two processes that do so at the same
 * time, both then lock the file of the first.
 */
const makeFile = (folder: string, place: string) =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const isMade = files.exists(path.join(place, name))
    if (yield* isMade) return
    const made = path.join(folder, `${maker}${randomUUID()}`)
    yield* files.makeDirectory(made, { mode: 0o700 }).pipe(
      Effect.zipRight(Effect.flatMap(openDatabase(path.join(made, name)), close)),
      Effect.zipRight(files.rename(made, place)),
      Effect.catchAll((error) => Effect.filterOrFail(isMade, Boolean, () => error))
    )
  })

/** What processes have left that ended before their file appeared, or that were not the first. */
const clear = (folder: string) =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const names = yield* files.readDirectory(folder)
    yield* Effect.forEach(
      names.filter((name) => name.startsWith(maker)),
      (name) => files.remove(path.join(folder, name), { recursive: true }),
      { discard: true }
    )
  })

const isConflict = /Conflicting lock|used by another process/

const acquireFromKernel = (folder: string): Effect.Effect<void, LocalLumeError, FileSystem.FileSystem | Scope.Scope> =>
  Effect.gen(function* () {
    const place = path.join(folder, "lock")
    yield* Effect.mapError(makeFile(folder, place), unusable(folder))
    yield* Effect.acquireRelease(
      Effect.mapError(openDatabase(path.join(place, name)), (error) =>
        isConflict.test(error.message)
          ? inUse(folder, "in another process")
          : new LocalLumeError({
              message: `The lock ${place} can't be had: ${error.message}. If no local Lume uses the folder, remove ${place}.`
            })
      ),
      close
    )
    yield* Effect.mapError(clear(folder), unusable(folder))
  })

/** Makes the folder where it is missing, and keeps it until the scope closes. Fails where another local Lume has it. */
export const acquire = (folder: string): Effect.Effect<void, LocalLumeError, FileSystem.FileSystem | Scope.Scope> =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const id = yield* makeFolder(folder).pipe(
      Effect.zipRight(Effect.zip(files.realPath(folder), files.stat(folder))),
      // A folder has one inode under all of its names; where there are none, its real path has to do.
      Effect.map(([real, { dev, ino }]) => Option.match(ino, { onNone: () => real, onSome: (ino) => `${dev}:${ino}` })),
      Effect.mapError(unusable(folder))
    )
    yield* acquireInProcess(folder, id)
    yield* acquireFromKernel(folder)
  })
