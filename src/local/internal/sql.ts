/**
 * Pieces of SQL.
 */

/** A name, quoted: `a "b"` becomes `"a ""b"""`. */
export const name = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** A text, quoted: `it's` becomes `'it''s'`. */
export const text = (text: string): string => `'${text.replaceAll("'", "''")}'`

/** A name of our own that is none of `taken`. DuckDB's names know no upper and lower case. */
export const free = (wanted: string, taken: ReadonlyArray<string>): string =>
  taken.some((name) => name.toLowerCase() === wanted) ? free(`${wanted}_`, taken) : wanted
