/**
 * SYNCING_SOURCE: copies the source, in its order, into the table `staged`.
 */
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { preview } from "../../internal/text.js"
import type { LocalFlow } from "../LocalFlow.js"
import type * as duckdb from "./duckdb.js"
import { fromDuckDB, StageFailure } from "./failure.js"
import * as format from "./format.js"
import * as sourceFile from "./sourceFile.js"
import * as sql from "./sql.js"

/** A column of the source. */
export interface Column {
  /** Its name, as the source spells it. */
  readonly name: string
  /** Its value as a flow sees it: SQL over `staged`, which holds only where the flow may name the column. */
  readonly value: string
}

/** How the original rows of those that were rejected are written. */
export interface Rejects {
  /** What is selected from `staged` for a rejected row; `codes` is SQL of its error codes, a `VARCHAR[]` that is not empty. */
  readonly columns: (codes: string) => ReadonlyArray<string>
  /** The options of `COPY`. */
  readonly write: string
}

/** A source in staging: the relation `staged`, whose rows are the source's. */
export interface Staging {
  readonly database: duckdb.Database
  readonly format: format.Format
  /** The extension of the targets, such as `.csv`. */
  readonly extension: string
  /** Every column of the source, in its order. None where a JSON source has no records, and so names no keys. */
  readonly columns: ReadonlyArray<Column>
  /** Whether `staged` is a view over the file, and not a table. */
  readonly inPlace: boolean
  /** SQL over `staged` that numbers its rows from 0, in the source's order. */
  readonly row: string
  readonly rows: number
  readonly rejects: Rejects
  /** Fails where the file has changed since it was located. */
  readonly unchanged: Effect.Effect<void, StageFailure>
}

/** Whether the flow may name a column of the source, in upper or lower case. It is never false of one that is named. */
export type Names = (column: string) => boolean

/** Which source is wanted. */
export interface Request {
  readonly sourcePath: string
  /** The only folder that sources are read from. */
  readonly sources: string
  /** The run's own folder. */
  readonly work: string
  readonly flow: LocalFlow
}

/** A source whose file is found, and can be opened. */
export interface Located {
  readonly sourcePath: string
  readonly file: sourceFile.SourceFile
  readonly format: format.Format
  /** What DuckDB must be allowed to read, beside the run's own folder. */
  readonly files: ReadonlyArray<string>
}

const Rows = Schema.Struct({ rows: Schema.Number })
const Broken = Schema.Struct({ line: Schema.NullOr(Schema.Number), message: Schema.NullOr(Schema.String) })

const formatOf = (source: string, file: sourceFile.SourceFile): Effect.Effect<format.Format, StageFailure> => {
  const found = format.byExtension(file.extension)
  const has = file.extension === "" ? "has no extension" : `has the extension ${preview(file.extension)}`
  if (found === undefined)
    return new StageFailure({
      errorCode: "SOURCE_FORMAT_UNSUPPORTED",
      message: `The source ${preview(source)} ${has}. Its format is told by that: use one of ${format.extensions.join(", ")}.`
    })
  return file.isEmpty && !found.mayBeEmpty ? unreadable(source, "it is empty.") : Effect.succeed(found)
}

const unreadable = (source: string, why: string): StageFailure =>
  new StageFailure({ errorCode: "SOURCE_UNREADABLE", message: `The source ${preview(source)} can't be read: ${why}` })

/** A path in which DuckDB finds no wildcards. */
const literal = (file: string): string => file.replace(/[*?[]/g, (character) => `[${character}]`)

const create = (database: duckdb.Database, table: string, reader: string, file: string) =>
  database.run(`CREATE TABLE ${table} AS SELECT * FROM ${reader}`, [literal(file)])

/** What DuckDB says, unless that is only what it has tried. */
const reason = ({ message }: duckdb.DuckDBError): string =>
  message.startsWith("Error when sniffing")
    ? "it is no table in UTF-8: look for a quote that is never closed, line ends of two kinds, or another encoding."
    : message

/** Why the file can't be read. When DuckDB finds no table in a file at all, it does not say where it is broken. */
const diagnose = (database: duckdb.Database, { salvage }: format.Format, file: string, error: duckdb.DuckDBError) =>
  salvage === undefined
    ? Effect.succeed(reason(error))
    : create(database, "salvaged", salvage, file).pipe(
        Effect.zipRight(
          database.one(
            Broken,
            "SELECT min(line)::DOUBLE AS line, arg_min(error_message, line) AS message FROM reject_errors"
          )
        ),
        Effect.match({
          onFailure: () => reason(error),
          onSuccess: ({ line, message }) => (message === null ? reason(error) : `line ${line}: ${message}`)
        })
      )

/** Whether it is a JSON file without a single record, which DuckDB refuses because it knows no columns of it. */
const holdsNothing = (database: duckdb.Database, { values }: format.Format, file: string) =>
  values === undefined
    ? Effect.succeed(false)
    : create(database, "held", values, file).pipe(
        Effect.zipRight(database.one(Rows, "SELECT count(*)::DOUBLE AS rows FROM held")),
        Effect.match({ onFailure: () => false, onSuccess: ({ rows }) => rows === 0 })
      )

// DuckDB numbers the rows of a table in its pseudo-column rowid, unless one of the table's columns has that name.
const nameColumns = (names: ReadonlyArray<string>) =>
  names.map((name) => ({ name, stored: name.toLowerCase() === "rowid" ? sql.free("source_rowid", names) : name }))

const describe = (database: duckdb.Database) =>
  Effect.gen(function* () {
    const { columns: names } = yield* database.shape("SELECT * FROM staged")
    const columns = nameColumns(names)
    yield* Effect.forEach(
      columns.filter(({ name, stored }) => name !== stored),
      ({ name, stored }) => database.run(`ALTER TABLE staged RENAME COLUMN ${sql.name(name)} TO ${sql.name(stored)}`)
    )
    const { rows } = yield* database.one(Rows, "SELECT count(*)::DOUBLE AS rows FROM staged")
    return { columns, rows }
  })

/** A table has a column at least; this one is no column of the source. */
const nothing = (database: duckdb.Database): Effect.Effect<{ columns: ReturnType<typeof nameColumns>; rows: number }> =>
  Effect.as(Effect.orDie(database.run("CREATE TABLE staged (nothing VARCHAR)")), { columns: [], rows: 0 })

const load = (database: duckdb.Database, format: format.Format, file: string, source: string) =>
  create(database, "staged", format.read, file).pipe(
    Effect.zipRight(describe(database)),
    Effect.catchAll((error) =>
      Effect.gen(function* () {
        if (yield* holdsNothing(database, format, file)) return yield* nothing(database)
        const why = yield* diagnose(database, format, file, error)
        const hidden = why.replaceAll(literal(file), source).replaceAll(file, source)
        return yield* fromDuckDB("SOURCE_UNREADABLE", () => unreadable(source, hidden).message)(error)
      })
    )
  )

/** Finds the source's file, and what can be told of it before a database is open. */
export const locate = ({
  sourcePath,
  sources
}: Request): Effect.Effect<Located, StageFailure, FileSystem.FileSystem | Scope.Scope> =>
  Effect.gen(function* () {
    const file = yield* sourceFile.find(sources, sourcePath)
    const format = yield* formatOf(sourcePath, file)
    return { sourcePath, file, format, files: [file.path, literal(file.path)] }
  })

/** Stages a source that was located, in a database that may read it. */
export const stage = (
  database: duckdb.Database,
  { file, format, sourcePath }: Located,
  _names: Names
): Effect.Effect<Staging, StageFailure> =>
  Effect.gen(function* () {
    const { columns, rows } = yield* load(database, format, file.path, sourcePath)
    const stored = columns.map((column) => ({ name: column.name, column: `staged.${sql.name(column.stored)}` }))
    const originals = stored.map(({ column, name }) => `${column} AS ${sql.name(name)}`)
    const names = columns.map(({ name }) => name)
    return {
      database,
      format,
      extension: file.extension,
      columns: stored.map(({ column, name }) => ({ name, value: format.view(column) })),
      inPlace: false,
      row: "staged.rowid",
      rows,
      rejects: {
        columns: (codes) => [...originals, `${format.list(codes)} AS ${sql.name(sql.free("error_codes", names))}`],
        write: format.write
      },
      unchanged: Effect.void
    }
  })
