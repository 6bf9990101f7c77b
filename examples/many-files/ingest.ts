/**
 * Many files with a limit: ten runs at a time, and a report of what became of each file. One that fails stops no other.
 */
import * as Effect from "effect/Effect"
import { LumeClient, type LumeError, LumeRun } from "effect-lume"

/** What became of a file. */
export type Outcome =
  | { readonly _tag: "Mapped"; readonly mappedRows: number; readonly rejectedRows: number }
  | { readonly _tag: "ProcessedBefore" }
  | { readonly _tag: "Running"; readonly runId: string; readonly message: string }
  | { readonly _tag: "Unknown"; readonly message: string }
  | { readonly _tag: "Failed"; readonly message: string }

/** Why the whole of it stops: no file would fare better. */
export type Stop = LumeError.AuthenticationError

const failed = (error: { readonly message: string }) =>
  Effect.succeed<Outcome>({ _tag: "Failed", message: error.message })

const running = ({ message, runId }: { readonly runId: string; readonly message: string }) =>
  Effect.succeed<Outcome>({ _tag: "Running", runId, message })

/** Runs a file and waits for its end. Rejected rows are an outcome like any other. */
const ingest = (sourcePath: string): Effect.Effect<Outcome, Stop, LumeClient.LumeClient> =>
  Effect.flatMap(LumeClient.LumeClient, (lume) =>
    lume.runAndWait({ flowVersion: "invoice_cleaner:v4", sourcePath }, { schedule: LumeClient.backoff })
  ).pipe(
    Effect.flatMap(LumeRun.orFail),
    Effect.flatMap((run) => run.metadata),
    Effect.map(({ results }): Outcome => ({
      _tag: "Mapped",
      mappedRows: results.mappedRows,
      rejectedRows: results.rejectedRows
    })),
    Effect.catchTags({
      AlreadyProcessedError: () => Effect.succeed<Outcome>({ _tag: "ProcessedBefore" }),
      // These runs go on: to submit again would be to run twice.
      TimeoutError: running,
      WaitFailedError: running,
      // It may be running. Nobody knows its id.
      SubmitOutcomeUnknownError: ({ message }) => Effect.succeed<Outcome>({ _tag: "Unknown", message }),
      InvalidRequestError: failed,
      MetadataDecodeError: failed,
      RateLimitedError: failed,
      RunFailedError: failed,
      TransportError: failed
    })
  )

/** Ingests files, ten at a time, and gives the outcome of each in their order. */
export const ingestAll = (sourcePaths: ReadonlyArray<string>) =>
  Effect.forEach(sourcePaths, (path) => Effect.map(ingest(path), (outcome) => ({ path, outcome })), { concurrency: 10 })
