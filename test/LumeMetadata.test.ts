/**
 * The metadata schemas on their own: Lume's JSON on the encoded side.
 */
import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import * as LumeMetadata from "../src/LumeMetadata.js"
import { finishedMetadata } from "./support/metadata.js"

const seconds = FastCheck.nat(10_000_000).map((millis) => millis / 1000)
const timestamp = FastCheck.integer({ min: 0, max: 4e12 }).map((millis) => new Date(millis).toISOString())
const text = FastCheck.string()
const count = FastCheck.maxSafeNat()
const code = FastCheck.record({ error_code: text, field: text, count })

const run = { run_id: text, flow_version: text, source_path: text, status: text }
const stages = FastCheck.record({
  sync_source_seconds: FastCheck.option(seconds),
  transform_seconds: FastCheck.option(seconds),
  sync_target_seconds: FastCheck.option(seconds)
})
const errors = FastCheck.array(FastCheck.record({ stage: text, error_code: text, message: text }))

const finished = FastCheck.record({
  run: FastCheck.record(run),
  pipeline: FastCheck.record({ created_at: timestamp, completed_at: timestamp, duration_seconds: seconds, stages }),
  results: FastCheck.record({
    input_rows: count,
    mapped_rows: count,
    rejected_rows: count,
    target_locations: FastCheck.record({ mapped: text, rejects: FastCheck.option(text) })
  }),
  validation: FastCheck.record({
    tests_executed: count,
    tests_failed: count,
    error_rate: FastCheck.double({ min: 0, max: 1, noNaN: true }).map((rate) => rate + 0),
    top_errors: FastCheck.array(code)
  }),
  errors
})

const optional = <A>(arbitrary: FastCheck.Arbitrary<A>) => FastCheck.option(arbitrary)

const failed = FastCheck.record({
  run: optional(
    FastCheck.record({
      run_id: optional(text),
      flow_version: optional(text),
      source_path: optional(text),
      status: optional(text)
    })
  ),
  pipeline: optional(
    FastCheck.record({
      created_at: optional(timestamp),
      completed_at: optional(timestamp),
      duration_seconds: optional(seconds),
      stages: optional(stages)
    })
  ),
  results: optional(
    FastCheck.record({
      input_rows: optional(count),
      mapped_rows: optional(count),
      rejected_rows: optional(count),
      target_locations: optional(FastCheck.record({ mapped: optional(text), rejects: optional(text) }))
    })
  ),
  validation: optional(
    FastCheck.record({
      tests_executed: optional(count),
      tests_failed: optional(count),
      error_rate: optional(FastCheck.constantFrom(0, 0.25, 1)),
      top_errors: FastCheck.array(code)
    })
  ),
  errors
})

describe("LumeMetadata", () => {
  it.prop("goes from Lume's JSON and back, exactly", [finished], ([wire]) => {
    const metadata = Schema.decodeSync(LumeMetadata.LumeMetadata)(wire)
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
})

describe("FailedMetadata", () => {
  it.prop("goes from Lume's JSON and back, exactly", [failed], ([wire]) => {
    const metadata = Schema.decodeSync(LumeMetadata.FailedMetadata)(wire)
    assert.deepStrictEqual<unknown>(Schema.encodeSync(LumeMetadata.FailedMetadata)(metadata), wire)
  })
})
