/**
 * A source that is read in place is read by the later stages too, which may be the first to meet a damaged part of it.
 */
import * as Effect from "effect/Effect"
import { fromDuckDB, type StageFailure } from "./failure.js"
import type { Staging } from "./syncSource.js"

/** Fails where the source is no longer the one that was opened, or can't be read to its end. */
export const refuseDamaged = ({ database, inPlace, relation, unchanged }: Staging): Effect.Effect<void, StageFailure> =>
  inPlace
    ? Effect.zipRight(
        unchanged,
        Effect.catchAll(
          database.run(`SELECT bit_xor(hash(*COLUMNS(*))) FROM ${relation}`),
          fromDuckDB(
            "SOURCE_UNREADABLE",
            () => "The source can't be read to its end: a part of it is damaged. Write or fetch the file again."
          )
        )
      )
    : Effect.void
