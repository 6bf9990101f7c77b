/**
 * Small files that were once read wrong, and what must come of each.
 */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { parse } from "csv-parse/sync"
import { gzipSync } from "node:zlib"
import type * as LocalEngine from "../../src/local/LocalEngine.js"
import type { LocalFlow } from "../../src/local/LocalFlow.js"
import data from "../cases/data.json" with { type: "json" }
import { failure, finished, folders, live, read, rejects, run, written } from "./support.js"

const Texts = Schema.Array(Schema.String)

const Case = Schema.Struct({
  id: Schema.String,
  file: Schema.String,
  content: Schema.String,
  fields: Schema.Record({ key: Schema.String, value: Schema.String }),
  tests: Schema.Array(Schema.Tuple(Schema.String, Schema.String, Schema.String)),
  why: Schema.String,
  expect: Schema.Struct({
    status: Schema.String,
    errorCode: Schema.optional(Schema.String),
    input: Schema.optional(Schema.Number),
    mapped: Schema.optional(Schema.Array(Texts)),
    mappedCount: Schema.optional(Schema.Number),
    mappedText: Schema.optional(Schema.String),
    mappedIsStrictJson: Schema.optional(Schema.Boolean),
    rejectsContain: Schema.optional(Schema.String),
    rejectsFile: Schema.optional(Schema.Boolean),
    columnsOfSource: Schema.optional(Texts),
    messageNames: Schema.optional(Texts),
    messageLacks: Schema.optional(Texts)
  })
})
type Case = typeof Case.Type

/** What the message names where a case may fail, and does. */
const named: Readonly<Record<string, ReadonlyArray<string>>> = {
  "json-nan-target": ["ratio"],
  semicolon: ["semicolon"],
  "json-case-keys": ['"A"', '"a"']
}

/** A case's content may be told by how it is made. */
const contentOf = ({ content, id }: Case): string | Uint8Array =>
  id === "gz"
    ? gzipSync("a,b\n1,2\n")
    : content.replace(/\{(\w) repeated (\d+) times\}/, (_, letter: string, times: string) =>
        letter.repeat(Number(times))
      )

const flowOf = ({ fields, tests }: Case): LocalFlow => ({
  name: "case",
  version: "v1",
  fields,
  tests: tests.map(([error_code, field, check]) => ({ error_code, field, check }))
})

const Rows = Schema.Array(Schema.Record({ key: Schema.String, value: Schema.Unknown }))

/** The rows of a target, as texts: numbers of JSON as they are spelled. */
const rowsOf = (file: string, target: string): ReadonlyArray<ReadonlyArray<string>> => {
  if (file.includes(".csv")) return Schema.decodeUnknownSync(Schema.Array(Texts))(parse(target)).slice(1)
  const text = target.replace(/:(-?\d[-+.\deE]*)/g, ':"$1"')
  const rows: unknown = file.endsWith(".json")
    ? JSON.parse(text)
    : text
        .trim()
        .split("\n")
        .map((line): unknown => JSON.parse(line))
  return Schema.decodeUnknownSync(Rows)(rows).map((row) => Object.values(row).map(String))
}

const checkData = ({ expect, file }: Case, outcome: LocalEngine.Outcome) =>
  Effect.gen(function* () {
    const { results } = finished(outcome)
    const mapped = yield* read(results.targetLocations.mapped)
    const rejected = yield* rejects(outcome)
    assert.strictEqual(results.inputRows, expect.input ?? results.inputRows)
    assert.strictEqual(results.mappedRows, expect.mappedCount ?? results.mappedRows)
    assert.strictEqual(mapped, expect.mappedText ?? mapped)
    assert.include(rejected, expect.rejectsContain ?? "")
    const rows = rowsOf(file, mapped)
    assert.strictEqual(rows.length, results.mappedRows)
    assert.deepStrictEqual(rows, expect.mapped ?? rows)
  })

const checkFailure = ({ expect, id }: Case, outcome: LocalEngine.Outcome, files: ReadonlyArray<string>) => {
  const { errorCode, message } = failure(outcome)
  assert.strictEqual(errorCode, expect.errorCode ?? errorCode)
  for (const name of [...(expect.messageNames ?? []), ...(named[id] ?? [])]) assert.include(message, name)
  for (const name of expect.messageLacks ?? []) assert.notInclude(message, name)
  if (expect.status !== "FAILED") assert.property(named, id, message)
  assert.strictEqual(
    files.some((file) => file.startsWith("run_1/rejects.")),
    expect.rejectsFile ?? false
  )
}

describe("data.json", () => {
  for (const test of Schema.decodeUnknownSync(Schema.Array(Case))(data)) {
    live(`${test.id}: ${test.why}`, () =>
      Effect.gen(function* () {
        const places = yield* folders({ [test.file]: contentOf(test) })
        const outcome = yield* run(places, test.file, { flow: flowOf(test) })
        assert.include(test.expect.status, outcome.status, JSON.stringify(outcome))
        if (outcome.status === "FAILED") checkFailure(test, outcome, yield* written(places))
        else yield* checkData(test, outcome)

        const { columnsOfSource } = test.expect
        if (columnsOfSource === undefined) return
        const misspelt = { ...flowOf(test), fields: { a: "nowhere" } }
        const { message } = failure(yield* run(places, test.file, { flow: misspelt, runId: "run_2" }))
        for (const column of columnsOfSource) assert.include(message, `"${column}"`)
        assert.notInclude(message, "year")
      })
    )
  }
})
