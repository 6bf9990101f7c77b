/**
 * A scan of the bytes of a CSV or TSV file for what DuckDB gets wrong, or can't name the place of: where records end, by
 * which line ends, and how many fields each has. It reads what DuckDB reads: RFC 4180, with spaces allowed around
 * quoted fields, and a quote inside of an unquoted field as any other character.
 *
 * The scan is a table: of a state and a byte it gives the next state, and what has happened meanwhile.
 */

import { recordLimit } from "./bytes.js"

const start = 0 // of a field
const spaces = 1
const bare = 2
const quoted = 3
const closed = 4 // by a quote, unless another one follows
const behind = 5 // spaces after the closing quote
const carriage = 6 // a CR that ends a line, with or without the LF that may follow
const states = 7

// What has happened, in the upper half of a table's entry.
const nothing = 0
const field = 1
const line = 2
const inner = 3 // a line feed inside of quotes
const opening = 4 // a CR that ends a line
const alone = 5 // something else than LF after it
const stray = 6 // something after a closing quote

const quote = 0x22
const lf = 0x0a
const cr = 0x0d
const space = 0x20

const tableFor = (delimiter: number): Uint8Array => {
  const table = new Uint8Array(states << 8)
  const set = (from: number, byte: number, to: number, event: number = nothing): void => {
    table[(from << 8) | byte] = (event << 4) | to
  }
  for (const state of [start, spaces, bare, closed, behind]) {
    for (let byte = 0; byte < 256; byte++)
      if (state === closed || state === behind) set(state, byte, state, stray)
      else set(state, byte, bare)
    if (state !== bare) set(state, space, state === start ? spaces : state === closed ? behind : state)
    if (state !== bare && state !== behind) set(state, quote, quoted)
    set(state, lf, start, line)
    set(state, cr, carriage, opening)
    set(state, delimiter, start, field)
  }
  for (let byte = 0; byte < 256; byte++) {
    set(quoted, byte, quoted)
    set(carriage, byte, carriage, alone)
  }
  set(quoted, quote, closed)
  set(quoted, lf, quoted, inner)
  set(carriage, lf, start, line)
  return table
}

/** How a line ends. */
export type End = "LF" | "CRLF" | "CR"

const named: Readonly<Record<End, string>> = {
  LF: "a line feed (LF)",
  CRLF: "a carriage return and a line feed (CRLF)",
  CR: "a carriage return (CR) alone"
}

const fields = (count: number): string => (count === 1 ? "1 field" : `${count} fields`)

/** Takes the pieces of a text that lie between line ends, and each line end as LF. */
export type Write = (piece: Uint8Array) => void

const lineFeed = Uint8Array.of(lf)

/** A scan, which goes on from chunk to chunk. It stops at the first fault. */
export class DelimitedScan {
  /** The header and the records; empty lines are none, but for those of a file with one column. */
  records = 0
  /** What is wrong, where, and what to do, as sentences. */
  fault: string | undefined
  /** The line on which each kind of line end is first seen, outside of quotes. */
  readonly ends = new Map<End, number>()
  private readonly table: Uint8Array
  private readonly width: number
  private readonly write: Write | undefined
  private lastEnd: End | undefined
  private state = start
  private fields = 1
  private line = 1
  private lineOfRecord = 1
  /** Where in the chunk the piece begins that is not yet written. */
  private from = 0
  /** How many bytes lie before the chunk, and where the record begins and ends in all of them. */
  private before = 0
  private begin = 0
  private until = 0

  /**
   * `width` is the number of the header's fields. `write` gets the text with each line end as LF, without the empty
   * lines before the header.
   */
  constructor(delimiter: string, width: number, write?: Write) {
    this.table = tableFor(delimiter.charCodeAt(0))
    this.width = width
    this.write = write
  }

  push(chunk: Uint8Array): void {
    const table = this.table
    let state = this.state
    let fields = this.fields
    this.from = 0
    for (let at = 0; at < chunk.length; at++) {
      const entry = table[(state << 8) | (chunk[at] ?? 0)] ?? 0
      const event = entry >> 4
      if (event === field) {
        fields++
      } else if (event !== nothing) {
        this.fields = fields
        this.step(chunk, at, state, event)
        if (this.fault !== undefined) return
        fields = this.fields
        if (event === alone) {
          // The byte after the CR begins a record.
          state = start
          at--
          continue
        }
      }
      state = entry & 15
    }
    this.fields = fields
    if (state !== carriage) this.piece(chunk, chunk.length)
    this.state = state
    this.before += chunk.length
  }

  private step(chunk: Uint8Array, at: number, state: number, event: number): void {
    switch (event) {
      case inner:
        this.line++
        return
      case opening:
        this.piece(chunk, at)
        return
      case line:
        if (state !== carriage) this.piece(chunk, at)
        this.from = at + 1
        this.record(state === carriage ? "CRLF" : "LF", this.before + at + 1)
        return
      case alone:
        this.from = at
        this.record("CR", this.before + at)
        return
      default:
        this.fault = `in line ${this.line} something stands between a closing quote (") and the separator after it. Double a quote that belongs to a value.`
    }
  }

  private piece(chunk: Uint8Array, to: number): void {
    this.until = this.before + to
    if (this.write !== undefined && to > this.from) this.write(chunk.subarray(this.from, to))
  }

  /** Tells that the text is at its end. */
  end(): void {
    if (this.fault !== undefined) return
    if (this.state === quoted)
      this.fault = `in the record that begins in line ${this.lineOfRecord} a quote (") is never closed. Close it, or double a quote that belongs to a value.`
    else if (this.state === carriage) this.record("CR", this.before)
    else if (this.until > this.begin) this.record(undefined, this.before)
  }

  private record(end: End | undefined, next: number): void {
    const length = this.until - this.begin
    const isEmpty = length === 0 && (this.width > 1 || this.records === 0)
    if (this.write !== undefined && (!isEmpty || this.records > 0)) this.write(lineFeed)
    if (end !== undefined && end !== this.lastEnd) this.change(end)
    if (!isEmpty) {
      this.records++
      if (this.fields !== this.width || length > recordLimit) this.fault ??= this.misshapen(length)
    }
    this.line++
    this.lineOfRecord = this.line
    this.fields = 1
    this.begin = next
    this.until = next
  }

  /** Notes another kind of line end. Whether a CR ends a line can be told only where all lines end so. */
  private change(end: End): void {
    this.lastEnd = end
    if (!this.ends.has(end)) this.ends.set(end, this.line)
    const alone = this.ends.get("CR")
    const other = [...this.ends].find(([end]) => end !== "CR")
    if (alone !== undefined && other !== undefined)
      this.fault = `line ${alone} ends with ${named.CR}, line ${other[1]} with ${named[other[0]]}. Let all lines end alike; put a value that holds a CR into double quotes.`
  }

  private misshapen(length: number): string {
    if (length > recordLimit)
      return `the record that begins in line ${this.lineOfRecord} is larger than ${recordLimit / 2 ** 20} MiB, the limit of a record. Look for a quote (") that is not closed, or split the record.`
    return `line ${this.lineOfRecord} has ${fields(this.fields)}, but the header has ${fields(this.width)}. Correct the line; put a value that holds the separator into double quotes.`
  }
}
