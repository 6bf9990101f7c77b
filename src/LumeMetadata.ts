/**
 * Lume's metadata of a run: identifiers, timings, row counts, test outcomes and errors.
 *
 * A run that produced data (`SUCCEEDED`, `PARTIAL_FAILED`) has `LumeMetadata`, where everything is there. A run that
 * did not (`FAILED`, `CRASHED`) has `FailedMetadata`, where anything can be missing. Both are schemas whose encoded
 * side is Lume's JSON, in snake_case. Source: "Metadata Schema" of Lume's LumeRun reference.
 *
 * @module
 * @since 1.0.0
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { list, optional, orEmpty, required, struct } from "./internal/fields.js"
import { Count, Json, Ratio, Seconds, Timestamp } from "./internal/leaf.js"
import * as problem from "./internal/problem.js"
import { TaggedError } from "./internal/taggedError.js"
import { preview } from "./internal/text.js"

// ---------------------------------------------------------------------------------------------------------------------
// Parts that both forms have

const Stages = struct({
  /** Time spent syncing data from the source (`pipeline.stages.sync_source_seconds`). */
  syncSource: optional("sync_source_seconds", Seconds),
  /** Time spent executing the transformation (`pipeline.stages.transform_seconds`). */
  transform: optional("transform_seconds", Seconds),
  /** Time spent writing to the target (`pipeline.stages.sync_target_seconds`). */
  syncTarget: optional("sync_target_seconds", Seconds)
})

const TopError = struct({
  /** A machine-readable code for the error (`error_code`). */
  errorCode: required("error_code", Schema.String),
  /** The target field where the error occurred (`field`). */
  field: Schema.String,
  /** Number of times this error occurred (`count`). */
  count: Count
})

const StageError = struct({
  /** The pipeline stage where the failure occurred (`stage`). */
  stage: Schema.String,
  /** A machine-readable code for the system error (`error_code`). */
  errorCode: required("error_code", Schema.String),
  /** A human-readable description of the error (`message`). */
  message: Schema.String
})

/**
 * Time spent in each stage of the pipeline.
 *
 * @since 1.0.0
 * @category models
 */
export type Stages = typeof Stages.Type

/**
 * One of the most common failures of the data quality tests.
 *
 * @since 1.0.0
 * @category models
 */
export type TopError = typeof TopError.Type

/**
 * One cause of a run's failure.
 *
 * @since 1.0.0
 * @category models
 */
export type StageError = typeof StageError.Type

// ---------------------------------------------------------------------------------------------------------------------
// The metadata of a run that produced data

const tests = {
  /** Number of validation tests performed (`validation.tests_executed`). */
  testsExecuted: required("tests_executed", Count),
  /** Number of validation tests that failed (`validation.tests_failed`). */
  testsFailed: required("tests_failed", Count),
  /** The most common failures (`validation.top_errors`). */
  topErrors: required("top_errors", list(TopError))
}

/** A rate may be null if no test was executed, and is 0 then. */
const Validation = Schema.transform(
  struct({ ...tests, errorRate: optional("error_rate", Ratio) }).pipe(
    Schema.filter(({ errorRate, testsExecuted }) =>
      Option.isSome(errorRate) || testsExecuted === 0
        ? undefined
        : problem.toIssue({ path: ["error_rate"], message: "a ratio from 0 to 1, because tests were executed" })
    )
  ),
  Schema.typeSchema(
    struct({
      ...tests,
      /** Ratio of `testsFailed` to `testsExecuted`, from 0 to 1 (`validation.error_rate`); 0 if no test ran. */
      errorRate: required("error_rate", Ratio)
    })
  ),
  {
    strict: true,
    decode: (read) => ({ ...read, errorRate: Option.getOrElse(read.errorRate, () => 0) }),
    encode: (validation) => ({ ...validation, errorRate: Option.some(validation.errorRate) })
  }
)

const Finished = struct({
  /** Identifiers of the run (`run`). */
  run: struct({
    /** The run's identifier (`run.run_id`); always the id of the run that carries this metadata. */
    runId: required("run_id", Schema.String),
    /** The flow version that was executed (`run.flow_version`), such as `invoice_cleaner:v4`. */
    flowVersion: required("flow_version", Schema.String),
    /** The source path that triggered the run (`run.source_path`): a URI or a batch id. */
    sourcePath: required("source_path", Schema.String),
    /** The terminal status of the run (`run.status`), in Lume's own word. */
    status: Schema.String
  }),
  /** Timings of the pipeline and its stages (`pipeline`). */
  pipeline: struct({
    /** When Lume's API first accepted the run (`pipeline.created_at`). UTC, to the millisecond. */
    createdAt: required("created_at", Timestamp),
    /** When the run reached a terminal state (`pipeline.completed_at`). UTC, to the millisecond. */
    completedAt: required("completed_at", Timestamp),
    /** Total time from `createdAt` to `completedAt` (`pipeline.duration_seconds`). */
    duration: required("duration_seconds", Seconds),
    /** Time spent in each stage (`pipeline.stages`); `None` for a stage that Lume gives no time for. */
    stages: orEmpty(Stages, () => Schema.decodeSync(Stages)({}))
  }),
  /** Outcome of the transformation (`results`). */
  results: struct({
    /** Number of rows synced from the source (`results.input_rows`). */
    inputRows: required("input_rows", Count),
    /** Number of rows successfully transformed (`results.mapped_rows`). */
    mappedRows: required("mapped_rows", Count),
    /** Number of rows that failed validation (`results.rejected_rows`). */
    rejectedRows: required("rejected_rows", Count),
    /** Where the output lies (`results.target_locations`). */
    targetLocations: required(
      "target_locations",
      struct({
        /** URI of the mapped (successful) data (`results.target_locations.mapped`). */
        mapped: Schema.String,
        /** URI of the rejected data (`results.target_locations.rejects`); `None` if nothing was rejected. */
        rejects: optional("rejects", Schema.String)
      })
    )
  }),
  /** Outcome of the data quality tests (`validation`). */
  validation: Validation,
  /** Causes of a failure (`errors`): empty for a run that produced data. */
  errors: list(StageError)
}).annotations({ identifier: "LumeMetadata", description: "the metadata of a finished run" })

type FinishedJson = typeof Finished.Encoded

/**
 * `LumeMetadata` as Lume writes it. The names in its JSON stand beside the fields of `LumeMetadata`.
 *
 * @hidden
 * @since 1.0.0
 * @category models
 */
export interface Encoded extends FinishedJson {}

/**
 * The metadata of a `SUCCEEDED` or `PARTIAL_FAILED` run.
 *
 * @since 1.0.0
 * @category models
 */
export interface LumeMetadata extends Schema.Schema.Type<typeof Finished> {}

/**
 * Schema of `LumeMetadata`; the encoded side is Lume's JSON.
 *
 * @since 1.0.0
 * @category schemas
 */
export const LumeMetadata: Schema.Schema<LumeMetadata, Encoded> = Finished

// ---------------------------------------------------------------------------------------------------------------------
// The metadata of a run that produced none

const Failed = struct({
  /** Identifiers of the run (`run`). */
  run: optional(
    "run",
    struct({
      /** The run's identifier (`run.run_id`); if it is there, the id of the run that carries this metadata. */
      runId: optional("run_id", Schema.String),
      /** The flow version that was executed (`run.flow_version`), such as `invoice_cleaner:v4`. */
      flowVersion: optional("flow_version", Schema.String),
      /** The source path that triggered the run (`run.source_path`): a URI or a batch id. */
      sourcePath: optional("source_path", Schema.String),
      /** The terminal status of the run (`run.status`), in Lume's own word. */
      status: optional("status", Schema.String)
    })
  ),
  /** Timings of the pipeline and its stages (`pipeline`). */
  pipeline: optional(
    "pipeline",
    struct({
      /** When Lume's API first accepted the run (`pipeline.created_at`). UTC, to the millisecond. */
      createdAt: optional("created_at", Timestamp),
      /** When the run reached a terminal state (`pipeline.completed_at`). UTC, to the millisecond. */
      completedAt: optional("completed_at", Timestamp),
      /** Total time from `createdAt` to `completedAt` (`pipeline.duration_seconds`). */
      duration: optional("duration_seconds", Seconds),
      /** Time spent in each stage (`pipeline.stages`); `None` for a stage that never ran. */
      stages: optional("stages", Stages)
    })
  ),
  /** Outcome of the transformation (`results`). */
  results: optional(
    "results",
    struct({
      /** Number of rows synced from the source (`results.input_rows`). */
      inputRows: optional("input_rows", Count),
      /** Number of rows successfully transformed (`results.mapped_rows`). */
      mappedRows: optional("mapped_rows", Count),
      /** Number of rows that failed validation (`results.rejected_rows`). */
      rejectedRows: optional("rejected_rows", Count),
      /** Where the output lies (`results.target_locations`). */
      targetLocations: optional(
        "target_locations",
        struct({
          /** URI of the mapped (successful) data (`results.target_locations.mapped`). */
          mapped: optional("mapped", Schema.String),
          /** URI of the rejected data (`results.target_locations.rejects`). */
          rejects: optional("rejects", Schema.String)
        })
      )
    })
  ),
  /** Outcome of the data quality tests (`validation`). */
  validation: optional(
    "validation",
    struct({
      /** Number of validation tests performed (`validation.tests_executed`). */
      testsExecuted: optional("tests_executed", Count),
      /** Number of validation tests that failed (`validation.tests_failed`). */
      testsFailed: optional("tests_failed", Count),
      /** Ratio of `testsFailed` to `testsExecuted`, from 0 to 1 (`validation.error_rate`). */
      errorRate: optional("error_rate", Ratio),
      /** The most common failures (`validation.top_errors`). */
      topErrors: required("top_errors", list(TopError))
    })
  ),
  /** Where and why the run failed (`errors`); empty if Lume says nothing. */
  errors: list(StageError)
}).annotations({ identifier: "LumeFailedMetadata", description: "the metadata of a failed run" })

type FailedJson = typeof Failed.Encoded

/**
 * `FailedMetadata` as Lume writes it. The names in its JSON stand beside the fields of `FailedMetadata`.
 *
 * @hidden
 * @since 1.0.0
 * @category models
 */
export interface FailedEncoded extends FailedJson {}

/**
 * The metadata of a `FAILED` or `CRASHED` run: every part and leaf is an `Option`, absent lists are empty.
 *
 * @since 1.0.0
 * @category models
 */
export interface FailedMetadata extends Schema.Schema.Type<typeof Failed> {}

/**
 * Schema of `FailedMetadata`; the encoded side is Lume's JSON.
 *
 * @since 1.0.0
 * @category schemas
 */
export const FailedMetadata: Schema.Schema<FailedMetadata, FailedEncoded> = Failed

// ---------------------------------------------------------------------------------------------------------------------
// Reading a run's metadata

/**
 * A run's metadata can't be read: a part that must be there is missing, or something there is not what Lume documents.
 * The run itself is known all the same; only `run.metadata` fails with this.
 *
 * @since 1.0.0
 * @category errors
 */
export class MetadataDecodeError extends TaggedError<MetadataDecodeError>()("MetadataDecodeError", {
  /** The run whose metadata it is. */
  runId: Schema.String,
  /** The place in Lume's JSON, such as `results.input_rows`; empty if the metadata as a whole is meant. */
  path: Schema.String,
  /** What Lume documents for that place. */
  expected: Schema.String,
  /** What was there, shortened. */
  received: Schema.String,
  /** The metadata as it came. */
  rawMetadata: Json
}) {
  /** The place that can't be read, what Lume documents for it, and what was there. */
  override get message(): string {
    const place = this.path === "" ? "metadata" : `metadata.${this.path}`
    return (
      `The metadata of run ${this.runId} can't be read: at ${place}, expected ${this.expected}, got ${this.received}. ` +
      "The run's status stands. The metadata as it came is in rawMetadata; if Lume now writes it so, update effect-lume."
    )
  }
}

const decodeFinished = ParseResult.decodeUnknownEither(LumeMetadata)
const decodeFailed = ParseResult.decodeUnknownEither(FailedMetadata)

const read = <A>(
  decoded: Either.Either<A, ParseResult.ParseIssue>,
  idOf: (metadata: A) => string,
  runId: string,
  rawMetadata: unknown
): Effect.Effect<A, MetadataDecodeError> => {
  const refuse = (reason: problem.Problem) =>
    Effect.fail(new MetadataDecodeError({ ...reason, runId, rawMetadata: rawMetadata ?? null }))
  if (Either.isLeft(decoded)) return refuse(problem.fromIssue(decoded.left, rawMetadata))
  const id = idOf(decoded.right)
  return id === runId
    ? Effect.succeed(decoded.right)
    : refuse({ path: "run.run_id", expected: `the id of this run, ${preview(runId)}`, received: preview(id) })
}

/**
 * Reads what came as the metadata of a run that produced data.
 *
 * @internal
 */
export const readFinished = (runId: string, raw: unknown): Effect.Effect<LumeMetadata, MetadataDecodeError> =>
  read(decodeFinished(raw), ({ run }) => run.runId, runId, raw)

/**
 * Reads what came as the metadata of a run that produced none; nothing at all is fine.
 *
 * @internal
 */
export const readFailed = (runId: string, raw: unknown): Effect.Effect<FailedMetadata, MetadataDecodeError> =>
  read(
    decodeFailed(raw ?? {}),
    ({ run }) =>
      Option.getOrElse(
        Option.flatMap(run, ({ runId }) => runId),
        () => runId
      ),
    runId,
    raw
  )
