/**
 * Arbitraries of the test kit. Their values keep the invariants of Lume's metadata.
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import * as LumeMetadata from "../LumeMetadata.js"
import * as LumeRun from "../LumeRun.js"
import * as testMetadata from "./metadata.js"

/** An arbitrary of fast-check. */
export type Arbitrary<A> = FastCheck.Arbitrary<A>

const text = () => FastCheck.string({ minLength: 1, maxLength: 20 })
const runId = () => FastCheck.stringMatching(/^run_[0-9A-Z]{10}$/)

const topErrors = () =>
  FastCheck.array(
    FastCheck.record({ errorCode: text(), field: text(), count: FastCheck.integer({ min: 1, max: 1000 }) }),
    { maxLength: 3 }
  )

const pipeline = () =>
  FastCheck.record({
    createdAt: FastCheck.integer({ min: 0, max: 4e12 }).map((millis) => DateTime.unsafeMake(millis)),
    duration: FastCheck.nat(10_000_000).map(Duration.millis)
  })

const about = () =>
  FastCheck.record({
    runId: runId(),
    flowVersion: FastCheck.stringMatching(/^[a-z_]{1,12}:v[1-9]$/),
    sourcePath: text()
  })

/** Any metadata of a run that produced data. */
export const metadata = (): FastCheck.Arbitrary<LumeMetadata.LumeMetadata> =>
  FastCheck.record({
    run: about(),
    pipeline: pipeline(),
    mappedRows: FastCheck.nat(1_000_000),
    topErrors: topErrors(),
    passedTests: FastCheck.nat(1_000_000)
  }).map(({ mappedRows, passedTests, pipeline, run, topErrors }) => {
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

const finished = () =>
  metadata().map((metadata): LumeRun.Encoded => ({
    id: metadata.run.runId,
    status: metadata.run.status,
    metadata: Schema.encodeSync(LumeMetadata.LumeMetadata)(metadata)
  }))

const failed = () =>
  FastCheck.record({
    metadata: metadata(),
    status: FastCheck.constantFrom("FAILED", "CRASHED"),
    errors: FastCheck.array(FastCheck.record({ stage: text(), errorCode: text(), message: text() }), { maxLength: 3 }),
    hasResults: FastCheck.boolean()
  }).map(({ errors, hasResults, metadata, status }): LumeRun.Encoded => {
    const { pipeline, results, run, validation } = metadata
    const given = { pipeline, errors, run: { ...run, status }, ...(hasResults && { results, validation }) }
    return { id: run.runId, status, metadata: testMetadata.failed(given, status)(testMetadata.someRun(run.runId)) }
  })

const going = () =>
  FastCheck.record({
    id: runId(),
    status: FastCheck.option(
      FastCheck.constantFrom("CREATED", "SYNCING_SOURCE", "TRANSFORMING", "SYNCING_TARGET", "QUEUED")
    ),
    metadata: FastCheck.constantFrom({}, null)
  })

/** A run as Lume writes it, in any state. */
export const wire = (): FastCheck.Arbitrary<LumeRun.Encoded> =>
  FastCheck.tuple(
    FastCheck.oneof(finished(), failed(), going()),
    FastCheck.option(FastCheck.dictionary(text(), FastCheck.jsonValue(), { maxKeys: 3 }))
  ).map(([run, run_metadata]) => ({ ...run, run_metadata }))

/** A run in any state. */
export const run = (): FastCheck.Arbitrary<LumeRun.LumeRun> => wire().map(Schema.decodeSync(LumeRun.LumeRun))
