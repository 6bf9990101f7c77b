/**
 * The SQL that a flow's author wrote: whether it is what it must be, and which piece of it is to blame.
 */
import * as Effect from "effect/Effect"
import type { Database, DuckDBError } from "./duckdb.js"
import { fromDuckDB, StageFailure } from "./failure.js"
import * as sql from "./sql.js"

/** One expression of a flow. */
export interface Expression {
  /** What it is for, as a message names it: `The field "total"`. */
  readonly owner: string
  /** As the author wrote it. */
  readonly sql: string
  /** The SQL type that it must have or can be cast to; none where any will do. */
  readonly type?: "BOOLEAN"
  /** The view over whose rows it is computed. */
  readonly from: string
  /** A column of that view, which numbers its rows. */
  readonly row: string
}

/** An expression that `check` has passed, as a part of a query. */
export const write = ({ sql, type }: Pick<Expression, "sql" | "type">): string =>
  // A comment at its end must not swallow the parenthesis.
  type === undefined ? `(\n${sql}\n)` : `(\n${sql}\n)::${type}`

const refuse = (expression: Expression, why: string): StageFailure =>
  new StageFailure({
    errorCode: "FLOW_SQL_ERROR",
    message: `${expression.owner} can't be computed: ${why} Its SQL is: ${expression.sql}`
  })

const fail = (expression: Expression) =>
  fromDuckDB("FLOW_SQL_ERROR", (error) => refuse(expression, explain(error)).message)

const explain = (error: DuckDBError): string =>
  error.message.includes("must appear in the GROUP BY clause")
    ? "it is an aggregate, and must give one value for each row. Add OVER () to it."
    : error.message.replace(/[.!]?$/, ".")

/**
 * Checks that a text is one SQL expression with one value for a row of its view, without running it.
 *
 * Both queries must be sound: what closes a parenthesis that it did not open breaks the second, and what is more than
 * an expression (an alias, a clause, a second statement) breaks the first. So what has passed can stand between
 * parentheses in any query, and stays between them.
 */
export const check = (database: Database, expression: Expression): Effect.Effect<void, StageFailure> =>
  Effect.gen(function* () {
    const from = `FROM ${expression.from}`
    const shapes = yield* Effect.all([
      database.shape(`SELECT ${sql.name(expression.row)}, ${write(expression)} ${from}`),
      database.shape(`SELECT ${sql.name(expression.row)},\n${expression.sql}\n${from}`)
    ]).pipe(Effect.catchAll(fail(expression)))
    if (shapes.some(({ parameters }) => parameters > 0)) return yield* refuse(expression, "it holds a parameter.")
    if (shapes.some(({ columns }) => columns.length !== 2))
      return yield* refuse(expression, "it is not one expression.")
  })

/** Runs each expression by itself, so that the one that fails on the data is named. */
export const blame = (
  database: Database,
  expressions: ReadonlyArray<Expression>,
  error: DuckDBError
): Effect.Effect<never, StageFailure> =>
  Effect.forEach(
    expressions,
    (expression) =>
      Effect.catchAll(
        database.run(`SELECT count(value) FROM (SELECT ${write(expression)} AS value FROM ${expression.from})`),
        fail(expression)
      ),
    { discard: true }
  ).pipe(Effect.zipRight(fromDuckDB("FLOW_SQL_ERROR", () => `The flow can't be computed: ${error.message}`)(error)))
