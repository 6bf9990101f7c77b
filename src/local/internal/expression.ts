/**
 * A flow's expressions: binding them to the rows that they are computed from, and finding the one that is to blame.
 */
import * as Effect from "effect/Effect"
import { type Database, DuckDBError } from "./duckdb.js"
import type { Syntax } from "./syntax.js"

/** One expression of a flow. */
export interface Expression {
  /** What it is for, as a message names it: `The field "total"`. */
  readonly owner: string
  /** The field that it computes; none where it is a test. */
  readonly name?: string
  /** As the author wrote it. */
  readonly sql: string
  /** The SQL type that it must have or can be cast to; none where any will do. */
  readonly castTo?: "BOOLEAN"
  readonly syntax: Syntax
}

/** Expressions that are computed together. */
export interface Batch<E extends Expression = Expression> {
  readonly expressions: ReadonlyArray<E>
  /**
   * A query that gives the row's number and each of `some`, in this order, for the rows for which `where` holds. It
   * may name the row's number as `row` does.
   */
  readonly query: (some: ReadonlyArray<E>, where?: string) => string
  /** The statement that does with such a query what may fail. Default: it computes each value. */
  readonly use?: (query: string) => string
  readonly row: string
  readonly rows: number
}

/** An expression that has been bound, as a part of a query. */
export const write = ({ castTo, sql }: Pick<Expression, "sql" | "castTo">): string =>
  // A comment at its end must not swallow the parenthesis.
  castTo === undefined ? `(\n${sql}\n)` : `(\n${sql}\n)::${castTo}`

/** An expression to blame. */
export interface Culprit<E extends Expression = Expression> {
  readonly expression: E
  readonly error: DuckDBError
  /** The first record for which it fails, from 1; `undefined` where it fails for no single record. */
  readonly record: number | undefined
}

type Blame<E extends Expression> = Pick<Culprit<E>, "expression" | "error">

const errorOf = (attempt: Effect.Effect<unknown, DuckDBError>): Effect.Effect<DuckDBError | undefined> =>
  Effect.match(attempt, { onFailure: (error) => error, onSuccess: () => undefined })

/** The first of `suspects` for which `attempt` fails, by halving. */
const firstFailing = <E extends Expression>(
  suspects: ReadonlyArray<E>,
  attempt: (some: ReadonlyArray<E>) => Effect.Effect<unknown, DuckDBError>
): Effect.Effect<Blame<E> | undefined> =>
  Effect.gen(function* () {
    let left = suspects
    while (left.length > 1) {
      const half = left.slice(0, Math.ceil(left.length / 2))
      left = (yield* errorOf(attempt(half))) === undefined ? left.slice(half.length) : half
    }
    const [expression] = left
    const error = expression && (yield* errorOf(attempt([expression])))
    return error && { expression, error }
  })

/** The first of the rows from 0 to `rows` for which `attempt` fails, where it fails for all of them together. */
const firstFailingRow = (
  rows: number,
  attempt: (from: number, to: number) => Effect.Effect<unknown, DuckDBError>
): Effect.Effect<number> =>
  Effect.gen(function* () {
    let from = 0
    let to = rows
    while (to - from > 1) {
      const middle = Math.floor((from + to) / 2)
      if ((yield* errorOf(attempt(from, middle))) === undefined) from = middle
      else to = middle
    }
    return from
  })

/** A query has more columns than it has expressions, and the row's number. */
export const severalColumns = (): DuckDBError =>
  new DuckDBError({ kind: "Binder", message: "it gives several columns" })

/** The first expression that can't be bound. */
export const findUnbound = <E extends Expression>(
  database: Database,
  { expressions, query }: Batch<E>
): Effect.Effect<Culprit<E> | undefined> =>
  Effect.map(
    firstFailing(expressions, (some) =>
      Effect.filterOrFail(
        database.shape(query(some)),
        ({ columns }) => columns.length === some.length + 1,
        severalColumns
      )
    ),
    (blame) => blame && { ...blame, record: undefined }
  )

// Each value is hashed, because DuckDB computes nothing that nobody looks at.
const lookAtEach = (query: string): string => `SELECT bit_xor(hash(*COLUMNS(*))) FROM (${query})`

/**
 * The first expression that fails on the data, and the first record for which it does. No record is named where its
 * value depends on other rows, since then it would be another value for a part of them.
 */
export const findFailing = <E extends Expression>(
  database: Database,
  { expressions, query, row, rows, use = lookAtEach }: Batch<E>
): Effect.Effect<Culprit<E> | undefined> =>
  Effect.gen(function* () {
    const compute = (some: ReadonlyArray<E>, where?: string) => database.run(use(query(some, where)))
    const between = (from: number, to: number) => `${row} >= ${from} AND ${row} < ${to}`

    const simple = expressions.filter(({ syntax }) => !syntax.seesOtherRows)
    if (simple.length > 0 && (yield* errorOf(compute(simple))) !== undefined) {
      const failing = yield* firstFailingRow(rows, (from, to) => compute(simple, between(from, to)))
      const blame = yield* firstFailing(simple, (some) => compute(some, between(failing, failing + 1)))
      return blame && { ...blame, record: failing + 1 }
    }
    const others = expressions.filter(({ syntax }) => syntax.seesOtherRows)
    const blame = yield* firstFailing(others, (some) => compute(some))
    return blame && { ...blame, record: undefined }
  })
