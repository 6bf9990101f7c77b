/**
 * The formats of sources and targets: how DuckDB reads each, and how it writes it.
 */
import * as sql from "./sql.js"

/** A format. In every table function the file's path is bound to `$1`. */
export interface Format {
  /** What kind of file the target is. */
  readonly family: "delimited" | "json" | "parquet"
  /** Reads the file's rows. Columns of text formats are text, those of JSON are JSON. */
  readonly read: string
  /** Reads what it can, and notes the rest in the table `reject_errors`. */
  readonly salvage?: string
  /** Reads JSON values of whatever kind, in one column. */
  readonly values?: string
  /** The column's value as a flow sees it. */
  readonly view: (column: string) => string
  /** Whether a file of no bytes holds no rows; where not, it is no file of this format. */
  readonly mayBeEmpty: boolean
  /** The options of `COPY`. */
  readonly write: string
  /** How a list of texts is written: as it is, or as one text. */
  readonly list: (list: string) => string
}

const same = (expression: string): string => expression

// Everything about the dialect is said here, so that DuckDB guesses nothing from the file's first rows.
const delimited = (delimiter: string): Format => {
  const dialect = `delim = ${sql.text(delimiter)}, quote = '"', escape = '"', comment = '', skip = 0, header = true, all_varchar = true, allow_quoted_nulls = false, compression = 'none'`
  return {
    family: "delimited",
    read: `read_csv($1, ${dialect})`,
    salvage: `read_csv($1, ${dialect}, store_rejects = true)`,
    view: same,
    mayBeEmpty: false,
    write: `FORMAT csv, DELIMITER ${sql.text(delimiter)}, QUOTE '"', ESCAPE '"', HEADER true`,
    list: (list) => `array_to_string(${list}, ';')`
  }
}

const json = (layout: "array" | "newline_delimited"): Format => {
  const file = `format = '${layout}', compression = 'uncompressed'`
  return {
    family: "json",
    // Each key at the top is a column, whichever row has it first, and its values stay as they are.
    read: `read_json($1, ${file}, records = true, maximum_depth = 1, sample_size = -1, map_inference_threshold = -1, field_appearance_threshold = 0)`,
    values: `read_json($1, ${file}, records = false, columns = {'value': 'JSON'})`,
    view: (column) => `${column} ->> '$'`,
    mayBeEmpty: layout === "newline_delimited",
    write: `FORMAT json, ARRAY ${layout === "array"}`,
    list: same
  }
}

const parquet: Format = {
  family: "parquet",
  read: "read_parquet($1)",
  view: same,
  mayBeEmpty: false,
  write: "FORMAT parquet",
  list: same
}

const formats: ReadonlyMap<string, Format> = new Map([
  [".csv", delimited(",")],
  [".tsv", delimited("\t")],
  [".json", json("array")],
  [".jsonl", json("newline_delimited")],
  [".ndjson", json("newline_delimited")],
  [".parquet", parquet]
])

/** The format of files with an extension, such as `.csv`. */
export const byExtension = (extension: string): Format | undefined => formats.get(extension)

/** The extensions that there are. */
export const extensions: ReadonlyArray<string> = [...formats.keys()]
