/**
 * What a flow sees of JSON records: for each key its value as a text, of a string what it holds, else its JSON.
 */
import * as Effect from "effect/Effect"
import { randomUUID } from "node:crypto"
import type * as duckdb from "../duckdb.js"
import * as sql from "../sql.js"

/** How values are taken out of the records' texts. */
export interface Extraction {
  /** The statements that make the staged table: the text of each record as `json`, and what holds the values. */
  readonly statements: ReadonlyArray<readonly [statement: string, ...parameters: ReadonlyArray<string>]>
  /** A key's value: SQL over `staged`. */
  readonly value: (key: string) => string
}

/**
 * Numbers with a fraction or an exponent that a double may change: those of more than 15 digits, and those with an
 * exponent of more than two.
 */
const inexact = "(?:[0-9.]{17,}(?:[eE][-+]?[0-9]+)?|[0-9.]{16,}[eE][-+]?[0-9]+|[0-9.]+[eE][-+]?[0-9]{3,})"
const suspect = sql.text(`[:\\[,]\\s*-?${inexact}`)
const tokens = sql.text('"(?:[^"\\\\]|\\\\.)*"|[-0-9][-+.0-9eE]*|[^-"0-9]+')

/** Every function of DuckDB that reads JSON takes fractions for doubles: such numbers are made texts with a mark before. */
const marked = (mark: string): string =>
  `CASE WHEN regexp_matches(json, ${suspect}) THEN array_to_string(list_transform(regexp_extract_all(json, ${tokens}), ` +
  `lambda token: CASE WHEN regexp_full_match(token, ${sql.text(`-?${inexact}`)}) THEN '"${mark}' || token || '"' ELSE token END), '') ELSE json END`

const unmarked = (value: string, mark: string): string =>
  `CASE WHEN starts_with(${value}, '${mark}') THEN substr(${value}, ${mark.length + 1}) ` +
  `WHEN contains(${value}, '${mark}') THEN regexp_replace(${value}, '"${mark}([^"]*)"', '\\1', 'g') ELSE ${value} END`

const pointer = (key: string): string => sql.text(`/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`)

/** For a flow that names few keys: those alone, as a struct. */
const asStruct = (relation: string, json: string, wanted: ReadonlyArray<string>): Extraction => {
  const shape = JSON.stringify(Object.fromEntries(wanted.map((key) => [key, "VARCHAR"])))
  const values = wanted.length === 0 ? "NULL" : `json_transform(${json}, ${sql.text(shape)})`
  return {
    statements: [[`CREATE TABLE ${relation} AS SELECT json, ${values} AS "values" FROM records`]],
    value: (key) => `struct_extract(staged."values", ${sql.text(key)})`
  }
}

const places =
  "CREATE TABLE places AS SELECT first, list(coalesce(place, 0) ORDER BY turn) AS places FROM " +
  "(SELECT unnest(from_json($1, '[\"VARCHAR\"]')) AS key, unnest(range($2::INTEGER)) AS turn) CROSS JOIN (SELECT first FROM shapes) " +
  "LEFT JOIN (SELECT first, unnest(keys) AS key, unnest(range(1, len(keys) + 1)) AS place FROM shapes) USING (first, key) GROUP BY first"

/**
 * For a flow that names very many keys: all values, as a list in the order of the keys. To take a field out of a struct
 * takes the longer the more fields it has, out of a list it does not.
 */
const asList = (relation: string, json: string, wanted: ReadonlyArray<string>): Extraction => {
  const at = new Map(wanted.map((key, index) => [key, index + 1]))
  const values = `list_select(json_extract_string(${json}, '$.*'), places)`
  return {
    statements: [
      [places, JSON.stringify(wanted), String(wanted.length)],
      [
        `CREATE TABLE ${relation} AS SELECT json, ${values} AS "values" FROM records ` +
          "JOIN shapes ON shapes.keys = json_keys(json) JOIN places USING (first) ORDER BY records.rowid"
      ],
      ["DROP TABLE places"]
    ],
    value: (key) => `staged."values"[${at.get(key) ?? 0}]`
  }
}

/** From so many keys on a list is faster than a struct. */
const many = 1000

/**
 * Makes the table `relation` of the values of `wanted`. It takes them out of the table `records`, whose records have the
 * lists of keys in the table `shapes`.
 */
export const extract = (
  database: duckdb.Database,
  relation: string,
  wanted: ReadonlyArray<string>,
  hasInexact: boolean
): Effect.Effect<(key: string) => string, duckdb.DuckDBError> => {
  const mark = hasInexact ? randomUUID() : undefined
  const json = mark === undefined ? "json" : marked(mark)
  const { statements, value } = (wanted.length > many ? asList : asStruct)(relation, json, wanted)
  const run = Effect.forEach(statements, ([statement, ...parameters]) => database.run(statement, parameters), {
    discard: true
  })
  const isWanted = new Set(wanted)
  return Effect.as(run, (key) => {
    const text = isWanted.has(key) ? value(key) : `json_extract_string(staged.json, ${pointer(key)})`
    return mark === undefined ? text : unmarked(text, mark)
  })
}
