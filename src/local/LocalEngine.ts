/**
 * The pipeline of a run on this machine: sync the source into staging, transform, sync to the target, on DuckDB.
 *
 * Every number of the metadata is counted or measured. No row passes through JavaScript. How each format is read and
 * written, and what is refused, is told in `docs/local-data.md`.
 *
 * @module
 * @since 1.0.0
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { oneLine } from "../internal/text.js"
import type { FailedMetadata, LumeMetadata, StageError, Stages } from "../LumeMetadata.js"
import * as duckdb from "./internal/duckdb.js"
import * as folders from "./internal/folders.js"
import { type Stage, StageFailure } from "./internal/failure.js"
import { check, type Limits } from "./internal/job.js"
import { parse } from "./internal/program.js"
import * as syncSource from "./internal/syncSource.js"
import { fromPlatform, syncTarget, taken } from "./internal/syncTarget.js"
import { type Tally, transform } from "./internal/transform.js"
import { flowVersion, type LocalFlow } from "./LocalFlow.js"

export type {
  /**
   * The stages of a run, by the status that it has meanwhile.
   *
   * @since 1.0.0
   * @category models
   */
  Stage
} from "./internal/failure.js"

/**
 * A run to be made.
 *
 * @since 1.0.0
 * @category models
 */
export interface Job {
  /** The run's id; its output goes into a folder of this name. */
  readonly runId: string
  /** The flow version that it runs. */
  readonly flow: LocalFlow
  /**
   * What to run it on: `s3://acme/a.csv` is the file `s3/acme/a.csv` inside `sources`. Its extension tells the format:
   * `.csv`, `.tsv`, `.json`, `.jsonl`, `.ndjson`, each with or without `.gz`, or `.parquet`.
   */
  readonly sourcePath: string
  /** The only folder that sources are read from. */
  readonly sources: string
  /**
   * The folder that receives `<run id>/mapped.<ext>`, the fields of the rows that pass every test, and
   * `<run id>/rejects.<ext>`, the original rows of the others with their `error_codes`; in the source's format, UTF-8,
   * without `.gz`.
   */
  readonly targets: string
  /** When the run was accepted, on the monotonic clock, in nanoseconds. Default: now. */
  readonly acceptedAt?: bigint | undefined
  /**
   * How many bytes of memory DuckDB may use for the run, such as `FileSystem.GiB(2)`. What does not fit is spilled to
   * disk. Values that an expression makes itself are not counted: a field that repeats a text a million times needs that
   * memory beyond the limit. Default: a quarter of the machine's memory, or of the container's limit.
   */
  readonly memoryLimit?: FileSystem.SizeInput | undefined
  /** The folder that the run spills to, in a hidden folder of its own which is gone afterwards. Default: inside `targets`. */
  readonly spillFolder?: string | undefined
  /**
   * How long the run may take; then it is `FAILED` with `RUN_TIMEOUT`. An expression is stopped only between two steps
   * of 2,048 values: one that takes long for a step is waited for two seconds and then left to end by itself.
   * Default: 1 hour. `Infinity` is allowed.
   */
  readonly runTimeout?: Duration.DurationInput | undefined
  /** Is told each stage as it is entered. */
  readonly onStage?: ((stage: Stage) => Effect.Effect<void>) | undefined
}

interface Ended<Status extends string, Metadata> {
  /** Lume's word for how the run ended. */
  readonly status: Status
  /** What the run did, every number of it counted or measured. */
  readonly metadata: Metadata
}

/**
 * How a run ended.
 *
 * @since 1.0.0
 * @category models
 */
export type Outcome =
  | Ended<"SUCCEEDED", LumeMetadata>
  | Ended<"PARTIAL_FAILED", LumeMetadata>
  | Ended<"FAILED", FailedMetadata>
  | Ended<"CRASHED", FailedMetadata>

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
  rejects: Option.Option<string>
  /** The run's output, once it is in its place. */
  moved: string | undefined
}

/** What a run came to that produced data. */
interface Success {
  readonly tally: Tally
  readonly locations: LumeMetadata["results"]["targetLocations"]
}

/** What a defect says of itself, where that is about code: other errors can quote data. */
const saying = (defect: unknown): string => (defect instanceof TypeError ? ` (${oneLine(defect.message)})` : "")

const crashed = (cause: Cause.Cause<never>): string =>
  `The local engine has a defect${saying(Cause.squash(cause))}, whose cause is in the log of its process.`

const allRejected = (tally: Tally): StageFailure => {
  const common = tally.topErrors.slice(0, 3).map(({ count, errorCode, field }) => `${errorCode} on ${field} (${count})`)
  return new StageFailure({
    errorCode: "ALL_ROWS_REJECTED",
    message: `${tally.rejected === 1 ? "The only row was" : `All ${tally.rejected} rows were`} rejected, most often by ${common.join(", ")}. Check the flow's fields and tests against the rejects file.`,
    stage: "TRANSFORMING"
  })
}

const syncSourceOf = ({ flow, sourcePath, sources }: Job, { memory }: Limits, { spill, work }: folders.Folders) =>
  Effect.gen(function* () {
    const located = yield* syncSource.locate({ sourcePath, sources, work, flow })
    const places = { files: located.files, folder: work, spill, memoryLimit: memory }
    // That a database in memory can't be opened is no fault of the source or the flow.
    const database = yield* Effect.orDie(duckdb.open(places))
    const program = yield* parse(database, flow)
    const staging = yield* syncSource.stage(database, located, program)
    return { program, staging }
  })

/** Runs the three stages, noting in `progress` what is known. */
const pipeline = (
  job: Job,
  limits: Limits,
  places: folders.Folders,
  progress: Progress
): Effect.Effect<Success, StageFailure, FileSystem.FileSystem> => {
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
      const { program, staging } = yield* enter("SYNCING_SOURCE", syncSourceOf(job, limits, places))
      progress.inputRows = Option.some(staging.rows)
      const transformed = yield* enter("TRANSFORMING", transform(program, staging))
      const { tally } = transformed
      progress.tally = Option.some(tally)
      const { mapped, rejects } = yield* enter(
        "SYNCING_TARGET",
        syncTarget(staging, transformed, { ...places, onMoved: () => (progress.moved = places.target) })
      )
      progress.rejects = rejects
      return yield* Option.match(mapped, {
        onNone: () => allRejected(tally),
        onSome: (mapped) => Effect.succeed({ tally, locations: { mapped, rejects } })
      })
    })
  )
}

const errorRate = ({ testsExecuted, testsFailed }: Tally): number =>
  testsExecuted === 0 ? 0 : testsFailed / testsExecuted

interface Frame {
  readonly run: LumeMetadata["run"]
  readonly times: Pick<LumeMetadata["pipeline"], "createdAt" | "completedAt" | "duration">
}

const finished = ({ run, times }: Frame, progress: Progress, { locations, tally }: Success): LumeMetadata => ({
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
    targetLocations: Option.map(progress.rejects, (rejects) => ({
      mapped: Option.none(),
      rejects: Option.some(rejects)
    }))
  })),
  validation: Option.map(progress.tally, (tally) => ({
    testsExecuted: Option.some(tally.testsExecuted),
    testsFailed: Option.some(tally.testsFailed),
    errorRate: Option.some(errorRate(tally)),
    topErrors: tally.topErrors
  })),
  errors: [error]
})

const timedOut = (time: Duration.Duration): StageFailure =>
  new StageFailure({
    errorCode: "RUN_TIMEOUT",
    message: `The run did not end within its time limit of ${Duration.format(time)}. Raise the limit (runTimeout), split the source into smaller files, or make the flow's expressions cheaper.`
  })

/** The folders that a run works in. Its output is looked for once no other run of the id can be making it. */
const workFolders = (job: Job) =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const made = yield* Effect.mapError(folders.make(job), fromPlatform)
    if (yield* Effect.orElseSucceed(files.exists(made.target), () => false)) return yield* taken
    return made
  })

/** Makes the run within its time. Output that was moved into its place just before the time was over is taken away. */
const inTime = (job: Job, progress: Progress) =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const limits = yield* check(job)
    const undo = Effect.suspend(() => {
      const { moved } = progress
      progress.rejects = Option.none()
      return moved === undefined ? Effect.void : Effect.ignoreLogged(files.remove(moved, { recursive: true }))
    })
    return yield* workFolders(job).pipe(
      Effect.flatMap((places) => pipeline(job, limits, places, progress)),
      Effect.scoped,
      Effect.timeoutOption(limits.time),
      Effect.flatMap(
        Option.match({ onNone: () => Effect.zipRight(undo, timedOut(limits.time)), onSome: Effect.succeed })
      ),
      Effect.onInterrupt(() => undo)
    )
  })

/**
 * Makes a run. It never fails: how it ended is the outcome.
 *
 * - no row was rejected, or there were none: `SUCCEEDED`
 * - some rows were rejected: `PARTIAL_FAILED`
 * - `FAILED`, with the stage, a message, and one of these codes: `SOURCE_NOT_ALLOWED` (outside of the sources folder),
 *   `SOURCE_NOT_FOUND`, `SOURCE_FORMAT_UNSUPPORTED`, `SOURCE_UNREADABLE`, `FLOW_SQL_ERROR`, `ALL_ROWS_REJECTED`,
 *   `TARGET_NOT_WRITABLE`, `OUT_OF_MEMORY`, `RUN_TIMEOUT`, `JOB_INVALID` (a run id that is no file name, or a field or
 *   limit that can't be one). Nothing is left in the target, except the rejects file where all rows were rejected.
 * - a defect of the engine: `CRASHED`, with the code `INTERNAL_ERROR`. Its cause is logged.
 *
 * No message holds a value of the source. A record is counted from 1, without the header of a CSV file.
 *
 * Interruption stops DuckDB, and leaves nothing behind. An expression that does not heed it is waited for two seconds.
 *
 * @example
 * ```ts
 * import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
 * import * as Effect from "effect/Effect"
 * import * as LocalEngine from "effect-lume/local/LocalEngine"
 *
 * const outcome = LocalEngine.run({
 *   runId: "run_1",
 *   flow: { name: "people", version: "v1", fields: { name: 'trim("Name")' }, tests: [] },
 *   sourcePath: "people.csv",
 *   sources: "./sources",
 *   targets: "./targets"
 * }).pipe(Effect.provide(NodeFileSystem.layer))
 * ```
 *
 * @since 1.0.0
 * @category constructors
 */
export const run = (job: Job): Effect.Effect<Outcome, never, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const acceptedAt = job.acceptedAt ?? (yield* Clock.currentTimeNanos)
    const progress: Progress = {
      stage: "SYNCING_SOURCE",
      stages: { syncSource: Option.none(), transform: Option.none(), syncTarget: Option.none() },
      inputRows: Option.none(),
      tally: Option.none(),
      rejects: Option.none(),
      moved: undefined
    }
    const frame = (status: Outcome["status"]) =>
      Effect.map(Effect.zip(Clock.currentTimeNanos, DateTime.now), ([now, completedAt]): Frame => {
        const duration = Duration.nanos(now - acceptedAt)
        return {
          run: { runId: job.runId, flowVersion: flowVersion(job.flow), sourcePath: job.sourcePath, status },
          times: { createdAt: DateTime.subtractDuration(completedAt, duration), completedAt, duration }
        }
      })
    const broken = (status: "FAILED" | "CRASHED", error: StageError) =>
      Effect.map(frame(status), (frame): Outcome => ({ status, metadata: failed(frame, progress, error) }))

    return yield* inTime(job, progress).pipe(
      Effect.flatMap((success) => {
        const status = success.tally.rejected === 0 ? "SUCCEEDED" : "PARTIAL_FAILED"
        return Effect.map(frame(status), (frame): Outcome => ({ status, metadata: finished(frame, progress, success) }))
      }),
      Effect.catchTag("StageFailure", ({ errorCode, message, stage = progress.stage }) =>
        broken("FAILED", { stage, errorCode, message })
      ),
      Effect.catchAllCause((cause) =>
        Cause.isInterrupted(cause)
          ? Effect.interrupt
          : Effect.zipRight(
              Effect.logError("The local engine has a defect", cause),
              broken("CRASHED", { stage: progress.stage, errorCode: "INTERNAL_ERROR", message: crashed(cause) })
            )
      )
    )
  })
