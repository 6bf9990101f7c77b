/**
 * A library over the client: runs a batch, and lets it pass only if its data is good enough.
 *
 * It handles some of the client's errors by their tags, and lets the others through, typed.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import { LumeClient, type LumeError, type LumeMetadata, LumeRun, type RunRequest } from "effect-lume"

/** Why a batch does not pass. */
export type GateError =
  | LumeRun.QualityError
  | LumeRun.RunFailedError
  | LumeMetadata.MetadataDecodeError
  | LumeError.TimeoutError
  | LumeError.WaitFailedError
  | Exclude<LumeError.SubmitError, LumeError.AlreadyProcessedError>

/** What the gate does. */
export interface Service {
  /** Runs a batch. Gives its metadata if it passes, `None` if Lume has processed it before. */
  readonly pass: (request: RunRequest.Input) => Effect.Effect<Option.Option<LumeMetadata.LumeMetadata>, GateError>
}

/** The gate, as a service. */
export class QualityGate extends Context.Tag("acme/QualityGate")<QualityGate, Service>() {}

/** At most 1% of tests fail, at most 5% of rows are rejected, and there are rows. */
const standard: LumeRun.Limits = { maxErrorRate: 0.01, maxRejectedShare: 0.05, minInputRows: 1 }

/** A gate over the application's Lume client. */
export const layer = (limits: LumeRun.Limits = standard): Layer.Layer<QualityGate, never, LumeClient.LumeClient> =>
  Layer.effect(
    QualityGate,
    Effect.map(LumeClient.LumeClient, (lume) => ({
      pass: (request) =>
        lume.runAndWait(request, { schedule: LumeClient.backoff }).pipe(
          // Lume took nothing: what fails once a run is there is a WaitFailedError, so that nobody's retry submits again.
          // The client has tried again as Lume asked; a batch can wait for longer.
          Effect.retry({
            while: (error) => error._tag === "RateLimitedError",
            schedule: Schedule.spaced("10 minutes"),
            times: 6
          }),
          Effect.flatMap(LumeRun.gate(limits)),
          Effect.asSome,
          Effect.catchTag("AlreadyProcessedError", () => Effect.succeedNone)
        )
    }))
  )
