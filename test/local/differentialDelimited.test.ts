/**
 * CSV and TSV against csv-parse, cell by cell, in both targets.
 */
import { parse } from "csv-parse/sync"
import { readFile } from "node:fs/promises"
import * as path from "node:path"
import { type Case, differential, fileName, foldAscii, maybeGzip, type Random } from "./differential.js"

/** An empty cell is null where it has no quotes. */
type Cell = string | null

/** A row's cells, each with its column's name. */
type Row = ReadonlyArray<readonly [name: string, cell: Cell]>

/** Of windows-1252, the bytes that ISO-8859-1 has no letters for. */
const letters1252 = "€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ"

const words = [
  "",
  "",
  "a",
  "x y",
  " lead",
  "trail ",
  "007",
  "1e5",
  "NULL",
  "null",
  "é",
  "😀",
  "O'Hara",
  'say "hi"',
  '"',
  '""',
  "a,b",
  "a;b",
  "a\tb",
  "two\nlines",
  "two\r\nlines",
  "end\n",
  "\n",
  "\r\nx",
  "#no comment",
  "=1+1",
  "\\",
  '\\"',
  " ",
  "\u00a0",
  "ß€ƒ",
  "-",
  "--",
  "{}",
  '5" pipe'
] as const
const rare = [
  "€",
  ...letters1252,
  "\u2028",
  "\u0085",
  "漢字",
  "\ufeff",
  "e\u0301",
  "\u0000"
] as const satisfies ReadonlyArray<string>
const titles = [
  "id",
  "Id",
  "ID",
  "name",
  "",
  " spaced ",
  "a b",
  'q"q',
  "two\nlines",
  "select",
  "rowid",
  "error_codes",
  "c0",
  "c1",
  "staged",

  "année",
  "Année",
  "x,y",
  "x;y",
  "1",
  "2",
  "c0_1",
  "file_row_number",
  "dt"
] as const

type Encoding = "utf-8" | "utf-8 with mark" | "utf-16le" | "utf-16be" | "windows-1252"

const encode = (text: string, encoding: Encoding): Buffer => {
  switch (encoding) {
    case "utf-8":
      return Buffer.from(text)
    case "utf-8 with mark":
      return Buffer.from(`\ufeff${text}`)
    case "utf-16le":
      return Buffer.from(`\ufeff${text}`, "utf16le")
    case "utf-16be":
      return Buffer.from(`\ufeff${text}`, "utf16le").swap16()
    case "windows-1252":
      return Buffer.from(
        [...text].map((letter) => {
          const place = letters1252.indexOf(letter)
          return place < 0 ? letter.charCodeAt(0) : 0x80 + place
        })
      )
  }
}

interface Dialect {
  readonly delimiter: string
  /** The line ends that there are. */
  readonly ends: readonly [string, ...ReadonlyArray<string>]
}

/** The records of a text, by csv-parse. */
const recordsOf = (text: string, { delimiter, ends }: Dialect, width: number): ReadonlyArray<ReadonlyArray<Cell>> =>
  // How csv-parse types what it gives knows nothing of its casts.
  parse(text.replace(/^[\r\n]+/, ""), {
    delimiter,
    record_delimiter: [...ends],
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: width > 1,
    cast: (value, { quoting }) => (value === "" && !quoting ? null : value)
  }) as unknown as ReadonlyArray<ReadonlyArray<Cell>>

const write = (random: Random, cell: string, delimiter: string): string => {
  const needsQuotes = /["\r\n]/.test(cell) || cell.includes(delimiter)
  // A quote is a character as others where a value does not begin with it.
  const isBare = /^[a-z0-9]/.test(cell) && !/[\r\n]/.test(cell) && !cell.includes(delimiter)
  return (needsQuotes && !(isBare && random.chance(0.5))) || random.chance(0.2)
    ? `"${cell.replaceAll('"', '""')}"`
    : cell
}

/** A line that must not be read. */
const damage = (random: Random, line: string, { delimiter, ends }: Dialect, width: number): string =>
  random.pick([
    `${line}${delimiter}more`,
    line + delimiter,
    width > 1 ? "lonely" : `two${delimiter}cells`,
    `"stray"b${line}`,
    ends[0] === "\r" ? `${line}${delimiter}more` : "alone\ralone"
  ])

const isEncodable = (letter: string): boolean =>
  letters1252.includes(letter) || letter < "\u0080" || (letter >= "\u00a0" && letter <= "\u00ff")

const makeText = (random: Random, dialect: Dialect): { readonly text: string; readonly isDamaged: boolean } => {
  const { delimiter, ends } = dialect
  const width = random.pick([1, 2, 2, 3, 3, 4, 6])
  const cell = () => write(random, random.chance(0.1) ? random.pick(rare) : random.pick(words), delimiter)
  const blank = () => (random.chance(0.15) ? random.pick(ends).repeat(1 + random.below(2)) : "")
  const header = random.list(width, () => write(random, random.pick(titles), delimiter)).join(delimiter)
  const length = random.chance(0.02) ? 5000 : random.below(9)
  const lines = [...random.list(length, () => random.list(width, cell).join(delimiter))]
  const isDamaged = length > 0 && random.chance(0.2)
  const isOpen = isDamaged && random.chance(0.2)
  const place = isOpen ? length - 1 : random.below(length)
  const line = lines[place] ?? ""
  if (isDamaged) lines[place] = isOpen ? `"open${line.replaceAll('"', "")}` : damage(random, line, dialect, width)
  const whole = [header === "" ? "id" : header, ...lines].map((line) => blank() + line + random.pick(ends)).join("")
  const text = random.chance(0.3) ? whole.replace(/[\r\n]+$/, "") : whole + blank()
  return { text, isDamaged }
}

const make = (random: Random, index: number): Case<Row> => {
  const isTsv = random.chance(0.2)
  const usual = isTsv ? "\t" : ","
  const delimiter = random.chance(0.7) ? usual : random.pick([";", "|", "\u0001", " "])
  const ends = random.pick<Dialect["ends"]>([["\n"], ["\n"], ["\r\n"], ["\r\n", "\n"], ["\n", "\r\n"], ["\r"]])
  const dialect: Dialect = { delimiter, ends }
  const { isDamaged, text } = makeText(random, dialect)
  const wanted = random.pick<Encoding>(["utf-8", "utf-8", "utf-8 with mark", "utf-16le", "utf-16be", "windows-1252"])
  const encoding = wanted === "windows-1252" && ![...text].every(isEncodable) ? "utf-8" : wanted
  const [gz, bytes] = maybeGzip(random, encode(text, encoding))

  const recordsOfSeveral = isDamaged ? [] : recordsOf(text, dialect, 2)
  const isOneColumn = recordsOfSeveral[0]?.length === 1
  const [names = [], ...rows] = isOneColumn ? recordsOf(text, dialect, 1) : recordsOfSeveral
  const columns = names.map((name) => name ?? "")
  const folded = columns.map(foldAscii)
  // What a flow can name: no name is empty, and none is there twice.
  const named = columns.flatMap((name, at) =>
    name !== "" && folded.indexOf(folded[at] ?? "") === folded.lastIndexOf(folded[at] ?? "") ? [{ name, at }] : []
  )
  const fields = Object.fromEntries(named.map(({ name }, at) => [`f${at}`, `"${name.replaceAll('"', '""')}"`]))
  const [first] = named
  const isOdd = (row: ReadonlyArray<Cell>) => first !== undefined && Buffer.byteLength(row[first.at] ?? "") % 3 === 1
  const mapped = (row: ReadonlyArray<Cell>): Row => {
    const cells = named.map(({ at }, field) => [`f${field}`, row[at] ?? null] as const)
    // A target of one field writes NULL with quotes.
    return cells.length > 1 ? cells : cells.map(([name, cell]) => [name, cell ?? ""] as const)
  }
  const errorCodes = (taken: string): string => (folded.includes(taken) ? errorCodes(`${taken}_`) : taken)
  return {
    file: fileName(random, index, columns, `${isTsv ? ".tsv" : ".csv"}${gz}`),
    bytes,
    fields: first === undefined ? { f0: "'xx'" } : fields,
    check: "strlen(coalesce(f0, '')) % 3 <> 1",
    encoding: encoding === "windows-1252" ? encoding : undefined,
    delimiter: delimiter !== usual || isOneColumn || random.chance(0.2) ? delimiter : undefined,
    expected: isDamaged
      ? undefined
      : {
          mapped: rows.filter((row) => !isOdd(row)).map((row) => (first === undefined ? [["f0", "xx"]] : mapped(row))),
          rejects: rows
            .filter(isOdd)
            .map((row) => [
              ...columns.map((name, at) => [name, row[at] ?? null] as const),
              [errorCodes("error_codes"), "ODD"]
            ])
        }
  }
}

/** The rows of a target, by csv-parse. */
const readRows = async (folder: string, name: string, { delimiter, file }: Case<Row>): Promise<ReadonlyArray<Row>> => {
  const extension = file.includes(".tsv") ? ".tsv" : ".csv"
  const text = await readFile(path.join(folder, name + extension), "utf8")
  const dialect: Dialect = { delimiter: delimiter ?? (extension === ".tsv" ? "\t" : ","), ends: ["\n"] }
  const [names = [], ...rows] = recordsOf(text, dialect, 1)
  return rows.map((row) => row.map((cell, at) => [names[at] ?? "", cell] as const))
}

differential("CSV and TSV are read as csv-parse reads them", make, readRows)
