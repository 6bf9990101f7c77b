/**
 * The metadata schemas on their own: Lume's JSON on the encoded side.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Record from "effect/Record"
import * as Schema from "effect/Schema"
import * as LumeMetadata from "../src/LumeMetadata.js"
import * as LumeTest from "../src/LumeTest.js"
import { finishedMetadata } from "./support/metadata.js"
import { property } from "./support/property.js"

const seconds = FastCheck.nat(10_000_000).map((millis) => millis / 1000)
const timestamp = FastCheck.integer({ min: 0, max: 4e12 }).map((millis) => new Date(millis).toISOString())
const ratio = FastCheck.double({ min: 0, max: 1, noNaN: true }).map((ratio) => ratio + 0)

/** Any value of the kind that a leaf of Lume's JSON has, by its name and an example. */
const leaf = (name: string, example: unknown): FastCheck.Arbitrary<unknown> => {
  if (typeof example === "string") return name.endsWith("_at") ? timestamp : FastCheck.string()
  if (name.endsWith("_seconds")) return seconds
  return name === "error_rate" ? ratio : FastCheck.maxSafeNat()
}

/** Any value with the fields of an example; null in place of those that may be. */
const like = (example: object, mayBeNull: (name: string) => boolean): FastCheck.Arbitrary<object> =>
  FastCheck.record(
    Record.map(example as Readonly<Record<string, unknown>>, (value, name) => {
      if (Array.isArray(value)) return FastCheck.array(like(value[0], () => false))
      const field = Predicate.isRecord(value) ? like(value, mayBeNull) : leaf(name, value)
      return mayBeNull(name) ? FastCheck.option(field) : field
    })
  )

const example = {
  ...finishedMetadata("PARTIAL_FAILED"),
  errors: [{ stage: "TRANSFORMING", error_code: "SQL_ERROR", message: "no such column" }]
}

const finished = like(example, (name) => name === "rejects" || /^(sync|transform)_/.test(name))
const failed = like(example, () => true)

describe("LumeMetadata", () => {
  property.all("goes from Lume's JSON and back, exactly", [finished], ([wire]) => {
    const metadata = Schema.decodeUnknownSync(LumeMetadata.LumeMetadata)(wire)
    assert.deepStrictEqual<unknown>(Schema.encodeSync(LumeMetadata.LumeMetadata)(metadata), wire)
  })

  it("ignores what it does not know", () => {
    const wire = finishedMetadata()
    const metadata = Schema.decodeUnknownSync(LumeMetadata.LumeMetadata)({
      ...wire,
      cost: 1,
      run: { ...wire.run, owner: "x" }
    })
    assert.deepStrictEqual(metadata, Schema.decodeUnknownSync(LumeMetadata.LumeMetadata)(wire))
  })

  it.each([[null], [undefined]])("reads what is %s as empty, where something can be", (nothing) => {
    const { pipeline, results, validation, ...wire } = finishedMetadata()
    const metadata = Schema.decodeUnknownSync(LumeMetadata.LumeMetadata)({
      ...wire,
      pipeline: { ...pipeline, stages: nothing },
      results: { ...results, target_locations: { mapped: "s3://acme-out/mapped.csv", rejects: nothing } },
      validation: { ...validation, tests_executed: 0, tests_failed: 0, error_rate: nothing, top_errors: nothing },
      errors: nothing
    })
    const none = Option.none()
    assert.deepStrictEqual(metadata.pipeline.stages, { syncSource: none, transform: none, syncTarget: none })
    assert.deepStrictEqual(metadata.results.targetLocations.rejects, none)
    assert.deepStrictEqual(metadata.validation, { testsExecuted: 0, testsFailed: 0, errorRate: 0, topErrors: [] })
    assert.deepStrictEqual(metadata.errors, [])
  })

  it("can't be made or written with numbers that Lume's can't be", () => {
    const { results, validation, ...metadata } = LumeTest.metadata()
    for (const wrong of [
      { ...metadata, validation, results: { ...results, inputRows: -1 } },
      { ...metadata, validation, results: { ...results, mappedRows: 0.5 } },
      { ...metadata, results, validation: { ...validation, errorRate: 2 } }
    ]) {
      assert.isFalse(Schema.is(LumeMetadata.LumeMetadata)(wrong))
      assert.throws(() => Schema.encodeSync(LumeMetadata.LumeMetadata)(wrong))
    }
  })

  it.effect("is written so that it is read again, whatever the year", () =>
    Effect.gen(function* () {
      const { pipeline, run } = finishedMetadata("SUCCEEDED", "run_test")
      const codec = LumeMetadata.FailedMetadata
      // microseconds, and a year before the first
      for (const created_at of [1_762_157_700_000_000, 8.64e15, -8.64e15, "0000-01-01T00:00:00+01:00"]) {
        const metadata = yield* Schema.decodeUnknown(codec)({ run, pipeline: { ...pipeline, created_at } })
        const written = yield* Schema.encode(codec)(metadata)
        assert.deepStrictEqual(yield* Schema.decodeUnknown(codec)(written), metadata)
      }
    })
  )

  property.all("is written by the test kit as by its schema", [LumeTest.arbitrary.metadata], ([metadata]) => {
    const run = LumeTest.run("Succeeded", { metadata })
    assert.deepStrictEqual(run.rawMetadata, Schema.encodeSync(LumeMetadata.LumeMetadata)(metadata))
  })
})

describe("metadata that can't be read", () => {
  const { pipeline, results, run, validation } = finishedMetadata("SUCCEEDED", "run_test")
  const timed = (part: object) => ({ run, pipeline: { ...pipeline, ...part } })
  const counted = (part: object) => ({ ...timed({}), results: { ...results, ...part } })
  const tested = (part: object) => ({ ...counted({}), validation: { ...validation, ...part } })

  const count = "a non-negative integer of at most 2^53 - 1"
  const seconds = "a non-negative number of seconds"
  const cases: ReadonlyArray<readonly [path: string, rawMetadata: unknown, expected: string]> = [
    ["run", { run: 5 }, "an object"],
    ["pipeline.created_at", timed({ created_at: "soon" }), "a timestamp such as 2026-11-03T08:15:00Z"],
    // beyond what a date can hold, and a year of four digits that is written with six
    ...["+275760-09-13T00:00:00-01:00", "-271821-04-20T00:00:00+01:00", "+002026-01-01T00:00:00Z", "-000000-01-01"].map(
      (created_at) =>
        ["pipeline.created_at", timed({ created_at }), "a timestamp such as 2026-11-03T08:15:00Z"] as const
    ),
    ["pipeline.duration_seconds", timed({ duration_seconds: {} }), seconds],
    ["pipeline.stages", timed({ stages: [] }), "an object"],
    ["pipeline.stages.transform_seconds", timed({ stages: { transform_seconds: -1 } }), seconds],
    ["results.mapped_rows", counted({ mapped_rows: 1.5 }), count],
    ["results.target_locations.mapped", counted({ target_locations: { mapped: 5 } }), "a string"],
    ["validation.error_rate", tested({ error_rate: 2 }), "a ratio from 0 to 1"],
    ["validation.top_errors", tested({ top_errors: 5 }), "an array"],
    ["validation.top_errors[0].count", tested({ top_errors: [{ error_code: "A", field: "b" }] }), count],
    ["errors[0].error_code", { ...tested({}), errors: [{ stage: "A", message: "b" }] }, "a string"]
  ]

  it.effect.each(cases)("says what was expected at %s, finished or failed", ([path, rawMetadata, expected]) =>
    Effect.gen(function* () {
      const finished = LumeTest.run("Succeeded", { rawMetadata })
      const failed = LumeTest.run("Failed", { rawMetadata })
      assert.deepInclude(yield* Effect.flip(finished.metadata), { path, expected })
      assert.deepInclude(yield* Effect.flip(failed.metadata), { path, expected })
    })
  )

  it.effect("says whose metadata was expected, or which part of it", () =>
    Effect.gen(function* () {
      const finished = yield* Effect.flip(LumeTest.run("Succeeded", { rawMetadata: "done" }).metadata)
      assert.deepInclude(finished, { path: "", expected: "the metadata of a finished run" })
      const failed = yield* Effect.flip(LumeTest.run("Failed", { rawMetadata: "done" }).metadata)
      assert.deepInclude(failed, { path: "", expected: "the metadata of a failed run" })
      const part = yield* Effect.flip(LumeTest.run("Succeeded", { rawMetadata: { run } }).metadata)
      assert.deepInclude(part, { path: "pipeline", expected: "an object", received: "nothing" })
    })
  )

  it.effect("may lack a rate only where no test was executed", () =>
    Effect.gen(function* () {
      const refuse = (part: object) =>
        Effect.flip(LumeTest.run("Succeeded", { rawMetadata: tested({ error_rate: null, ...part }) }).metadata)
      const expected = "a ratio from 0 to 1, because tests were executed"
      assert.deepInclude(yield* refuse({}), { path: "validation.error_rate", expected })
      assert.deepInclude(yield* refuse({ tests_executed: "many" }), { path: "validation.tests_executed" })
    })
  )
})

describe("a number that is written as text", () => {
  const { pipeline, results, run, validation } = finishedMetadata("SUCCEEDED", "run_test")
  const read = (duration_seconds: unknown, input_rows: unknown = results.input_rows) =>
    Effect.map(
      LumeTest.run("Succeeded", {
        rawMetadata: {
          run,
          pipeline: { ...pipeline, duration_seconds },
          results: { ...results, input_rows },
          validation
        }
      }).metadata,
      ({ pipeline, results }) => [Duration.toSeconds(pipeline.duration), results.inputRows]
    )

  it.effect.each([
    ["0", 0],
    ["12", 12],
    ["12.25", 12.25],
    ["0.125", 0.125],
    ["1e3", 1000],
    ["1E+12", 1e12],
    ["2500e-3", 2.5],
    ["1.25e1", 12.5]
  ] as const)("is that number: %s", ([text, number]) =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* read(text), yield* read(number))
      if (Number.isInteger(number)) assert.deepStrictEqual((yield* read(1, text))[1], number)
    })
  )

  it.effect.each([
    "",
    " ",
    "1 ",
    "+1",
    "-1",
    "1.",
    ".5",
    "1.e3",
    "1e",
    "1e+",
    "e3",
    "1,5",
    "1_000",
    "0x10",
    "1e400",
    "NaN"
  ])("is refused where it is none, or none that JSON could hold: %j", (text) =>
    Effect.gen(function* () {
      assert.strictEqual((yield* Effect.flip(read(text))).path, "pipeline.duration_seconds")
      assert.strictEqual((yield* Effect.flip(read(1, text))).path, "results.input_rows")
    })
  )
})

describe("FailedMetadata", () => {
  property.all("goes from Lume's JSON and back, exactly", [failed], ([wire]) => {
    const metadata = Schema.decodeUnknownSync(LumeMetadata.FailedMetadata)(wire)
    assert.deepStrictEqual<unknown>(Schema.encodeSync(LumeMetadata.FailedMetadata)(metadata), wire)
  })
})
