/**
 * The SQL around a flow's expressions: the tables that they see, and the queries that compute them.
 *
 * - `source` holds the source's columns, for subqueries.
 * - `numbered` holds them with the row's number; the fields are computed from it, and call it `source` too.
 * - `computed` holds the row's number and the fields; the tests are computed from it, and call it `target`.
 *
 * A flow's SQL sees `source`, `target` and their columns, and no other name of ours: those that are there while it is
 * bound are chosen so that it does not hold them, and no query around it gives names to what it selects.
 */
import * as expression from "./expression.js"
import type { Field, Program, Test } from "./program.js"
import * as sql from "./sql.js"
import type { Column, Staging } from "./syncSource.js"

/** An expression with its column in `result`. That of a test is true where the row passes, else false. */
export type Placed<E extends expression.Expression> = E & { readonly column: string }

/** What a flow computes from a source, in SQL. */
export interface Relations {
  /** The statements that make `numbered`, and `source` where there are subqueries. */
  readonly create: ReadonlyArray<string>
  /** The statements that take them away. */
  readonly drop: ReadonlyArray<string>
  readonly fields: expression.Batch<Placed<Field>>
  readonly tests: expression.Batch<Placed<Test>>
  /** The statement that makes `result`: the rows' numbers, from 0, as `row`, and the columns of the fields and the tests. */
  readonly compute: string
  /** The source's columns that differ only by case, and so can't be seen. */
  readonly twins: ReadonlyArray<string>
}

const whereOf = (where: string | undefined): string => (where === undefined ? "" : ` WHERE ${where}`)

/** The columns of a table as one value, under the table's name, so that the row's number is no part of a whole row. */
const wholeRow = (
  table: string,
  columns: ReadonlyArray<Column>,
  expressions: ReadonlyArray<expression.Expression>
): ReadonlyArray<string> =>
  expressions.some(({ syntax }) => syntax.wholeRows.size > 0) &&
  columns.length > 0 &&
  !columns.some(({ name }) => sql.fold(name) === table)
    ? [`struct_pack(${columns.map(({ name, value }) => `${sql.name(name)} := ${value}`).join(", ")}) AS ${table}`]
    : []

const hasSubquery = (expressions: ReadonlyArray<expression.Expression>): boolean =>
  expressions.some(({ syntax }) => syntax.hasSubquery)

/** Puts a flow and a source together. */
export const make = (program: Program, staging: Staging): Relations => {
  const { columns, relation } = staging
  // Where a source has no records it has no columns to compute anything from, and no rows to compute it for.
  const place = <E extends expression.Expression>(expressions: ReadonlyArray<E>, prefix: string) =>
    expressions.map((one, index) => ({
      ...one,
      sql: columns.length > 0 ? one.sql : "NULL",
      column: `${prefix}_${index}`
    }))

  const names = program.fields.map(({ name }) => name)
  const taken = [...columns.map(({ name }) => name), ...names, ...program.texts]
  const own = (wanted: string) => sql.free(wanted, taken)
  const [row, numbered, computed] = [own("lume_row"), own("numbered"), own("computed")]
  const fields = place(program.fields, "field")
  const tests = place(program.tests, "test")

  const twins = sql.twins(columns.map(({ name }) => name))
  // SQL has no empty name either.
  const seen = columns.filter(({ name }) => name !== "" && program.names(name) && !twins.has(name))
  const values = seen.map(({ name, value }) => `${value} AS ${sql.name(name)}`)
  const numberedColumns = [`${staging.row} AS ${row}`, ...values, ...wholeRow("source", seen, fields)]

  // A table of DuckDB has a column of its own, unless it is given one of this name.
  const showsNumber = program.texts.has("rowid") && !seen.some(({ name }) => sql.fold(name) === "rowid")
  // A table, because DuckDB compares every pair of rows where a subquery over a view has a cast in its condition.
  const kind = showsNumber ? "VIEW" : "TABLE"
  const sourceColumns = values.length === 0 ? `NULL AS ${row}` : values.join(", ")

  const overSource = (some: ReadonlyArray<Field>, where?: string) =>
    `SELECT ${[row, ...some.map(expression.write)].join(", ")} FROM ${numbered} AS source${whereOf(where)}`

  const listed = names.map(sql.name)
  const whole = wholeRow(
    "target",
    names.map((name) => ({ name, value: sql.name(name) })),
    tests
  )
  const computing = `(${overSource(fields)}) AS ${computed}(${[row, ...listed].join(", ")})`
  // A subquery over the target must see the fields as they were computed, also those that are random.
  const target = hasSubquery(tests)
    ? `WITH ${computed} AS MATERIALIZED (SELECT * FROM ${computing}), target AS (SELECT ${listed.join(", ")} FROM ${computed}) `
    : ""
  const overTarget = (list: ReadonlyArray<string>, where?: string) =>
    `${target}SELECT ${list.join(", ")} FROM (SELECT ${["*", ...whole].join(", ")} FROM ${target === "" ? computing : computed}) AS target${whereOf(where)}`

  const resultColumns = ["row", ...fields.map(({ column }) => column), ...tests.map(({ column }) => column)]
  const result = [row, ...listed, ...tests.map((test) => `coalesce(${expression.write(test)}, false)`)]
  return {
    create: [
      `CREATE VIEW ${numbered} AS SELECT ${numberedColumns.join(", ")} FROM ${relation} AS staged`,
      ...(hasSubquery([...fields, ...tests])
        ? [`CREATE ${kind} source AS SELECT ${sourceColumns} FROM ${relation} AS staged`]
        : [])
    ],
    drop: [`DROP VIEW ${numbered}`, `DROP ${kind} IF EXISTS source`],
    fields: { expressions: fields, query: overSource, row, rows: staging.rows },
    tests: {
      expressions: tests,
      query: (some, where) => overTarget([row, ...some.map(expression.write)], where),
      row,
      rows: staging.rows
    },
    compute: `CREATE TABLE result(${resultColumns.join(", ")}) AS ${overTarget(result)}`,
    twins: [...twins]
  }
}
