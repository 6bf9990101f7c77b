/**
 * Arbitraries of the test kit. Their values keep the invariants of Lume's metadata.
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import type * as derive from "../internal/derive.js"
import * as LumeMetadata from "../LumeMetadata.js"
import * as LumeRun from "../LumeRun.js"
import * as testMetadata from "./metadata.js"
import { type Arbitrary, toArbitrary } from "./toArbitrary.js"

export type { Arbitrary } from "./toArbitrary.js"

/** What makes values. */
type Generators = Parameters<derive.Arbitrary<unknown>>[0]

const text = (fc: Generators) => fc.string({ minLength: 1, maxLength: 20 })
const runId = (fc: Generators) => fc.stringMatching(/^run_[0-9A-Z]{10}$/)

const topErrors = (fc: Generators) =>
  fc.array(fc.record({ errorCode: text(fc), field: text(fc), count: fc.integer({ min: 1, max: 1000 }) }), {
    maxLength: 3
  })

const pipeline = (fc: Generators) =>
  fc.record({
    createdAt: fc.integer({ min: 0, max: 4e12 }).map((millis) => DateTime.unsafeMake(millis)),
    duration: fc.nat(10_000_000).map((millis) => Duration.millis(millis))
  })

const about = (fc: Generators) =>
  fc.record({
    runId: runId(fc),
    flowVersion: fc.stringMatching(/^[a-z_]{1,12}:v[1-9]$/),
    sourcePath: text(fc)
  })

const anyMetadata: derive.Arbitrary<LumeMetadata.LumeMetadata> = (fc) =>
  fc
    .record({
      run: about(fc),
      pipeline: pipeline(fc),
      mappedRows: fc.nat(1_000_000),
      topErrors: topErrors(fc),
      passedTests: fc.nat(1_000_000)
    })
    .map(({ mappedRows, passedTests, pipeline, run, topErrors }) => {
      const testsFailed = topErrors.reduce((sum, { count }) => sum + count, 0)
      return testMetadata.make(
        {
          run,
          pipeline,
          // a row can fail in several tests
          results: { mappedRows, rejectedRows: topErrors.reduce((most, { count }) => Math.max(most, count), 0) },
          validation: { topErrors, testsFailed, testsExecuted: testsFailed + passedTests }
        },
        testMetadata.someRun(run.runId)
      )
    })

const finished: derive.Arbitrary<LumeRun.Encoded> = (fc) =>
  anyMetadata(fc).map((metadata) => ({
    id: metadata.run.runId,
    status: metadata.run.status,
    metadata: Schema.encodeSync(LumeMetadata.LumeMetadata)(metadata)
  }))

const failed: derive.Arbitrary<LumeRun.Encoded> = (fc) =>
  fc
    .record({
      metadata: anyMetadata(fc),
      status: fc.constantFrom("FAILED", "CRASHED"),
      errors: fc.array(fc.record({ stage: text(fc), errorCode: text(fc), message: text(fc) }), { maxLength: 3 }),
      hasResults: fc.boolean()
    })
    .map(({ errors, hasResults, metadata, status }) => {
      const { pipeline, results, run, validation } = metadata
      const given = { pipeline, errors, run: { ...run, status }, ...(hasResults && { results, validation }) }
      return { id: run.runId, status, metadata: testMetadata.failed(given, status)(testMetadata.someRun(run.runId)) }
    })

const going: derive.Arbitrary<LumeRun.Encoded> = (fc) =>
  fc.record({
    id: runId(fc),
    status: fc.option(fc.constantFrom("CREATED", "SYNCING_SOURCE", "TRANSFORMING", "SYNCING_TARGET", "QUEUED")),
    metadata: fc.constantFrom({}, null)
  })

const anyWire: derive.Arbitrary<LumeRun.Encoded> = (fc) =>
  fc
    .tuple(
      fc.oneof(finished(fc), failed(fc), going(fc)),
      fc.option(fc.dictionary(text(fc), fc.jsonValue(), { maxKeys: 3 }))
    )
    .map(([run, run_metadata]) => ({ ...run, run_metadata }))

/** Any metadata of a run that produced data. */
export const metadata = (): Arbitrary<LumeMetadata.LumeMetadata> => toArbitrary(anyMetadata)

/** A run as Lume writes it, in any state. */
export const wire = (): Arbitrary<LumeRun.Encoded> => toArbitrary(anyWire)

/** A run in any state. */
export const run = (): Arbitrary<LumeRun.LumeRun> =>
  toArbitrary((fc) => anyWire(fc).map(Schema.decodeSync(LumeRun.LumeRun)))
