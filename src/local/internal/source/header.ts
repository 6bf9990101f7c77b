/**
 * The header of a CSV or TSV file, read by Node: DuckDB takes spaces and empty names away, and renames what is there
 * twice.
 */

/**
 * The names in the first record of a text that does not end before that record does, or undefined where it has none
 * that is whole. Empty lines before it are skipped, and so are spaces around quoted names.
 */
export const parse = (text: string, delimiter: string, isWhole: boolean): ReadonlyArray<string> | undefined => {
  const names: Array<string> = []
  let at = text.search(/[^\r\n]/)
  const isSpace = (character: string | undefined) => character === " " && delimiter !== " "
  const skipSpaces = (from: number): number => {
    let to = from
    while (isSpace(text[to])) to++
    return to
  }
  if (at < 0) return undefined
  for (;;) {
    const quote = skipSpaces(at)
    let name = ""
    if (text[quote] === '"') {
      at = quote + 1
      for (;;) {
        const closing = text.indexOf('"', at)
        if (closing < 0) return undefined
        name += text.slice(at, closing)
        at = closing + 1
        if (text[at] !== '"') break
        name += '"'
        at++
      }
      at = skipSpaces(at)
    } else {
      const from = at
      while (at < text.length && text[at] !== delimiter && text[at] !== "\r" && text[at] !== "\n") at++
      name = text.slice(from, at)
    }
    names.push(name)
    if (at >= text.length) return isWhole ? names : undefined
    if (text[at] === "\r" || text[at] === "\n") return names
    if (text[at] !== delimiter) return undefined
    at++
  }
}

/** A header as the first line of a file. */
export const write = (names: ReadonlyArray<string>, delimiter: string): string => {
  const special = [delimiter, '"', "\r", "\n"]
  const isPlain = (name: string) => name !== "" && special.every((character) => !name.includes(character))
  return names.map((name) => (isPlain(name) ? name : `"${name.replaceAll('"', '""')}"`)).join(delimiter)
}

const usual: ReadonlyMap<string, string> = new Map([
  [",", "commas"],
  [";", "semicolons"],
  ["\t", "tabs"],
  ["|", "vertical bars"]
])

/** Why a header that was read with `delimiter` is none, if it is none. */
export const problem = (names: ReadonlyArray<string>, delimiter: string, isSure: boolean): string | undefined => {
  const [first = ""] = names
  const hint = /^sep=(.?)$/i.exec(names.length === 1 ? first : names.join(delimiter))
  if (hint !== null) {
    const [line, separator = ""] = hint
    return `its first line, ${JSON.stringify(line)}, is a hint for spreadsheets, and no names of columns. Take the line away, and add "delimiter": ${JSON.stringify(separator)} to the flow.`
  }
  if (names.some((name) => name.includes("\0")))
    return 'its header holds NUL characters, as UTF-16 does where it is read as UTF-8. Name the encoding in the flow, such as "encoding": "utf-16le", or take the characters away.'
  if (names.length > 1 || isSure) return undefined
  const [other, plural] = [...usual].find(([separator]) => separator !== delimiter && first.includes(separator)) ?? []
  return other === undefined
    ? undefined
    : `its header is one column by ${usual.get(delimiter) ?? "its separator"}, but holds ${plural}. If those separate the columns, add "delimiter": ${JSON.stringify(other)} to the flow; if not, "delimiter": ${JSON.stringify(delimiter)}.`
}
