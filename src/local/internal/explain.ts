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
import { ofTheTable, type Table } from "./access.js"
import * as sql from "./sql.js"
import { nestedWindow, syntaxError } from "./syntax.js"

/** What the expressions of a batch can name. */
export interface Scope {
  /** What the names are, such as `The source's columns`. */
  readonly title: string
  /** The table that they are the columns of: the source's rows, or the target's. */
  readonly table: Table
  readonly names: ReadonlyArray<string>
  /** Columns that SQL can't tell apart, which therefore can't be named. */
  readonly twins: ReadonlyArray<string>
  /** Names that are known, but can't be used here, and what to do instead. */
  readonly elsewhere: { readonly names: ReadonlyArray<string>; readonly advice: string }
}

/** The failure of a flow by one of its expressions. */
export const refuse = ({ owner, sql }: Expression, why: string, record?: number): StageFailure => {
  const where = record === undefined ? "" : ` for record ${record}`
  return new StageFailure({
    errorCode: "FLOW_SQL_ERROR",
    message: `${owner} can't be computed${where}: ${why} Its SQL is: ${oneLine(sql, 500)}`
  })
}

const invisible = /(?! )[\p{C}\p{Z}]/gu

/** A name with every character that it has: spaces and what can't be seen are why it is misspelt. */
const shown = (name: string): string =>
  JSON.stringify(name.length > 80 ? `${name.slice(0, 79)}…` : name).replace(
    invisible,
    (character) => `\\u{${character.codePointAt(0)?.toString(16) ?? ""}}`
  )

const quoted = (names: ReadonlyArray<string>): string => names.map(shown).join(", ")

/** Why a flow can't name columns that differ by case only, or not at all. */
export const indistinct = (names: ReadonlyArray<string>): string =>
  new Set(names).size === 1
    ? `the source has several columns ${quoted(names.slice(0, 1))}. Rename all but one of them in the source.`
    : `the source's columns ${quoted(names)} differ only by upper and lower case, which SQL can't tell apart. Rename one of them in the source.`

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
const missingTable = /^Referenced table "(.*)" not found/

const isPlain = (name: string): boolean => /^[A-Za-z_]\w*$/.test(name)

/** What to do about a name that an expression has without its quotes, or a text that has a name's. */
const quotes = ({ names }: Pick<Scope, "names">, text: string, wanted?: string): string => {
  const bare = names.find(
    (name) => !isPlain(name) && text.includes(name.trim()) && !text.includes(sql.name(name)) && name.trim() !== ""
  )
  if (bare !== undefined) return ` Write the column ${shown(bare)} so, in double quotes.`
  return wanted !== undefined && text.includes(sql.name(wanted))
    ? ` If a text is meant, put it into single quotes: ${sql.text(oneLine(wanted, 80))}.`
    : ""
}

/** As `refuse`, for an expression that can't be read as one. */
export const refuseSyntax = (expression: Expression, problem: string, columns: ReadonlyArray<string>): StageFailure =>
  refuse(expression, problem + quotes({ names: columns }, expression.sql))

/** What DuckDB says of types, and what to do about them. */
const advice: ReadonlyArray<readonly [said: RegExp, advice: string]> = [
  [
    /^(No function matches|Cannot compare values).*VARCHAR/,
    " A column of CSV, TSV or JSON is text: cast it where another type is wanted, as in try_cast(x AS DOUBLE)."
  ],
  [/^Cannot extract field/, " What is nested in JSON is text: take it apart by arrows, as in x->>'y'."],
  [
    /^(Scalar|Aggregate|Table|Macro) Function with name .* does not exist/i,
    " DuckDB's documentation lists the functions that there are."
  ]
]

const said = (message: string): string => {
  const sentence = `${message.replace(/ You might need to add explicit type casts\.?$/, "").replace(/[.!]?$/, "")}.`
  const [, more = ""] = advice.find(([pattern]) => pattern.test(message)) ?? []
  return sentence + more
}

/** The column that is not there. Where it is one of a table in a subquery, DuckDB says that there is no such table. */
const columnOf = (scope: Scope, { error, expression }: Culprit): string | undefined => {
  const [, alone, qualified = alone] = missingColumn.exec(error.message) ?? []
  if (qualified !== undefined) return qualified
  const [, table] = missingTable.exec(error.message) ?? []
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
    if (twins.length > 0) return Effect.succeed(indistinct(twins))
    const isElsewhere = scope.elsewhere.names.some(
      (name) => name !== culprit.expression.name && sql.fold(name) === sql.fold(column)
    )
    const more = isElsewhere ? ` ${scope.elsewhere.advice}` : quotes(scope, culprit.expression.sql, column)
    return Effect.map(
      candidates(database, scope, column),
      (are) => `there is no column ${quoted([column])}. ${are}${more}`
    )
  }
  const [, table] = missingTable.exec(message) ?? []
  if (table !== undefined) return Effect.succeed(`there is no table ${quoted([table])}. ${ofTheTable(scope.table)}`)
  if (message.startsWith("Ambiguous reference to table"))
    return Effect.succeed("it takes a table twice under one name. Give each its own, as in FROM source a, source b.")
  if (message.includes("must appear in the GROUP BY clause"))
    return Effect.succeed("it is an aggregate, which gives one value for all rows. Add OVER () to it.")
  if (message.includes("window function calls cannot be nested")) return Effect.succeed(nestedWindow)
  return Effect.succeed(culprit.error.kind === "Parser" ? syntaxError(message) : said(message))
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
