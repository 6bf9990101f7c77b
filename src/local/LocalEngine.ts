/**
 * The pipeline of a run on this machine: sync the source into staging, transform, sync to the target, on DuckDB.
 *
 * Every number of the metadata is counted or measured. No row passes through JavaScript.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as path from "node:path"
import { oneLine } from "../internal/text.js"
import type { FailedMetadata, LumeMetadata, StageError, Stages } from "../LumeMetadata.js"
import * as duckdb from "./internal/duckdb.js"
import { type Stage, StageFailure } from "./internal/failure.js"
import * as syncSource from "./internal/syncSource.js"
import { type Locations, syncTarget } from "./internal/syncTarget.js"
import { type Tally, transform } from "./internal/transform.js"
import { flowVersion, type LocalFlow } from "./LocalFlow.js"

export type {
  /** The stages of a run, by the status that it has meanwhile. */
  Stage
} from "./internal/failure.js"

/** A run to be made. */
export interface Job {
  /** The run's id; its output goes into a folder of this name. */
  readonly runId: string
  readonly flow: LocalFlow
  /** What to run it on: `s3://acme/a.csv` is the file `s3/acme/a.csv` inside `sources`. */
  readonly sourcePath: string
  /** The only folder that sources are read from. */
  readonly sources: string
  /** The folder that receives `<run id>/mapped.<ext>` and `<run id>/rejects.<ext>`, in the source's format. */
  readonly targets: string
  /** When the run was accepted, on the monotonic clock, in nanoseconds. Default: now. */
  readonly acceptedAt?: bigint | undefined
  /** Is told each stage as it is entered. */
  readonly onStage?: ((stage: Stage) => Effect.Effect<void>) | undefined
}

/** How a run ended. */
export type Outcome =
  | { readonly status: "SUCCEEDED"; readonly metadata: LumeMetadata }
  | { readonly status: "PARTIAL_FAILED"; readonly metadata: LumeMetadata }
  | { readonly status: "FAILED"; readonly metadata: FailedMetadata }
  | { readonly status: "CRASHED"; readonly metadata: FailedMetadata }

const stageField = {
  SYNCING_SOURCE: "syncSource",
  TRANSFORMING: "transform",
  SYNCING_TARGET: "syncTarget"
} as const satisfies Record<Stage, keyof Stages>

/** What is known of a run while it goes on. */
interface Progress {
  stage: Stage
  stages: Stages
  inputRows: Option.Option<number>
  tally: Option.Option<Tally>
}

const allRejected = (tally: Tally): StageFailure => {
  const common = tally.topErrors.slice(0, 3).map(({ count, errorCode, field }) => `${errorCode} on ${field} (${count})`)
  return new StageFailure({
    errorCode: "ALL_ROWS_REJECTED",
    message: `All ${tally.rejected} rows were rejected, most often by ${common.join(", ")}. Check the flow's fields and tests against the source.`
  })
}

const source = ({ flow, sourcePath, sources }: Job, work: string) =>
  Effect.gen(function* () {
    const located = yield* syncSource.locate({ sourcePath, sources, work, flow })
    // That a database in memory can't be opened is no fault of the source or the flow.
    const database = yield* Effect.orDie(duckdb.open({ files: located.files, folder: work }))
    return yield* syncSource.stage(database, located, () => true)
  })

/** Runs the three stages in the folder `work`, noting in `progress` what is known. */
const pipeline = (
  job: Job,
  work: string,
  progress: Progress
): Effect.Effect<{ tally: Tally; locations: Locations }, StageFailure, FileSystem.FileSystem> => {
  const enter = <A, R>(stage: Stage, effect: Effect.Effect<A, StageFailure, R>): Effect.Effect<A, StageFailure, R> =>
    Effect.gen(function* () {
      progress.stage = stage
      if (job.onStage !== undefined) yield* job.onStage(stage)
      const startedAt = yield* Clock.currentTimeNanos
      const measure = Effect.map(Clock.currentTimeNanos, (now) => {
        progress.stages = { ...progress.stages, [stageField[stage]]: Option.some(Duration.nanos(now - startedAt)) }
      })
      return yield* Effect.ensuring(effect, measure)
    })

  return Effect.scoped(
    Effect.gen(function* () {
      const staging = yield* enter("SYNCING_SOURCE", source(job, work))
      progress.inputRows = Option.some(staging.rows)
      const transformed = yield* enter(
        "TRANSFORMING",
        Effect.tap(transform(job.flow, staging), ({ tally }) => {
          progress.tally = Option.some(tally)
          return tally.mapped === 0 && tally.rejected > 0 ? Effect.fail(allRejected(tally)) : Effect.void
        })
      )
      const target = path.join(path.resolve(job.targets), job.runId)
      const locations = yield* enter("SYNCING_TARGET", syncTarget(staging, transformed, work, target))
      return { tally: transformed.tally, locations }
    })
  )
}

const errorRate = ({ testsExecuted, testsFailed }: Tally): number =>
  testsExecuted === 0 ? 0 : testsFailed / testsExecuted

interface Frame {
  readonly run: LumeMetadata["run"]
  readonly times: Pick<LumeMetadata["pipeline"], "createdAt" | "completedAt" | "duration">
}

const finished = ({ run, times }: Frame, progress: Progress, tally: Tally, locations: Locations): LumeMetadata => ({
  run,
  pipeline: { ...times, stages: progress.stages },
  results: {
    inputRows: tally.mapped + tally.rejected,
    mappedRows: tally.mapped,
    rejectedRows: tally.rejected,
    targetLocations: locations
  },
  validation: {
    testsExecuted: tally.testsExecuted,
    testsFailed: tally.testsFailed,
    errorRate: errorRate(tally),
    topErrors: tally.topErrors
  },
  errors: []
})

const failed = ({ run, times }: Frame, progress: Progress, error: StageError): FailedMetadata => ({
  run: Option.some({
    runId: Option.some(run.runId),
    flowVersion: Option.some(run.flowVersion),
    sourcePath: Option.some(run.sourcePath),
    status: Option.some(run.status)
  }),
  pipeline: Option.some({
    createdAt: Option.some(times.createdAt),
    completedAt: Option.some(times.completedAt),
    duration: Option.some(times.duration),
    stages: Option.some(progress.stages)
  }),
  results: Option.map(progress.inputRows, (inputRows) => ({
    inputRows: Option.some(inputRows),
    mappedRows: Option.map(progress.tally, ({ mapped }) => mapped),
    rejectedRows: Option.map(progress.tally, ({ rejected }) => rejected),
    targetLocations: Option.none()
  })),
  validation: Option.map(progress.tally, (tally) => ({
    testsExecuted: Option.some(tally.testsExecuted),
    testsFailed: Option.some(tally.testsFailed),
    errorRate: Option.some(errorRate(tally)),
    topErrors: tally.topErrors
  })),
  errors: [error]
})

/** A folder beside the output, on the same disk, so that moving is one step; gone when the scope closes. */
const workFolder = (job: Job) =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const work = path.join(path.resolve(job.targets), `.${job.runId}`)
    return yield* Effect.acquireRelease(Effect.as(files.makeDirectory(work, { recursive: true }), work), (work) =>
      Effect.ignoreLogged(files.remove(work, { recursive: true }))
    )
  }).pipe(
    Effect.mapError(
      (error) =>
        new StageFailure({
          errorCode: "TARGET_NOT_WRITABLE",
          message: `The targets folder can't be written: ${error.message}. Create it, or grant this process the permission.`
        })
    )
  )

/**
 * Makes a run. It never fails: how it ended is the outcome.
 *
 * - no row was rejected, or there were none: `SUCCEEDED`
 * - some rows were rejected: `PARTIAL_FAILED`
 * - `FAILED`, with the stage, a message, and one of these codes: `SOURCE_NOT_ALLOWED` (outside of the sources folder),
 *   `SOURCE_NOT_FOUND`, `SOURCE_FORMAT_UNSUPPORTED`, `SOURCE_UNREADABLE`, `FLOW_SQL_ERROR`, `ALL_ROWS_REJECTED`,
 *   `TARGET_NOT_WRITABLE`, `OUT_OF_MEMORY`. Nothing is left in the target.
 * - a defect of the engine: `CRASHED`, with the code `INTERNAL_ERROR`
 *
 * Interruption stops DuckDB, and leaves nothing behind.
 */
export const run = (job: Job): Effect.Effect<Outcome, never, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const acceptedAt = job.acceptedAt ?? (yield* Clock.currentTimeNanos)
    const progress: Progress = {
      stage: "SYNCING_SOURCE",
      stages: { syncSource: Option.none(), transform: Option.none(), syncTarget: Option.none() },
      inputRows: Option.none(),
      tally: Option.none()
    }
    const frame = (status: Outcome["status"]) =>
      Effect.map(Effect.zip(Clock.currentTimeNanos, DateTime.now), ([now, completedAt]): Frame => {
        const duration = Duration.nanos(now - acceptedAt)
        return {
          run: { runId: job.runId, flowVersion: flowVersion(job.flow), sourcePath: job.sourcePath, status },
          times: { createdAt: DateTime.subtractDuration(completedAt, duration), completedAt, duration }
        }
      })
    const broken = (status: "FAILED" | "CRASHED", errorCode: string, message: string) =>
      Effect.map(frame(status), (frame): Outcome => ({
        status,
        metadata: failed(frame, progress, { stage: progress.stage, errorCode, message })
      }))

    return yield* Effect.scoped(
      Effect.gen(function* () {
        const { locations, tally } = yield* pipeline(job, yield* workFolder(job), progress)
        const status = tally.rejected === 0 ? "SUCCEEDED" : "PARTIAL_FAILED"
        return { status, metadata: finished(yield* frame(status), progress, tally, locations) } satisfies Outcome
      })
    ).pipe(
      Effect.catchTag("StageFailure", ({ errorCode, message }) => broken("FAILED", errorCode, message)),
      Effect.catchAllCause((cause) =>
        Cause.isInterrupted(cause)
          ? Effect.interrupt
          : Effect.zipRight(
              Effect.logError("The local engine has a defect", cause),
              broken("CRASHED", "INTERNAL_ERROR", oneLine(Cause.pretty(cause)))
            )
      )
    )
  })
