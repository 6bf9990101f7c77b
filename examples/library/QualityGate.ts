/**
 * A library on the client: runs a batch, and lets it pass only where its data is good enough.
 *
 * It adds an error of its own, handles some of the client's by their tags, and lets the others through, typed.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { LumeClient, type LumeError, type LumeMetadata, LumeRun, type RunRequest } from "effect-lume"

/** The data of a run is not good enough. */
export class QualityError extends Schema.TaggedError<QualityError>()("QualityError", {
  runId: Schema.String,
  /** The share of tests that failed, from 0 to 1. */
  errorRate: Schema.Number,
  /** The share of rows that were rejected, from 0 to 1. */
  rejectedShare: Schema.Number
}) {
  override get message(): string {
    const percent = (share: number) => `${(share * 100).toFixed(1)}%`
    return `Run ${this.runId} is not good enough: ${percent(this.errorRate)} of tests failed, ${percent(this.rejectedShare)} of rows were rejected.`
  }
}

/** What may be wrong with a batch that passes. */
export interface Limits {
  /** Default: 0.01. */
  readonly errorRate?: number | undefined
  /** Default: 0.05. */
  readonly rejectedShare?: number | undefined
}

/** How a batch can fail to pass. */
export type GateError =
  | QualityError
  | LumeRun.RunFailedError
  | LumeMetadata.MetadataDecodeError
  | Exclude<LumeError.SubmitError | LumeError.WaitError, LumeError.RateLimitedError>

/** The gate, as a service. */
export class QualityGate extends Context.Tag("acme/QualityGate")<
  QualityGate,
  { readonly pass: (request: RunRequest.Input) => Effect.Effect<LumeMetadata.LumeMetadata, GateError> }
>() {}

const judge = (
  metadata: LumeMetadata.LumeMetadata,
  limits: Limits
): Effect.Effect<LumeMetadata.LumeMetadata, QualityError> => {
  const { results, run, validation } = metadata
  const rejectedShare = results.inputRows === 0 ? 0 : results.rejectedRows / results.inputRows
  const passes = validation.errorRate <= (limits.errorRate ?? 0.01) && rejectedShare <= (limits.rejectedShare ?? 0.05)
  return passes
    ? Effect.succeed(metadata)
    : Effect.fail(new QualityError({ runId: run.runId, errorRate: validation.errorRate, rejectedShare }))
}

/** A gate over the application's Lume client. */
export const layer = (limits: Limits = {}): Layer.Layer<QualityGate, never, LumeClient.LumeClient> =>
  Layer.effect(
    QualityGate,
    Effect.map(LumeClient.LumeClient, (lume) => ({
      pass: (request) =>
        lume.runAndWait(request, { schedule: LumeClient.backoff }).pipe(
          // The client has tried again as Lume asked; a batch can wait longer than that.
          Effect.catchTag("RateLimitedError", () => Effect.delay(lume.runAndWait(request), "10 minutes")),
          Effect.catchTag("RateLimitedError", ({ runId }) =>
            Effect.dieMessage(`Lume has no room for ${String(runId)}`)
          ),
          Effect.flatMap((run) => LumeRun.orFail(run)),
          Effect.flatMap((run) => run.metadata),
          Effect.flatMap((metadata) => judge(metadata, limits))
        )
    }))
  )
