/**
 * From a source path, which is data that anyone may have sent, to a file inside the sources folder that is open.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type BigIntStats, constants } from "node:fs"
import { type FileHandle, open, stat } from "node:fs/promises"
import * as path from "node:path"
import { preview } from "../../internal/text.js"
import { StageFailure } from "./failure.js"
import { append, create, eachChunk, type OpenFile } from "./source/bytes.js"
import type { Unreadable } from "./source/unreadable.js"

const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//

const notAllowed = (sourcePath: string, why: string): StageFailure =>
  new StageFailure({
    errorCode: "SOURCE_NOT_ALLOWED",
    message: `The source path ${preview(sourcePath)} ${why}. Only files inside the sources folder can be read.`
  })

const notFound = (sourcePath: string, why: string, relative: string): StageFailure =>
  new StageFailure({
    errorCode: "SOURCE_NOT_FOUND",
    message: `The source ${preview(sourcePath)} ${why}. Put the file at ${preview(relative)} inside the sources folder.`
  })

const leadsOutside = (sourcePath: string) => notAllowed(sourcePath, "is a symbolic link that leads outside")

const isDenied = (error: unknown): boolean =>
  typeof error === "object" &&
  error !== null &&
  (("code" in error && (error.code === "EACCES" || error.code === "EPERM")) ||
    ("reason" in error && error.reason === "PermissionDenied"))

const inaccessible =
  (sourcePath: string, relative: string) =>
  (error: unknown): StageFailure =>
    isDenied(error)
      ? new StageFailure({
          errorCode: "SOURCE_UNREADABLE",
          message: `The source ${preview(sourcePath)} may not be read by this process. Grant it the permission.`
        })
      : notFound(sourcePath, "does not exist", relative)

/** `s3://acme/a.csv` lies at `s3/acme/a.csv`. */
const relativePath = (sourcePath: string): string =>
  sourcePath.replace(scheme, (_, name: string) => `${name.toLowerCase()}/`)

const isInside = (folder: string, file: string): boolean => {
  const relative = path.relative(folder, file)
  return relative !== ".." && !relative.startsWith(`..${path.sep}`) && !path.isAbsolute(relative)
}

/** A file that may be read, and is open. */
export interface SourceFile extends OpenFile {
  /** What its name ends with, in lower case, such as `.csv`, without `.gz`; empty where there is nothing. */
  readonly extension: string
  readonly isCompressed: boolean
  readonly size: bigint
  /** Fails where the file is no longer what it was when it was opened, or no longer there. */
  readonly unchanged: Effect.Effect<void, StageFailure>
}

const extensionOf = (relative: string): { readonly extension: string; readonly isCompressed: boolean } => {
  const lower = relative.toLowerCase()
  const last = path.extname(lower)
  return last === ".gz"
    ? { extension: path.extname(lower.slice(0, -last.length)), isCompressed: true }
    : { extension: last, isCompressed: false }
}

const isSame = (one: BigIntStats, other: BigIntStats): boolean => one.ino === other.ino && one.dev === other.dev

/**
 * A path at which DuckDB finds the very file that is open: where the system names open files (Linux), that name, and
 * else a copy in `work`.
 */
const pathOf = (
  handle: FileHandle,
  opened: BigIntStats,
  work: string
): Effect.Effect<string, StageFailure | Unreadable, Scope.Scope> =>
  Effect.gen(function* () {
    const named = `/proc/self/fd/${handle.fd}`
    const isNamed = yield* Effect.tryPromise(() => stat(named, { bigint: true })).pipe(
      Effect.match({ onFailure: () => false, onSuccess: (found) => isSame(found, opened) })
    )
    if (isNamed) return named
    const copy = yield* create(work, "source.copy")
    yield* eachChunk({ handle, path: "" }, (chunk) => append(copy, chunk))
    return copy.path
  })

const unchanged = (
  sourcePath: string,
  { handle, opened, real }: { readonly handle: FileHandle; readonly opened: BigIntStats; readonly real: string }
): Effect.Effect<void, StageFailure> => {
  const changed = new StageFailure({
    errorCode: "SOURCE_UNREADABLE",
    message: `The source ${preview(sourcePath)} has changed, or was moved, while it was read. Run it again when it is complete.`
  })
  return Effect.tryPromise({
    try: () => Promise.all([handle.stat({ bigint: true }), stat(real, { bigint: true })]),
    catch: () => changed
  }).pipe(
    Effect.filterOrFail(
      ([{ mtimeNs, size }, found]) => size === opened.size && mtimeNs === opened.mtimeNs && isSame(opened, found),
      () => changed
    ),
    Effect.asVoid
  )
}

/**
 * Opens the file that a source path names.
 *
 * A step upwards (`..`) is refused wherever it stands, and so is every absolute path, and every symbolic link that
 * leads outside. The file is opened first and what was opened is checked then, so that no link that is put in its place
 * meanwhile is followed: DuckDB reads what is open.
 */
export const find = (
  sources: string,
  sourcePath: string,
  work: string
): Effect.Effect<SourceFile, StageFailure | Unreadable, FileSystem.FileSystem | Scope.Scope> =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const relative = relativePath(sourcePath)
    if (relative.includes("\0")) return yield* notAllowed(sourcePath, "holds a NUL character")
    if (path.posix.isAbsolute(relative) || path.win32.isAbsolute(relative))
      return yield* notAllowed(sourcePath, "is absolute")
    const steps = relative.toLowerCase().split(/[\\/]/)
    if (steps.includes("..")) return yield* notAllowed(sourcePath, "holds a step upwards (..)")
    // To close a file there would free the lock on that folder.
    if (steps.includes(".lume")) return yield* notAllowed(sourcePath, "leads into the store of a local Lume (.lume)")

    const fail = inaccessible(sourcePath, relative)
    const folder = yield* Effect.mapError(files.realPath(sources), fail)
    const file = path.join(folder, relative)
    const handle = yield* Effect.acquireRelease(
      Effect.tryPromise({
        // A pipe without a writer must not block.
        try: () => open(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)),
        catch: fail
      }),
      (handle) => Effect.ignore(Effect.tryPromise(() => handle.close()))
    )
    const opened = yield* Effect.tryPromise({ try: () => handle.stat({ bigint: true }), catch: fail })
    const real = yield* Effect.mapError(files.realPath(file), fail)
    const found = yield* Effect.tryPromise({ try: () => stat(real, { bigint: true }), catch: fail })
    if (!isInside(folder, real) || !isSame(opened, found)) return yield* leadsOutside(sourcePath)
    if (!opened.isFile()) return yield* notFound(sourcePath, "is not a file", relative)
    return {
      handle,
      path: yield* pathOf(handle, opened, work),
      ...extensionOf(relative),
      size: opened.size,
      unchanged: unchanged(sourcePath, { handle, opened, real })
    }
  })
