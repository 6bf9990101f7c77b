/**
 * Why an expression of a flow can't be computed, in sentences for its author. DuckDB's own are shown only where they
 * speak of the author's SQL: those about data hold values of the source.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { oneLine } from "../../internal/text.js"
import type { Database, DuckDBError } from "./duckdb.js"
import type { Culprit, Expression } from "./expression.js"
import { fromDuckDB, StageFailure } from "./failure.js"
import * as sql from "./sql.js"
import { nestedWindow } from "./syntax.js"

/** What the expressions of a batch can name. */
export interface Scope {
  /** What the names are, such as `The source's columns`. */
  readonly title: string
  readonly names: ReadonlyArray<string>
  /** Columns that SQL can't tell apart, which therefore can't be named. */
  readonly twins: ReadonlyArray<string>
}

/** The failure of a flow by one of its expressions. */
export const refuse = ({ owner, sql }: Expression, why: string, record?: number): StageFailure => {
  const where = record === undefined ? "" : ` for record ${record}`
  return new StageFailure({
    errorCode: "FLOW_SQL_ERROR",
    message: `${owner} can't be computed${where}: ${why} Its SQL is: ${oneLine(sql, 500)}`
  })
}

const quoted = (names: ReadonlyArray<string>): string =>
  names.map((name) => JSON.stringify(oneLine(name, 80))).join(", ")

/** Why a flow can't name columns that differ by case only. */
export const indistinct = (names: ReadonlyArray<string>): string =>
  `the source's columns ${quoted(names)} differ only by upper and lower case, which SQL can't tell apart. Rename one of them in the source.`

const most = 30
const Nearest = Schema.Struct({ names: Schema.Array(Schema.String) })
const nearest =
  "SELECT list(name ORDER BY jaro_winkler_similarity(lower(name), lower($2)) DESC)[:$3::INTEGER] AS names " +
  "FROM (SELECT unnest(from_json($1, '[\"VARCHAR\"]')) AS name)"

/** What could have been meant by a name that is not there. */
const candidates = (database: Database, { names, title }: Scope, wanted: string) =>
  names.length <= most
    ? Effect.succeed(`${title} are ${quoted(names)}.`)
    : Effect.map(
        database.one(Nearest, nearest, [JSON.stringify(names), wanted, String(most)]),
        (found) => `Of ${title.replace("The", "the")}, ${names.length} in all, the nearest are ${quoted(found.names)}.`
      )

const missingColumn = /^Referenced column "(.*)" not found|does not have a column named "(.*)"/
const missingTable = /^Table with name (.*) does not exist|^Referenced table "(.*)" not found/

/** The column that is not there. Where it is one of a table in a subquery, DuckDB says that there is no such table. */
const columnOf = (scope: Scope, { error, expression }: Culprit): string | undefined => {
  const [, alone, qualified = alone] = missingColumn.exec(error.message) ?? []
  if (qualified !== undefined) return qualified
  const [, , table] = missingTable.exec(error.message) ?? []
  const names = new Set(scope.names.map(sql.fold))
  const { references, tables } = expression.syntax
  return table !== undefined && tables.has(sql.fold(table))
    ? references.find(([first, name]) => first === table && name !== undefined && !names.has(sql.fold(name)))?.[1]
    : undefined
}

const unbound = (database: Database, scope: Scope, culprit: Culprit): Effect.Effect<string, DuckDBError> => {
  const { message } = culprit.error
  const column = columnOf(scope, culprit)
  if (column !== undefined) {
    const twins = scope.twins.filter((name) => sql.fold(name) === sql.fold(column))
    return twins.length > 0
      ? Effect.succeed(indistinct(twins))
      : Effect.map(candidates(database, scope, column), (are) => `there is no column ${quoted([column])}. ${are}`)
  }
  const [, unknown, referenced = unknown] = missingTable.exec(message) ?? []
  if (referenced !== undefined)
    return Effect.succeed(`there is no table ${quoted([referenced])}. The table of the source's rows is called source.`)
  if (message.includes("must appear in the GROUP BY clause"))
    return Effect.succeed("it is an aggregate, which gives one value for all rows. Add OVER () to it.")
  if (message.includes("window function calls cannot be nested")) return Effect.succeed(nestedWindow)
  return Effect.succeed(`${message.replace(/[.!]?$/, "")}.`)
}

const instead = "to get NULL in its place, which a test can catch."

const failing = ({ kind, message }: DuckDBError): string => {
  // A statement about types, without a value.
  const [types] = /^Unimplemented type for cast \([^']*?\)/.exec(message) ?? []
  if (types !== undefined) return `${types}.`
  if (message.startsWith("More than one row returned by a subquery"))
    return "its subquery gives several rows. Add LIMIT 1 or an aggregate, such as max."
  switch (kind) {
    case "Conversion":
      return `a value can't be converted to the type that it asks for. Use try_cast or TRY(…) ${instead}`
    case "Out of Range":
      return `a number is out of range. Use a wider type, or TRY(…) ${instead}`
    default:
      return `a function can't take a value. Use TRY(…) ${instead}`
  }
}

/** The failure of a flow by an expression that can't be bound. */
export const explainUnbound = (
  database: Database,
  scope: Scope,
  culprit: Culprit
): Effect.Effect<never, StageFailure> => {
  const { error, expression } = culprit
  return Effect.matchEffect(unbound(database, scope, culprit), {
    onFailure: fromDuckDB("FLOW_SQL_ERROR", () => refuse(expression, "its SQL can't be bound.").message),
    onSuccess: (why) => fromDuckDB("FLOW_SQL_ERROR", () => refuse(expression, why).message)(error)
  })
}

/** The failure of a flow by an expression that fails on the data. */
export const explainFailing = ({ error, expression, record }: Culprit): Effect.Effect<never, StageFailure> =>
  fromDuckDB("FLOW_SQL_ERROR", () => refuse(expression, failing(error), record).message)(error)
