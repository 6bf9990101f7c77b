/**
 * The folders that a run works in. It makes them itself, each under a name that nothing else has, so that it removes
 * nothing but its own; what is there under such a name already is another run's, or was left by one.
 */
import type * as PlatformError from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as path from "node:path"
import { makeFolder } from "./makeFolder.js"

/** Where a run works. */
export interface Folders {
  /** The run's output, which is not there before all of it is. */
  readonly target: string
  readonly work: string
  readonly spill: string | undefined
}

/** A run's folder in `targets`, beside its output, so that moving is one step. */
export const workName = (runId: string): string => `.${runId}.work`

/** A run's folder in the folder for spilling, which may be `targets` itself. */
export const spillName = (runId: string): string => `.${runId}.spill`

/** Makes a folder that only this user can read, gone when the scope closes. Fails where there is something of its name. */
const own = (
  parent: string,
  name: string
): Effect.Effect<string, PlatformError.PlatformError, FileSystem.FileSystem | Scope.Scope> =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const folder = path.join(path.resolve(parent), name)
    yield* makeFolder(path.dirname(folder))
    return yield* Effect.acquireRelease(Effect.as(files.makeDirectory(folder, { mode: 0o700 }), folder), () =>
      Effect.ignoreLogged(files.remove(folder, { recursive: true, force: true }))
    )
  })

/** The folders of a run, gone when the scope closes, but for its output. Fails where one of them is there. */
export const make = ({
  runId,
  spillFolder,
  targets
}: {
  readonly runId: string
  readonly spillFolder?: string | undefined
  readonly targets: string
}): Effect.Effect<Folders, PlatformError.PlatformError, FileSystem.FileSystem | Scope.Scope> =>
  Effect.gen(function* () {
    const work = yield* own(targets, workName(runId))
    const spill = spillFolder === undefined ? undefined : yield* own(spillFolder, spillName(runId))
    return { target: path.join(path.resolve(targets), runId), work, spill }
  })
