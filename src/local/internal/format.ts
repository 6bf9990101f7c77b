/**
 * The formats of sources and targets, told by a file's extension.
 */

/** What kind of file a source is, and so its targets. */
export type Kind =
  | { readonly family: "delimited"; readonly delimiter: string }
  | { readonly family: "json"; readonly layout: "array" | "lines" }
  | { readonly family: "parquet" }

/** How a target is written. */
export interface Format {
  readonly family: Kind["family"]
  /** The options of `COPY`. */
  readonly write: string
}

const kinds: ReadonlyMap<string, Kind> = new Map([
  [".csv", { family: "delimited", delimiter: "," }],
  [".tsv", { family: "delimited", delimiter: "\t" }],
  [".json", { family: "json", layout: "array" }],
  [".jsonl", { family: "json", layout: "lines" }],
  [".ndjson", { family: "json", layout: "lines" }],
  [".parquet", { family: "parquet" }]
])

/** The kind of files with an extension, such as `.csv`. */
export const byExtension = (extension: string): Kind | undefined => kinds.get(extension)

/** The extensions that there are. */
export const extensions: ReadonlyArray<string> = [...kinds.keys()]
