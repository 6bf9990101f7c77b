/**
 * This repository, copied and packed elsewhere, so that nothing here is built, installed or removed.
 */
import type * as CommandExecutor from "@effect/platform/CommandExecutor"
import type * as PlatformError from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { cp } from "node:fs/promises"
import { basename, join } from "node:path"
import { fileURLToPath } from "node:url"
import { type CommandFailed, run } from "./run.js"

/** Its folder. */
export const repository = fileURLToPath(new URL("..", import.meta.url))

/** What is made here, not written. */
const made = new Set([".git", "build", "dist", "node_modules"])

/** A copy of it in a temporary folder, without what is installed or built. */
export const copy: Effect.Effect<
  string,
  Cause.UnknownException | PlatformError.PlatformError,
  FileSystem.FileSystem | Scope.Scope
> = Effect.gen(function* () {
  const fileSystem = yield* FileSystem.FileSystem
  const folder = yield* fileSystem.makeTempDirectoryScoped()
  const filter = (path: string) => !made.has(basename(path))
  yield* Effect.tryPromise(() => cp(repository, folder, { filter, recursive: true }))
  return folder
})

/** The path of the tarball that would be published, in a temporary folder. */
export const pack: Effect.Effect<
  string,
  Cause.UnknownException | CommandFailed | PlatformError.PlatformError,
  CommandExecutor.CommandExecutor | FileSystem.FileSystem | Scope.Scope
> = Effect.gen(function* () {
  const fileSystem = yield* FileSystem.FileSystem
  const folder = yield* copy
  yield* fileSystem.symlink(join(repository, "node_modules"), join(folder, "node_modules"))
  const printed = yield* run(folder, ["npm", "pack", "--silent"])
  return join(folder, printed.split("\n").at(-1) ?? "")
})
