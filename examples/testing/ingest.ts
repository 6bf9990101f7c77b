/**
 * A small application: submits a batch, waits for it, gates on its error rate, and alerts if it fails.
 */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { LumeClient, type LumeRun } from "effect-lume"

/** Tells the people on duty. */
export class Alerts extends Context.Tag("Alerts")<
  Alerts,
  { readonly send: (message: string) => Effect.Effect<void> }
>() {}

/** Too many tests failed for the batch to be used. */
export class QualityTooLow extends Data.TaggedError("QualityTooLow")<{ readonly errorRate: number }> {}

/** At most one test in a hundred may fail. */
const highestErrorRate = 0.01

const gate = (run: LumeRun.TerminalRun) =>
  Effect.gen(function* () {
    const alerts = yield* Alerts
    switch (run._tag) {
      case "Succeeded":
      case "PartialFailed": {
        const { results, validation } = yield* run.metadata
        return validation.errorRate <= highestErrorRate
          ? results.mappedRows
          : yield* new QualityTooLow({ errorRate: validation.errorRate })
      }
      case "Failed":
      case "Crashed": {
        const { errors } = yield* run.metadata
        const causes = errors.map(({ errorCode }) => errorCode).join(", ")
        yield* alerts.send(`${run.id} ended ${run.status}${causes === "" ? "" : `: ${causes}`}`)
        return 0
      }
    }
  })

/** Ingests a batch. Gives the number of rows that can be used. */
export const ingest = (batch: string) =>
  Effect.gen(function* () {
    const lume = yield* LumeClient.LumeClient
    const request = { flowVersion: "invoice_cleaner:v4", sourcePath: batch }
    const run = yield* lume.runAndWait(request, { timeout: "1 hour", schedule: LumeClient.backoff })
    return yield* gate(run)
  }).pipe(
    Effect.catchTag("AlreadyProcessedError", () => Effect.succeed(0)),
    Effect.tapErrorTag("TimeoutError", (error) => Effect.flatMap(Alerts, (alerts) => alerts.send(error.message)))
  )
