/**
 * A small application: submits a batch, waits for it, gates on its error rate, and alerts if it fails.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { LumeClient, LumeRun } from "effect-lume"

/** Tells the people on duty. */
export class Alerts extends Context.Tag("Alerts")<
  Alerts,
  { readonly send: (message: string) => Effect.Effect<void> }
>() {}

const alert = ({ message }: { readonly message: string }) => Effect.flatMap(Alerts, (alerts) => alerts.send(message))

/** At most one test in a hundred may fail. */
const limits: LumeRun.Limits = { maxErrorRate: 0.01 }

/** Ingests a batch. Gives the number of rows that can be used. */
export const ingest = (batch: string) =>
  Effect.gen(function* () {
    const lume = yield* LumeClient.LumeClient
    const request = { flowVersion: "invoice_cleaner:v4", sourcePath: batch }
    const run = yield* lume.runAndWait(request, { timeout: "1 hour", schedule: LumeClient.backoff })
    const { results } = yield* LumeRun.gate(run, limits)
    return results.mappedRows
  }).pipe(
    Effect.tapErrorTag("TimeoutError", alert),
    Effect.catchTags({
      AlreadyProcessedError: () => Effect.succeed(0),
      RunFailedError: (error) => Effect.as(alert(error), 0)
    })
  )
