/**
 * The first rows of a run's rejects file, as texts. A record of JSON is one text, as it stands in the file.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as path from "node:path"
import * as duckdb from "../duckdb.js"
import { byExtension, type Kind } from "../format.js"
import { dialect } from "../source/delimited.js"
import * as header from "../source/header.js"
import * as sql from "../sql.js"

/** How many rows are read. */
export const most = 50

/** The longest text of a value; a longer one is cut off, and ends with an ellipsis. */
const longest = 300

/** How many columns are read. */
const widest = 60

/** Rejected rows. */
export interface Rejects {
  readonly columns: ReadonlyArray<string>
  /** How many columns the file has beyond those. */
  readonly hidden: number
  readonly rows: ReadonlyArray<Row>
}

/** A rejected row. */
export interface Row {
  /** The error codes of the tests that it has failed. */
  readonly codes: string
  /** Its values by column; `null` where there is none. */
  readonly values: ReadonlyArray<string | null>
}

const Rows = Schema.Struct({
  rows: Schema.Array(Schema.Struct({ codes: Schema.String, values: Schema.Array(Schema.NullOr(Schema.String)) }))
})

/** What a file's rows are in DuckDB: its columns by their names, and an expression for each. The codes are the last. */
interface Table {
  readonly from: string
  readonly columns: ReadonlyArray<{ readonly name: string; readonly value: string }>
  readonly codes: string
}

const limit = 2 ** 20

const readHeader = (file: string, delimiter: string) =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const bytes = yield* Effect.scoped(
      Effect.flatMap(files.open(file), (opened) => {
        const buffer = Buffer.alloc(limit)
        return Effect.map(opened.read(buffer), (size) => buffer.subarray(0, Number(size)))
      })
    )
    return header.parse(bytes.toString(), delimiter, bytes.length < limit) ?? []
  })

const columnsOf = (names: ReadonlyArray<string>, value: (name: string, index: number) => string) =>
  names.slice(0, -1).map((name, index) => ({ name, value: value(name, index) }))

const tableOf = (database: duckdb.Database, file: string, kind: Kind) =>
  Effect.gen(function* () {
    switch (kind.family) {
      case "delimited": {
        const names = yield* readHeader(file, kind.delimiter)
        const types = names.map((_, index) => `c${index}: 'VARCHAR'`).join(", ")
        return {
          from: `read_csv(${sql.text(file)}, columns = {${types}}, ${dialect(kind.delimiter, "\n")}, parallel = false, max_line_size = ${2 ** 25})`,
          columns: columnsOf(names, (_, index) => `c${index}`),
          codes: `replace(c${names.length - 1}, ';', ', ')`
        } satisfies Table
      }
      case "json":
        return {
          from: `read_json_objects(${sql.text(file)}, format = 'auto', hive_partitioning = false, maximum_object_size = ${2 ** 25})`,
          columns: [{ name: "Record", value: "json" }],
          codes: `array_to_string(from_json(json_extract(json, '/' || json_keys(json)[-1]), '["VARCHAR"]'), ', ')`
        } satisfies Table
      case "parquet": {
        const from = `read_parquet(${sql.text(file)}, hive_partitioning = false)`
        const { columns } = yield* database.shape(`SELECT * FROM ${from}`)
        return {
          from,
          columns: columnsOf(columns, sql.name),
          codes: `array_to_string(${sql.name(columns.at(-1) ?? "")}, ', ')`
        } satisfies Table
      }
    }
  })

const query = ({ codes, columns, from }: Table): string => {
  const values = columns
    .slice(0, widest)
    .map(
      ({ value }) =>
        `CASE WHEN length(${value}::VARCHAR) > ${longest} THEN left(${value}::VARCHAR, ${longest}) || '…' ELSE ${value}::VARCHAR END`
    )
  const row = `{ codes: coalesce(${codes}, ''), values: [${values.join(", ")}]::VARCHAR[] }`
  return `SELECT coalesce(list(row), []) AS rows FROM (SELECT ${row} AS row FROM ${from} LIMIT ${most})`
}

/**
 * The first rows of a rejects file. `delimiter` is what the flow says, where it says anything. Fails where the file is
 * not what a run has written.
 */
export const read = (file: string, delimiter: string | undefined) =>
  Effect.gen(function* () {
    const found = byExtension(path.extname(file))
    if (found === undefined) return yield* Effect.fail("an unknown format" as const)
    const kind = found.family === "delimited" && delimiter !== undefined ? { ...found, delimiter } : found
    const database = yield* duckdb.open({ files: [file], folder: path.dirname(file) })
    const table = yield* tableOf(database, file, kind)
    const { rows } = yield* database.one(Rows, query(table))
    return {
      columns: table.columns.slice(0, widest).map(({ name }) => name),
      hidden: Math.max(0, table.columns.length - widest),
      rows
    } satisfies Rejects
  }).pipe(Effect.scoped)
