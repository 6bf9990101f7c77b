/**
 * Lume's JSON of a run's metadata, and the way from it to `LumeMetadata` and `FailedMetadata` and back.
 *
 * The two wire schemas share their fields and differ in what may be absent. Each direction is one plain function.
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { FailedMetadata, LumeMetadata, StageError, Stages, TopError } from "../LumeMetadata.js"
import * as problem from "./problem.js"
import * as wire from "./leaf.js"

const fields = {
  run: { run_id: Schema.String, flow_version: Schema.String, source_path: Schema.String, status: Schema.String },
  times: { created_at: wire.Timestamp, completed_at: wire.Timestamp, duration_seconds: wire.Seconds },
  stages: wire.absent(
    Schema.Struct({
      sync_source_seconds: wire.absent(wire.Seconds),
      transform_seconds: wire.absent(wire.Seconds),
      sync_target_seconds: wire.absent(wire.Seconds)
    })
  ),
  rows: { input_rows: wire.Count, mapped_rows: wire.Count, rejected_rows: wire.Count },
  mapped: Schema.String,
  rejects: wire.absent(Schema.String),
  tests: { tests_executed: wire.Count, tests_failed: wire.Count },
  errorRate: wire.absent(wire.Ratio),
  topErrors: wire.absent(
    Schema.Array(Schema.Struct({ error_code: Schema.String, field: Schema.String, count: wire.Count }))
  ),
  errors: wire.absent(
    Schema.Array(Schema.Struct({ stage: Schema.String, error_code: Schema.String, message: Schema.String }))
  )
}

const Validation = Schema.Struct({
  ...fields.tests,
  error_rate: fields.errorRate,
  top_errors: fields.topErrors
}).pipe(
  Schema.filter((validation) =>
    // A null rate reads as 0, which is the rate only where no test was executed.
    (validation.error_rate ?? null) !== null || Number(validation.tests_executed) === 0
      ? undefined
      : problem.toIssue({ path: ["error_rate"], message: "a ratio from 0 to 1, because tests were executed" })
  )
)

/** Metadata of a `SUCCEEDED` or `PARTIAL_FAILED` run, as Lume writes it. */
export const FinishedWire = Schema.Struct({
  run: Schema.Struct(fields.run),
  pipeline: Schema.Struct({ ...fields.times, stages: fields.stages }),
  results: Schema.Struct({
    ...fields.rows,
    target_locations: Schema.Struct({ mapped: fields.mapped, rejects: fields.rejects })
  }),
  validation: Validation,
  errors: fields.errors
}).annotations({ description: "the metadata of a finished run" })
/** @see FinishedWire */
export type FinishedWire = typeof FinishedWire.Type
/** @see FinishedWire */
export type FinishedEncoded = typeof FinishedWire.Encoded

/** Metadata of a `FAILED` or `CRASHED` run, as Lume writes it. */
export const FailedWire = Schema.Struct({
  run: wire.absent(Schema.Struct(wire.absentAll(fields.run))),
  pipeline: wire.absent(Schema.Struct({ ...wire.absentAll(fields.times), stages: fields.stages })),
  results: wire.absent(
    Schema.Struct({
      ...wire.absentAll(fields.rows),
      target_locations: wire.absent(Schema.Struct({ mapped: wire.absent(fields.mapped), rejects: fields.rejects }))
    })
  ),
  validation: wire.absent(
    Schema.Struct({
      ...wire.absentAll(fields.tests),
      error_rate: fields.errorRate,
      top_errors: fields.topErrors
    })
  ),
  errors: fields.errors
}).annotations({ description: "the metadata of a failed run" })
/** @see FailedWire */
export type FailedWire = typeof FailedWire.Type
/** @see FailedWire */
export type FailedEncoded = typeof FailedWire.Encoded

const when = <A, B>(value: A | null | undefined, f: (value: A) => B): Option.Option<B> =>
  Option.map(Option.fromNullable(value), f)

const orNull = <A, B>(option: Option.Option<A>, f: (value: A) => B): B | null => Option.getOrNull(Option.map(option, f))

const stagesFromWire = (stages: FinishedWire["pipeline"]["stages"]): Stages => ({
  syncSource: when(stages?.sync_source_seconds, wire.toDuration),
  transform: when(stages?.transform_seconds, wire.toDuration),
  syncTarget: when(stages?.sync_target_seconds, wire.toDuration)
})

const stagesToWire = (stages: Stages): Exclude<FinishedWire["pipeline"]["stages"], null | undefined> => ({
  sync_source_seconds: orNull(stages.syncSource, wire.fromDuration),
  transform_seconds: orNull(stages.transform, wire.fromDuration),
  sync_target_seconds: orNull(stages.syncTarget, wire.fromDuration)
})

const topErrorsFromWire = (errors: FinishedWire["validation"]["top_errors"]): ReadonlyArray<TopError> =>
  (errors ?? []).map((error) => ({
    errorCode: error.error_code,
    field: error.field,
    count: wire.toNumber(error.count)
  }))

const topErrorsToWire = (errors: ReadonlyArray<TopError>): FinishedWire["validation"]["top_errors"] =>
  errors.map((error) => ({ error_code: error.errorCode, field: error.field, count: error.count }))

const errorsFromWire = (errors: FinishedWire["errors"]): ReadonlyArray<StageError> =>
  (errors ?? []).map((error) => ({ stage: error.stage, errorCode: error.error_code, message: error.message }))

const errorsToWire = (errors: ReadonlyArray<StageError>): FinishedWire["errors"] =>
  errors.map((error) => ({ stage: error.stage, error_code: error.errorCode, message: error.message }))

/** Reads the metadata of a run that produced data. */
export const finishedFromWire = ({ errors, pipeline, results, run, validation }: FinishedWire): LumeMetadata => ({
  run: { runId: run.run_id, flowVersion: run.flow_version, sourcePath: run.source_path, status: run.status },
  pipeline: {
    createdAt: wire.toUtc(pipeline.created_at),
    completedAt: wire.toUtc(pipeline.completed_at),
    duration: wire.toDuration(pipeline.duration_seconds),
    stages: stagesFromWire(pipeline.stages)
  },
  results: {
    inputRows: wire.toNumber(results.input_rows),
    mappedRows: wire.toNumber(results.mapped_rows),
    rejectedRows: wire.toNumber(results.rejected_rows),
    targetLocations: {
      mapped: results.target_locations.mapped,
      rejects: Option.fromNullable(results.target_locations.rejects)
    }
  },
  validation: {
    testsExecuted: wire.toNumber(validation.tests_executed),
    testsFailed: wire.toNumber(validation.tests_failed),
    errorRate: wire.toNumber(validation.error_rate ?? 0),
    topErrors: topErrorsFromWire(validation.top_errors)
  },
  errors: errorsFromWire(errors)
})

/** Writes the metadata of a run that produced data. */
export const finishedToWire = ({ errors, pipeline, results, run, validation }: LumeMetadata): FinishedWire => ({
  run: { run_id: run.runId, flow_version: run.flowVersion, source_path: run.sourcePath, status: run.status },
  pipeline: {
    created_at: wire.fromUtc(pipeline.createdAt),
    completed_at: wire.fromUtc(pipeline.completedAt),
    duration_seconds: wire.fromDuration(pipeline.duration),
    stages: stagesToWire(pipeline.stages)
  },
  results: {
    input_rows: results.inputRows,
    mapped_rows: results.mappedRows,
    rejected_rows: results.rejectedRows,
    target_locations: {
      mapped: results.targetLocations.mapped,
      rejects: Option.getOrNull(results.targetLocations.rejects)
    }
  },
  validation: {
    tests_executed: validation.testsExecuted,
    tests_failed: validation.testsFailed,
    error_rate: validation.errorRate,
    top_errors: topErrorsToWire(validation.topErrors)
  },
  errors: errorsToWire(errors)
})

/** Reads the metadata of a run that produced no data. */
export const failedFromWire = ({ errors, pipeline, results, run, validation }: FailedWire): FailedMetadata => ({
  run: when(run, (run) => ({
    runId: Option.fromNullable(run.run_id),
    flowVersion: Option.fromNullable(run.flow_version),
    sourcePath: Option.fromNullable(run.source_path),
    status: Option.fromNullable(run.status)
  })),
  pipeline: when(pipeline, (pipeline) => ({
    createdAt: when(pipeline.created_at, wire.toUtc),
    completedAt: when(pipeline.completed_at, wire.toUtc),
    duration: when(pipeline.duration_seconds, wire.toDuration),
    stages: when(pipeline.stages, stagesFromWire)
  })),
  results: when(results, (results) => ({
    inputRows: when(results.input_rows, wire.toNumber),
    mappedRows: when(results.mapped_rows, wire.toNumber),
    rejectedRows: when(results.rejected_rows, wire.toNumber),
    targetLocations: when(results.target_locations, (locations) => ({
      mapped: Option.fromNullable(locations.mapped),
      rejects: Option.fromNullable(locations.rejects)
    }))
  })),
  validation: when(validation, (validation) => ({
    testsExecuted: when(validation.tests_executed, wire.toNumber),
    testsFailed: when(validation.tests_failed, wire.toNumber),
    errorRate: when(validation.error_rate, wire.toNumber),
    topErrors: topErrorsFromWire(validation.top_errors)
  })),
  errors: errorsFromWire(errors)
})

/** Writes the metadata of a run that produced no data. */
export const failedToWire = ({ errors, pipeline, results, run, validation }: FailedMetadata): FailedWire => ({
  run: orNull(run, (run) => ({
    run_id: Option.getOrNull(run.runId),
    flow_version: Option.getOrNull(run.flowVersion),
    source_path: Option.getOrNull(run.sourcePath),
    status: Option.getOrNull(run.status)
  })),
  pipeline: orNull(pipeline, (pipeline) => ({
    created_at: orNull(pipeline.createdAt, wire.fromUtc),
    completed_at: orNull(pipeline.completedAt, wire.fromUtc),
    duration_seconds: orNull(pipeline.duration, wire.fromDuration),
    stages: orNull(pipeline.stages, stagesToWire)
  })),
  results: orNull(results, (results) => ({
    input_rows: Option.getOrNull(results.inputRows),
    mapped_rows: Option.getOrNull(results.mappedRows),
    rejected_rows: Option.getOrNull(results.rejectedRows),
    target_locations: orNull(results.targetLocations, (locations) => ({
      mapped: Option.getOrNull(locations.mapped),
      rejects: Option.getOrNull(locations.rejects)
    }))
  })),
  validation: orNull(validation, (validation) => ({
    tests_executed: Option.getOrNull(validation.testsExecuted),
    tests_failed: Option.getOrNull(validation.testsFailed),
    error_rate: Option.getOrNull(validation.errorRate),
    top_errors: topErrorsToWire(validation.topErrors)
  })),
  errors: errorsToWire(errors)
})
