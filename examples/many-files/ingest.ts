/**
 * Many files with a limit: ten runs at a time, and a report of what became of each file. One that fails stops no other.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import { LumeClient, LumeRun } from "effect-lume"

/** What became of a file. */
export type Outcome =
  | { readonly _tag: "Mapped"; readonly mappedRows: number; readonly rejectedRows: number }
  | { readonly _tag: "Unreadable"; readonly runId: string; readonly message: string }
  | { readonly _tag: "ProcessedBefore" }
  | { readonly _tag: "Running"; readonly runId: string; readonly message: string }
  | { readonly _tag: "Unknown"; readonly message: string }
  | { readonly _tag: "Failed"; readonly message: string }
  | { readonly _tag: "KeyRefused"; readonly message: string }

const failed = (error: { readonly message: string }) =>
  Effect.succeed<Outcome>({ _tag: "Failed", message: error.message })

const running = ({ message, runId }: { readonly runId: string; readonly message: string }) =>
  Effect.succeed<Outcome>({ _tag: "Running", runId, message })

/** Runs a file and waits for its end. Rejected rows are an outcome like any other. */
const ingest = (sourcePath: string): Effect.Effect<Outcome, never, LumeClient.LumeClient> =>
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
      // Its rows are in the target: to submit again would be to write them twice.
      MetadataDecodeError: ({ message, runId }) => Effect.succeed<Outcome>({ _tag: "Unreadable", runId, message }),
      AuthenticationError: ({ message }) => Effect.succeed<Outcome>({ _tag: "KeyRefused", message }),
      InvalidRequestError: failed,
      RateLimitedError: failed,
      RunFailedError: failed,
      TransportError: failed
    })
  )

/**
 * Ingests files, ten at a time, and gives the outcome of each in their order. Once the key is refused, no further file is
 * submitted.
 */
export const ingestAll = (sourcePaths: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const refusal = yield* Ref.make(Option.none<Outcome>())
    const ingestUnlessRefused = (path: string) =>
      Effect.gen(function* () {
        const refused = yield* Ref.get(refusal)
        if (Option.isSome(refused)) return { path, outcome: refused.value }
        const outcome = yield* ingest(path)
        if (outcome._tag === "KeyRefused") yield* Ref.set(refusal, Option.some(outcome))
        return { path, outcome }
      })
    return yield* Effect.forEach(sourcePaths, ingestUnlessRefused, { concurrency: 10 })
  })
