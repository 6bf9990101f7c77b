/**
 * What an expression may read: the tables that it is written for and those that it makes, and nothing about this machine
 * or the tables of this engine.
 */
import * as Predicate from "effect/Predicate"
import { oneLine, preview } from "../../internal/text.js"
import * as sql from "./sql.js"
import { isMade, type Node, type Place } from "./tree.js"

/** The table whose row an expression is computed from. */
export type Table = "source" | "target"

/** The tables that an expression can name, by the one whose row it is computed from. */
const tables = {
  source: ["source"],
  target: ["source", "target"]
} as const satisfies Record<Table, ReadonlyArray<Table>>

/** The functions in FROM that read nothing but their arguments. */
const rowsOfArguments = ["unnest", "range", "generate_series", "json_each", "json_tree", "repeat", "repeat_row"]

/** Functions that make SQL of a text. */
const runText: ReadonlySet<string> = new Set(["query", "query_table", "json_execute_serialized_sql"])

/** Functions that tell of the machine, or of the SQL around an expression. */
const askDuckDB: ReadonlySet<string> = new Set([
  "current_query",
  "current_setting",
  "format_type",
  "get_block_size",
  "json_serialize_plan",
  "pg_get_constraintdef",
  "pg_get_viewdef"
])

const textOf = (value: unknown): string => (Predicate.isString(value) ? value : "")

/** What can be read in place of a table that is not there. */
export const ofTheTable = (table: Table): string => `The table of the ${table}'s rows is called ${table}.`

/** Why no table of this name can be read. DuckDB lets a recursive query see all of its rows as `recurring.<its name>`. */
const unknownTable = ({ made, node }: Place, table: Table): string | undefined => {
  const name = textOf(node["table_name"])
  const schemas = [node["catalog_name"], node["schema_name"]].map(textOf).filter((part) => part !== "")
  const isKnown =
    schemas.length === 0
      ? tables[table].some((known) => known === sql.fold(name)) || isMade(made, name)
      : schemas.map(sql.fold).join() === "recurring" && isMade(made, name)
  return isKnown ? undefined : `there is no table ${preview([...schemas, name].join("."))}. ${ofTheTable(table)}`
}

const functionOf = (node: Node): string => sql.fold(textOf(node["function_name"]))

const unknownFunction = ({ node }: Place): string | undefined => {
  const name = Predicate.isReadonlyRecord(node["function"]) ? functionOf(node["function"]) : ""
  if (rowsOfArguments.includes(name)) return undefined
  return runText.has(name)
    ? `it makes SQL of a text by ${name}(…). Write that SQL itself, as a subquery.`
    : `it takes rows from ${oneLine(name, 80)}(…). The functions that may stand in FROM are ${rowsOfArguments.slice(0, -1).join(", ")} and ${rowsOfArguments.slice(-1).join()}.`
}

/** Why an expression that is computed from a row of `table` may not have this node. */
export const refusal = (place: Place, table: Table): string | undefined => {
  const { node } = place
  const name = functionOf(node)
  if (askDuckDB.has(name))
    return `it asks about DuckDB itself by ${name}(…). Take it out, or write the value that is meant.`
  switch (node["type"]) {
    case "BASE_TABLE":
      return unknownTable(place, table)
    case "TABLE_FUNCTION":
      return unknownFunction(place)
    case "SHOW_REF":
      // DESCRIBE of a query or a table is one that holds it.
      return Predicate.isReadonlyRecord(node["query"])
        ? undefined
        : `it asks which tables there are. ${ofTheTable(table)}`
    default:
      return undefined
  }
}
