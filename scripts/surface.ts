/**
 * The public surface: what each public module declares, as it is built, without comments. It is committed in `api/`, so that
 * a review sees each change of it.
 */
import type * as PlatformError from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import ts from "typescript"

const isPublic = /^((local|workflow)\/)?[A-Z]\w*\.d\.ts$/

const withoutComments = (path: string, text: string): string =>
  ts
    .createPrinter({ removeComments: true })
    .printFile(ts.createSourceFile(path, text.replace(/^\/\/# sourceMappingURL.*$/m, ""), ts.ScriptTarget.Latest))

/** What the public modules of a built package declare, by their paths from its folder `dist`. */
export const surface = (
  dist: string
): Effect.Effect<ReadonlyMap<string, string>, PlatformError.PlatformError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const fileSystem = yield* FileSystem.FileSystem
    const paths = (yield* fileSystem.readDirectory(dist, { recursive: true })).filter((path) => isPublic.test(path))
    const declared = yield* Effect.forEach(paths.toSorted(), (path) =>
      Effect.map(fileSystem.readFileString(`${dist}/${path}`), (text) => [path, withoutComments(path, text)] as const)
    )
    return new Map(declared)
  })
