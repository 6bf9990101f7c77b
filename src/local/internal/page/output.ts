/**
 * What a run has written: its files in the targets folder, found by its id and never by what its metadata says of a place.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as path from "node:path"
import { extensions } from "../format.js"
import type * as ledger from "../ledger.js"

/** The two files that a run can have. */
export const kinds = ["mapped", "rejects"] as const

/** @see kinds */
export type Kind = (typeof kinds)[number]

/** A file of a run. */
export interface File {
  readonly kind: Kind
  /** Such as `mapped.csv`. */
  readonly name: string
  readonly path: string
  /** In bytes. */
  readonly size: number
}

/** A file of a run, if it is there. */
export const find = (
  targets: string,
  run: ledger.Run,
  kind: Kind
): Effect.Effect<Option.Option<File>, never, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const candidates = extensions.map((extension) => {
      const name = kind + extension
      const place = path.join(targets, run.id, name)
      return Effect.filterOrFail(
        files.stat(place),
        ({ type }) => type === "File",
        () => "no file" as const
      ).pipe(Effect.map(({ size }): File => ({ kind, name, path: place, size: Number(size) })))
    })
    return yield* Effect.option(Effect.firstSuccessOf(candidates))
  })

const types: ReadonlyMap<string, string> = new Map([
  [".csv", "text/csv; charset=utf-8"],
  [".tsv", "text/tab-separated-values; charset=utf-8"],
  [".json", "application/json"],
  [".jsonl", "application/x-ndjson"],
  [".ndjson", "application/x-ndjson"],
  [".parquet", "application/vnd.apache.parquet"]
])

/** A file to be kept, under a name that says which run's it is. */
export const download = (run: ledger.Run, file: File) =>
  HttpServerResponse.file(file.path, {
    headers: {
      "content-type": types.get(path.extname(file.name)) ?? "application/octet-stream",
      "content-disposition": `attachment; filename="${`${run.id}-${file.name}`.replace(/[^\w.-]/g, "_")}"`,
      "x-content-type-options": "nosniff",
      "content-security-policy": "default-src 'none'; sandbox"
    }
  })
