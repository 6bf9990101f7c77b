/**
 * Why a stage of a run fails, as the run's metadata says it.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type { DuckDBError } from "./duckdb.js"

/** The three stages of a run, by the status that a run has meanwhile. */
export type Stage = "SYNCING_SOURCE" | "TRANSFORMING" | "SYNCING_TARGET"

/** What can go wrong in a stage. The list that users read is at `LocalEngine.run`. */
export type ErrorCode =
  | "SOURCE_NOT_ALLOWED"
  | "SOURCE_NOT_FOUND"
  | "SOURCE_FORMAT_UNSUPPORTED"
  | "SOURCE_UNREADABLE"
  | "FLOW_SQL_ERROR"
  | "ALL_ROWS_REJECTED"
  | "TARGET_NOT_WRITABLE"
  | "OUT_OF_MEMORY"
  | "RUN_TIMEOUT"
  | "JOB_INVALID"

/** A stage failed. */
export class StageFailure extends Data.TaggedError("StageFailure")<{
  readonly errorCode: ErrorCode
  /** What happened and what to do, for the flow's author. */
  readonly message: string
  /** The stage to which it is put down. Default: the one that the run is in. */
  readonly stage?: Stage
}> {}

/** The machine gives a run less than it needs. */
export const lack = new StageFailure({
  errorCode: "OUT_OF_MEMORY",
  message:
    "The run needs more memory than its limit, or more disk than the folder for spilling has. " +
    "Raise the memory limit, spill to a larger disk, or split the source into smaller files."
})

/** Fails where an error of DuckDB is no matter of its SQL or of data: a lack of memory, or a defect. */
export const refuseLack = (error: DuckDBError): Effect.Effect<void, StageFailure> => {
  switch (error.kind) {
    case "INTERNAL":
    case "FATAL":
      return Effect.die(error)
    case "Out of Memory":
      return lack
    default:
      return Effect.void
  }
}

/**
 * What an error of DuckDB means: a lack of memory wherever it happens, a defect where DuckDB blames itself, and else
 * what `explain` makes of it.
 */
export const fromDuckDB =
  (errorCode: ErrorCode, explain: (error: DuckDBError) => string) =>
  (error: DuckDBError): Effect.Effect<never, StageFailure> =>
    Effect.zipRight(refuseLack(error), new StageFailure({ errorCode, message: explain(error) }))
