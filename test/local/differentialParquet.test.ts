/**
 * Parquet that hyparquet-writer writes, against hyparquet, value by value, in both targets.
 */
import { parquetMetadata, parquetRead, parquetSchema } from "hyparquet"
import { type ColumnSource, parquetWriteBuffer } from "hyparquet-writer"
import { readFile } from "node:fs/promises"
import * as path from "node:path"
import { type Case, differential, fileName, foldAscii, type Random } from "./differential.js"

/** A row: each column's name, where DuckDB can keep it, and its value as a text. */
type Row = ReadonlyArray<readonly [name: string, value: string]>

type Make = (random: Random) => unknown

type SchemaElement = NonNullable<Parameters<typeof parquetWriteBuffer>[0]["schema"]>[number]

interface Kind {
  readonly element: Omit<SchemaElement, "name">
  /** What is nested in it. */
  readonly nested?: ReadonlyArray<SchemaElement>
  readonly value: Make
}

const days = (random: Random): Date => new Date((random.below(40_000) - 10_000) * 86_400_000)
const instants = (random: Random): Date => new Date(Math.floor((random.next() - 0.3) * 4e12))
const whole = (bits: number) => (random: Random) => {
  const limit = 2n ** BigInt(bits - 1)
  return random.pick([0n, 1n, -1n, limit - 1n, -limit, BigInt(random.below(1000))])
}
const texts = ["", "a", "007", "é😀", "two\nlines", 'say "hi"', "\u0000", "NULL"] as const
const doubles = [
  0,
  -0,
  0.1,
  1e300,
  5e-324,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  -2.5
] as const

/** The column that is tested. */
const key: Kind = { element: { type: "INT32" }, value: (random) => random.below(100) }

/** What a column can be. */
const kinds: readonly [Kind, ...ReadonlyArray<Kind>] = [
  { element: { type: "BOOLEAN" }, value: (random) => random.chance(0.5) },
  { element: { type: "INT32" }, value: (random) => Number(whole(32)(random)) },
  { element: { type: "INT64" }, value: whole(64) },
  { element: { type: "DOUBLE" }, value: (random) => random.pick(doubles) },
  { element: { type: "FLOAT" }, value: (random) => Math.fround(random.pick(doubles)) },
  { element: { type: "BYTE_ARRAY", converted_type: "UTF8" }, value: (random) => random.pick(texts) },
  {
    element: { type: "BYTE_ARRAY" },
    value: (random) => Uint8Array.from(random.list(random.below(5), () => random.below(256)))
  },
  {
    element: { type: "BYTE_ARRAY", converted_type: "JSON" },
    value: (random) => ({ a: [random.below(9), random.pick(texts)] })
  },
  { element: { type: "INT64", converted_type: "TIMESTAMP_MILLIS" }, value: instants },
  { element: { type: "INT64", converted_type: "TIMESTAMP_MICROS" }, value: instants },
  {
    element: { type: "INT64", logical_type: { type: "TIMESTAMP", isAdjustedToUTC: false, unit: "NANOS" } },
    value: (random) => BigInt(random.below(2e9)) * 999_999_937n
  },
  { element: { type: "INT32", converted_type: "DATE" }, value: days },
  {
    element: { type: "INT64", converted_type: "TIME_MICROS" },
    value: (random) => BigInt(random.below(86_400)) * 1_000_001n
  },
  {
    element: { type: "INT32", converted_type: "DECIMAL", precision: 9, scale: 2 },
    value: (random) => BigInt(random.below(2e9) - 1e9)
  },
  {
    element: { type: "INT64", converted_type: "DECIMAL", precision: 18, scale: 4 },
    value: (random) => BigInt(random.below(1e9)) * 999_999_937n
  },
  { element: { type: "INT32", converted_type: "UINT_8" }, value: (random) => random.below(256) },
  { element: { type: "INT32", converted_type: "UINT_32" }, value: (random) => random.below(2 ** 32) },
  { element: { type: "INT32", converted_type: "INT_8" }, value: (random) => random.below(256) - 128 },
  {
    element: { type: "FIXED_LEN_BYTE_ARRAY", type_length: 2, logical_type: { type: "FLOAT16" } },
    value: (random) => random.below(100) / 4
  },
  {
    element: { type: "FIXED_LEN_BYTE_ARRAY", type_length: 16, logical_type: { type: "UUID" } },
    value: (random) => `f47ac10b-58cc-4372-a567-0e02b2c3d${100 + random.below(900)}`
  },
  {
    element: { num_children: 1, converted_type: "LIST" },
    nested: [
      { name: "list", repetition_type: "REPEATED", num_children: 1 },
      { name: "element", repetition_type: "OPTIONAL", type: "INT64" }
    ],
    value: (random) => random.list(random.below(4), () => (random.chance(0.2) ? null : whole(64)(random)))
  },
  {
    element: { num_children: 2 },
    nested: [
      { name: "x", repetition_type: "OPTIONAL", type: "DOUBLE" },
      { name: "Y z", repetition_type: "OPTIONAL", type: "BYTE_ARRAY", converted_type: "UTF8" }
    ],
    value: (random) => ({ x: random.pick(doubles), "Y z": random.chance(0.2) ? null : random.pick(texts) })
  }
]

const titles = [
  "id",
  "Id",
  "a b",
  "é",
  "É",
  "",
  "1",
  "file_row_number",
  "rowid",
  "error_codes",
  "dt",
  'q"q',
  "c0",
  "staged",
  "select"
] as const

/** A value as a text that tells it from all others. */
const show = (value: unknown): string =>
  JSON.stringify(value, (_, member: unknown) => {
    if (typeof member === "bigint") return `${member}`
    if (member instanceof Uint8Array) return `bytes ${Buffer.from(member).toString("hex")}`
    return typeof member === "number" && !Number.isFinite(member) ? `${member}` : member
  }) ?? "null"

interface Table {
  readonly names: ReadonlyArray<string>
  readonly rows: ReadonlyArray<ReadonlyArray<string>>
}

/** A file, by hyparquet. Times of any unit are told in nanoseconds. */
const readTable = async (bytes: Uint8Array): Promise<Table> => {
  const file = Uint8Array.from(bytes).buffer
  const rows: Array<ReadonlyArray<string>> = []
  await parquetRead({
    file,
    utf8: false,
    parsers: {
      timestampFromMilliseconds: (millis) => `at ${millis}000000`,
      timestampFromMicroseconds: (micros) => `at ${micros}000`,
      timestampFromNanoseconds: (nanos) => `at ${nanos}`
    },
    onComplete: (found: ReadonlyArray<ReadonlyArray<unknown>>) => {
      for (const row of found) rows.push(row.map(show))
    }
  })
  return { names: parquetSchema(parquetMetadata(file)).children.map(({ element }) => element.name), rows }
}

interface Column extends ColumnSource {
  readonly elements: ReadonlyArray<SchemaElement>
}

const makeColumn = (random: Random, name: string, length: number): Column => {
  const { element, nested = [], value } = name === "k" ? key : random.pick(kinds)
  const data = random.list(length, () => (random.chance(0.15) ? null : value(random)))
  return { name, data: [...data], elements: [{ ...element, name, repetition_type: "OPTIONAL" }, ...nested] }
}

const makeBytes = (random: Random): Uint8Array => {
  const isLong = random.chance(0.02)
  const length = isLong ? 3000 : random.below(9)
  const names = [...new Set(["k", ...random.list(random.below(7), () => random.pick(titles))])]
  const columnData = names.map((name) => makeColumn(random, name, length))
  const whole = new Uint8Array(
    parquetWriteBuffer({
      columnData: columnData.map(({ data, name }) => ({ name, data })),
      schema: [{ name: "root", num_children: names.length }, ...columnData.flatMap(({ elements }) => elements)],
      codec: random.pick(["SNAPPY", "UNCOMPRESSED"]),
      rowGroupSize: isLong ? 1000 : random.pick([1, 3, 1000]),
      pageSize: random.pick([16, 1_048_576])
    })
  )
  return whole
}

/** A column without a name, or with one that another has in another case, gets its name in the rejects from DuckDB. */
const make = async (random: Random, index: number): Promise<Case<Row>> => {
  const bytes = makeBytes(random)
  const { names, rows } = await readTable(bytes)
  const folded = names.map(foldAscii)
  const isUnique = (at: number) => folded.indexOf(folded[at] ?? "") === folded.lastIndexOf(folded[at] ?? "")
  const named = names.flatMap((name, at) => (name !== "" && isUnique(at) ? [{ name, at }] : []))
  const errorCodes = (taken: string): string => (folded.includes(taken) ? errorCodes(`${taken}_`) : taken)
  const isOdd = (row: ReadonlyArray<string>) => Number(row[0] === "null" ? 0 : row[0]) % 3 === 1
  const isCut = random.chance(0.1)
  return {
    file: fileName(random, index, names, ".parquet"),
    bytes: isCut ? bytes.subarray(0, random.below(bytes.length)) : bytes,
    fields: Object.fromEntries(named.map(({ name }, at) => [`f${at}`, `"${name.replaceAll('"', '""')}"`])),
    check: "coalesce(f0, 0) % 3 <> 1",
    expected: isCut
      ? undefined
      : {
          mapped: rows
            .filter((row) => !isOdd(row))
            .map((row) => named.map(({ at }, field) => [`f${field}`, row[at] ?? ""])),
          rejects: rows
            .filter(isOdd)
            .map((row) => [
              ...names.map((name, at) => [name === "" || !isUnique(at) ? "?" : name, row[at] ?? ""] as const),
              [errorCodes("error_codes"), '["ODD"]'] as const
            ])
        }
  }
}

const readRows = async (folder: string, name: string, { expected }: Case<Row>): Promise<ReadonlyArray<Row>> => {
  const { names, rows } = await readTable(await readFile(path.join(folder, `${name}.parquet`)))
  const [wanted = []] = (name === "mapped" ? expected?.mapped : expected?.rejects) ?? []
  return rows.map((row) => row.map((value, at) => [wanted[at]?.[0] === "?" ? "?" : (names[at] ?? ""), value] as const))
}

differential("Parquet is read as hyparquet reads it", make, readRows)
