/**
 * Arbitraries of the test kit. Their values keep the invariants of Lume's metadata.
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import * as LumeMetadata from "../LumeMetadata.js"
import type * as LumeRun from "../LumeRun.js"
import { makeMetadata } from "./testTimeline.js"

const text = FastCheck.string({ minLength: 1, maxLength: 20 })
const rows = FastCheck.nat(1_000_000)

const topErrors = FastCheck.array(
  FastCheck.record({ errorCode: text, field: text, count: FastCheck.integer({ min: 1, max: 1000 }) }),
  {
    maxLength: 3
  }
)

const pipeline = FastCheck.record({
  createdAt: FastCheck.integer({ min: 0, max: 4e12 }).map((millis) => DateTime.unsafeMake(millis)),
  duration: FastCheck.nat(10_000_000).map(Duration.millis)
})

const ids = FastCheck.record({
  runId: FastCheck.stringMatching(/^run_[0-9A-Z]{10}$/),
  flowVersion: FastCheck.stringMatching(/^[a-z_]{1,12}:v[1-9]$/),
  sourcePath: text
})

/** Any metadata of a finished run. */
export const metadata: FastCheck.Arbitrary<LumeMetadata.LumeMetadata> = FastCheck.record({
  run: ids,
  pipeline,
  mappedRows: rows,
  topErrors
}).map(({ mappedRows, pipeline, run, topErrors }) =>
  makeMetadata({
    run,
    pipeline,
    results: { mappedRows, rejectedRows: topErrors.reduce((most, { count }) => Math.max(most, count), 0) },
    validation: { topErrors }
  })
)

const encode = Schema.encodeSync(LumeMetadata.LumeMetadata)

const finished = metadata.map((metadata): LumeRun.Encoded => {
  const status = metadata.results.rejectedRows === 0 ? "SUCCEEDED" : "PARTIAL_FAILED"
  return { id: metadata.run.runId, status, metadata: encode(metadata) }
})

const failed = FastCheck.record({
  id: FastCheck.stringMatching(/^run_[0-9A-Z]{10}$/),
  status: FastCheck.constantFrom("FAILED", "CRASHED"),
  errors: FastCheck.array(FastCheck.record({ stage: text, error_code: text, message: text }), { maxLength: 3 })
}).map(({ errors, id, status }): LumeRun.Encoded => ({ id, status, metadata: { run: { run_id: id }, errors } }))

const going = FastCheck.record({
  id: FastCheck.stringMatching(/^run_[0-9A-Z]{10}$/),
  status: FastCheck.option(
    FastCheck.constantFrom("CREATED", "SYNCING_SOURCE", "TRANSFORMING", "SYNCING_TARGET", "QUEUED")
  ),
  metadata: FastCheck.constantFrom({}, null)
})

const runMetadata = FastCheck.dictionary(text, FastCheck.jsonValue(), { maxKeys: 3 })

/** A run as Lume writes it, in any state. */
export const wire: FastCheck.Arbitrary<LumeRun.Encoded> = FastCheck.tuple(
  FastCheck.oneof(finished, failed, going),
  FastCheck.option(runMetadata)
).map(([run, run_metadata]) => ({ ...run, run_metadata }))
