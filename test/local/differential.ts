/**
 * What the differential tests share: files made from a seed, run one after the other through the engine, and compared
 * cell by cell with what an independent reader finds in the same bytes.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as path from "node:path"
import { gzipSync } from "node:zlib"
import * as LocalEngine from "../../src/local/LocalEngine.js"
import type { LocalFlow } from "../../src/local/LocalFlow.js"

/** How many files of a format are compared: `npm run check:differential` asks for more. */
const count = Number(process.env["DIFFERENTIAL_FILES"] ?? 300)
assert(Number.isInteger(count) && count > 0, "DIFFERENTIAL_FILES must be a number of files")

/** Numbers from a seed (mulberry32), and choices by them. */
export class Random {
  private state: number

  constructor(seed: number) {
    this.state = seed
  }

  /** A number from 0 to less than 1. */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  /** A whole number from 0 to less than `end`. */
  below(end: number): number {
    return Math.floor(this.next() * end)
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  pick<A>(choices: readonly [A, ...ReadonlyArray<A>]): A {
    return choices[this.below(choices.length)] ?? choices[0]
  }

  list<A>(length: number, make: (index: number) => A): ReadonlyArray<A> {
    return Array.from({ length }, (_, index) => make(index))
  }
}

/** A file, the flow that it is run with, and what must come of it. */
export interface Case<Row> {
  /** Its name, with the folders that it lies in. */
  readonly file: string
  readonly bytes: Uint8Array
  readonly fields: Readonly<Record<string, string>>
  /** Of the target's fields; a row that fails it is rejected with the code `ODD`. */
  readonly check: string
  readonly encoding?: string | undefined
  readonly delimiter?: string | undefined
  /** The rows that an independent reader finds; undefined where the file must be refused. */
  readonly expected: Expected<Row> | undefined
}

/** The rows of both targets. */
export interface Expected<Row> {
  readonly mapped: ReadonlyArray<Row>
  readonly rejects: ReadonlyArray<Row>
}

/** A name as SQL compares it. */
export const foldAscii = (name: string): string => name.replace(/[A-Z]/g, (letter) => letter.toLowerCase())

/** A name inside of folders that look like Hive's partitions. */
export const fileName = (random: Random, index: number, columns: ReadonlyArray<string>, extension: string): string => {
  const column = columns.find((name) => /^\w+$/.test(name)) ?? "year"
  return random.chance(0.3) ? `${index}/${column}=2024/in${extension}` : `${index}/in${extension}`
}

/** Bytes as they are, or compressed, and the extension that says so. */
export const maybeGzip = (random: Random, bytes: Uint8Array): readonly [extension: string, bytes: Uint8Array] =>
  random.chance(0.15) ? [".gz", gzipSync(bytes)] : ["", bytes]

const flowOf = <Row>({ check, delimiter, encoding, fields }: Case<Row>): LocalFlow => ({
  name: "differential",
  version: "v1",
  fields,
  tests: [{ error_code: "ODD", field: Object.keys(fields)[0] ?? "", check }],
  encoding,
  delimiter
})

/** Runs a case, and gives what came of it to `compare`. */
const check = <Row>(
  places: { readonly sources: string; readonly targets: string },
  test: Case<Row>,
  label: string,
  readRows: (target: string, name: "mapped" | "rejects") => Promise<ReadonlyArray<Row>>
) =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const source = path.join(places.sources, test.file)
    yield* files.makeDirectory(path.dirname(source), { recursive: true })
    yield* files.writeFile(source, test.bytes)
    const outcome = yield* LocalEngine.run({ ...places, runId: label, flow: flowOf(test), sourcePath: test.file })
    const why = `${label} (${test.file}): ${JSON.stringify(Buffer.from(test.bytes.subarray(0, 2000)).toString())}`
    const { expected } = test
    if (expected === undefined) {
      assert.strictEqual(outcome.status, "FAILED", why)
      assert(outcome.status === "FAILED")
      assert.strictEqual(outcome.metadata.errors[0]?.errorCode, "SOURCE_UNREADABLE", why)
      return
    }
    const { mapped, rejects } = expected
    const status = rejects.length === 0 ? "SUCCEEDED" : mapped.length > 0 ? "PARTIAL_FAILED" : "FAILED"
    const said = outcome.status === "FAILED" || outcome.status === "CRASHED" ? outcome.metadata.errors[0] : undefined
    assert.strictEqual(outcome.status, status, `${why} ${JSON.stringify(said)}`)
    const rows = (name: "mapped" | "rejects") => {
      const folder = path.join(places.targets, label)
      return Effect.promise(() => readRows(folder, name))
    }
    if (status === "FAILED") assert.strictEqual(said?.errorCode, "ALL_ROWS_REJECTED", why)
    else assert.deepStrictEqual(yield* rows("mapped"), mapped, why)
    if (rejects.length > 0) assert.deepStrictEqual(yield* rows("rejects"), rejects, why)
    yield* files.remove(path.join(places.targets, label), { recursive: true })
  })

/** A test of as many files as there are to be. */
export const differential = <Row, Test extends Case<Row>>(
  name: string,
  make: (random: Random, index: number) => Test | Promise<Test>,
  readRows: (folder: string, name: "mapped" | "rejects", test: Test) => Promise<ReadonlyArray<Row>>
) =>
  it.scopedLive(
    name,
    () =>
      Effect.gen(function* () {
        const files = yield* FileSystem.FileSystem
        const root = yield* Effect.flatMap(files.makeTempDirectoryScoped(), files.realPath)
        // Both folders lie where Hive would see partitions, also by the names that the engine gives to columns.
        const partitions = path.join(root, "a=1/k=1/c0=1/json=1")
        const places = { sources: path.join(partitions, "sources"), targets: path.join(partitions, "targets") }
        yield* Effect.forEach(
          Array.from({ length: count }, (_, index) => index),
          (index) =>
            Effect.flatMap(
              Effect.promise(async () => make(new Random(index + 1), index)),
              (test) => check(places, test, `case_${index}`, (folder, name) => readRows(folder, name, test))
            ),
          { concurrency: 4, discard: true }
        )
      }).pipe(Effect.provide(NodeFileSystem.layer)),
    count * 1000
  )
