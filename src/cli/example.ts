/**
 * What `lume local --init` writes: folders, a flow and a source for it.
 */
import type * as PlatformError from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Effect from "effect/Effect"
import * as path from "node:path"
import { makeFolder } from "../local/internal/makeFolder.js"
import { Refused } from "./environment.js"

const flow = {
  name: "people",
  version: "v1",
  fields: {
    name: "trim(name)",
    joined: "try_cast(joined AS DATE)",
    amount: "try_cast(amount AS DECIMAL(12, 2))"
  },
  tests: [
    { error_code: "NAME_MISSING", field: "name", check: "name <> ''" },
    { error_code: "INVALID_DATE", field: "joined", check: "joined IS NOT NULL" },
    { error_code: "NEGATIVE_AMOUNT", field: "amount", check: "amount >= 0" }
  ]
}

const source = `name,joined,amount
Ada,2026-01-12,120.50
Grace,2026-02-30,75.00
Edsger,2026-03-04,-3.20
Barbara,2026-03-09,42.00
`

/** How to run the example. */
export const runLine = (byNpx: boolean): string =>
  `${byNpx ? "npx effect-lume" : "lume"} run --flow-version people:v1 --source-path people.csv --wait`

/** What a file system's refusal says. */
const refuse = (what: string) => (error: PlatformError.PlatformError) =>
  new Refused({ message: `${what} can't be made: ${error.message}` })

/** Writes a file, and gives whether it was not there before. */
const writeNew = (file: string, text: string): Effect.Effect<boolean, Refused, FileSystem.FileSystem> =>
  Effect.flatMap(FileSystem.FileSystem, (files) => files.writeFileString(file, text, { flag: "wx" })).pipe(
    Effect.as(true),
    Effect.catchIf(
      (error) => error._tag === "SystemError" && error.reason === "AlreadyExists",
      () => Effect.succeed(false)
    ),
    Effect.mapError(refuse(file))
  )

/** Makes the folders, writes the example, and gives a sentence a file. */
export const write = (folders: {
  readonly flows: string
  readonly sources: string
}): Effect.Effect<ReadonlyArray<string>, Refused> =>
  Effect.gen(function* () {
    for (const folder of [folders.flows, folders.sources]) {
      yield* Effect.mapError(makeFolder(folder, 0o777), refuse(folder))
    }
    const files = [
      [path.join(folders.flows, "people.json"), `${JSON.stringify(flow, undefined, 2)}\n`],
      [path.join(folders.sources, "people.csv"), source]
    ] as const
    return yield* Effect.forEach(files, ([file, text]) =>
      Effect.map(writeNew(file, text), (isNew) =>
        isNew ? `Wrote ${file}.` : `${file} is there already; it stays as it is.`
      )
    )
  }).pipe(Effect.provide(NodeFileSystem.layer))
