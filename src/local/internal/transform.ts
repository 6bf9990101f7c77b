/**
 * TRANSFORMING: computes the target's fields and the tests into the table `result`, which lies beside `staged` row for
 * row, and counts the outcome.
 */
import * as Array from "effect/Array"
import * as Effect from "effect/Effect"
import * as Number from "effect/Number"
import * as Schema from "effect/Schema"
import type { TopError } from "../../LumeMetadata.js"
import type { LocalFlow } from "../LocalFlow.js"
import type { Database, DuckDBError } from "./duckdb.js"
import * as expression from "./expression.js"
import { StageFailure } from "./failure.js"
import * as sql from "./sql.js"
import type { Staging } from "./syncSource.js"

/** What came of the tests, as counted. */
export interface Tally {
  readonly mapped: number
  readonly rejected: number
  readonly testsExecuted: number
  readonly testsFailed: number
  /** The ten most frequent. */
  readonly topErrors: ReadonlyArray<TopError>
}

/** A test of the flow, with its column in `result`: true where the row passes, else false. */
export interface Tested {
  readonly errorCode: string
  readonly column: string
}

/** A source transformed. */
export interface Transformed {
  readonly fields: ReadonlyArray<string>
  readonly tests: ReadonlyArray<Tested>
  readonly tally: Tally
}

const Strays = Schema.Struct({ strays: Schema.Number })
const Counts = Schema.Struct({
  mapped: Schema.Number,
  rejected: Schema.Number,
  failed: Schema.Array(Schema.Number)
})

/** Whether a row passes all of the tests. */
export const passes = (tests: ReadonlyArray<Tested>): string =>
  tests.length === 0 ? "true" : tests.map(({ column }) => `result.${sql.name(column)}`).join(" AND ")

interface Compiled {
  readonly row: string
  readonly fields: ReadonlyArray<expression.Expression & { readonly name: string }>
  readonly tests: ReadonlyArray<expression.Expression & { readonly name: string }>
}

const compile = (flow: LocalFlow, { columns }: Staging): Compiled => {
  const taken = [...columns.map(({ name }) => name), ...Object.keys(flow.fields)]
  const row = sql.free("lume_row", taken)
  return {
    row,
    fields: Object.entries(flow.fields).map(([name, text]) => ({
      owner: `The field ${JSON.stringify(name)}`,
      name,
      // Where a source has no records it has no columns to compute anything from.
      sql: columns.length === 0 ? "NULL" : text,
      from: "source",
      row
    })),
    tests: flow.tests.map((test, index) => ({
      owner: `The test ${JSON.stringify(test.error_code)} of the field ${JSON.stringify(test.field)}`,
      name: sql.free(`lume_test_${index}`, taken),
      sql: test.check,
      type: "BOOLEAN",
      from: "target",
      row
    }))
  }
}

const sourceView = (staging: Staging, row: string): string => {
  const values = staging.columns.map(({ name, value }) => `${value} AS ${sql.name(name)}`)
  return `CREATE VIEW source AS SELECT ${[`${staging.row} AS ${sql.name(row)}`, ...values].join(", ")} FROM staged`
}

const targetView = ({ fields, row }: Compiled): string => {
  const values = fields.map((field) => `${expression.write(field)} AS ${sql.name(field.name)}`)
  return `CREATE VIEW target AS SELECT ${[sql.name(row), ...values].join(", ")} FROM source`
}

const resultTable = ({ tests }: Compiled): string => {
  const values = tests.map((test) => `coalesce(${expression.write(test)}, false) AS ${sql.name(test.name)}`)
  return `CREATE TABLE result AS SELECT ${["*", ...values].join(", ")} FROM target`
}

/** Makes sure that each row of `result` lies beside the row of `staged` that it was computed from. */
const align = (database: Database, row: string) =>
  Effect.flatMap(
    database.one(
      Strays,
      `SELECT count(*)::DOUBLE AS strays FROM staged POSITIONAL JOIN result WHERE staged.rowid IS DISTINCT FROM result.${sql.name(row)}`
    ),
    ({ strays }) =>
      strays === 0
        ? Effect.void
        : new StageFailure({
            errorCode: "FLOW_SQL_ERROR",
            message:
              "The flow gives several rows, or none, for a row of the source. A field must have one value for each row: " +
              "take unnest and generate_series out of the fields, or put them into a subquery."
          })
  )

const topErrors = (flow: LocalFlow, failed: ReadonlyArray<number>): ReadonlyArray<TopError> => {
  const pairs = Array.groupBy(
    flow.tests.map((test, index) => ({ errorCode: test.error_code, field: test.field, count: failed[index] ?? 0 })),
    ({ errorCode, field }) => JSON.stringify([errorCode, field])
  )
  return Object.values(pairs)
    .map((same) => ({ ...same[0], count: Number.sumAll(same.map(({ count }) => count)) }))
    .filter(({ count }) => count > 0)
    .toSorted((one, other) => other.count - one.count)
    .slice(0, 10)
}

const count = (database: Database, flow: LocalFlow, tests: ReadonlyArray<Tested>) => {
  const failed = tests.map(({ column }) => `count(*) FILTER (WHERE NOT result.${sql.name(column)})::DOUBLE`)
  return database
    .one(
      Counts,
      `SELECT count(*) FILTER (WHERE ${passes(tests)})::DOUBLE AS mapped, ` +
        `count(*) FILTER (WHERE NOT (${passes(tests)}))::DOUBLE AS rejected, ` +
        `[${failed.join(", ")}]::DOUBLE[] AS failed FROM result`
    )
    .pipe(
      Effect.map(({ failed, mapped, rejected }): Tally => ({
        mapped,
        rejected,
        testsExecuted: (mapped + rejected) * tests.length,
        testsFailed: Number.sumAll(failed),
        topErrors: topErrors(flow, failed)
      }))
    )
}

/** Transforms a staged source. */
export const transform = (flow: LocalFlow, staging: Staging): Effect.Effect<Transformed, StageFailure> =>
  Effect.gen(function* () {
    const { database } = staging
    const compiled = compile(flow, staging)
    const expressions = [...compiled.fields, ...compiled.tests]
    const tests = compiled.tests.map(({ name }, index) => ({
      errorCode: flow.tests[index]?.error_code ?? "",
      column: name
    }))
    const orBlame = <A>(effect: Effect.Effect<A, DuckDBError | StageFailure>): Effect.Effect<A, StageFailure> =>
      Effect.catchTag(effect, "DuckDBError", (error) => expression.blame(database, expressions, error))

    yield* orBlame(database.run(sourceView(staging, compiled.row)))
    yield* Effect.forEach(compiled.fields, (field) => expression.check(database, field), { discard: true })
    yield* orBlame(database.run(targetView(compiled)))
    yield* Effect.forEach(compiled.tests, (test) => expression.check(database, test), { discard: true })
    yield* orBlame(database.run(resultTable(compiled)))
    yield* orBlame(align(database, compiled.row))
    return { fields: Object.keys(flow.fields), tests, tally: yield* orBlame(count(database, flow, tests)) }
  })
