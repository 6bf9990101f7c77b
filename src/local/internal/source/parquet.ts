/**
 * Sources of Parquet, which DuckDB reads in place.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
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
  nodes: Schema.Array(Schema.Struct({ name: Schema.String, children: Schema.NullOr(Schema.Number) }))
})

/** The names at the top of the schema. It lists each column before those that are nested in it. */
const readNames = (database: duckdb.Database, path: string): Effect.Effect<ReadonlyArray<string>, duckdb.DuckDBError> =>
  Effect.map(
    database.one(
      Nodes,
      `SELECT list({ name: name, children: num_children::DOUBLE }) AS nodes FROM parquet_schema(${sql.text(path)})`
    ),
    ({ nodes }) => {
      const [, ...columns] = nodes
      const names: Array<string> = []
      let nested = 0
      for (const { children, name } of columns) {
        if (nested === 0) names.push(name)
        else nested--
        nested += children ?? 0
      }
      return names
    }
  )

/** DuckDB numbers the rows of a file in a column of this name, unless the file has one. */
const rowNumber = "file_row_number"

const load = (database: duckdb.Database, { path }: OpenFile) =>
  Effect.gen(function* () {
    const names = yield* readNames(database, path)
    const inPlace = names.every((name) => name.toLowerCase() !== rowNumber)
    const columns = [...names.map((_, index) => `c${index}`), ...(inPlace ? [rowNumber] : [])]
    const reader = `read_parquet(${sql.text(path)}, hive_partitioning = false, file_row_number = ${inPlace})`
    yield* database.run(
      inPlace
        ? `CREATE VIEW staged(${columns.join(", ")}) AS SELECT * FROM ${reader}`
        : `CREATE TABLE staged(${columns.join(", ")}) AS SELECT * FROM ${reader}`
    )
    return { names, inPlace, rows: yield* countRows(database) }
  })

/** Stages a Parquet file. */
export const stage = (database: duckdb.Database, file: OpenFile): Effect.Effect<Staged, Unreadable | StageFailure> =>
  Effect.gen(function* () {
    yield* checkEnds(file)
    const { inPlace, names, rows } = yield* Effect.catchAll(
      load(database, file),
      fromDuckDB("its Parquet is damaged, or uses what DuckDB does not know. Write the file again.")
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
