/**
 * How sources are read: what is undone, what is refused with which sentence, and what the rejects keep.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { parquetWriteBuffer } from "hyparquet-writer"
import { execFileSync } from "node:child_process"
import { appendFile, rename, rm, symlink, writeFile } from "node:fs/promises"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"
import type * as LocalEngine from "../../src/local/LocalEngine.js"
import type { LocalFlow } from "../../src/local/LocalFlow.js"
import { failure, finished, folders, live, query, read, rejects, run, written } from "./support.js"

/** A flow that takes these columns as they are, and rejects rows whose first field is `rej`. */
const copy = (columns: ReadonlyArray<string>, part: Partial<LocalFlow> = {}): LocalFlow => ({
  name: "copy",
  version: "v1",
  fields: Object.fromEntries(columns.map((name) => [name, `"${name.replaceAll('"', '""')}"`])),
  tests: [{ error_code: "REJECTED", field: columns[0] ?? "", check: `coalesce("${columns[0]}", '') <> 'rej'` }],
  ...part
})

/** Runs a file through a flow. */
const through = (flow: LocalFlow, name: string, content: string | Uint8Array) =>
  Effect.flatMap(folders({ [name]: content }), (places) => run(places, name, { flow }))

const mapped = (outcome: LocalEngine.Outcome) => read(finished(outcome).results.targetLocations.mapped)

const latin1 = (text: string) => Buffer.from(text, "latin1")

describe("what is undone", () => {
  for (const [extension, content, expected] of [
    [".csv.gz", "a,b\n1,2\n", "a,b\n1,2\n"],
    [".TSV.GZ", "a\tb\n1\t2\n", "a\tb\n1\t2\n"],
    [".json.gz", '[{"a":"1","b":"2"}]', '[\n\t{"a":"1","b":"2"}\n]\n'],
    [".jsonl.gz", '{"a":"1","b":"2"}', '{"a":"1","b":"2"}\n']
  ] as const) {
    live(`${extension}: read as if unpacked, with targets that are`, () =>
      Effect.gen(function* () {
        const outcome = yield* through(copy(["a", "b"]), `in${extension}`, gzipSync(content))
        assert.strictEqual(yield* mapped(outcome), expected)
        assert.isTrue(finished(outcome).results.targetLocations.mapped.endsWith(extension.toLowerCase().slice(0, -3)))
      })
    )
  }

  live("gzip in several members is one file", () =>
    Effect.gen(function* () {
      const parts = Buffer.concat([gzipSync("a,b\n1,2\n"), gzipSync("3,4\n")])
      assert.strictEqual(yield* mapped(yield* through(copy(["a", "b"]), "in.csv.gz", parts)), "a,b\n1,2\n3,4\n")
    })
  )

  const whole = gzipSync(`a,b\n${"1,2\n".repeat(50_000)}`)
  const wrong = Buffer.from(whole)
  wrong.writeUInt8(wrong.readUInt8(wrong.length - 6) ^ 1, wrong.length - 6)
  for (const [what, content, mention] of [
    ["a gzip that breaks off", whole.subarray(0, whole.length - 12), "break off"],
    ["a gzip without its checksum", whole.subarray(0, whole.length - 4), "break off"],
    ["a gzip with a wrong checksum", wrong, "damaged"],
    ["bytes after a gzip's end", Buffer.concat([whole, Buffer.from("3,4\n")]), "damaged"],
    ["a text that is called a gzip", Buffer.from("a,b\n1,2\n"), "Take .gz off"],
    [
      "a member whose bytes have not arrived",
      Buffer.concat([whole, Buffer.alloc(whole.length)]),
      "something else follows"
    ],
    [
      "a member whose first byte is lost",
      Buffer.concat([whole, Buffer.of(0), whole.subarray(1)]),
      "something else follows"
    ],
    ["an archive that becomes a thousand times its size", gzipSync(Buffer.alloc(80 * 2 ** 20)), "64 MiB"]
  ] as const) {
    live(`${what}: refused`, () =>
      Effect.gen(function* () {
        const { errorCode, message } = failure(yield* through(copy(["a", "b"]), "in.csv.gz", content))
        assert.strictEqual(errorCode, "SOURCE_UNREADABLE")
        assert.include(message, mention)
      })
    )
  }

  const text = "a,b\né,2\n"
  const utf16 = Buffer.from(`\ufeff${text}`, "utf16le")
  for (const [what, bytes, encoding] of [
    ["UTF-8 with a byte-order mark", Buffer.from(`\ufeff${text}`), undefined],
    ["UTF-16, little-endian, by its mark", utf16, undefined],
    ["UTF-16, big-endian, by its mark", Buffer.from(utf16).swap16(), undefined],
    ["UTF-16, big-endian, whose mark overrules the label", Buffer.from(utf16).swap16(), "utf-16"],
    ["UTF-8, whose mark overrules the label", Buffer.from(`\ufeff${text}`), "windows-1252"],
    ["UTF-16 without a mark, by its label", Buffer.from(text, "utf16le"), "utf-16le"],
    ["ISO-8859-1, by its label", latin1(text), "latin1"],
    ["Mac OS Roman, by its label", Buffer.from([...latin1("a,b\n"), 0x8e, ...latin1(",2\n")]), "macintosh"]
  ] as const) {
    live(`${what}: targets and rejects are UTF-8 without a mark`, () =>
      Effect.gen(function* () {
        const flow = copy(["a", "b"], { encoding, tests: [{ error_code: "ODD", field: "b", check: "b <> '3'" }] })
        assert.strictEqual(yield* mapped(yield* through(flow, "in.csv", bytes)), text)
      })
    )
  }

  live("windows-1252: every byte that ISO-8859-1 has no letter for, in targets and rejects", () =>
    Effect.gen(function* () {
      const bytes = Buffer.from(Array.from({ length: 32 }, (_, index) => 0x80 + index))
      const letters = "€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ"
      const content = Buffer.concat([latin1("a,b\nx,"), bytes, latin1("\nrej,"), bytes, latin1("\n")])
      const outcome = yield* through(copy(["a", "b"], { encoding: "windows-1252" }), "in.csv", content)
      assert.strictEqual(yield* mapped(outcome), `a,b\nx,${letters}\n`)
      assert.strictEqual(yield* rejects(outcome), `a,b,error_codes\nrej,${letters},REJECTED\n`)
    })
  )

  for (const [what, bytes, encoding, mention] of [
    ["a byte that is no UTF-8", latin1("a,b\n1,2\n\xe9,2\n"), undefined, "line 3 is not UTF-8"],
    [
      "a byte that is no UTF-8, far inside",
      latin1(`a,b\n${"1,2\n".repeat(600_000)}\xe9,2\n`),
      undefined,
      "line 600002"
    ],
    ["a character of UTF-8 that breaks off", latin1("a,b\n1,\xc3"), undefined, "line 2 is not UTF-8"],
    [
      "half a surrogate pair",
      Buffer.from("\ufeffa,b\n1,2\n\ud800,2\n", "utf16le"),
      undefined,
      "line 3 is not utf-16le"
    ],
    [
      "a character of UTF-16 that breaks off",
      Buffer.from("a,b\n1,2\n", "utf16le").subarray(0, 13),
      "utf-16le",
      "line 2"
    ],
    ["a byte that the encoding has not", latin1("a,b\n1,2\n\xff\xff,2\n"), "shift_jis", "line 3 is not shift_jis"],
    ["UTF-32", Buffer.from([0xff, 0xfe, 0, 0, 0x61, 0, 0, 0]), undefined, "UTF-32"],
    ["UTF-16 without mark and label", Buffer.from("a,b\n1,2\n", "utf16le"), undefined, '"utf-16le"']
  ] as const) {
    live(`${what}: refused, with the line`, () =>
      Effect.gen(function* () {
        const { errorCode, message } = failure(yield* through(copy(["a", "b"], { encoding }), "in.csv", bytes))
        assert.strictEqual(errorCode, "SOURCE_UNREADABLE")
        assert.include(message, mention)
      })
    )
  }
})

const parquet = (sql: string) =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const file = path.join(yield* files.makeTempDirectoryScoped(), "made.parquet")
    yield* query(`COPY (${sql}) TO '${file}' (FORMAT parquet)`)
    return yield* files.readFile(file)
  })

describe("what a refusal says: the place as a person counts, what is found, what to do", () => {
  const refused: ReadonlyArray<readonly [file: string, content: string | Uint8Array, sentence: string]> = [
    [
      "a.csv",
      "a,b\n1,2\n3,Lovelace,5\n",
      "line 3 has 3 fields, but the header, line 1, has 2 fields. Correct the line"
    ],
    ["a.csv", "a,b\n1,2,\n", "line 2 has 3 fields, but the header, line 1, has 2 fields."],
    ["a.csv", "a,b\n1,2\n3,4,", "line 3 has 3 fields, but the header, line 1, has 2 fields."],
    ["a.csv", '\n\na,b\n"Love\r\nlace",2\n\n1\n', "line 7 has 1 field, but the header, line 3, has 2 fields."],
    ["a.csv", 'a,b\n1,2\n"Lovelace,2\n3,4\n', 'in the record that begins in line 3 a quote (") is never closed.'],
    ["a.csv", '"a,b\nLovelace,2\n', 'in the record that begins in line 1 a quote (") is never closed.'],
    ["a.csv", 'a,b\n1,2\n"Lovelace"x,2\n', "in line 3 something stands between a closing quote"],
    ["a.csv", '"a"x,b\nLovelace,2\n', "in line 1 something stands between a closing quote"],
    [
      "a.csv",
      "a,b\r\n1,2\r Lovelace,3\r\n",
      "line 2 ends with a carriage return (CR) alone, line 1 with a carriage return and a line feed (CRLF)."
    ],
    [
      "a.csv",
      `a,b\n1,2\n"${"Lovelace\n".repeat(2e6)}",4\n`,
      "the record that begins in line 3 is larger than 16 MiB, the limit of a record."
    ],
    ["a.csv", "\n\r\n\n", "it has no header."],
    ["a.csv", "a\0,b\n1,2\n", "its header holds NUL characters"],
    [
      "a.csv",
      "id;amount\n1;12,50\n",
      'its header is one column by commas, but holds semicolons. If those separate the columns, add "delimiter": ";" to the flow; if not, "delimiter": ",".'
    ],
    [
      "a.csv",
      "id\tamount\n1\t12,50\n",
      'holds tabs. If those separate the columns, add "delimiter": "\\t" to the flow'
    ],
    ["a.tsv", "id,amount\n1,12\n", "its header is one column by tabs, but holds commas."],
    [
      "a.csv",
      "sep=;\na;b\n1;2\n",
      'its first line, "sep=;", is a hint for spreadsheets, and no names of columns. Take the line away, and add "delimiter": ";" to the flow.'
    ],
    ["a.csv", "PK\x03\x04Lovelace", "by its bytes it is a spreadsheet or a zip archive. Save the sheet as CSV"],
    ["a.csv", latin1("\xd0\xcf\x11\xe0\xa1\xb1Lovelace"), "a spreadsheet of old (.xls)"],
    [
      "a.tsv",
      gzipSync("a\n1\n"),
      "by its bytes it is gzip. Add .gz to its name; if it ends so, it is packed twice: unpack it once."
    ],
    ["a.json.gz", gzipSync("PAR1Lovelace"), "by its bytes it is Parquet. Name it .parquet."],
    [
      "a.csv",
      "<!DOCTYPE html>\n<html>Lovelace, 404</html>\n",
      "by its bytes it is a web page. Fetch the data themselves"
    ],
    ["a.json", '<?xml version="1.0"?><Lovelace/>', "by its bytes it is XML. Convert it to CSV or JSON."],
    ["a.csv", '[{"a":"Lovelace","b":2},\n{"a":1}]\n', "by its beginning it is JSON. Name it .json"],
    [
      "a.json",
      Buffer.from('[{"a":"Lovelace"}]', "utf16le"),
      "a NUL character stands where none may. If the file is UTF-16"
    ],
    ["a.json", "", "it is empty."],
    ["a.json", " \n", "it holds white space alone."],
    ["a.jsonl", "\n", "it holds white space alone."],
    ["a.jsonl", "L", "in line 1 a record is not an object."],
    ["a.json", "L", "in line 1 it begins neither with [ nor with {."],
    ["a.json", '[\n{"a":"Lovelace"},\n{"a":2},\n', "in line 4, record 3, the file breaks off: its end is missing."],
    ["a.json", '[{"a":"Lovelace"},{"a":2,}]', "in line 1, record 2, a comma stands before a closing bracket."],
    ["a.json", '[{"a":"Lovelace"},{"a":2},]', "in line 1, record 3, a comma stands before a closing bracket."],
    ["a.json", '[{"a":"Lovelace"} {"a":2}]', "in line 1 a comma or a bracket is missing"],
    ["a.json", '[{"a":"Lovelace"}]\n[{"a":2}]', "in line 2 something follows the end of the array."],
    [
      "a.json",
      '[{"a":"Lovelace"},\n{"a":NaN}]',
      "in line 2, record 2, a value is none that JSON has: NaN, Infinity and other words are not."
    ],
    ["a.json", '[{"a":"Lovelace"},\n{"a":1,"b":2,"a":3}]', 'record 2 has the key "a" twice. Take one of them away'],
    ["a.json", '[{"a":"Lovelace"},7]', "in line 1, record 2, a record is not an object."],
    ["a.json", '[{"a":"Love\nlace"}]', "in line 1, record 1, a control character stands inside of a string."],
    ["a.json", '[{"a":"\\ud83d Lovelace"}]', "an escape is half of a pair"],
    [
      "a.json",
      '{\n  "a": "Lovelace"\n}\n',
      "in line 1 a record goes over several lines. A file that begins with { has one record a line"
    ],
    ["a.json", '[{"\\u0000": "Lovelace"}]', "holds a NUL character. Rename it."],
    ["a.jsonl", '[{"a":"Lovelace"}]', "a file that is one array has the extension .json"],
    ["a.jsonl", '{"a":1}\n\n{"a":"Lovelace"', "in line 3 the file breaks off"],
    ["a.jsonl", '{"a":"Lovelace"}\n{"a":1}{"a":2}\n', "in line 2 something follows the record in its line."],
    [
      "a.jsonl",
      `{"a":1}\n{"a":"${"Lovelace".repeat(2.2e6)}"}\n`,
      "in line 2 a record is larger than 16 MiB, the limit of a record."
    ],
    ["a.parquet", "a,b\nLovelace,2\n", "by its bytes it is no Parquet."],
    ["a.parquet", "PAR1Lovelace", "it breaks off: its end is missing."],
    ["a.parquet", "PARELovelace", "it is encrypted."],
    ["a.parquet", "PAR1LovelacePAR1", "its Parquet is damaged"]
  ]

  for (const [file, content, sentence] of refused) {
    live(`${file}, ${JSON.stringify(Buffer.from(content).toString("latin1", 0, 50))}: ${sentence}`, () =>
      Effect.gen(function* () {
        const places = yield* folders({ [file]: content })
        const { errorCode, message, stage } = failure(yield* run(places, file, { flow: copy(["a"]) }))
        assert.strictEqual(stage, "SYNCING_SOURCE")
        assert.strictEqual(errorCode, "SOURCE_UNREADABLE")
        assert.include(message, `The source "${file}" can't be read: `)
        assert.include(message, sentence)
        assert.match(message, /\.$/)
        assert.notMatch(message, /love|lace|\/proc|staged|c0|reject_|state machine/i)
        assert.notInclude(message, places.root)
      })
    )
  }

  live("what Parquet holds and DuckDB would round: refused, with the column", () =>
    Effect.gen(function* () {
      const bytes = Buffer.from(yield* parquet("SELECT 1 AS a, TIMESTAMPTZ '2026-01-01' AS seen_at"))
      // TimestampType(isAdjustedToUTC = true, unit = MICROS) becomes NANOS.
      const micros = Buffer.from([0x8c, 0x11, 0x1c, 0x2c, 0, 0, 0])
      const place = bytes.indexOf(micros)
      assert.isAbove(place, 0)
      bytes.writeUInt8(0x3c, place + 3)
      const { message } = failure(yield* through(copy(["a"]), "in.parquet", bytes))
      assert.include(message, 'its column "seen_at" has times in UTC with nanoseconds')
    })
  )

  live("decimals of Parquet that have more digits than DuckDB's: refused, with the column", () =>
    Effect.gen(function* () {
      const bytes = Buffer.from(yield* parquet("SELECT 1 AS a, 1.50::DECIMAL(38, 2) AS total"))
      // The scale 2 and the precision 38, which becomes 39.
      const place = bytes.indexOf(Buffer.from([0x15, 4, 0x15, 76]))
      assert.isAbove(place, 0)
      bytes.writeUInt8(78, place + 3)
      const { message } = failure(yield* through(copy(["a"]), "in.parquet", bytes))
      assert.include(message, 'its column "total" has decimals of more than 38 digits')
    })
  )
})

describe("CSV", () => {
  live("a flow's delimiter separates the fields of the source, of the target and of the rejects", () =>
    Effect.gen(function* () {
      const flow = copy(["id", "amount"], { delimiter: ";" })
      const outcome = yield* through(flow, "in.csv", "id;amount\n1;12,50\nrej;3\n")
      assert.strictEqual(yield* mapped(outcome), "id;amount\n1;12,50\n")
      assert.strictEqual(yield* rejects(outcome), "id;amount;error_codes\nrej;3;REJECTED\n")
    })
  )

  live("the header is as it is spelled: spaces, empty names, names that are there twice", () =>
    Effect.gen(function* () {
      const content = ' a ,"", b,x,X,"say ""hi""\nthere",x\n1,2,3,4,5,6,7\nrej,"",, 4 ,"5,",\\,"a""b"\n'
      const outcome = yield* through(copy([" a ", " b", 'say "hi"\nthere']), "in.csv", content)
      assert.strictEqual(yield* mapped(outcome), ' a , b,"say ""hi""\nthere"\n1,3,6\n')
      assert.strictEqual(
        yield* rejects(outcome),
        ' a ,"", b,x,X,"say ""hi""\nthere",x,error_codes\nrej,"",, 4 ,"5,",\\,"a""b",REJECTED\n'
      )
    })
  )

  live("lines may end with LF and CRLF, with empty lines between and before", () =>
    Effect.gen(function* () {
      const content = '\r\n\na,b\r\n\n1,2\n\r\n"x\r\ny",3\r\nrej,"\n"\n'
      const outcome = yield* through(copy(["a", "b"]), "in.csv", content)
      assert.strictEqual(yield* mapped(outcome), 'a,b\n1,2\n"x\r\ny",3\n')
      assert.strictEqual(yield* rejects(outcome), 'a,b,error_codes\nrej,"\n",REJECTED\n')
    })
  )

  live("a delimiter of the flow's own is the targets' too", () =>
    Effect.gen(function* () {
      const outcome = yield* through(copy(["a", "b"], { delimiter: ";" }), "in.csv", "a;b\n1,5;2\nrej;x\n")
      assert.strictEqual(yield* mapped(outcome), "a;b\n1,5;2\n")
      assert.strictEqual(yield* rejects(outcome), "a;b;error_codes\nrej;x;REJECTED\n")
    })
  )

  live("a name that two columns have can't be used, but their file can", () =>
    Effect.gen(function* () {
      const places = yield* folders({ "in.csv": "a,A,b\n1,2,3\n" })
      assert.strictEqual(yield* mapped(yield* run(places, "in.csv", { flow: copy(["b"]) })), "b\n3\n")
      const { message } = failure(yield* run(places, "in.csv", { flow: copy(["a"]), runId: "run_2" }))
      assert.include(message, '"a"')
      assert.include(message, '"A"')
    })
  )

  live("a record far larger than DuckDB's default is read", () =>
    Effect.gen(function* () {
      const large = "y\n".repeat(4e6)
      assert.strictEqual(
        yield* mapped(yield* through(copy(["b", "a"]), "in.csv", `a,b\n1,"${large}"\n`)),
        `b,a\n"${large}",1\n`
      )
    })
  )
})

describe("JSON", () => {
  live("rejects are the records' own texts, with the codes at their end", () =>
    Effect.gen(function* () {
      const records = [
        '{"b":[1.50,1e400],"2":8.10,"1":-0.0,"a":"rej"}',
        '{ "a" : "rej" ,\n "c" : "\\u00e9\\/" }',
        '{"a":"rej"}'
      ]
      const outcome = yield* through(copy(["a"]), "in.json", `[{"a":"1"},${records.join(", ")}]`)
      const spliced = records.map((record) => record.replace(/\s*\}$/, ',"error_codes":["REJECTED"]}'))
      assert.strictEqual(yield* rejects(outcome), `[\n\t${spliced.join(",\n\t")}\n]\n`)
    })
  )

  live("a record without keys is rejected as one, and a key named error_codes stays", () =>
    Effect.gen(function* () {
      const flow = copy(["a"], { tests: [{ error_code: "A;B".replace(";", '"'), field: "a", check: "a IS NOT NULL" }] })
      const outcome = yield* through(flow, "in.jsonl", '{"a":1}\n{}\n{"Error_Codes":1}\n')
      assert.strictEqual(
        yield* rejects(outcome),
        '{"error_codes_":["A\\"B"]}\n{"Error_Codes":1,"error_codes_":["A\\"B"]}\n'
      )
    })
  )

  live("a last line without a newline is read wherever it begins", () =>
    Effect.gen(function* () {
      const line = `{"a":"${"x".repeat(2 ** 20)}"}\n`
      const rest = 2 ** 25 % line.length
      for (const before of [rest - 200, rest - 2]) {
        const begin = line.repeat(2 ** 25 / line.length) + `{"a":"${"y".repeat(before - 9)}"}\n`
        const flow = copy([], { fields: { first: "left(a, 1)" }, tests: [] })
        const outcome = yield* through(flow, "in.jsonl", `${begin}{"a":"${"z".repeat(300)}"}`)
        assert.isTrue((yield* mapped(outcome)).endsWith('{"first":"y"}\n{"first":"z"}\n'))
      }
    })
  )

  live("a record of as many bytes as a record may have is read, one byte more is refused", () =>
    Effect.gen(function* () {
      const frame = '{"a":""}'.length
      const record = (length: number) => `{"a":"${"y".repeat(length - frame)}"}`
      const limit = 16 * 2 ** 20
      for (const [file, begin, end] of [
        ["in.json", "[", "]"],
        ["in.jsonl", "", "\n"]
      ] as const) {
        const flow = copy([], { fields: { length: "length(a)" }, tests: [] })
        const outcome = yield* through(flow, file, begin + record(limit) + end)
        assert.include(yield* mapped(outcome), `"length":${limit - frame}}`)
        const { message } = failure(yield* through(flow, file, begin + record(limit + 1) + end))
        assert.include(message, "is larger than 16 MiB, the limit of a record")
      }
    })
  )

  live("one object a line in .json: its targets are arrays", () =>
    Effect.gen(function* () {
      const outcome = yield* through(copy(["a"]), "in.json", '{"a":"1"}\n{"a":"rej"}\n')
      assert.strictEqual(yield* mapped(outcome), '[\n\t{"a":"1"}\n]\n')
      assert.strictEqual(yield* rejects(outcome), '[\n\t{"a":"rej","error_codes":["REJECTED"]}\n]\n')
    })
  )

  live("numbers keep what a double would change, nested too", () =>
    Effect.gen(function* () {
      const content =
        '[{"a":1234567890123456.78,"b":{"x":[0.12345678901234567890,"1.00000000000000000000001"],"y":8.10},"c":"1234567890123456.78"},' +
        '{"a":1e400,"b":12345678901234567890123,"c":1.5}]'
      const outcome = yield* through(copy(["a", "b", "c"]), "in.json", content)
      assert.deepStrictEqual(JSON.parse(yield* mapped(outcome)), [
        {
          a: "1234567890123456.78",
          b: '{"x":[0.12345678901234567890,"1.00000000000000000000001"],"y":8.1}',
          c: "1234567890123456.78"
        },
        { a: "1e400", b: "12345678901234567890123", c: "1.5" }
      ])
    })
  )

  live("a flow may name very many keys, which records may lack, and have in any order", () =>
    Effect.gen(function* () {
      const keys = Array.from({ length: 1500 }, (_, index) => `key ${index}`)
      const valueOf = (key: string, row: number) => (row === 2 ? [key, 1.5] : row === 1 ? null : `"${key}" ${row}`)
      const rows = [keys, keys.toReversed(), keys.slice(700), keys.toReversed().slice(1), []].map((some, row) =>
        Object.fromEntries(some.map((key) => [key, valueOf(key, row)]))
      )
      const records = rows.map((row) => JSON.stringify(row)).concat('{"key 9":12345678901234567.5}')
      const fields = Object.fromEntries(keys.map((key) => [key, `"${key}"`]))
      const tests = [{ error_code: "REJECTED", field: "key 0", check: "true" }]
      const outcome = yield* through(copy([], { fields, tests }), "in.jsonl", records.join("\n"))
      const seen = (value: unknown) => (Array.isArray(value) ? JSON.stringify(value) : (value ?? null))
      assert.deepStrictEqual(
        (yield* mapped(outcome))
          .trimEnd()
          .split("\n")
          .map((line) => JSON.parse(line)),
        [...rows, { "key 9": "12345678901234567.5" }].map((row: Readonly<Record<string, unknown>>) =>
          Object.fromEntries(keys.map((key) => [key, seen(row[key])]))
        )
      )
    })
  )
})

describe("Parquet", () => {
  live("columns that differ only by case, have no name or are called file_row_number stay what they are", () =>
    Effect.gen(function* () {
      const bytes = parquetWriteBuffer({
        columnData: [
          { name: "A", data: ["1", "rej"], type: "STRING" },
          { name: "a", data: ["b", null], type: "STRING" },
          { name: "", data: [1.5, 2.5], type: "DOUBLE" },
          { name: "file_row_number", data: [7, 8], type: "INT32" }
        ]
      })
      const flow: LocalFlow = {
        ...copy(["file_row_number"]),
        tests: [{ error_code: "EIGHT", field: "file_row_number", check: "file_row_number <> 8" }]
      }
      const { mapped, rejects } = finished(yield* through(flow, "in.parquet", new Uint8Array(bytes))).results
        .targetLocations
      assert.deepStrictEqual(yield* query(`FROM '${fileURLToPath(mapped)}'`), [{ file_row_number: 7 }])
      const [row = {}] = yield* query(`FROM '${fileURLToPath(Option.getOrThrow(rejects))}'`)
      assert.deepStrictEqual(Object.values(row), ["rej", null, 2.5, 8, ["EIGHT"]])
    })
  )

  live("nested values and types keep what they are in rejects", () =>
    Effect.gen(function* () {
      const columns =
        "1.50::DECIMAL(38, 2) AS exact, DATE '1500-01-01' AS day, {'x': [1, NULL], 'y': 'é'} AS nested, 'rej' AS a, " +
        "'2026-01-01 00:00:00.123456789'::TIMESTAMP_NS AS seen_at, '\\xAA'::BLOB AS bytes, 18446744073709551615::UBIGINT AS large"
      const outcome = yield* through(
        copy(["a"]),
        "in.parquet",
        yield* parquet(`SELECT ${columns} UNION ALL SELECT NULL, NULL, NULL, '1', NULL, NULL, NULL`)
      )
      const rejected = fileURLToPath(Option.getOrThrow(finished(outcome).results.targetLocations.rejects))
      assert.deepStrictEqual(
        yield* query(`SELECT * EXCLUDE error_codes FROM '${rejected}'`),
        yield* query(`SELECT ${columns}`)
      )
    })
  )
})

describe("the file itself", () => {
  live("changes while it is staged: FAILED", () =>
    Effect.gen(function* () {
      const places = yield* folders({ "in.csv": `a,b\n${"1,2\n".repeat(500_000)}` })
      const file = path.join(places.sources, "in.csv")
      const write = Effect.forever(
        Effect.zipRight(
          Effect.promise(() => appendFile(file, "3,4\n")),
          Effect.yieldNow()
        )
      )
      const outcome = yield* Effect.raceFirst(run(places, "in.csv", { flow: copy(["a"]) }), write)
      assert.include(failure(outcome).message, "has changed, or was moved, while it was read. Run it again")
      assert.deepStrictEqual(yield* written(places), [])
    })
  )

  live("changes while it is read in place: FAILED", () =>
    Effect.gen(function* () {
      const places = yield* folders({ "in.parquet": yield* parquet("SELECT 'x' AS a") })
      const onStage = (stage: LocalEngine.Stage) =>
        stage === "SYNCING_TARGET"
          ? Effect.promise(() => appendFile(path.join(places.sources, "in.parquet"), "more"))
          : Effect.void
      const outcome = yield* run(places, "in.parquet", { flow: copy(["a"]), onStage })
      assert.include(failure(outcome).message, "has changed, or was moved")
      assert.deepStrictEqual(yield* written(places), [])
    })
  )

  live("is replaced by a link that leads outside, at any moment: what is outside is not read", () =>
    Effect.gen(function* () {
      const places = yield* folders({ "in.csv": "a\ninside\n", "moved.csv": "a\ninside\n" })
      const files = yield* FileSystem.FileSystem
      const secret = path.join(places.root, "secret.csv")
      yield* files.writeFileString(secret, "a\nsecret\n")
      const file = path.join(places.sources, "in.csv")
      const toLink = Effect.promise(async () => {
        await rm(file)
        await symlink(secret, file)
      })
      const toFile = Effect.promise(async () => {
        await rm(file)
        await writeFile(file, "a\ninside\n")
      })
      // Before the file's real path is asked for, and after it.
      for (const [before, after] of [
        [toLink, Effect.void],
        [Effect.void, toLink],
        [toLink, toFile],
        [toFile, toLink]
      ] as const) {
        yield* toFile
        const asked: typeof files.realPath = (asked) =>
          asked === file
            ? before.pipe(
                Effect.zipRight(files.realPath(asked)),
                Effect.tap(() => after)
              )
            : files.realPath(asked)
        const outcome = yield* run(places, "in.csv", { flow: copy(["a"]), runId: "run_1" }).pipe(
          Effect.provideService(FileSystem.FileSystem, { ...files, realPath: asked })
        )
        if (outcome.status === "SUCCEEDED") assert.strictEqual(yield* mapped(outcome), "a\ninside\n")
        else assert.strictEqual(failure(outcome).errorCode, "SOURCE_NOT_ALLOWED")
        yield* Effect.ignore(files.remove(places.targets, { recursive: true }))
      }
    })
  )

  live("is replaced while it is read in place: FAILED", () =>
    Effect.gen(function* () {
      const places = yield* folders({
        "in.parquet": yield* parquet("SELECT 'inside' AS a"),
        "other.parquet": yield* parquet("SELECT 'other' AS a")
      })
      const [file = "", other = ""] = ["in.parquet", "other.parquet"].map((name) => path.join(places.sources, name))
      const onStage = (stage: LocalEngine.Stage) =>
        stage === "TRANSFORMING" ? Effect.promise(() => rename(other, file)) : Effect.void
      const outcome = yield* run(places, "in.parquet", { flow: copy(["a"]), onStage })
      assert.include(failure(outcome).message, "has changed, or was moved, while it was read")
      assert.deepStrictEqual(yield* written(places), [])
    })
  )

  live("is a pipe that nobody writes to: refused at once", () =>
    Effect.gen(function* () {
      const places = yield* folders({})
      execFileSync("mkfifo", [path.join(places.sources, "in.csv")])
      assert.strictEqual(failure(yield* run(places, "in.csv")).errorCode, "SOURCE_NOT_FOUND")
    })
  )
})
