/**
 * Sources of Parquet, which DuckDB reads in place.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { preview } from "../../../internal/text.js"
import type * as duckdb from "../duckdb.js"
import type { StageFailure } from "../failure.js"
import * as sql from "../sql.js"
import { head, type OpenFile, read, size } from "./bytes.js"
import { countRows, type Staged } from "./staged.js"
import { fromDuckDB, Unreadable } from "./unreadable.js"

const magic = "PAR1"

/** A Parquet file begins and ends with four bytes of its own. */
const checkEnds = (file: OpenFile): Effect.Effect<void, Unreadable> =>
  Effect.gen(function* () {
    const begin = yield* head(file, 4)
    if (begin.toString("latin1") === "PARE")
      return yield* new Unreadable({ why: "it is encrypted. Write it without encryption." })
    if (begin.toString("latin1") !== magic)
      return yield* new Unreadable({ why: "by its bytes it is no Parquet. Give it the extension of its format." })
    const end = yield* read(file, Buffer.alloc(4), (yield* size(file)) - 4)
    if (end.toString("latin1") !== magic)
      return yield* new Unreadable({ why: "it breaks off: its end is missing. Send the whole file." })
  })

const Nodes = Schema.Struct({
  nodes: Schema.Array(
    Schema.Struct({ name: Schema.String, children: Schema.NullOr(Schema.Number), loses: Schema.NullOr(Schema.String) })
  )
})
type Node = (typeof Nodes.Type)["nodes"][number]

// DuckDB reads what it has no type for as the nearest one.
const loses =
  "CASE WHEN precision > 38 THEN 'decimals of more than 38 digits' " +
  "WHEN logical_type LIKE 'Time%(isAdjustedToUTC=1,%NanoSeconds()%' THEN 'times in UTC with nanoseconds' END"

/** The schema's columns, each before those that are nested in it. */
const readNodes = (database: duckdb.Database, path: string): Effect.Effect<ReadonlyArray<Node>, duckdb.DuckDBError> =>
  Effect.map(
    database.one(
      Nodes,
      `SELECT list({ name: name, children: num_children::DOUBLE, loses: ${loses} }) AS nodes FROM parquet_schema(${sql.text(path)})`
    ),
    // The first one is the table.
    ({ nodes: [, ...nodes] }) => nodes
  )

const topNames = (nodes: ReadonlyArray<Node>): ReadonlyArray<string> => {
  const names: Array<string> = []
  let nested = 0
  for (const { children, name } of nodes) {
    if (nested === 0) names.push(name)
    else nested--
    nested += children ?? 0
  }
  return names
}

/** DuckDB numbers the rows of a file in a column of this name, unless the file has one. */
const rowNumber = "file_row_number"

const load = (database: duckdb.Database, { path }: OpenFile, relation: string) =>
  Effect.gen(function* () {
    const nodes = yield* readNodes(database, path)
    const lossy = nodes.find(({ loses }) => loses !== null)
    if (lossy !== undefined) {
      return yield* new Unreadable({
        why: `its column ${preview(lossy.name)} has ${lossy.loses}, which DuckDB would round. Write it with fewer digits, or as text.`
      })
    }
    const names = topNames(nodes)
    const inPlace = names.every((name) => name.toLowerCase() !== rowNumber)
    const columns = [...names.map((_, index) => `c${index}`), ...(inPlace ? [rowNumber] : [])]
    const reader = `read_parquet(${sql.text(path)}, hive_partitioning = false, file_row_number = ${inPlace})`
    yield* database.run(
      inPlace
        ? `CREATE VIEW ${relation}(${columns.join(", ")}) AS SELECT * FROM ${reader}`
        : `CREATE TABLE ${relation}(${columns.join(", ")}) AS SELECT * FROM ${reader}`
    )
    return { names, inPlace, rows: yield* countRows(database, relation) }
  })

const damaged = "its Parquet is damaged, or uses what DuckDB does not know. Write the file again."

/** Stages a Parquet file as a relation with the name `relation`. */
export const stage = (
  database: duckdb.Database,
  file: OpenFile,
  relation: string
): Effect.Effect<Staged, Unreadable | StageFailure> =>
  Effect.gen(function* () {
    yield* checkEnds(file)
    const { inPlace, names, rows } = yield* Effect.catchTag(
      load(database, file, relation),
      "DuckDBError",
      fromDuckDB(damaged)
    )
    const originals = names.map((name, index) => `staged.c${index} AS ${sql.name(name === "" ? `c${index}` : name)}`)
    return {
      format: { family: "parquet", write: "FORMAT parquet" },
      columns: names.map((name, index) => ({ name, value: `staged.c${index}` })),
      inPlace,
      row: inPlace ? `staged.${rowNumber}` : "staged.rowid",
      rows,
      rejects: {
        columns: (codes) => [...originals, `${codes} AS ${sql.name(sql.free("error_codes", names))}`],
        write: "FORMAT parquet"
      }
    }
  })
