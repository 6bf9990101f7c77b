/**
 * How runs end, with their metadata as Lume's JSON.
 */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as LumeMetadata from "../../LumeMetadata.js"
import type { Outcome } from "../LocalEngine.js"
import type { EndedRun, UnfinishedRun } from "./ledger.js"

/** How a run ended. */
export type Ending = Pick<EndedRun, "status" | "metadata">

const encodeFinished = Schema.encode(LumeMetadata.LumeMetadata)
const encodeFailed = Schema.encode(LumeMetadata.FailedMetadata)

/** The outcome's metadata as Lume's JSON. That it can't be encoded is a defect of the engine. */
export const metadataOf = (outcome: Outcome): Effect.Effect<Ending["metadata"]> =>
  Effect.orDie(
    outcome.status === "SUCCEEDED" || outcome.status === "PARTIAL_FAILED"
      ? Effect.map(encodeFinished(outcome.metadata), (json) => ({ ...json }))
      : Effect.map(encodeFailed(outcome.metadata), (json) => ({ ...json }))
  )

/** The end of a run of which `LocalEngine` could not say how it ended. */
export const broken = (
  { acceptedAt, id, request, status: stage }: UnfinishedRun,
  status: "FAILED" | "CRASHED",
  error: { readonly errorCode: string; readonly message: string }
): Effect.Effect<Ending> =>
  Effect.gen(function* () {
    const completedAt = yield* Clock.currentTimeMillis
    const metadata = yield* metadataOf({
      status,
      metadata: {
        run: Option.some({
          runId: Option.some(id),
          flowVersion: Option.some(request.flowVersion),
          sourcePath: Option.some(request.sourcePath),
          status: Option.some(status)
        }),
        pipeline: Option.some({
          createdAt: Option.some(DateTime.unsafeMake(acceptedAt)),
          completedAt: Option.some(DateTime.unsafeMake(completedAt)),
          duration: Option.some(Duration.millis(Math.max(0, completedAt - acceptedAt))),
          stages: Option.none()
        }),
        results: Option.none(),
        validation: Option.none(),
        errors: [{ stage, ...error }]
      }
    })
    return { status, metadata }
  })
