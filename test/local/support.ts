/**
 * Folders with sources, a flow for them, and what came of a run.
 */
import { DuckDBInstance } from "@duckdb/node-api"
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
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
export const folders = (files: Readonly<Record<string, string | Uint8Array>>) =>
  Effect.gen(function* () {
    const fileSystem = yield* FileSystem.FileSystem
    const root = yield* Effect.flatMap(fileSystem.makeTempDirectoryScoped(), (folder) => fileSystem.realPath(folder))
    const sources = path.join(root, "sources")
    const targets = path.join(root, "targets")
    yield* fileSystem.makeDirectory(sources)
    yield* Effect.forEach(Object.entries(files), ([name, content]) =>
      Effect.zipRight(
        fileSystem.makeDirectory(path.dirname(path.join(sources, name)), { recursive: true }),
        fileSystem.writeFile(path.join(sources, name), Buffer.from(content))
      )
    )
    return { root, sources, targets }
  })

/** Makes a run in such folders. */
export const run = (
  { sources, targets }: { readonly sources: string; readonly targets: string },
  sourcePath: string,
  options: Partial<LocalEngine.Job> = {}
) => LocalEngine.run({ runId: "run_1", flow, sourcePath, sources, targets, ...options })

/** What lies in the targets folder. */
export const written = ({ targets }: { readonly targets: string }) =>
  Effect.gen(function* () {
    const fileSystem = yield* FileSystem.FileSystem
    const exists = yield* fileSystem.exists(targets)
    return exists ? (yield* fileSystem.readDirectory(targets, { recursive: true })).toSorted() : []
  })

/** The metadata of a run that produced data. */
export const finished = (outcome: LocalEngine.Outcome) => {
  assert(outcome.status === "SUCCEEDED" || outcome.status === "PARTIAL_FAILED", JSON.stringify(outcome))
  return outcome.metadata
}

/** The error of a run that failed. */
export const failure = (outcome: LocalEngine.Outcome) => {
  assert(outcome.status === "FAILED", JSON.stringify(outcome))
  const [error] = outcome.metadata.errors
  assert(error !== undefined)
  return error
}

/** The text of a file, by its URI. */
export const read = (uri: string) =>
  Effect.flatMap(FileSystem.FileSystem, (files) => files.readFileString(fileURLToPath(uri)))

/** The text of a run's rejects file; empty where there is none. */
export const rejects = (outcome: LocalEngine.Outcome) =>
  Option.match(finished(outcome).results.targetLocations.rejects, { onNone: () => Effect.succeed(""), onSome: read })

/** An expression over people that goes on until it is interrupted. */
export const endless =
  "(SELECT count(*) FROM range(100000000) AS a, range(1000) AS b WHERE a.range + b.range + Id::INT < 0)"

/** An expression in one step, which heeds no interruption; it takes the square of the length. */
export const distance = (text: string, length: number): string =>
  `levenshtein(repeat(${text}, ${length}), repeat('b', ${length}))`

/** A test on the real clock and disk. */
export const live = <A, E>(name: string, effect: () => Effect.Effect<A, E, FileSystem.FileSystem | Scope.Scope>) =>
  it.scopedLive(name, () => Effect.provide(effect(), NodeFileSystem.layer))

/** Runs SQL in a DuckDB of its own. */
export const query = (sql: string) =>
  Effect.promise(async () => {
    const instance = await DuckDBInstance.create()
    const connection = await instance.connect()
    const reader = await connection.runAndReadAll(sql)
    return reader.getRowObjectsJson()
  })
