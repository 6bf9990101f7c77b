/**
 * Lume's metadata of a run: identifiers, timings, row counts, test outcomes and errors.
 *
 * A run that produced data (`SUCCEEDED`, `PARTIAL_FAILED`) has `LumeMetadata`, where everything is there. A run that
 * did not (`FAILED`, `CRASHED`) has `FailedMetadata`, where anything can be missing. Both are schemas whose encoded
 * side is Lume's JSON, in snake_case. Source: "Metadata Schema" of Lume's LumeRun reference.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { messageInJson } from "./internal/errorJson.js"
import * as metadataWire from "./internal/metadataWire.js"
import * as problem from "./internal/problem.js"
import { preview } from "./internal/text.js"
import * as wire from "./internal/leaf.js"

const fields = {
  run: {
    /** The run's identifier (`run.run_id`); always the id of the run that carries this metadata. */
    runId: Schema.String,
    /** The flow version that was executed (`run.flow_version`), such as `invoice_cleaner:v4`. */
    flowVersion: Schema.String,
    /** The source path that triggered the run (`run.source_path`): a URI or a batch id. */
    sourcePath: Schema.String,
    /** The terminal status of the run (`run.status`), in Lume's own word. */
    status: Schema.String
  },
  times: {
    /** When Lume's API first accepted the run (`pipeline.created_at`). UTC, to the millisecond. */
    createdAt: Schema.DateTimeUtcFromSelf,
    /** When the run reached a terminal state (`pipeline.completed_at`). UTC, to the millisecond. */
    completedAt: Schema.DateTimeUtcFromSelf,
    /** Total time from `createdAt` to `completedAt` (`pipeline.duration_seconds`). */
    duration: Schema.DurationFromSelf
  },
  stages: Schema.Struct({
    /** Time spent syncing data from the source (`pipeline.stages.sync_source_seconds`). */
    syncSource: Schema.OptionFromSelf(Schema.DurationFromSelf),
    /** Time spent executing the transformation (`pipeline.stages.transform_seconds`). */
    transform: Schema.OptionFromSelf(Schema.DurationFromSelf),
    /** Time spent writing to the target (`pipeline.stages.sync_target_seconds`). */
    syncTarget: Schema.OptionFromSelf(Schema.DurationFromSelf)
  }),
  rows: {
    /** Number of rows synced from the source (`results.input_rows`). */
    inputRows: Schema.NonNegativeInt,
    /** Number of rows successfully transformed (`results.mapped_rows`). */
    mappedRows: Schema.NonNegativeInt,
    /** Number of rows that failed validation (`results.rejected_rows`). */
    rejectedRows: Schema.NonNegativeInt
  },
  tests: {
    /** Number of validation tests performed (`validation.tests_executed`). */
    testsExecuted: Schema.NonNegativeInt,
    /** Number of validation tests that failed (`validation.tests_failed`). */
    testsFailed: Schema.NonNegativeInt
  },
  errorRate: Schema.Number.pipe(Schema.between(0, 1)),
  topErrors: Schema.Array(
    Schema.Struct({
      /** A machine-readable code for the error (`error_code`). */
      errorCode: Schema.String,
      /** The target field where the error occurred (`field`). */
      field: Schema.String,
      /** Number of times this error occurred (`count`). */
      count: Schema.NonNegativeInt
    })
  ),
  errors: Schema.Array(
    Schema.Struct({
      /** The pipeline stage where the failure occurred (`stage`). */
      stage: Schema.String,
      /** A machine-readable code for the system error (`error_code`). */
      errorCode: Schema.String,
      /** A human-readable description of the error (`message`). */
      message: Schema.String
    })
  )
}

const Finished = Schema.Struct({
  /** Identifiers of the run (`run`). */
  run: Schema.Struct(fields.run),
  /** Timings of the pipeline and its stages (`pipeline`). */
  pipeline: Schema.Struct({
    ...fields.times,
    /** Time spent in each stage (`pipeline.stages`); `None` for a stage that Lume gives no time for. */
    stages: fields.stages
  }),
  /** Outcome of the transformation (`results`). */
  results: Schema.Struct({
    ...fields.rows,
    /** Where the output lies (`results.target_locations`). */
    targetLocations: Schema.Struct({
      /** URI of the mapped (successful) data (`results.target_locations.mapped`). */
      mapped: Schema.String,
      /** URI of the rejected data (`results.target_locations.rejects`); `None` where nothing was rejected. */
      rejects: Schema.OptionFromSelf(Schema.String)
    })
  }),
  /** Outcome of the data quality tests (`validation`). */
  validation: Schema.Struct({
    ...fields.tests,
    /** Ratio of `testsFailed` to `testsExecuted`, from 0 to 1 (`validation.error_rate`); 0 where no test ran. */
    errorRate: fields.errorRate,
    /** The most common failures (`validation.top_errors`). */
    topErrors: fields.topErrors
  }),
  /** Causes of a failure (`errors`): empty for a run that produced data. */
  errors: fields.errors
})

const Failed = Schema.Struct({
  /** Identifiers of the run (`run`). */
  run: Schema.OptionFromSelf(Schema.Struct(wire.optionAll(fields.run))),
  /** Timings of the pipeline and its stages (`pipeline`). */
  pipeline: Schema.OptionFromSelf(
    Schema.Struct({
      ...wire.optionAll(fields.times),
      /** Time spent in each stage (`pipeline.stages`); `None` for a stage that never ran. */
      stages: Schema.OptionFromSelf(fields.stages)
    })
  ),
  /** Outcome of the transformation (`results`). */
  results: Schema.OptionFromSelf(
    Schema.Struct({
      ...wire.optionAll(fields.rows),
      /** Where the output lies (`results.target_locations`). */
      targetLocations: Schema.OptionFromSelf(
        Schema.Struct(wire.optionAll({ mapped: Schema.String, rejects: Schema.String }))
      )
    })
  ),
  /** Outcome of the data quality tests (`validation`). */
  validation: Schema.OptionFromSelf(
    Schema.Struct({
      ...wire.optionAll(fields.tests),
      /** Ratio of `testsFailed` to `testsExecuted`, from 0 to 1 (`validation.error_rate`). */
      errorRate: Schema.OptionFromSelf(fields.errorRate),
      /** The most common failures (`validation.top_errors`). */
      topErrors: fields.topErrors
    })
  ),
  /** Where and why the run failed (`errors`); empty where Lume says nothing. */
  errors: fields.errors
})

/** Time spent in each stage of the pipeline. */
export type Stages = typeof fields.stages.Type

/** One of the most common failures of the data quality tests. */
export type TopError = (typeof fields.topErrors.Type)[number]

/** One cause of a run's failure. */
export type StageError = (typeof fields.errors.Type)[number]

/** The metadata of a `SUCCEEDED` or `PARTIAL_FAILED` run. */
export interface LumeMetadata extends Schema.Schema.Type<typeof Finished> {}

/** The metadata of a `FAILED` or `CRASHED` run: every part and leaf is an `Option`, absent lists are empty. */
export interface FailedMetadata extends Schema.Schema.Type<typeof Failed> {}

/** Schema of `LumeMetadata`; the encoded side is Lume's JSON. */
export const LumeMetadata: Schema.Schema<LumeMetadata, metadataWire.FinishedEncoded> = Schema.transform(
  metadataWire.FinishedWire,
  Finished,
  { strict: true, decode: metadataWire.finishedFromWire, encode: metadataWire.finishedToWire }
).annotations({ identifier: "LumeMetadata" })

/** Schema of `FailedMetadata`; the encoded side is Lume's JSON. */
export const FailedMetadata: Schema.Schema<FailedMetadata, metadataWire.FailedEncoded> = Schema.transform(
  metadataWire.FailedWire,
  Failed,
  { strict: true, decode: metadataWire.failedFromWire, encode: metadataWire.failedToWire }
).annotations({ identifier: "FailedMetadata" })

/**
 * A run's metadata can't be read: a part that must be there is missing, or something there is not what Lume documents.
 * The run itself is known all the same; only `run.metadata` fails with this.
 */
export class MetadataDecodeError extends messageInJson(
  Schema.TaggedError<MetadataDecodeError>("effect-lume/MetadataDecodeError")("MetadataDecodeError", {
    /** The run whose metadata it is. */
    runId: Schema.String,
    /** The place in Lume's JSON, such as `results.input_rows`; empty where the metadata as a whole is meant. */
    path: Schema.String,
    /** What Lume documents for that place. */
    expected: Schema.String,
    /** What was there, shortened. */
    received: Schema.String,
    /** The metadata as it came. */
    rawMetadata: Schema.Unknown
  })
) {
  override get message(): string {
    const place = this.path === "" ? "metadata" : `metadata.${this.path}`
    return (
      `The metadata of run ${this.runId} can't be read: at ${place}, expected ${this.expected}, got ${this.received}. ` +
      "The run's status stands. The metadata as it came is in rawMetadata; if Lume now writes it so, update effect-lume."
    )
  }
}

const read = <Wire, A>(
  decoded: Either.Either<Wire, ParseResult.ParseIssue>,
  fromWire: (wire: Wire) => A,
  idOf: (wire: Wire) => string | null | undefined,
  runId: string,
  rawMetadata: unknown
): Effect.Effect<A, MetadataDecodeError> => {
  const refuse = (reason: problem.Problem) =>
    Effect.fail(new MetadataDecodeError({ ...reason, runId, rawMetadata: rawMetadata ?? null }))
  if (Either.isLeft(decoded)) return refuse(problem.fromIssue(decoded.left, rawMetadata))
  const id = idOf(decoded.right) ?? runId
  return id === runId
    ? Effect.succeed(fromWire(decoded.right))
    : refuse({ path: "run.run_id", expected: `the id of this run, ${preview(runId)}`, received: preview(id) })
}

const decodeFinished = ParseResult.decodeUnknownEither(metadataWire.FinishedWire)
const decodeFailed = ParseResult.decodeUnknownEither(metadataWire.FailedWire)

/**
 * Reads what came as the metadata of a run that produced data.
 *
 * @internal
 */
export const readFinished = (runId: string, raw: unknown): Effect.Effect<LumeMetadata, MetadataDecodeError> =>
  read(decodeFinished(raw), metadataWire.finishedFromWire, (wire) => wire.run.run_id, runId, raw)

/**
 * Reads what came as the metadata of a run that produced none; nothing at all is fine.
 *
 * @internal
 */
export const readFailed = (runId: string, raw: unknown): Effect.Effect<FailedMetadata, MetadataDecodeError> =>
  read(decodeFailed(raw ?? {}), metadataWire.failedFromWire, (wire) => wire.run?.run_id, runId, raw)
