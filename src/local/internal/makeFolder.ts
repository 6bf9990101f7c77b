/**
 * Makes a folder and those above it.
 */
import type * as PlatformError from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as path from "node:path"

/** Whether a folder is there. */
export const isFolder = (folder: string): Effect.Effect<boolean, never, FileSystem.FileSystem> =>
  Effect.flatMap(FileSystem.FileSystem, (files) =>
    Effect.match(files.stat(folder), { onFailure: () => false, onSuccess: ({ type }) => type === "Directory" })
  )

/** Whether the system says that something is not there. */
export const isMissing = (error: PlatformError.PlatformError): boolean =>
  (error._tag === "SystemError" ? error.reason : error._tag) === "NotFound"

/**
 * Makes a folder, and those above it where they are missing; unless told otherwise, only this user can read them. One
 * that is there stays as it is.
 *
 * Not by Node's `recursive`, which tries for ever where the system says of a folder that is there that nothing can be made
 * in it because it is missing, as Linux does in `/proc`.
 */
export const makeFolder = (
  folder: string,
  mode = 0o700
): Effect.Effect<void, PlatformError.PlatformError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const make = files.makeDirectory(folder, { mode })
    const above = path.dirname(path.resolve(folder))
    yield* make.pipe(
      Effect.catchIf(
        (error) => isMissing(error) && above !== path.resolve(folder),
        () => Effect.zipRight(makeFolder(above, mode), make)
      ),
      Effect.catchAll((error) => Effect.filterOrFail(isFolder(folder), Boolean, () => error))
    )
  })
