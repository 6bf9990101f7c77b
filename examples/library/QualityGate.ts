/**
 * A library over the client: runs a batch, and lets it pass only if its data is good enough.
 *
 * It adds an error of its own, handles some of the client's by their tags, and lets the others through, typed.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
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

/** How bad the data of a batch may be for it to pass. */
export interface Limits {
  /** Default: 0.01. */
  readonly errorRate?: number | undefined
  /** Default: 0.05. */
  readonly rejectedShare?: number | undefined
}

/** Why a batch does not pass. */
export type GateError =
  | QualityError
  | LumeRun.RunFailedError
  | LumeMetadata.MetadataDecodeError
  | Exclude<LumeError.SubmitError | LumeError.WaitError, LumeError.AlreadyProcessedError>

/** What the gate does. */
export interface Service {
  /** Runs a batch. Gives its metadata if it passes, `None` if Lume has processed it before. */
  readonly pass: (request: RunRequest.Input) => Effect.Effect<Option.Option<LumeMetadata.LumeMetadata>, GateError>
}

/** The gate, as a service. */
export class QualityGate extends Context.Tag("acme/QualityGate")<QualityGate, Service>() {}

const judge =
  ({ errorRate = 0.01, rejectedShare = 0.05 }: Limits) =>
  (metadata: LumeMetadata.LumeMetadata): Effect.Effect<LumeMetadata.LumeMetadata, QualityError> => {
    const { results, run, validation } = metadata
    const rejected = results.inputRows === 0 ? 0 : results.rejectedRows / results.inputRows
    return validation.errorRate <= errorRate && rejected <= rejectedShare
      ? Effect.succeed(metadata)
      : Effect.fail(new QualityError({ runId: run.runId, errorRate: validation.errorRate, rejectedShare: rejected }))
  }

/** A gate over the application's Lume client. */
export const layer = (limits: Limits = {}): Layer.Layer<QualityGate, never, LumeClient.LumeClient> =>
  Layer.effect(
    QualityGate,
    Effect.map(LumeClient.LumeClient, (lume) => ({
      pass: (request) =>
        lume.run(request).pipe(
          // Lume took nothing. The client has tried again as Lume asked; a batch can wait for longer.
          Effect.retry({
            while: (error) => error._tag === "RateLimitedError",
            schedule: Schedule.spaced("10 minutes"),
            times: 6
          }),
          Effect.flatMap((run) => lume.wait(run, { schedule: LumeClient.backoff })),
          Effect.flatMap((run) => LumeRun.orFail(run)),
          Effect.flatMap((run) => run.metadata),
          Effect.flatMap(judge(limits)),
          Effect.asSome,
          Effect.catchTag("AlreadyProcessedError", () => Effect.succeedNone)
        )
    }))
  )
