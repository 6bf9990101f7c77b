/**
 * The encoding of a text, undone by Node: what DuckDB reads is UTF-8 without a byte-order mark.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { preview } from "../../../internal/text.js"
import type { StageFailure } from "../failure.js"
import { append, create, eachChunk, head, type OpenFile } from "./bytes.js"
import { Unreadable } from "./unreadable.js"

/** Byte-order marks, the longer before the shorter that they begin with. */
const marks: ReadonlyArray<{ readonly bytes: ReadonlyArray<number>; readonly encoding: string }> = [
  { bytes: [0xff, 0xfe, 0x00, 0x00], encoding: "utf-32" },
  { bytes: [0x00, 0x00, 0xfe, 0xff], encoding: "utf-32" },
  { bytes: [0xef, 0xbb, 0xbf], encoding: "utf-8" },
  { bytes: [0xff, 0xfe], encoding: "utf-16le" },
  { bytes: [0xfe, 0xff], encoding: "utf-16be" }
]

const fetchAgain = "Fetch the data themselves: a server may have answered with a page for people"

/** Kinds of file that are often given a name which they don't deserve, by their first bytes. */
const foreign: ReadonlyArray<{ readonly bytes: string; readonly is: string; readonly advice: string }> = [
  { bytes: "PK\x03\x04", is: "a spreadsheet or a zip archive", advice: "Save the sheet as CSV, or unpack the archive" },
  { bytes: "\xd0\xcf\x11\xe0", is: "a spreadsheet of old (.xls)", advice: "Save the sheet as CSV" },
  { bytes: "\x1f\x8b", is: "gzip", advice: "Add .gz to its name; if it ends so, it is packed twice: unpack it once" },
  { bytes: "PAR1", is: "Parquet", advice: "Name it .parquet" },
  { bytes: "BZh", is: "bzip2", advice: "Unpack it, or compress it with gzip" },
  { bytes: "\xfd7zXZ", is: "xz", advice: "Unpack it, or compress it with gzip" },
  { bytes: "\x28\xb5\x2f\xfd", is: "Zstandard", advice: "Unpack it, or compress it with gzip" },
  { bytes: "7z\xbc\xaf", is: "a 7z archive", advice: "Unpack it" },
  { bytes: "%PDF", is: "a PDF", advice: "Export its data as CSV" },
  { bytes: "<!DOCTYPE", is: "a web page", advice: fetchAgain },
  { bytes: "<!doctype", is: "a web page", advice: fetchAgain },
  { bytes: "<html", is: "a web page", advice: fetchAgain },
  { bytes: "<?xml", is: "XML", advice: "Convert it to CSV or JSON" },
  { bytes: "SQLite format 3", is: "an SQLite database", advice: "Export the table as CSV" }
]

const decoderOf = (label: string): Effect.Effect<TextDecoder, Unreadable> =>
  Effect.try({
    // The mark is taken off by hand, whatever the label says.
    try: () => new TextDecoder(label, { fatal: true, ignoreBOM: true }),
    catch: () => new Unreadable({ why: `the flow's encoding, ${preview(label)}, is none that this Node knows.` })
  })

class Undecodable extends Data.TaggedError("Undecodable")<{}> {}

const decode = (decoder: TextDecoder, bytes: Uint8Array): Effect.Effect<string, Undecodable> =>
  // Always as a part of a stream: in one piece, Node 20 takes windows-1252 for ISO-8859-1.
  Effect.try({ try: () => decoder.decode(bytes, { stream: true }), catch: () => new Undecodable() })

/** Tells the line of the first character that can't be decoded, which lies in the chunk number `failing`. */
const explain = (file: OpenFile, encoding: string, from: number, failing: number): Effect.Effect<never, Unreadable> =>
  Effect.gen(function* () {
    const decoder = yield* decoderOf(encoding)
    let line = 1
    let index = 0
    const count = (bytes: Uint8Array) =>
      Effect.map(decode(decoder, bytes), (text) => {
        line += text.split("\n").length - 1
      })
    const bytewise = (chunk: Buffer) => Effect.forEach(chunk, (byte) => count(Uint8Array.of(byte)), { discard: true })
    yield* eachChunk(file, (chunk) => (index++ < failing ? count(chunk) : bytewise(chunk)), { from }).pipe(
      Effect.catchTag("Undecodable", () => Effect.void)
    )
    return yield* new Unreadable({
      why: `line ${line} is not ${encoding}. Correct the file, or name its encoding in the flow.`
    })
  })

const decodeInto = (target: OpenFile, file: OpenFile, encoding: string, from: number) =>
  Effect.gen(function* () {
    const decoder = yield* decoderOf(encoding)
    let decoded = 0
    const step = (chunk: Buffer) =>
      Effect.flatMap(decode(decoder, chunk), (text) => {
        decoded++
        return append(target, Buffer.from(text))
      })
    // At the end nothing may be left of a character.
    const flush = Effect.try({ try: () => decoder.decode(), catch: () => new Undecodable() })
    yield* eachChunk(file, step, { from }).pipe(
      Effect.zipRight(flush),
      Effect.catchTag("Undecodable", () => explain(file, encoding, from, decoded))
    )
  })

/**
 * A text as UTF-8 without a byte-order mark: the file itself where it is that already, else a new file in `work`.
 *
 * A byte-order mark tells the encoding, whatever `label` says; without one `label` does, which is any that Node's
 * `TextDecoder` takes; without either it is UTF-8. That UTF-8 is valid is checked where it is read.
 */
export const toUtf8 = (
  file: OpenFile,
  label: string | undefined,
  work: string
): Effect.Effect<OpenFile, Unreadable | StageFailure, Scope.Scope> =>
  Effect.gen(function* () {
    const first = yield* head(file, 16)
    const kind = foreign.find(({ bytes }) => first.toString("latin1").startsWith(bytes))
    if (kind !== undefined) return yield* new Unreadable({ why: `by its bytes it is ${kind.is}. ${kind.advice}.` })
    const mark = marks.find(({ bytes }) => bytes.every((byte, index) => first[index] === byte))
    if (mark?.encoding === "utf-32")
      return yield* new Unreadable({ why: "it is UTF-32, which few programs read. Convert it to UTF-8." })
    const encoding = mark?.encoding ?? (yield* decoderOf(label ?? "utf-8")).encoding
    if (mark === undefined && encoding === "utf-8") return file
    const from = mark?.bytes.length ?? 0
    const target = yield* create(work, "source.utf-8")
    yield* encoding === "utf-8"
      ? eachChunk(file, (chunk) => append(target, chunk), { from })
      : decodeInto(target, file, encoding, from)
    return target
  })
