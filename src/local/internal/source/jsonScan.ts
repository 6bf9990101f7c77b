/**
 * A scan of JSON's bytes for what DuckDB forgives, or can't name the place of: the grammar, to the letter (RFC 8259),
 * and where it is broken. A file holds one array of objects, or one object a line.
 *
 * The scan is a table: of a state and a byte it gives the next state. Only brackets, commas, line feeds and the points
 * of numbers take more than that. UTF-8 is checked elsewhere.
 */

/** How records lie in a file. */
export type Layout = "array" | "lines"

import { incompleteCharacter, recordLimit } from "./bytes.js"

const names = [
  "document", // before the array, or the first line's record
  "recordOrEnd",
  "record",
  "end", // after the array
  "line", // before the line's record
  "lineEnd",
  "keyOrEnd",
  "key",
  "colon",
  "valueOrEnd",
  "value",
  "after", // after a value inside of a record
  "keyText",
  "keyEscape",
  "keyHex1",
  "keyHex2",
  "keyHex3",
  "keyHex4",
  "keySurrogate",
  "keyHigh3",
  "keyHigh4",
  "keyLow",
  "keyLowEscape",
  "keyLow1",
  "keyLow2",
  "text",
  "escape",
  "hex1",
  "hex2",
  "hex3",
  "hex4",
  "surrogate", // after \\ud
  "high3", // the third and fourth digit of a pair's first half
  "high4",
  "low", // a pair's second half
  "lowEscape",
  "low1",
  "low2",
  "minus",
  "zero",
  "whole",
  "point",
  "fraction",
  "exponent",
  "exponentSign",
  "exponentDigits",
  "t",
  "tr",
  "tru",
  "f",
  "fa",
  "fal",
  "fals",
  "n",
  "nu",
  "nul",
  "broken"
] as const
type State = (typeof names)[number]
const number = (state: State): number => names.indexOf(state)

/** Added to a state of the table where the byte asks for more than the state. */
const more = 64

const broken = number("broken")
const document = number("document")
const recordOrEnd = number("recordOrEnd")
const record = number("record")
const key = number("key")
const value = number("value")
const after = number("after")
const end = number("end")
const lineEnd = number("lineEnd")
const digits = "0123456789"
type Go = (from: ReadonlyArray<State>, bytes: string, to: State) => void

/** Strings, of values and of keys. An escaped half of a surrogate pair needs the other half: alone it is no character. */
const string = (go: Go, table: Uint8Array, prefix: "" | "key", next: State): void => {
  const name = (state: string): State => {
    const wanted = prefix === "" ? state : prefix + state.charAt(0).toUpperCase() + state.slice(1)
    return names.find((name) => name === wanted) ?? "broken"
  }
  const path = (...steps: ReadonlyArray<readonly [from: string, bytes: string, to: string]>): void => {
    for (const [from, bytes, to] of steps) go([name(from)], bytes, name(to))
  }
  const hex = `${digits}abcdefABCDEF`
  for (let byte = 0x20; byte < 0x100; byte++) table[(number(name("text")) << 8) | byte] = number(name("text"))
  go([name("text")], '"', next)
  path(["text", "\\", "escape"], ["escape", '"\\/bfnrt', "text"], ["escape", "u", "hex1"])
  path(["hex1", hex, "hex2"], ["hex2", hex, "hex3"], ["hex3", hex, "hex4"], ["hex4", hex, "text"])
  path(["hex1", "dD", "surrogate"], ["surrogate", "01234567", "hex3"], ["surrogate", "89abAB", "high3"])
  path(["high3", hex, "high4"], ["high4", hex, "low"], ["low", "\\", "lowEscape"], ["lowEscape", "u", "low1"])
  path(["low1", "dD", "low2"], ["low2", "cdefCDEF", "hex3"])
}

const table = (() => {
  const table = new Uint8Array(names.length << 8).fill(broken | more)
  const go = (from: ReadonlyArray<State>, bytes: string, to: State, flag = 0): void => {
    for (const state of from)
      for (const byte of bytes) table[(number(state) << 8) | byte.charCodeAt(0)] = number(to) | flag
  }
  const between: ReadonlyArray<State> = [
    "document",
    "recordOrEnd",
    "record",
    "end",
    "line",
    "lineEnd",
    "keyOrEnd",
    "key",
    "colon",
    "valueOrEnd",
    "value",
    "after"
  ]
  for (const state of between) {
    go([state], " \t\r", state)
    go([state], "\n", state, more)
  }
  go(["lineEnd"], "\n", "line", more)
  go(["document"], "[", "recordOrEnd", more)
  go(["document", "recordOrEnd", "record", "line"], "{", "keyOrEnd", more)
  go(["recordOrEnd"], "]", "end")
  go(["keyOrEnd", "key"], '"', "keyText")
  go(["keyOrEnd"], "}", "after", more)
  go(["colon"], ":", "value")
  go(["valueOrEnd"], "]", "after", more)
  const values: ReadonlyArray<State> = ["valueOrEnd", "value"]
  go(values, "{", "keyOrEnd", more)
  go(values, "[", "valueOrEnd", more)
  go(values, '"', "text")
  go(values, "-", "minus")
  go([...values, "minus"], "0", "zero")
  go([...values, "minus"], digits.slice(1), "whole")
  go(values, "t", "t")
  go(values, "f", "f")
  go(values, "n", "n")
  const words: ReadonlyArray<readonly [State, string, State]> = [
    ["t", "r", "tr"],
    ["tr", "u", "tru"],
    ["tru", "e", "after"],
    ["f", "a", "fa"],
    ["fa", "l", "fal"],
    ["fal", "s", "fals"],
    ["fals", "e", "after"],
    ["n", "u", "nu"],
    ["nu", "l", "nul"],
    ["nul", "l", "after"]
  ]
  for (const [from, byte, to] of words) go([from], byte, to)
  go(["whole"], digits, "whole")
  go(["zero", "whole"], ".", "point", more)
  go(["point", "fraction"], digits, "fraction")
  go(["zero", "whole", "fraction"], "eE", "exponent", more)
  go(["exponent"], "+-", "exponentSign")
  go(["exponent", "exponentSign", "exponentDigits"], digits, "exponentDigits")
  const closed: ReadonlyArray<State> = ["zero", "whole", "fraction", "exponentDigits", "after"]
  go(closed, ",", "after", more)
  go(closed, "}]", "after", more)
  go(closed, " \t\r", "after")
  go(closed, "\n", "after", more)
  string(go, table, "", "after")
  string(go, table, "key", "colon")
  return table
})()

const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= 0x30 && byte <= 0x39

const isOfNumber = (byte: number): boolean =>
  (byte >= 0x30 && byte <= 0x39) || byte === 0x2e || byte === 0x2d || byte === 0x2b || byte === 0x65 || byte === 0x45

/** How many of a chunk's last bytes may begin a number, or a character, that is not whole. */
export const incompleteNumber = (chunk: Uint8Array): number => {
  let back = 0
  while (back < 64 && isOfNumber(chunk.at(-1 - back) ?? 0)) back++
  return back > 0 ? back : incompleteCharacter(chunk)
}

/**
 * Whether a double may change the number around `at`, which is its point or its exponent's letter. A double keeps 15
 * digits, and any exponent of two.
 */
const mayBeInexact = (chunk: Uint8Array, at: number): boolean => {
  let from = at
  while (from > 0 && at - from < 24 && isDigit(chunk[from - 1])) from--
  let to = at
  while (to < chunk.length && to - at < 24 && (isDigit(chunk[to]) || chunk[to] === 0x2e)) to++
  const points = chunk[at] === 0x2e ? 1 : 0
  if (to - from - points > 15) return true
  if (chunk[to] !== 0x65 && chunk[to] !== 0x45) return false
  const sign = chunk[to + 1] === 0x2b || chunk[to + 1] === 0x2d ? 1 : 0
  return isDigit(chunk[to + sign + 3])
}

const overLines =
  "a record goes over several lines. A file that begins with { has one record a line: write it so, or put the records between [ and ]"

const noValue =
  "a value is none that JSON has: NaN, Infinity and other words are not. Write null, or put it into double quotes"

const found = (state: State, byte: number): string => {
  const isBracket = byte === 0x5d || byte === 0x7d
  switch (state) {
    case "document":
      return "it begins neither with [ nor with {. A file holds one array of objects, or one object a line"
    case "end":
      return "something follows the end of the array. A file holds one array"
    case "line":
      return byte === 0x5b
        ? "an array begins, and no object. One object a line is wanted; a file that is one array has the extension .json"
        : "a record is not an object. Each record must be one: { … }"
    case "lineEnd":
      return "something follows the record in its line. Write one record a line"
    case "recordOrEnd":
      return "a record is not an object. Each record must be one: { … }"
    case "record":
    case "value":
    case "key":
      if (isBracket) return "a comma stands before a closing bracket. Take it away"
      if (state === "record") return "a record is not an object. Each record must be one: { … }"
      return state === "key" ? 'a key does not begin with a double quote (")' : noValue
    case "keyOrEnd":
      return 'a key does not begin with a double quote (")'
    case "colon":
      return "a colon is missing after a key"
    case "text":
    case "keyText":
      return "a control character stands inside of a string. Write it as an escape, such as \\n or \\t"
    case "after":
      return "a comma or a bracket is missing, or there is one too many"
    default:
      if (/surrogate|high|low/i.test(state))
        return "an escape is half of a pair, such as \\ud83d without \\ude00, and so no character. Take it away"
      if (/hex|escape/i.test(state)) return "a backslash begins no escape that JSON has. Write a backslash as \\\\"
      return /^(minus|zero|whole|point|fraction|exponent)/.test(state)
        ? "a number is not written as JSON wants it. Put it into double quotes, or correct it"
        : noValue
  }
}

/** A scan, which goes on from chunk to chunk. It stops at the first fault. */
export class JsonScan {
  /** The records that were read whole. */
  records = 0
  /** Whether there may be a number with a fraction or an exponent that a double changes. */
  inexact = false
  /** What is wrong, where, and what to do, as sentences. */
  fault: string | undefined
  /** How records lie; undefined as long as there is none. */
  layout: Layout | undefined
  private state: number
  private line = 1
  private lineOfRecord = 1
  /** Whether each open bracket inside of a record is a brace. */
  private readonly open: Array<boolean> = []
  /** Of all chunks before the present one, the bytes; and where the present record begins in them. */
  private before = 0
  private start = 0

  /** Where `layout` is not given, it is told by the first character. */
  constructor(layout?: "lines") {
    this.layout = layout
    this.state = number(layout === undefined ? "document" : "line")
  }

  push(chunk: Uint8Array): void {
    let state = this.state
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] ?? 0
      const next = table[(state << 8) | byte] ?? 0
      if (next < more) {
        state = next
      } else {
        state = this.step(chunk, at, byte, state, next - more)
        if (this.fault !== undefined) return
      }
    }
    this.state = state
    this.before += chunk.length
    // A number of such length that it goes on in the next chunk.
    if (isOfNumber(chunk.at(-1) ?? 0)) this.inexact = true
  }

  /** Tells that the text is at its end. */
  end(): void {
    if (this.fault !== undefined) return
    const state = names[this.state] ?? "broken"
    if (state === "document" || (state === "line" && this.records === 0 && this.before > 0))
      this.fault = "it holds white space alone. Without records, a file is [], or empty if its extension is .jsonl."
    else if (state !== "end" && state !== "line" && state !== "lineEnd")
      this.fail(
        "the file breaks off: its end is missing. Send it again",
        this.line,
        this.open.length > 0 || state === "record"
      )
  }

  private step(chunk: Uint8Array, at: number, byte: number, state: number, next: number): number {
    if (next === broken) return this.refuse(state, byte)
    switch (byte) {
      case 0x0a:
        if (this.layout === "lines" && this.open.length > 0) return this.fail(overLines, this.line, true)
        this.line++
        return next
      case 0x2c:
        return this.open.length === 0 ? record : this.open[this.open.length - 1] === true ? key : value
      case 0x7b:
      case 0x5b:
        if (state === document) this.layout = byte === 0x5b ? "array" : "lines"
        if (next === recordOrEnd) return next
        if (this.open.length === 0) {
          this.start = this.before + at
          this.lineOfRecord = this.line
        }
        this.open.push(byte === 0x7b)
        return next
      case 0x7d:
      case 0x5d:
        return this.close(byte === 0x7d, at, state)
      default:
        this.inexact ||= mayBeInexact(chunk, at)
        return next
    }
  }

  private close(isBrace: boolean, at: number, state: number): number {
    if (this.open.length === 0 && !isBrace) return end
    if (this.open.pop() !== isBrace) return this.refuse(state, isBrace ? 0x7d : 0x5d)
    if (this.open.length > 0) return after
    if (this.before + at + 1 - this.start > recordLimit)
      return this.fail(
        `a record is larger than ${recordLimit / 2 ** 20} MiB, the limit of a record`,
        this.lineOfRecord,
        true
      )
    this.records++
    return this.layout === "array" ? after : lineEnd
  }

  private refuse(state: number, byte: number): number {
    const inRecord = this.open.length > 0 || state === record || state === recordOrEnd
    return this.fail(found(names[state] ?? "broken", byte), this.line, inRecord)
  }

  private fail(found: string, line: number, inRecord: boolean): number {
    // One record a line needs no second number.
    const record = inRecord && this.layout === "array" ? `, record ${this.records + 1},` : ""
    this.fault = `in line ${line}${record} ${found}.`
    return broken
  }
}
