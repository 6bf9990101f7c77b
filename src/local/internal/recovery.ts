/**
 * What a local Lume does first: it settles what the last process on its folder has left behind.
 */
import type * as PlatformError from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as path from "node:path"
import { spillName, workName } from "./folders.js"
import type { JournalError } from "./journal.js"
import { broken } from "./outcome.js"
import type { Settings } from "./options.js"
import { Store } from "./store.js"

/**
 * The work folders of runs that had not ended go, also of those that are still `CREATED`, which are left to be run: their
 * folders are made before anybody is told that they have begun. Runs that had begun end as `CRASHED`, without output.
 *
 * Only of these: others may work in these folders meanwhile, a server without a store or the engine by itself.
 */
export const recover = (
  { limits: { spillFolder }, targets }: Pick<Settings, "targets" | "limits">,
  deliver: boolean
): Effect.Effect<void, JournalError | PlatformError.PlatformError, FileSystem.FileSystem | Store> =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const store = yield* Store
    const remove = (folder: string, name: string) =>
      files.remove(path.join(folder, name), { recursive: true, force: true })

    const unfinished = (yield* store.ledger).unfinished()
    yield* Effect.forEach(
      unfinished,
      ({ id }) =>
        Effect.all([
          remove(targets, workName(id)),
          remove(targets, spillName(id)),
          spillFolder === undefined ? Effect.void : remove(spillFolder, spillName(id))
        ]),
      { discard: true }
    )
    yield* Effect.forEach(
      unfinished.filter(({ status }) => status !== "CREATED"),
      (run) =>
        Effect.gen(function* () {
          // Output may have been moved into its place just before the process ended. Nobody was told of it.
          yield* remove(targets, run.id)
          const message = `The local Lume's process ended while the run was ${run.status}. Nothing was written. Submit it again.`
          const ending = yield* broken(run, "CRASHED", { errorCode: "PROCESS_ENDED", message })
          yield* store.add({ _tag: "Ended", id: run.id, at: yield* Clock.currentTimeMillis, ...ending, deliver })
        }),
      { discard: true }
    )
  })
