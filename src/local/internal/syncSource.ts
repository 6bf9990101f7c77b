/**
 * SYNCING_SOURCE: makes the relation `staged` of the source, whose rows are the source's, in its order.
 *
 * What DuckDB reads is a plain file: Node undoes compression and encodings, and checks what DuckDB would forgive.
 */
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { preview } from "../../internal/text.js"
import type { LocalFlow } from "../LocalFlow.js"
import type * as duckdb from "./duckdb.js"
import { StageFailure } from "./failure.js"
import * as format from "./format.js"
import type { Program } from "./program.js"
import type { OpenFile } from "./source/bytes.js"
import * as delimited from "./source/delimited.js"
import { toUtf8 } from "./source/encoding.js"
import { gunzip } from "./source/gunzip.js"
import * as json from "./source/json.js"
import * as parquet from "./source/parquet.js"
import type { Staged } from "./source/staged.js"
import { Unreadable } from "./source/unreadable.js"
import * as sourceFile from "./sourceFile.js"
import * as sql from "./sql.js"

export type { Column } from "./source/staged.js"

/** A source in staging. */
export interface Staging extends Staged {
  readonly database: duckdb.Database
  /** The relation's name in the database, which the flow's SQL does not hold: our own SQL calls it `staged`. */
  readonly relation: string
  /** The extension of the targets, such as `.csv`. */
  readonly extension: string
  /** Fails where the file has changed since it was located. */
  readonly unchanged: Effect.Effect<void, StageFailure>
}

/** Which source is wanted. */
export interface Request {
  readonly sourcePath: string
  /** The only folder that sources are read from. */
  readonly sources: string
  /** The run's own folder. */
  readonly work: string
  readonly flow: LocalFlow
}

/** A source that is open, and undone where it was compressed or in another encoding. */
export interface Located {
  readonly request: Request
  readonly kind: format.Kind
  readonly extension: string
  readonly file: OpenFile
  /** What DuckDB must be allowed to read, beside the run's own folder. */
  readonly files: ReadonlyArray<string>
  readonly unchanged: Effect.Effect<void, StageFailure>
}

const kindOf = (source: string, file: sourceFile.SourceFile): Effect.Effect<format.Kind, StageFailure> => {
  const kind = format.byExtension(file.extension)
  if (kind !== undefined && !(file.isCompressed && kind.family === "parquet")) return Effect.succeed(kind)
  const extension = file.extension + (file.isCompressed ? ".gz" : "")
  const has = extension === "" ? "has no extension" : `has the extension ${preview(extension)}`
  return new StageFailure({
    errorCode: "SOURCE_FORMAT_UNSUPPORTED",
    message: `The source ${preview(source)} ${has}. Its format is told by that: use one of ${format.extensions.join(", ")}; all but the last may have .gz after it.`
  })
}

/** Says which source is unreadable. */
const named = (source: string) =>
  Effect.mapError((error: Unreadable | StageFailure): StageFailure =>
    error._tag === "StageFailure"
      ? error
      : new StageFailure({
          errorCode: "SOURCE_UNREADABLE",
          message: `The source ${preview(source)} can't be read: ${error.why}`
        })
  )

/** Opens the source's file, and undoes what is done to it. */
export const locate = (request: Request): Effect.Effect<Located, StageFailure, FileSystem.FileSystem | Scope.Scope> =>
  Effect.gen(function* () {
    const { flow, sourcePath, sources, work } = request
    const found = yield* sourceFile.find(sources, sourcePath, work)
    const kind = yield* kindOf(sourcePath, found)
    const isLines = kind.family === "json" && kind.layout === "lines"
    if (found.size === 0n && !isLines) return yield* new Unreadable({ why: "it is empty." })
    const unpacked = found.isCompressed ? yield* gunzip(found, work) : found
    const file = kind.family === "parquet" ? unpacked : yield* toUtf8(unpacked, flow.encoding, work)
    const { extension, unchanged } = found
    return { request, kind, extension, file, files: [file.path], unchanged }
  }).pipe(named(request.sourcePath))

const stageKind = (
  database: duckdb.Database,
  { file, kind, request: { flow, work } }: Located,
  { names }: Program,
  relation: string
): Effect.Effect<Staged, Unreadable | StageFailure, Scope.Scope> => {
  switch (kind.family) {
    case "delimited": {
      const { delimiter = kind.delimiter } = flow
      return delimited.stage(database, { file, delimiter, isSure: flow.delimiter !== undefined, relation, work })
    }
    case "json":
      return json.stage(database, { file, layout: kind.layout, names, relation })
    case "parquet":
      return parquet.stage(database, file, relation)
  }
}

/** Stages a source that was located, in a database that may read it. */
export const stage = (
  database: duckdb.Database,
  located: Located,
  program: Program
): Effect.Effect<Staging, StageFailure, Scope.Scope> => {
  const { extension, request, unchanged } = located
  const relation = sql.free("staged", [...program.texts])
  return stageKind(database, located, program, relation).pipe(
    // A file that is being written may look broken: that it changes is the better reason.
    Effect.catchTag("Unreadable", (error) => Effect.zipRight(unchanged, error)),
    named(request.sourcePath),
    Effect.map((staged) => ({
      ...staged,
      database,
      relation,
      extension,
      unchanged
    }))
  )
}
