/**
 * What comes of staging a source, whatever its format.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as duckdb from "../duckdb.js"
import type { Format } from "../format.js"

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

/** Whether the flow may name a column of the source, in upper or lower case. It is never false of one that is named. */
export type Names = (column: string) => boolean

/** The relation of the source's rows, which our SQL calls `staged`. */
export interface Staged {
  /** How the mapped rows are written. */
  readonly format: Format
  /** Every column of the source, in its order. None where a JSON source has no records, and so names no keys. */
  readonly columns: ReadonlyArray<Column>
  /** Whether `staged` is a view over the file, and not a table. */
  readonly inPlace: boolean
  /** SQL over `staged` that numbers its rows from 0, in the source's order. */
  readonly row: string
  readonly rows: number
  readonly rejects: Rejects
}

const Rows = Schema.Struct({ rows: Schema.Number })

/** How many rows a table has. */
export const countRows = (database: duckdb.Database, table: string): Effect.Effect<number, duckdb.DuckDBError> =>
  Effect.map(database.one(Rows, `SELECT count(*)::DOUBLE AS rows FROM ${table}`), ({ rows }) => rows)
