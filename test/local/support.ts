/**
 * Folders with sources, and a flow for them.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as path from "node:path"
import * as LocalEngine from "../../src/local/LocalEngine.js"
import type { LocalFlow } from "../../src/local/LocalFlow.js"

export const flow: LocalFlow = {
  name: "people",
  version: "v1",
  fields: { id: "try_cast(Id AS INTEGER)", born_on: "try_cast(Born AS DATE)", name: "trim(Name)" },
  tests: [
    { error_code: "ID_INVALID", field: "id", check: "id > 0" },
    { error_code: "DATE_INVALID", field: "born_on", check: "born_on IS NOT NULL" },
    { error_code: "NAME_MISSING", field: "name", check: "name <> ''" }
  ]
}

export const people = [
  "Id,Born,Name",
  '1,1815-12-10,"Lovelace, Ada"',
  "2,yesterday,Alan",
  '3,1906-12-09,"Grace ""Amazing"" Hopper"',
  "-4,1912-02-30,",
  '5,1791-12-26,"Charles\nBabbage é 😀"',
  ""
].join("\n")

/** A sources folder with these files, and a targets folder, both inside a folder of their own. */
export const folders = (files: Readonly<Record<string, string>>) =>
  Effect.gen(function* () {
    const fileSystem = yield* FileSystem.FileSystem
    const root = yield* Effect.flatMap(fileSystem.makeTempDirectoryScoped(), (folder) => fileSystem.realPath(folder))
    const sources = path.join(root, "sources")
    const targets = path.join(root, "targets")
    yield* fileSystem.makeDirectory(sources)
    yield* Effect.forEach(Object.entries(files), ([name, text]) =>
      Effect.zipRight(
        fileSystem.makeDirectory(path.dirname(path.join(sources, name)), { recursive: true }),
        fileSystem.writeFileString(path.join(sources, name), text)
      )
    )
    return { root, sources, targets }
  })

/** Makes a run in such folders. */
export const run = (
  { sources, targets }: { readonly sources: string; readonly targets: string },
  sourcePath: string,
  options: { readonly flow?: LocalFlow; readonly runId?: string } = {}
) => LocalEngine.run({ runId: options.runId ?? "run_1", flow: options.flow ?? flow, sourcePath, sources, targets })

/** What lies in the targets folder. */
export const written = ({ targets }: { readonly targets: string }) =>
  Effect.gen(function* () {
    const fileSystem = yield* FileSystem.FileSystem
    const exists = yield* fileSystem.exists(targets)
    return exists ? (yield* fileSystem.readDirectory(targets, { recursive: true })).toSorted() : []
  })
