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

/** A stage failed. */
export class StageFailure extends Data.TaggedError("StageFailure")<{
  readonly errorCode: ErrorCode
  /** What happened and what to do, for the flow's author. */
  readonly message: string
}> {}

/**
 * What an error of DuckDB means: a lack of memory wherever it happens, a defect where DuckDB blames itself, and else
 * what `explain` makes of it.
 */
export const fromDuckDB =
  (errorCode: ErrorCode, explain: (error: DuckDBError) => string) =>
  (error: DuckDBError): Effect.Effect<never, StageFailure> => {
    switch (error.kind) {
      case "INTERNAL":
      case "FATAL":
        return Effect.die(error)
      case "Out of Memory":
        return new StageFailure({
          errorCode: "OUT_OF_MEMORY",
          message: `The run needs more memory or disk than it may have: ${error.message}. Split the source into smaller files.`
        })
      default:
        return new StageFailure({ errorCode, message: explain(error) })
    }
  }
