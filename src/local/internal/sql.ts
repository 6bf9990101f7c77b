/**
 * Pieces of SQL.
 */

/** A name, quoted: `a "b"` becomes `"a ""b"""`. */
export const name = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** A text, quoted: `it's` becomes `'it''s'`. */
export const text = (text: string): string => `'${text.replaceAll("'", "''")}'`

/** A name as DuckDB compares it: its names know no upper and lower case, but only in ASCII. */
export const fold = (name: string): string => name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())

/** A name of our own that is none of `taken`. */
export const free = (wanted: string, taken: ReadonlyArray<string>): string =>
  taken.some((name) => fold(name) === wanted) ? free(`${wanted}_`, taken) : wanted

/** Those of `names` that DuckDB can't tell apart from another one of them. */
export const twins = (names: ReadonlyArray<string>): ReadonlySet<string> => {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(fold(name), (counts.get(fold(name)) ?? 0) + 1)
  return new Set(names.filter((name) => (counts.get(fold(name)) ?? 0) > 1))
}
