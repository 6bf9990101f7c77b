/**
 * How a flow's SQL parses: whether each text is one expression, and what it may name. Nothing of the source is needed.
 */
import * as Array from "effect/Array"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { oneLine } from "../../internal/text.js"
import type { Database, DuckDBError } from "./duckdb.js"
import * as access from "./access.js"
import * as sql from "./sql.js"
import { type Node, type Place, places as placesOf } from "./tree.js"

/** An expression to be parsed. */
export interface Source {
  readonly sql: string
  /** The table whose row it is computed from. */
  readonly table: access.Table
}

/** What parsing tells of an expression. */
export interface Syntax {
  /** Why it is no expression for one value a row; `undefined` where it is. */
  readonly problem: string | undefined
  /** Every text in it, in lower case: what it names is among them. */
  readonly texts: ReadonlySet<string>
  /** The names, folded, under which it knows tables. */
  readonly tables: ReadonlySet<string>
  /** What it names as columns, by their parts: `s.name` is `["s", "name"]`. */
  readonly references: ReadonlyArray<ReadonlyArray<string>>
  /** Whether it may name columns that it does not spell: by a star, or by their positions. */
  readonly namesByPosition: boolean
  /** The tables, folded, of which it takes a row as a whole, as `to_json(source)` does, unless a column is called so. */
  readonly wholeRows: ReadonlySet<string>
  /** Those of them that can be the source. */
  readonly sourceRows: ReadonlySet<string>
  readonly hasSubquery: boolean
  /** Whether its value depends on other rows: it has a subquery or a window function. */
  readonly seesOtherRows: boolean
}

/** Why a window function can't stand in another. */
export const nestedWindow = "it has a window function inside another. Compute the inner one in a subquery over source."

const Answer = Schema.parseJson(
  Schema.Union(
    Schema.Struct({ error: Schema.Literal(true), error_type: Schema.String, error_message: Schema.String }),
    Schema.Struct({
      error: Schema.Literal(false),
      statements: Schema.NonEmptyArray(
        Schema.Struct({ node: Schema.Record({ key: Schema.String, value: Schema.Unknown }) })
      )
    })
  )
)
type Answer = typeof Answer.Type
const Answers = Schema.Struct({ answers: Schema.Array(Answer) })

const textsOf = ({ node }: Place): ReadonlyArray<string> =>
  Object.values(node).flat().filter(Predicate.isString).map(sql.fold)

const namesByPosition = ({ node }: Place): boolean =>
  node["class"] === "STAR" ||
  node["class"] === "POSITIONAL_REFERENCE" ||
  node["ref_type"] === "NATURAL" ||
  node["type"] === "PIVOT" ||
  node["type"] === "SHOW_REF" ||
  (Array.isArray(node["column_name_alias"]) && node["column_name_alias"].length > 0)

/** The names that an expression gives to tables. */
const aliasesOf = (places: ReadonlyArray<Place>): ReadonlyArray<string> =>
  places.flatMap(({ node }) =>
    node["type"] === "BASE_TABLE" && Predicate.isString(node["alias"]) ? [sql.fold(node["alias"])] : []
  )

const referencesOf = ({ node }: Place): ReadonlyArray<ReadonlyArray<string>> =>
  Array.isArray(node["column_names"]) ? [node["column_names"].map(String)] : []

/** Why an expression with this node can't have one value for each row. */
const refusal = ({ inSubquery, node }: Place): string | undefined => {
  if (node["class"] === "PARAMETER") return "it holds a parameter. Write the value itself."
  if (inSubquery) return undefined
  if (node["class"] === "STAR") {
    const star = node["columns"] === true ? "COLUMNS(…)" : "a star"
    return `${star} stands for several columns. Name the one that is meant.`
  }
  if (node["class"] === "POSITIONAL_REFERENCE") return "it gives a column's position. Write the column's name."
  return node["function_name"] === "unnest" || node["function_name"] === "unlist"
    ? "unnest gives several rows or columns. Put it into a subquery, such as (SELECT max(x) FROM unnest(list) AS t(x))."
    : undefined
}

/** A statement without its entries: the clauses that it has besides. */
const clausesOf = (node: Node): string => JSON.stringify({ ...node, select_list: [] })

const isOneEntry = (list: unknown): boolean =>
  Array.isArray(list) && list.length === 1 && Predicate.isReadonlyRecord(list[0]) && list[0]["alias"] === ""

const notOne = "it is not one expression. Write a single one, without SELECT, an alias, a clause or a semicolon."

/** Why an expression can't be parsed, by what DuckDB's parser says. */
export const syntaxError = (message: string): string => {
  if (message.includes("not allowed in window definitions")) return nestedWindow
  if (message.startsWith("Max expression depth limit"))
    return "it is nested more than 1,000 levels deep. Each operator of a chain is one: write a chain as a list."
  if (message.startsWith("SELECT clause without selection list")) return notOne
  return /at or near "(SELECT|;)"/i.test(message) ? notOne : `${oneLine(message).replace(/[.!]?$/, "")}.`
}

const problemOf = (
  answer: Answer,
  places: ReadonlyArray<Place>,
  bare: string,
  { table }: Source
): string | undefined => {
  if (answer.error) return answer.error_type === "parser" ? syntaxError(answer.error_message) : notOne
  const [statement, ...others] = answer.statements
  const refused = places.map((place) => refusal(place) ?? access.refusal(place, table)).find(Predicate.isNotUndefined)
  if (refused !== undefined) return refused
  return statement !== undefined &&
    others.length === 0 &&
    isOneEntry(statement.node["select_list"]) &&
    clausesOf(statement.node) === bare
    ? undefined
    : notOne
}

const read = (source: Source, answer: Answer, bare: string): Syntax => {
  const places = answer.error ? [] : placesOf(answer.statements)
  const references = places.flatMap(referencesOf)
  const aliases = aliasesOf(places)
  const tables = new Set(["source", "target", ...aliases])
  const wholeRows = references.flatMap(([name = "", ...parts]) =>
    parts.length === 0 && tables.has(sql.fold(name)) ? [sql.fold(name)] : []
  )
  const isOwn = (table: string) => table === source.table && table === "target" && !aliases.includes(table)
  const hasSubquery = places.some(({ node }) => node["class"] === "SUBQUERY")
  return {
    // DuckDB reads a text only to its first NUL character.
    problem: source.sql.includes("\0") ? "it holds a NUL character." : problemOf(answer, places, bare, source),
    texts: new Set(places.flatMap(textsOf)),
    tables,
    references,
    namesByPosition: places.some(namesByPosition),
    wholeRows: new Set(wholeRows),
    sourceRows: new Set(wholeRows.filter((table) => !isOwn(table))),
    hasSubquery,
    seesOtherRows: hasSubquery || places.some(({ node }) => node["class"] === "WINDOW")
  }
}

const query =
  "SELECT list_transform(from_json($1, '[\"VARCHAR\"]'), lambda text: json_serialize_sql('SELECT ' || text || chr(10))::VARCHAR) AS answers"

/**
 * Parses expressions, each by itself, so that none can complete another, all in one statement. What is no expression is
 * told in its `problem`.
 */
export const parse = (
  database: Database,
  sources: ReadonlyArray<Source>
): Effect.Effect<ReadonlyArray<Syntax>, DuckDBError> =>
  Effect.map(
    database.one(Answers, query, [JSON.stringify(["NULL", ...sources.map(({ sql }) => sql)])]),
    ({ answers: [bare, ...answers] }) => {
      const clauses = bare === undefined || bare.error ? "" : clausesOf(bare.statements[0].node)
      return Array.zipWith(sources, answers, (source, answer) => read(source, answer, clauses))
    }
  )
