/**
 * Why a source can't be read.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type { DuckDBError } from "../duckdb.js"
import { refuseLack, type StageFailure } from "../failure.js"

/** A source is not what its name, or its flow, says that it is. */
export class Unreadable extends Data.TaggedError("Unreadable")<{
  /**
   * What was found, where, and what to do, as whole sentences that follow "The source … can't be read: ". No value of
   * the source is in it.
   */
  readonly why: string
}> {}

/** What DuckDB says of a source can quote its data: `why` is said. A lack of memory and defects stay what they are. */
export const fromDuckDB =
  (why: string) =>
  (error: DuckDBError): Effect.Effect<never, StageFailure | Unreadable> =>
    Effect.zipRight(refuseLack(error), new Unreadable({ why }))
