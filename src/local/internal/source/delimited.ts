/**
 * Sources of CSV and TSV: staged by DuckDB, after Node has read the header and has made sure that DuckDB finds the
 * records that there are.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as duckdb from "../duckdb.js"
import { refuseLack, type StageFailure } from "../failure.js"
import * as sql from "../sql.js"
import { append, create, eachText, type OpenFile, read, recordLimit, size } from "./bytes.js"
import { DelimitedScan } from "./delimitedScan.js"
import * as header from "./header.js"
import { countRows, type Staged } from "./staged.js"
import { Survey } from "./survey.js"
import { Unreadable } from "./unreadable.js"

/** A table to be staged. */
export interface Source {
  /** UTF-8 without a byte-order mark. */
  readonly file: OpenFile
  readonly delimiter: string
  /** Whether the flow's author has named the delimiter. */
  readonly isSure: boolean
  /** The name of what is made of it in the database. */
  readonly relation: string
  /** The run's own folder. */
  readonly work: string
}

/** A table whose header is read. */
interface Table extends Source {
  readonly names: ReadonlyArray<string>
}

const scan = (file: OpenFile, scan: DelimitedScan): Effect.Effect<DelimitedScan, Unreadable> => {
  const check = () => (scan.fault === undefined ? Effect.void : new Unreadable({ why: scan.fault }))
  return eachText(file, (chunk) => Effect.suspend(() => (scan.push(chunk), check()))).pipe(
    Effect.zipRight(Effect.suspend(() => (scan.end(), check()))),
    Effect.as(scan)
  )
}

const readHeader = ({ delimiter, file, isSure }: Source): Effect.Effect<ReadonlyArray<string>, Unreadable> =>
  Effect.gen(function* () {
    const whole = yield* size(file)
    for (const length of [2 ** 16, recordLimit]) {
      const bytes = yield* read(file, Buffer.alloc(Math.min(length, whole)), 0)
      if (/^\s*(\[\s*)?\{\s*"/.test(bytes.toString("latin1", 0, 100)))
        return yield* new Unreadable({
          why: "by its beginning it is JSON. Name it .json, or .jsonl if each line is a record."
        })
      const names = header.parse(bytes.toString(), delimiter, bytes.length === whole)
      if (names === undefined) continue
      const why = header.problem(names, delimiter, isSure)
      return why === undefined ? names : yield* new Unreadable({ why })
    }
    // A scan says why, unless there are but empty lines.
    yield* scan(file, new DelimitedScan(delimiter, 1))
    return yield* new Unreadable({ why: "it has no header. Write the names of the columns into its first line." })
  })

/** The same table with LF at the end of each line, and without empty lines before the header: a new file. */
const rewrite = (table: Table): Effect.Effect<OpenFile, Unreadable | StageFailure, Scope.Scope> =>
  Effect.gen(function* () {
    const target = yield* create(table.work, "source.lines")
    let pieces: Array<Uint8Array> = []
    const writer = new DelimitedScan(table.delimiter, table.names.length, (piece) => pieces.push(piece))
    yield* eachText(table.file, (chunk) =>
      Effect.suspend(() => {
        writer.push(chunk)
        const written = append(target, Buffer.concat(pieces))
        pieces = []
        return written
      })
    )
    writer.end()
    yield* append(target, Buffer.concat(pieces))
    return target
  })

/** What DuckDB is to read, and how many records it must find there. */
interface Plan {
  readonly table: Table
  readonly lineEnd: "\n" | "\r\n"
  /** The records without the header; at most so many where the text is not scanned. */
  readonly records: number
  readonly isScanned: boolean
}

const plan = (table: Table): Effect.Effect<Plan, Unreadable | StageFailure, Scope.Scope> =>
  Effect.gen(function* () {
    const width = table.names.length
    const survey = new Survey(table.delimiter)
    yield* eachText(table.file, (chunk) => Effect.sync(() => survey.push(chunk)))
    survey.end()
    const { lineEnd } = survey
    if (lineEnd !== undefined && !survey.beginsEmpty && !survey.endsWithDelimiter)
      return { table, lineEnd, records: survey.records(width) - 1, isScanned: false }
    const { ends, records } = yield* scan(table.file, new DelimitedScan(table.delimiter, width))
    const [end = "LF"] = ends.keys()
    const isPlain = ends.size <= 1 && end !== "CR" && !survey.beginsEmpty
    return {
      table: isPlain ? table : { ...table, file: yield* rewrite(table) },
      lineEnd: isPlain && end === "CRLF" ? "\r\n" : "\n",
      records: records - 1,
      isScanned: true
    }
  })

/** Everything about the dialect, so that DuckDB guesses nothing. */
export const dialect = (delimiter: string, lineEnd: "\n" | "\r\n"): string =>
  [
    `delim = ${sql.text(delimiter)}`,
    `new_line = ${sql.text(lineEnd === "\n" ? "\\n" : "\\r\\n")}`,
    `quote = '"', escape = '"', comment = '', skip = 0, header = true, allow_quoted_nulls = false`,
    "auto_detect = false, hive_partitioning = false, compression = 'none'"
  ].join(", ")

const reader = ({ lineEnd, table }: Plan, isParallel: boolean): string => {
  const columns = table.names.map((_, index) => `c${index}: 'VARCHAR'`)
  const options = [
    `columns = {${columns.join(", ")}}`,
    dialect(table.delimiter, lineEnd),
    // A record may be a little larger for DuckDB, so that its limit is never the one that is met.
    `max_line_size = ${recordLimit + 2 ** 16}, buffer_size = ${2 * recordLimit}, parallel = ${isParallel}`
  ]
  return `read_csv(${sql.text(table.file.path)}, ${options.join(", ")})`
}

/** The number of rows that DuckDB reads; undefined where it can't read the text. */
const attempt = (
  database: duckdb.Database,
  plan: Plan,
  isParallel: boolean
): Effect.Effect<number | undefined, StageFailure> =>
  database.run(`CREATE OR REPLACE TABLE ${plan.table.relation} AS SELECT * FROM ${reader(plan, isParallel)}`).pipe(
    Effect.zipRight(countRows(database, plan.table.relation)),
    Effect.catchAll((error) => Effect.as(refuseLack(error), undefined))
  )

/**
 * Loads the table, and makes sure that no record is lost. Where DuckDB does not find as many as there can be, a scan says
 * what is wrong with the text, or that nothing is: then DuckDB's parallel reader, which begins in the middle of a file,
 * may have taken a value for records.
 */
const load = (database: duckdb.Database, plan: Plan): Effect.Effect<number, Unreadable | StageFailure> =>
  Effect.gen(function* () {
    const { delimiter, file, names } = plan.table
    const found = yield* attempt(database, plan, true)
    if (found === plan.records) return found
    const records = plan.isScanned
      ? plan.records
      : (yield* scan(file, new DelimitedScan(delimiter, names.length))).records - 1
    if (found === records || (yield* attempt(database, plan, false)) === records) return records
    return yield* new Unreadable({
      why: "DuckDB does not find the records that it holds. Write the file again, with double quotes around every value."
    })
  })

/** Stages a table. What a flow sees of a column is its text, or NULL where nothing stands between two separators. */
export const stage = (
  database: duckdb.Database,
  source: Source
): Effect.Effect<Staged, Unreadable | StageFailure, Scope.Scope> =>
  Effect.gen(function* () {
    const names = yield* readHeader(source)
    const rows = yield* load(database, yield* plan({ ...source, names }))
    const options = `FORMAT csv, DELIMITER ${sql.text(source.delimiter)}, QUOTE '"', ESCAPE '"'`
    // A query can't have two columns of one name, which a header can: the header is written as a text.
    const title = header.write([...names, sql.free("error_codes", names)], source.delimiter)
    return {
      format: { family: "delimited", write: `${options}, HEADER true` },
      columns: names.map((name, index) => ({ name, value: `staged.c${index}` })),
      inPlace: false,
      row: "staged.rowid",
      rows,
      rejects: {
        columns: (codes) => [...names.map((_, index) => `staged.c${index}`), `array_to_string(${codes}, ';')`],
        write: `${options}, HEADER false, PREFIX ${sql.text(`${title}\n`)}, SUFFIX '\n', NEW_LINE '\n'`
      }
    }
  })
