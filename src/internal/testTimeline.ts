/**
 * What a run of the test kit does, as values: which status it has when, and the metadata that goes with its end.
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as LumeMetadata from "../LumeMetadata.js"

/** What is known of a run when its metadata is made. */
export interface Subject {
  readonly runId: string
  readonly flowVersion: string
  readonly sourcePath: string
  /** When the run was accepted, in milliseconds since 1970. */
  readonly acceptedAt: number
  /** How long it has taken, in milliseconds. */
  readonly took: number
}

/** A status, from a time on. */
export interface Step {
  /** Lume's word, or one that no client knows, or null. */
  readonly status: string | null
  /** How long after the step before it; after acceptance for the first. Default: at once. */
  readonly after?: Duration.DurationInput | undefined
  /** Lume's JSON of the metadata. Default: an empty object. */
  readonly metadata?: ((subject: Subject) => unknown) | undefined
}

/** The steps of a run, in their order. */
export type Timeline = ReadonlyArray<Step>

/** Where a run is after so many milliseconds; `CREATED` before the first step. */
export const at = (
  timeline: Timeline,
  subject: Subject
): { readonly status: string | null; readonly metadata: unknown } => {
  let from = 0
  let current: { status: string | null; metadata: unknown } = { status: "CREATED", metadata: {} }
  for (const { after = 0, metadata, status } of timeline) {
    from += Duration.toMillis(after)
    if (from > subject.took) break
    current = { status, metadata: metadata?.({ ...subject, took: from }) ?? {} }
  }
  return current
}

/** Through every status to an end, the time divided as a pipeline would. */
export const through = (
  total: Duration.DurationInput,
  end: string,
  metadata: (subject: Subject) => unknown,
  last: "SYNCING_SOURCE" | "TRANSFORMING" | "SYNCING_TARGET" = "SYNCING_TARGET"
): Timeline => {
  const millis = Duration.toMillis(total)
  const stages = [
    { status: "SYNCING_SOURCE", begins: 0.1 },
    { status: "TRANSFORMING", begins: 0.3 },
    { status: "SYNCING_TARGET", begins: 0.8 }
  ]
  const entered = stages.slice(0, stages.findIndex(({ status }) => status === last) + 1)
  const times = [0, ...entered.map(({ begins }) => Math.floor(begins * millis)), millis]
  return [
    ...["CREATED", ...entered.map(({ status }) => status)].map((status) => ({ status })),
    { status: end, metadata }
  ].map((step, index) => ({ ...step, after: (times[index] ?? millis) - (times[index - 1] ?? 0) }))
}

/** Parts of `LumeMetadata` that are not as `metadata` would make them. */
export interface MetadataOverrides {
  readonly run?: Partial<LumeMetadata.LumeMetadata["run"]> | undefined
  readonly pipeline?: Partial<LumeMetadata.LumeMetadata["pipeline"]> | undefined
  readonly results?: Partial<LumeMetadata.LumeMetadata["results"]> | undefined
  readonly validation?: Partial<LumeMetadata.LumeMetadata["validation"]> | undefined
  readonly errors?: LumeMetadata.LumeMetadata["errors"] | undefined
}

const epoch = Date.UTC(2026, 0, 1)

const makePipeline = (given: MetadataOverrides["pipeline"] = {}): LumeMetadata.LumeMetadata["pipeline"] => {
  const createdAt = given.createdAt ?? DateTime.unsafeMake(epoch)
  const duration = given.duration ?? Duration.seconds(30)
  const share = (part: number) => Option.some(Duration.millis(Math.floor(part * Duration.toMillis(duration))))
  return {
    createdAt,
    completedAt: given.completedAt ?? DateTime.addDuration(createdAt, duration),
    duration,
    stages: given.stages ?? { syncSource: share(0.2), transform: share(0.5), syncTarget: share(0.2) }
  }
}

const makeResults = (runId: string, given: MetadataOverrides["results"] = {}): LumeMetadata.LumeMetadata["results"] => {
  const rejectedRows =
    given.rejectedRows ?? Math.max(0, (given.inputRows ?? 0) - (given.mappedRows ?? given.inputRows ?? 0))
  const inputRows =
    given.inputRows ?? (given.mappedRows === undefined ? Math.max(1000, rejectedRows) : given.mappedRows + rejectedRows)
  const place = (name: string) => `s3://lume-test/${runId}/${name}.csv`
  return {
    inputRows,
    mappedRows: given.mappedRows ?? inputRows - rejectedRows,
    rejectedRows,
    targetLocations: given.targetLocations ?? {
      mapped: place("mapped"),
      rejects: rejectedRows === 0 ? Option.none() : Option.some(place("rejects"))
    }
  }
}

const makeValidation = (
  { inputRows, rejectedRows }: LumeMetadata.LumeMetadata["results"],
  given: MetadataOverrides["validation"] = {}
): LumeMetadata.LumeMetadata["validation"] => {
  const topErrors =
    given.topErrors ??
    (rejectedRows === 0 ? [] : [{ errorCode: "INVALID_VALUE", field: "amount", count: rejectedRows }])
  const testsFailed = given.testsFailed ?? topErrors.reduce((sum, { count }) => sum + count, 0)
  const testsExecuted = given.testsExecuted ?? Math.max(inputRows * 5, testsFailed)
  return {
    testsExecuted,
    testsFailed,
    errorRate: given.errorRate ?? (testsExecuted === 0 ? 0 : testsFailed / testsExecuted),
    topErrors
  }
}

/** Metadata whose numbers fit together: what is not given follows from what is. */
export const makeMetadata = (given: MetadataOverrides = {}): LumeMetadata.LumeMetadata => {
  const runId = given.run?.runId ?? "run_test"
  const results = makeResults(runId, given.results)
  return {
    run: {
      runId,
      flowVersion: given.run?.flowVersion ?? "test_flow:v1",
      sourcePath: given.run?.sourcePath ?? "s3://lume-test/source.csv",
      status: given.run?.status ?? (results.rejectedRows === 0 ? "SUCCEEDED" : "PARTIAL_FAILED")
    },
    pipeline: makePipeline(given.pipeline),
    results,
    validation: makeValidation(results, given.validation),
    errors: given.errors ?? []
  }
}

/** Such metadata of a run, as Lume's JSON. */
export const finishedJson =
  (given: MetadataOverrides, status: "SUCCEEDED" | "PARTIAL_FAILED") =>
  ({ acceptedAt, flowVersion, runId, sourcePath, took }: Subject): unknown =>
    Schema.encodeSync(LumeMetadata.LumeMetadata)(
      makeMetadata({
        ...given,
        run: { runId, flowVersion, sourcePath, status, ...given.run },
        pipeline: { createdAt: DateTime.unsafeMake(acceptedAt), duration: Duration.millis(took), ...given.pipeline }
      })
    )

/** Metadata of a run that failed with these errors, as Lume's JSON: what never ran is null. */
export const failedJson =
  (errors: LumeMetadata.FailedMetadata["errors"], status: "FAILED" | "CRASHED") =>
  ({ acceptedAt, flowVersion, runId, sourcePath, took }: Subject): unknown =>
    Schema.encodeSync(LumeMetadata.FailedMetadata)({
      run: Option.some({
        runId: Option.some(runId),
        flowVersion: Option.some(flowVersion),
        sourcePath: Option.some(sourcePath),
        status: Option.some(status)
      }),
      pipeline: Option.some({
        createdAt: Option.some(DateTime.unsafeMake(acceptedAt)),
        completedAt: Option.some(DateTime.unsafeMake(acceptedAt + took)),
        duration: Option.some(Duration.millis(took)),
        stages: Option.none()
      }),
      results: Option.none(),
      validation: Option.none(),
      errors
    })
