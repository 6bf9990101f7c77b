/**
 * One run, from the time that its turn has come to its end.
 */
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as LocalEngine from "../LocalEngine.js"
import type { LocalFlow } from "../LocalFlow.js"
import type { Stage } from "./failure.js"
import type { UnfinishedRun } from "./ledger.js"
import type { Limits } from "./options.js"
import * as outcome from "./outcome.js"

/** What runs are made of. */
export interface Options {
  readonly flows: ReadonlyMap<string, LocalFlow>
  readonly sources: string
  readonly targets: string
  readonly limits: Limits
}

const noFlow = (flowVersion: string) => ({
  errorCode: "FLOW_NOT_FOUND",
  message: `The flow version ${flowVersion} was taken away before the run began. Bring it back, then submit again.`
})

const defect = {
  errorCode: "INTERNAL_ERROR",
  message: "The local Lume has a defect: its log says more. Submit it again."
}

const withEngine = (
  { limits, sources, targets }: Options,
  flow: LocalFlow,
  { acceptedAt, id, request }: UnfinishedRun,
  onStage: (stage: Stage) => Effect.Effect<void>
): Effect.Effect<outcome.Ending, never, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const age = Math.max(0, (yield* Clock.currentTimeMillis) - acceptedAt)
    const made = yield* LocalEngine.run({
      runId: id,
      flow,
      sourcePath: request.sourcePath,
      sources,
      targets,
      acceptedAt: (yield* Clock.currentTimeNanos) - BigInt(age) * 1_000_000n,
      onStage,
      ...limits
    })
    return { status: made.status, metadata: yield* outcome.metadataOf(made) }
  })

/** Makes a run; `onStage` is told each stage as it is entered. It never fails: a defect is a run that crashed. */
export const execute = (
  options: Options,
  run: UnfinishedRun,
  onStage: (stage: Stage) => Effect.Effect<void>
): Effect.Effect<outcome.Ending, never, FileSystem.FileSystem> =>
  Effect.suspend(() => {
    const { flowVersion } = run.request
    const flow = options.flows.get(flowVersion)
    return flow === undefined
      ? outcome.broken(run, "FAILED", noFlow(flowVersion))
      : withEngine(options, flow, run, onStage)
  }).pipe(
    Effect.catchAllCause((cause) =>
      Cause.isInterrupted(cause)
        ? Effect.interrupt
        : Effect.zipRight(
            Effect.logError(`Run ${run.id} met a defect of the local Lume`, cause),
            outcome.broken(run, "CRASHED", defect)
          )
    )
  )
