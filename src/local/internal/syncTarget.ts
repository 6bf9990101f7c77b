/**
 * SYNCING_TARGET: writes the rows that pass to the mapped file, and the original rows of those that fail, with the list
 * of their error codes, to the rejects file.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as path from "node:path"
import { pathToFileURL } from "node:url"
import { preview } from "../../internal/text.js"
import { fromDuckDB, StageFailure } from "./failure.js"
import * as sql from "./sql.js"
import type { Staging } from "./syncSource.js"
import { passes, type Transformed } from "./transform.js"

/** Where a run's output lies, as `file://` URIs. */
export interface Locations {
  readonly mapped: string
  /** `None` where nothing was rejected. */
  readonly rejects: Option.Option<string>
}

const notWritable = (folder: string, why: string): StageFailure =>
  new StageFailure({
    errorCode: "TARGET_NOT_WRITABLE",
    message: `The target ${preview(folder)} can't be written: ${why}. Check that there is space, and the permissions of the targets folder.`
  })

/** Each code once, in the order of the flow's tests. */
const errorCodes = ({ tests }: Transformed): string => {
  const codes = [...new Set(tests.map(({ errorCode }) => errorCode))].map((code) => {
    const same = tests.filter(({ errorCode }) => errorCode === code)
    return `CASE WHEN NOT (${passes(same)}) THEN ${sql.text(code)} END`
  })
  return `list_filter([${codes.join(", ")}], lambda code: code IS NOT NULL)`
}

const mappedRows = ({ fields, tests }: Transformed): string =>
  `SELECT ${fields.map((field) => `result.${sql.name(field)}`).join(", ")} FROM result WHERE ${passes(tests)}`

const rejectedRows = ({ rejects }: Staging, transformed: Transformed): string =>
  `SELECT ${rejects.columns(errorCodes(transformed)).join(", ")} FROM staged POSITIONAL JOIN result WHERE NOT (${passes(transformed.tests)})`

/**
 * Writes the output into the folder `work`, then moves it to `target` in one step, so that it is there whole or not at
 * all.
 */
export const syncTarget = (
  staging: Staging,
  transformed: Transformed,
  work: string,
  target: string
): Effect.Effect<Locations, StageFailure, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const { database, extension, format } = staging
    const output = path.join(work, "output")
    const write = (name: string, query: string, options: string) =>
      Effect.catchAll(
        database.run(`COPY (${query}) TO ${sql.text(path.join(output, name + extension))} (${options})`),
        fromDuckDB("TARGET_NOT_WRITABLE", (error) => notWritable(target, error.message).message)
      )
    const onDisk = Effect.mapError((error: { readonly message: string }) => notWritable(target, error.message))

    yield* onDisk(files.makeDirectory(output))
    yield* write("mapped", mappedRows(transformed), format.write)
    const hasRejects = transformed.tally.rejected > 0
    if (hasRejects) yield* write("rejects", rejectedRows(staging, transformed), staging.rejects.write)
    yield* staging.unchanged
    yield* onDisk(files.rename(output, target))
    const uri = (name: string) => pathToFileURL(path.join(target, name + extension)).href
    return { mapped: uri("mapped"), rejects: hasRejects ? Option.some(uri("rejects")) : Option.none() }
  })
