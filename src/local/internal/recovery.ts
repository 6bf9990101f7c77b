/**
 * What a local Lume does first: it settles what the last process on its folder has left behind.
 */
import type * as PlatformError from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as path from "node:path"
import { spillName } from "./folders.js"
import type { JournalError } from "./journal.js"
import { broken } from "./outcome.js"
import type { Settings } from "./options.js"
import { Store } from "./store.js"

// An id of this server's, by the names that `LocalEngine` gives its folders; earlier versions had no word behind it.
const left = /^\.run_[0-9A-Z]{26}(\.work|\.spill)?$/

/**
 * Runs that had begun end as `CRASHED`, without output; their work folders go. Those still `CREATED` are left to be run.
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

    const names = yield* files.readDirectory(targets)
    yield* Effect.forEach(
      names.filter((name) => left.test(name)),
      (name) => remove(targets, name),
      { discard: true }
    )
    const begun = (yield* store.ledger).unfinished().filter(({ status }) => status !== "CREATED")
    yield* Effect.forEach(
      begun,
      (run) =>
        Effect.gen(function* () {
          // Output may have been moved into its place just before the process ended. Nobody was told of it.
          yield* remove(targets, run.id)
          // Others may spill to this folder meanwhile.
          if (spillFolder !== undefined) yield* remove(spillFolder, spillName(run.id))
          const message = `The local Lume's process ended while the run was ${run.status}. Nothing was written. Submit it again.`
          const ending = yield* broken(run, "CRASHED", { errorCode: "PROCESS_ENDED", message })
          yield* store.add({ _tag: "Ended", id: run.id, at: yield* Clock.currentTimeMillis, ...ending, deliver })
        }),
      { discard: true }
    )
  })
