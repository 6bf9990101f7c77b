/**
 * JSON against JSON.parse, value by value, in both targets. JSON.parse takes numbers for doubles, so it is given each
 * number as a text.
 */
import { readFile } from "node:fs/promises"
import * as path from "node:path"
import { type Case, differential, fileName, foldAscii, maybeGzip, type Random } from "./differential.js"

/** A value as JSON.parse gives it, but for numbers, which are `{ "#": "8.10" }`, and keys, which have an `s` before them. */
type Value = null | boolean | string | ReadonlyArray<Value> | Members
interface Members {
  readonly [key: string]: Value
}

const token = /"(?:[^"\\]|\\.)*"|-?\d[-+.\deE]*/gs

/** Parses a text that is known to be JSON. With a letter before them, keys keep their order, whatever they are. */
const parse = (text: string): Value =>
  JSON.parse(
    text.replace(token, (found) => (found.startsWith('"') ? `"s${found.slice(1)}` : `{"#":"n${found}"}`)),
    (_, value: unknown) => (typeof value === "string" ? value.slice(1) : value)
  ) as Value

const isMembers = (value: Value): value is Members =>
  value !== null && typeof value === "object" && !Array.isArray(value)

const records = (text: string): ReadonlyArray<Members> => {
  const values = text.trimStart().startsWith("[")
    ? parse(text)
    : text
        .split("\n")
        .filter((line) => line.trim() !== "")
        .map(parse)
  return Array.isArray(values) ? values.filter(isMembers) : []
}

/** A number's value: 8.10, 8.1 and 81e-1 are one. */
const decimal = (text: string): string => {
  const [, sign = "", whole = "", fraction = "", exponent = "0"] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([-+]?\d+))?$/.exec(text) ?? []
  const digits = (whole + fraction).replace(/^0+/, "")
  const significant = digits.replace(/0+$/, "")
  return significant === ""
    ? "0"
    : `${sign}${significant}e${Number(exponent) - fraction.length + digits.length - significant.length}`
}

const byValue = (value: Value): Value => {
  if (Array.isArray(value)) return value.map(byValue)
  if (!isMembers(value)) return value
  const number = value["#"]
  return typeof number === "string"
    ? { "#": decimal(number) }
    : Object.fromEntries(Object.entries(value).map(([key, member]) => [key, byValue(member)]))
}

/** A cell of the mapped target: what kind of value it is, and which. */
type Cell = null | readonly ["text" | "number" | "json", string]

/** A row of the mapped target, or a record of the rejects as it is spelled. */
type Row = ReadonlyArray<Cell> | string

const cellOf = (value: Value | undefined): Cell => {
  if (value === null || value === undefined) return null
  if (typeof value !== "object") return ["text", String(value)]
  const number = isMembers(value) ? value["#"] : undefined
  return typeof number === "string" ? ["number", decimal(number)] : ["json", JSON.stringify(byValue(value))]
}

const keys = [
  "id",
  "Id",
  "a b",
  "é",
  "É",
  "",
  "1",
  "2",
  "10",
  "rowid",
  "json",
  "records",
  "s0",
  "select",
  'q"q',
  "it's",
  "a/b~c",
  "a.b",
  "$",
  "*",
  "__proto__",
  "error_codes",
  "dt",
  "back\\slash",
  "new\nline"
] as const

const strings = [
  "",
  "a",
  "8.10",
  "1e5",
  "007",
  "null",
  "true",
  "NaN",
  "x,]}",
  "{",
  ": 1234567890123456.78,",
  "[1234567890123456.78]",
  'say "hi"',
  "\\",
  "\n\t",
  "é",
  "😀",
  "\u0000",
  "\u2028",
  "//",
  "Infinity"
] as const

const numbers = [
  "0",
  "-0",
  "1",
  "-7",
  "8.10",
  "0.1",
  "1e5",
  "1E+2",
  "-2.5e-3",
  "12345678901234567890123",
  "1234567890123456.78",
  "-0.12345678901234567890",
  "1.0000000000000000001",
  "1e400",
  "-1e-400",
  "123456789012345678e2",
  "9007199254740993",
  "3.141592653589793",
  "0.30000000000000004",
  "100000000000000000000.5",
  "1e22",
  "1e23",
  "5e-324"
] as const

/** Writes JSON with white space where there may be some. */
class Writer {
  private readonly random: Random
  private readonly space: ReadonlyArray<string>

  constructor(random: Random, mayBreak: boolean) {
    this.random = random
    this.space = mayBreak ? ["", "", "", " ", "\n", "\r\n", "\t", "\n    "] : ["", "", "", " ", "\t"]
  }

  between(): string {
    return this.space[this.random.below(this.space.length)] ?? ""
  }

  text(text: string): string {
    return this.random.chance(0.1)
      ? `"${text.replace(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)}"`
      : JSON.stringify(text)
  }

  list(opening: string, items: ReadonlyArray<string>, closing: string): string {
    return opening + this.between() + items.join(this.between() + "," + this.between()) + this.between() + closing
  }

  member(key: string, value: string): string {
    return this.text(key) + this.between() + ":" + this.between() + value
  }

  value(depth: number): string {
    const { random } = this
    const simple = () =>
      random.pick([
        () => this.text(random.pick(strings)),
        () => random.pick(numbers),
        () => random.pick(["true", "false", "null"])
      ])()
    if (depth === 0 || random.chance(0.7)) return simple()
    return random.chance(0.5)
      ? this.list(
          "[",
          random.list(random.below(4), () => this.value(depth - 1)),
          "]"
        )
      : this.object(
          random.list(random.below(4), (index) => `${index}${random.pick(strings)}`),
          depth - 1
        )
  }

  object(keys: ReadonlyArray<string>, depth: number): string {
    return this.list(
      "{",
      keys.map((key) => this.member(key, this.value(depth))),
      "}"
    )
  }

  /** A record with the key that the test is of. */
  record(hasKey: boolean): string {
    const { random } = this
    const some = new Set(random.list(random.below(6), () => random.pick(keys)))
    const members = [...some].map((key) => this.member(key, this.value(2)))
    const first = this.member("k", random.chance(0.1) ? "null" : this.text(random.pick(strings)))
    const place = random.below(members.length + 1)
    return this.list("{", hasKey ? [...members.slice(0, place), first, ...members.slice(place)] : members, "}")
  }
}

/** Records that are none. */
const broken = [
  '{"a":1,}',
  '{"a":[1,]}',
  '{"a":NaN}',
  '{"a":-Infinity}',
  "{a:1}",
  "{'a':1}",
  '{"a":01}',
  '{"a":+1}',
  '{"a":.5}',
  '{"a":1.}',
  '{"a":"\t"}',
  '{"a":"\\x"}',
  '{"a":"\\ud800"}',
  '{"a" 1}',
  '{"a":1 "b":2}',
  '{"a":1,"a":2}',
  '{"k":1,"b":{},"\\u006b":2}',
  "1",
  '"a"',
  "null",
  "[]",
  '{"a":tru}',
  '{"a":1}{"a":2}',
  '{"a":1}]',
  "{",
  '{"a":1',
  '{"a":1}/**/',
  "\u0000",
  '{"a":[1}',
  "{}}"
] as const

const makeText = (random: Random, isArray: boolean): { readonly text: string; readonly isBroken: boolean } => {
  const writer = new Writer(random, isArray)
  const length = random.chance(0.02) ? 5000 : random.below(7)
  const list = [...random.list(length, (index) => writer.record(index === 0 || random.chance(0.9)))]
  const isBroken = random.chance(0.25)
  if (isBroken) list.splice(random.below(length + 1), 0, random.pick(broken))
  if (!isArray)
    return {
      text: list
        .map((record) => writer.between() + record + writer.between() + random.pick(["\n", "\n", "\r\n", "\n\n"]))
        .join(""),
      isBroken
    }
  const whole = writer.between() + writer.list("[", list, "]") + writer.between()
  // What breaks off, or goes on.
  const isCut = !isBroken && random.chance(0.1)
  const end = whole.trimEnd().length
  const text = random.pick([
    whole.slice(0, random.below(end)),
    `${whole}]`,
    `${whole}[]`,
    whole.replace(/\]\s*$/, ",]")
  ])
  return isCut ? { text, isBroken: true } : { text: whole, isBroken }
}

const make = (random: Random, index: number): Case<Row> => {
  const isArray = random.chance(0.6)
  const extension = isArray ? ".json" : random.pick([".jsonl", ".ndjson", ".json"])
  const { isBroken, text } = makeText(random, isArray)
  const [gz, bytes] = maybeGzip(
    random,
    random.pick([
      Buffer.from(text),
      Buffer.from(text),
      Buffer.from(`\ufeff${text}`),
      Buffer.from(`\ufeff${text}`, "utf16le")
    ])
  )
  // Without a record nothing but an empty file of lines is whole.
  const isNothing = !isArray && text.trim() === "" && (extension === ".json" || text !== "")
  const all = isBroken || isNothing ? [] : records(text)
  const names = [...new Set(all.flatMap((record) => Object.keys(record).map((key) => key.slice(1))))]
  const folded = names.map(foldAscii)
  const isNamed = (name: string, at: number) =>
    name !== "" && folded.indexOf(folded[at] ?? "") === folded.lastIndexOf(folded[at] ?? "")
  const named = ["k", ...names.filter((name, at) => name !== "k" && isNamed(name, at))]
  const errorCodes = (taken: string): string => (folded.includes(taken) ? errorCodes(`${taken}_`) : taken)
  const isOdd = ({ sk }: Members) => Buffer.byteLength(typeof sk === "string" ? sk : "") % 3 === 1
  return {
    file: fileName(random, index, named, extension + gz),
    bytes,
    fields: Object.fromEntries(named.map((name, at) => [`f${at}`, `"${name.replaceAll('"', '""')}"`])),
    check: "strlen(coalesce(f0, '')) % 3 <> 1",
    expected:
      isBroken || isNothing
        ? undefined
        : {
            mapped: all
              .filter((record) => !isOdd(record))
              .map((record) => named.map((name) => cellOf(record[`s${name}`]))),
            rejects: all
              .filter(isOdd)
              .map((record) => JSON.stringify({ ...record, [`s${errorCodes("error_codes")}`]: ["ODD"] }))
          }
  }
}

/** The rows of a target: what is mapped by the kind of value that it must be. */
const readRows = async (folder: string, name: string, { expected, file }: Case<Row>): Promise<ReadonlyArray<Row>> => {
  const extension = file.includes(".jsonl") ? ".jsonl" : file.includes(".ndjson") ? ".ndjson" : ".json"
  const text = await readFile(path.join(folder, name + extension), "utf8")
  const found = extension === ".json" ? parse(text) : records(text)
  const rows = Array.isArray(found) ? found.filter(isMembers) : []
  if (name === "rejects") return rows.map((row) => JSON.stringify(row))
  return rows.map((row, index) => {
    const wanted = expected?.mapped[index] ?? []
    return Object.values(row).map((value, at): Cell => {
      const cell = wanted[at]
      if (typeof value !== "string") return null
      const kind = Array.isArray(cell) ? cell[0] : "text"
      return kind === "text" ? ["text", value] : cellOf(parse(value))
    })
  })
}

differential("JSON is read as JSON.parse reads it, with the numbers as they are spelled", make, readRows)
