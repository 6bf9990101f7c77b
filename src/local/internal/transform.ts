/**
 * TRANSFORMING: computes the target's fields and the tests into the table `result`, whose rows are those of `staged`, in
 * the same order, and counts the outcome.
 */
import type { DuckDBType } from "@duckdb/node-api"
import * as Array from "effect/Array"
import * as Effect from "effect/Effect"
import * as Number from "effect/Number"
import * as Schema from "effect/Schema"
import type { TopError } from "../../LumeMetadata.js"
import type { Database, DuckDBError } from "./duckdb.js"
import { refuseDamaged } from "./damage.js"
import * as explain from "./explain.js"
import * as expression from "./expression.js"
import { fromDuckDB, lack, refuseLack, StageFailure } from "./failure.js"
import type { Format } from "./format.js"
import type { Field, Program, Test } from "./program.js"
import * as relations from "./relations.js"
import * as sql from "./sql.js"
import type { Placed, Relations } from "./relations.js"
import type { Staging } from "./syncSource.js"
import * as targetType from "./targetType.js"

/** What came of the tests, as counted. */
export interface Tally {
  readonly mapped: number
  readonly rejected: number
  readonly testsExecuted: number
  readonly testsFailed: number
  /** The ten most frequent. */
  readonly topErrors: ReadonlyArray<TopError>
}

/** A field of the target, computed. */
export type TypedField = Placed<Field> & {
  /** `undefined` where the target keeps texts, and types do not matter. */
  readonly type: DuckDBType | undefined
}

/** A source transformed. */
export interface Transformed {
  readonly fields: ReadonlyArray<TypedField>
  readonly tests: ReadonlyArray<Placed<Test>>
  readonly tally: Tally
}

const Measured = Schema.Struct({
  rows: Schema.Number,
  strays: Schema.Number,
  mapped: Schema.Number,
  failed: Schema.Array(Schema.Number)
})
type Measured = typeof Measured.Type

/** Whether a row of `result` passes all of the tests. */
export const passes = (tests: ReadonlyArray<Placed<Test>>): string =>
  tests.length === 0 ? "true" : tests.map(({ column }) => `result.${column}`).join(" AND ")

const measure = (database: Database, { tests }: Relations) => {
  const failed = tests.expressions.map(({ column }) => `count(*) FILTER (WHERE NOT result.${column})::DOUBLE`)
  const counts = [
    "count(*)::DOUBLE AS rows",
    `count(*) FILTER (WHERE result.rowid IS DISTINCT FROM result.row)::DOUBLE AS strays`,
    `count(*) FILTER (WHERE ${passes(tests.expressions)})::DOUBLE AS mapped`,
    `[${failed.join(", ")}]::DOUBLE[] AS failed`
  ]
  return Effect.orDie(database.one(Measured, `SELECT ${counts.join(", ")} FROM result`))
}

const topErrors = (tests: ReadonlyArray<Placed<Test>>, failed: ReadonlyArray<number>): ReadonlyArray<TopError> => {
  const pairs = Array.groupBy(
    Array.zipWith(tests, failed, ({ errorCode, field }, count) => ({ errorCode, field, count })),
    ({ errorCode, field }) => JSON.stringify([errorCode, field])
  )
  return Object.values(pairs)
    .map((same) => ({ ...same[0], count: Number.sumAll(same.map(({ count }) => count)) }))
    .filter(({ count }) => count > 0)
    .toSorted((one, other) => other.count - one.count)
    .slice(0, 10)
}

const tally = (tests: ReadonlyArray<Placed<Test>>, { failed, mapped, rows }: Measured): Tally => ({
  mapped,
  rejected: rows - mapped,
  testsExecuted: rows * tests.length,
  testsFailed: Number.sumAll(failed),
  topErrors: topErrors(tests, failed)
})

const severalRows = new StageFailure({
  errorCode: "FLOW_SQL_ERROR",
  message:
    "The flow gives several rows, or none, for a row of the source. A field must have one value for each row: " +
    "take what gives several out of the fields, or put it into a subquery."
})

/** Counts the outcome, and puts the rows of `result` into the order of the source, from which a window function takes them. */
const settle = (database: Database, relations: Relations, rows: number) =>
  Effect.gen(function* () {
    const measured = yield* measure(database, relations)
    if (measured.rows !== rows) return yield* severalRows
    if (measured.strays === 0) return measured
    const sorted = `CREATE OR REPLACE TABLE result AS SELECT * FROM result ORDER BY row`
    yield* Effect.catchAll(
      database.run(sorted),
      fromDuckDB("FLOW_SQL_ERROR", () => "The target can't be sorted.")
    )
    const again = yield* measure(database, relations)
    return again.strays === 0 ? again : yield* severalRows
  })

const refuseProblems = ({ fields, tests }: Program, { columns }: Staging): Effect.Effect<void, StageFailure> => {
  const names = columns.map(({ name }) => name)
  return Effect.forEach(
    [...fields, ...tests],
    (one) => (one.syntax.problem === undefined ? Effect.void : explain.refuseSyntax(one, one.syntax.problem, names)),
    { discard: true }
  )
}

/** Refuses a flow that takes all columns where some can't be told apart. */
const refuseTwins = (
  { fields, tests }: Program,
  { columns }: Staging,
  twins: ReadonlyArray<string>
): Effect.Effect<void, StageFailure> => {
  // twins can't be seen, so that no table's name is taken for one of them
  const names = new Set(columns.flatMap(({ name }) => (twins.includes(name) ? [] : [sql.fold(name)])))
  const takesSource = (tables: ReadonlySet<string>) => [...tables].some((table) => !names.has(table))
  const greedy = [...fields, ...tests].find(({ syntax }) => syntax.namesByPosition || takesSource(syntax.sourceRows))
  return greedy === undefined || twins.length === 0
    ? Effect.void
    : explain.refuse(greedy, `it takes all columns of the source, but ${explain.indistinct(twins)}`)
}

/** Fails by the expression of `batch` that can't be bound, if there is one. */
const refuseUnbound = <E extends expression.Expression>(
  database: Database,
  batch: expression.Batch<E>,
  scope: explain.Scope
): Effect.Effect<void, StageFailure> =>
  Effect.flatMap(expression.findUnbound(database, batch), (culprit) =>
    culprit === undefined ? Effect.void : explain.explainUnbound(database, scope, culprit)
  )

/** Fails by the first expression of `batch` that fails on the data, if there is one. */
const refuseFailing = <E extends expression.Expression>(
  database: Database,
  batch: expression.Batch<E>
): Effect.Effect<void, StageFailure> =>
  Effect.flatMap(expression.findFailing(database, batch), (culprit) =>
    culprit === undefined ? Effect.void : explain.explainFailing(culprit)
  )

const inGeneral = fromDuckDB(
  "FLOW_SQL_ERROR",
  () => "The flow can't be computed, though each of its expressions can. Wrap those that may fail in TRY(…)."
)

/** What the columns of a query are: their types, or only how many there are where the target keeps texts. */
const typesOf = (
  { database, format }: Staging,
  query: string
): Effect.Effect<ReadonlyArray<DuckDBType | undefined>, DuckDBError> =>
  format.family === "delimited"
    ? Effect.map(database.shape(query), ({ columns }) => columns.map(() => undefined))
    : database.types(query)

/** Refuses a field whose values can't be kept. */
const refuseUnfit = (family: Format["family"], fields: ReadonlyArray<TypedField>): Effect.Effect<void, StageFailure> =>
  Effect.forEach(
    fields,
    (field) => {
      const problem = field.type && targetType.problem(family, field.type)
      return problem === undefined ? Effect.void : explain.refuse(field, problem)
    },
    { discard: true }
  )

/** Binds the fields, and refuses those whose values the target can't keep. */
const bind = (staging: Staging, { fields, twins }: Relations): Effect.Effect<ReadonlyArray<TypedField>, StageFailure> =>
  Effect.gen(function* () {
    const { columns, database, format } = staging
    const { expressions, query } = fields
    const scope: explain.Scope = {
      title: "The source's columns",
      table: "source",
      names: columns.map(({ name }) => name),
      twins,
      elsewhere: {
        names: expressions.map(({ name }) => name),
        advice: "That is a field of the target, which no other field sees: repeat its expression."
      }
    }
    const [, ...types] = yield* typesOf(staging, query(expressions)).pipe(
      Effect.filterOrFail(({ length }) => length === expressions.length + 1, expression.severalColumns),
      Effect.catchAll((error) =>
        Effect.gen(function* () {
          yield* staging.unchanged
          yield* refuseUnbound(database, fields, scope)
          return yield* inGeneral(error)
        })
      )
    )
    const typed = Array.zipWith(expressions, types, (field, type) => ({ ...field, type }))
    yield* refuseUnfit(format.family, typed)
    return typed
  })

/** Computes `result`; where that fails, finds out by what. */
const makeResult = (staging: Staging, { compute, fields, tests }: Relations): Effect.Effect<void, StageFailure> => {
  const { columns, database, format } = staging
  const scope: explain.Scope = {
    title: "The target's fields",
    table: "target",
    names: fields.expressions.map(({ name }) => name),
    twins: [],
    elsewhere: {
      names: columns.map(({ name }) => name),
      advice: "That is a column of the source, which no test sees: make it a field of the target."
    }
  }
  return Effect.catchAll(database.run(compute), (error) =>
    Effect.gen(function* () {
      yield* refuseLack(error)
      yield* staging.unchanged
      yield* refuseUnbound(database, tests, scope)
      yield* refuseDamaged(staging)
      if (error.kind === "IO") return yield* lack
      yield* refuseFailing(database, fields)
      yield* refuseFailing(database, tests)
      // Some types can be computed, but not be kept in a table.
      const [, ...types] = yield* Effect.orDie(database.types(fields.query(fields.expressions)))
      yield* refuseUnfit(
        format.family,
        Array.zipWith(fields.expressions, types, (field, type) => ({ ...field, type }))
      )
      return yield* inGeneral(error)
    })
  )
}

/** Runs statements of our own, which fail by the source alone. */
const execute = (staging: Staging, statements: ReadonlyArray<string>): Effect.Effect<void, StageFailure> =>
  Effect.forEach(
    statements,
    (statement) =>
      Effect.catchAll(staging.database.run(statement), (error) =>
        Effect.all([refuseLack(error), refuseDamaged(staging), Effect.die(error)], { discard: true })
      ),
    { discard: true }
  )

/** Transforms a staged source. */
export const transform = (program: Program, staging: Staging): Effect.Effect<Transformed, StageFailure> =>
  Effect.gen(function* () {
    const { database, rows } = staging
    const made = relations.make(program, staging)
    yield* refuseProblems(program, staging)
    yield* refuseTwins(program, staging, made.twins)
    yield* execute(staging, made.create)
    const fields = yield* bind(staging, made)
    yield* makeResult(staging, made)
    yield* execute(staging, made.drop)
    const measured = yield* settle(database, made, rows)
    const tests = made.tests.expressions
    return { fields, tests, tally: tally(tests, measured) }
  })
