/**
 * From a source path, which is data that anyone may have sent, to a file inside the sources folder.
 */
import type * as PlatformError from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as path from "node:path"
import { preview } from "../../internal/text.js"
import { StageFailure } from "./failure.js"

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

const fromPlatform =
  (sourcePath: string, relative: string) =>
  (error: PlatformError.PlatformError): StageFailure =>
    error._tag === "SystemError" && error.reason === "PermissionDenied"
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

/** A file that may be read. */
export interface SourceFile {
  /** Its absolute path, with every symbolic link followed. */
  readonly path: string
  /** What its name ends with, in lower case, such as `.csv`; empty where there is none. */
  readonly extension: string
  readonly isEmpty: boolean
}

/**
 * The file that a source path names.
 *
 * A step upwards (`..`) is refused wherever it stands, and so is every absolute path, and every symbolic link that
 * leads outside.
 */
export const find = (
  sources: string,
  sourcePath: string
): Effect.Effect<SourceFile, StageFailure, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const relative = relativePath(sourcePath)
    if (relative.includes("\0")) return yield* notAllowed(sourcePath, "holds a NUL character")
    if (path.posix.isAbsolute(relative) || path.win32.isAbsolute(relative))
      return yield* notAllowed(sourcePath, "is absolute")
    if (relative.split(/[\\/]/).includes("..")) return yield* notAllowed(sourcePath, "holds a step upwards (..)")

    const fail = fromPlatform(sourcePath, relative)
    const folder = yield* Effect.mapError(files.realPath(sources), fail)
    const file = yield* Effect.mapError(files.realPath(path.join(folder, relative)), fail)
    if (!isInside(folder, file)) return yield* notAllowed(sourcePath, "is a symbolic link that leads outside")
    const { size, type } = yield* Effect.mapError(files.stat(file), fail)
    if (type !== "File") return yield* notFound(sourcePath, "is not a file", relative)
    return { path: file, extension: path.extname(relative).toLowerCase(), isEmpty: size === FileSystem.Size(0) }
  })
