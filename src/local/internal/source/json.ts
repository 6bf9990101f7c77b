/**
 * Sources of JSON, staged by record: DuckDB keeps each record's own text, and takes out of it what the flow may name.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { preview } from "../../../internal/text.js"
import type * as duckdb from "../duckdb.js"
import type { StageFailure } from "../failure.js"
import * as sql from "../sql.js"
import { eachText, type OpenFile, read, size } from "./bytes.js"
import { incompleteNumber, JsonScan, type Layout } from "./jsonScan.js"
import * as jsonValues from "./jsonValues.js"
import { type Column, countRows, type Names, type Staged } from "./staged.js"
import { fromDuckDB, Unreadable } from "./unreadable.js"

/** Records to be staged. */
export interface Source {
  /** UTF-8 without a byte-order mark. */
  readonly file: OpenFile
  /** How records lie by the file's extension: an array's file may also have lines. */
  readonly layout: Layout
  readonly names: Names
  /** The name of what is made of them in the database. */
  readonly relation: string
}

const scan = ({ file, layout }: Source): Effect.Effect<JsonScan, Unreadable> =>
  Effect.suspend(() => {
    const scan = new JsonScan(layout === "lines" ? layout : undefined)
    const check = () => (scan.fault === undefined ? Effect.void : new Unreadable({ why: scan.fault }))
    const push = (chunk: Uint8Array) => {
      scan.push(chunk)
      return check()
    }
    const end = Effect.suspend(() => {
      scan.end()
      return check()
    })
    return eachText(file, push, { incomplete: incompleteNumber }).pipe(Effect.zipRight(end), Effect.as(scan))
  })

const endsInNewline = (file: OpenFile): Effect.Effect<boolean, Unreadable> =>
  Effect.flatMap(size(file), (whole) =>
    Effect.map(read(file, Buffer.alloc(1), Math.max(0, whole - 1)), (last) => last[0] === 0x0a)
  )

const reader = (file: OpenFile, layout: Layout): Effect.Effect<string, Unreadable> =>
  Effect.map(endsInNewline(file), (isWhole) => {
    // DuckDB loses the beginning of a last line without a newline that crosses the end of one of its buffers of 32 MiB,
    // unless it is not told that records are lines
    const format = layout === "array" ? "array" : isWhole ? "newline_delimited" : "unstructured"
    return `read_json_objects(${sql.text(file.path)}, format = '${format}', compression = 'uncompressed', hive_partitioning = false)`
  })

const Duplicate = Schema.Struct({
  duplicate: Schema.NullOr(Schema.Struct({ record: Schema.Number, keys: Schema.Array(Schema.String) }))
})
const Keys = Schema.Struct({ keys: Schema.Array(Schema.String) })

const readDuplicate = (database: duckdb.Database) =>
  Effect.map(
    database.one(
      Duplicate,
      "SELECT arg_min({ record: (first + 1)::DOUBLE, keys: keys }, first) AS duplicate FROM shapes WHERE len(list_distinct(keys)) < len(keys)"
    ),
    ({ duplicate }) => duplicate
  )

/** Every key at the top of a record, in the order in which they are first seen. */
const readKeys = (database: duckdb.Database) =>
  Effect.map(
    database.one(
      Keys,
      "SELECT coalesce(list(key ORDER BY first, place), []) AS keys FROM " +
        "(SELECT key, min(first) AS first, arg_min(place, first) AS place FROM " +
        "(SELECT unnest(keys) AS key, unnest(range(len(keys))) AS place, first FROM shapes) GROUP BY key)"
    ),
    ({ keys }) => keys
  )

/** Most records have the same keys: there are fewer lists of them than records. */
const keysOf = (database: duckdb.Database): Effect.Effect<ReadonlyArray<string>, Unreadable | duckdb.DuckDBError> =>
  Effect.gen(function* () {
    yield* database.run(
      "CREATE TABLE shapes AS SELECT json_keys(json) AS keys, min(rowid) AS first FROM records GROUP BY keys"
    )
    const duplicate = yield* readDuplicate(database)
    if (duplicate !== null) {
      const { keys, record } = duplicate
      const key = keys.find((key, index) => keys.indexOf(key) < index)
      return yield* new Unreadable({
        why: `record ${record} has the key ${preview(key)} twice. Take one of them away, or rename it.`
      })
    }
    const keys = yield* readKeys(database)
    const odd = keys.find((key) => key.includes("\0"))
    if (odd !== undefined)
      return yield* new Unreadable({ why: `the key ${preview(odd)} holds a NUL character. Rename it.` })
    return keys
  })

const uncertain = new Unreadable({
  why: "DuckDB does not find the records that it holds. Write the file again, by another program."
})

/** Makes the staged table of the records: each record's text, and the values of keys that the flow may name. */
const extract = (
  database: duckdb.Database,
  keys: ReadonlyArray<string>,
  { names, relation }: Source,
  hasInexact: boolean
): Effect.Effect<ReadonlyArray<Column>, duckdb.DuckDBError> =>
  Effect.gen(function* () {
    const twins = sql.twins(keys)
    const wanted = keys.filter((key) => key !== "" && names(key) && !twins.has(key))
    const value = yield* jsonValues.extract(database, relation, wanted, hasInexact)
    yield* Effect.forEach(["records", "shapes"], (table) => database.run(`DROP TABLE ${table}`), { discard: true })
    return keys.map((name) => ({ name, value: value(name) }))
  })

/** A record's own text with one more key at its end. */
const spliced = (key: string, value: string): string => {
  const opened = "rtrim(left(staged.json, -1), e' \\t\\r\\n')"
  return `${opened} || CASE WHEN ends_with(${opened}, '{') THEN '' ELSE ',' END || ${sql.text(JSON.stringify(key))} || ':' || ${value} || '}'`
}

/** Texts as they are, one after the other. */
const writeTexts = (layout: Layout): string => {
  const raw = "FORMAT csv, HEADER false, DELIMITER '', QUOTE '', ESCAPE '', NULLSTR ''"
  return layout === "array" ? `${raw}, PREFIX '[\n\t', SUFFIX '\n]\n', NEW_LINE ',\n\t'` : raw
}

/** Stages records. What a flow sees of a key is its value as a text: of a string what it holds, else its JSON. */
export const stage = (database: duckdb.Database, source: Source): Effect.Effect<Staged, Unreadable | StageFailure> =>
  Effect.gen(function* () {
    const { inexact, layout = source.layout, records } = yield* scan(source)
    const load = Effect.gen(function* () {
      yield* database.run(`CREATE TABLE records AS SELECT json FROM ${yield* reader(source.file, layout)}`)
      const columns = yield* extract(database, yield* keysOf(database), source, inexact)
      return (yield* countRows(database, source.relation)) === records ? columns : yield* uncertain
    })
    const columns = yield* Effect.catchTag(load, "DuckDBError", fromDuckDB(uncertain.why))
    const names = columns.map(({ name }) => name)
    return {
      format: { family: "json", write: `FORMAT json, ARRAY ${source.layout === "array"}` },
      columns,
      inPlace: false,
      row: "staged.rowid",
      rows: records,
      rejects: {
        columns: (codes) => [spliced(sql.free("error_codes", names), `to_json(${codes})`)],
        write: writeTexts(source.layout)
      }
    }
  })
