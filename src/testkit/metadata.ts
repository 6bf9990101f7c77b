/**
 * Metadata that the test kit makes. What is not given follows from what is, so that the numbers fit together.
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as LumeMetadata from "../LumeMetadata.js"
import * as unchecked from "./unchecked.js"

/** What is known of a run when its metadata is made. Times in milliseconds. */
export interface Subject {
  /** The run's id. */
  readonly runId: string
  /** The flow version that it runs. */
  readonly flowVersion: string
  /** What it runs on. */
  readonly sourcePath: string
  /** When the run was accepted, since 1970. */
  readonly acceptedAt: number
  /** How long the run took. */
  readonly took: number
  /** How long each stage took that the run went through. */
  readonly stages: { readonly [stage in keyof LumeMetadata.Stages]?: number | undefined }
}

type Metadata = LumeMetadata.LumeMetadata

/** Overrides for `LumeMetadata`, taken as they are. Everything else is made to fit them. */
export interface Overrides {
  /** Of the identifiers. The run's id is that of the run unless given. */
  readonly run?: Partial<Metadata["run"]> | undefined
  /** Of the timings. A duration that is given is shared among the stages. */
  readonly pipeline?:
    | (Partial<Omit<Metadata["pipeline"], "stages">> & {
        /** Of the time spent in each stage. */
        readonly stages?: Partial<LumeMetadata.Stages> | undefined
      })
    | undefined
  /** Of the row counts and places. `mappedRows` is `inputRows` less `rejectedRows` unless given. */
  readonly results?:
    | (Partial<Omit<Metadata["results"], "targetLocations">> & {
        /** Of the places of the output. */
        readonly targetLocations?: Partial<Metadata["results"]["targetLocations"]> | undefined
      })
    | undefined
  /** Of the outcome of the data quality tests. */
  readonly validation?: Partial<Metadata["validation"]> | undefined
  /** The causes of a failure, all of them. */
  readonly errors?: Metadata["errors"] | undefined
}

/** Defaults for a run that nobody submitted. */
export const someRun = (runId: string): Subject => ({
  runId,
  flowVersion: "test_flow:v1",
  sourcePath: "s3://lume-test/source.csv",
  acceptedAt: Date.UTC(2026, 0, 1),
  took: 30_000,
  stages: { syncSource: 6_000, transform: 15_000, syncTarget: 6_000 }
})

/** What is usual, but for what is given. As everywhere, `undefined` is not given. */
export const override = <Usual extends object, Given extends object>(
  usual: Usual,
  given: Given | undefined
): Usual & Given => {
  const entries = Object.entries(given ?? {}).filter(([, value]) => value !== undefined)
  // what is left out of the one stands in the other, or may be absent
  return { ...usual, ...Object.fromEntries(entries) } as Usual & Given
}

/** What stages that are given take, and what they would have taken. In milliseconds. */
const givenStages = (given: Partial<LumeMetadata.Stages>, usual: Subject["stages"]) => {
  let [took, usually] = [0, 0]
  for (const stage of ["syncSource", "transform", "syncTarget"] as const) {
    if (given[stage] === undefined || Option.isNone(given[stage])) continue
    took += Duration.toMillis(given[stage].value)
    usually += usual[stage] ?? 0
  }
  return { took, usually }
}

const pipeline = (given: NonNullable<Overrides["pipeline"]>, subject: Subject): Metadata["pipeline"] => {
  const { took, usually } = givenStages(given.stages ?? {}, subject.stages)
  // what is not in a stage that is given: the other stages, and what is between them
  const rest = Math.max(0, subject.took - usually)
  const duration =
    given.duration ??
    (given.createdAt !== undefined && given.completedAt !== undefined
      ? Duration.millis(DateTime.toEpochMillis(given.completedAt) - DateTime.toEpochMillis(given.createdAt))
      : Duration.millis(Math.max(subject.took, took + rest)))
  const createdAt =
    given.createdAt ??
    (given.completedAt === undefined
      ? DateTime.unsafeMake(subject.acceptedAt)
      : DateTime.subtractDuration(given.completedAt, duration))
  // each other stage keeps its share of what is left to it
  const scale = rest === 0 ? 0 : Math.max(0, Duration.toMillis(duration) - took) / rest
  const stage = (millis: number | undefined) =>
    Option.map(Option.fromNullable(millis), (millis) => Duration.millis(Math.floor(millis * scale)))
  return {
    createdAt,
    completedAt: given.completedAt ?? DateTime.addDuration(createdAt, duration),
    duration,
    stages: override(
      {
        syncSource: stage(subject.stages.syncSource),
        transform: stage(subject.stages.transform),
        syncTarget: stage(subject.stages.syncTarget)
      },
      given.stages
    )
  }
}

const results = (
  given: NonNullable<Overrides["results"]>,
  status: string | undefined,
  runId: string
): Metadata["results"] => {
  const { inputRows, mappedRows } = given
  const usual = status === "PARTIAL_FAILED" ? Math.min(20, inputRows ?? Infinity) : 0
  const rest = inputRows === undefined || mappedRows === undefined ? usual : Math.max(0, inputRows - mappedRows)
  const rejectedRows = given.rejectedRows ?? rest
  const mapped = mappedRows ?? Math.max(0, (inputRows ?? Math.max(1000, rejectedRows)) - rejectedRows)
  const place = (name: string) => `s3://lume-test/${runId}/${name}.csv`
  return {
    inputRows: inputRows ?? mapped + rejectedRows,
    mappedRows: mapped,
    rejectedRows,
    targetLocations: override(
      { mapped: place("mapped"), rejects: rejectedRows === 0 ? Option.none() : Option.some(place("rejects")) },
      given.targetLocations
    )
  }
}

/** How many tests there are whose failed ones are a rate, as close as may be; `atLeast` where nothing is said of both. */
const testsWith = (rate: number | undefined, failed: number | undefined, atLeast: number): number => {
  if (rate === undefined || rate === 0 || failed === 0) return atLeast
  if (failed !== undefined) return Math.round(failed / rate)
  const least = Math.max(1, atLeast, Math.round(1 / rate))
  const counts = Array.from({ length: 1000 }, (_, index) => least + index)
  return counts.find((count) => Math.round(rate * count) / count === rate) ?? least
}

const validation = (
  given: NonNullable<Overrides["validation"]>,
  { inputRows, rejectedRows }: Metadata["results"]
): Metadata["validation"] => {
  const counted = given.topErrors?.reduce((sum, { count }) => sum + count, 0) ?? 0
  const { errorRate } = given
  const usual = given.testsExecuted ?? testsWith(errorRate, given.testsFailed ?? (counted || undefined), inputRows * 5)
  const failing = Math.max(errorRate === undefined ? rejectedRows : Math.round(errorRate * usual), counted)
  // one test can reject many rows
  const testsFailed = given.testsFailed ?? Math.min(failing, given.testsExecuted ?? Infinity)
  const testsExecuted = given.testsExecuted ?? Math.max(usual, testsFailed)
  return {
    testsExecuted,
    testsFailed,
    errorRate: errorRate ?? (testsExecuted === 0 ? 0 : testsFailed / testsExecuted),
    topErrors:
      given.topErrors ??
      (testsFailed === 0 ? [] : [{ errorCode: "INVALID_VALUE", field: "amount", count: testsFailed }])
  }
}

/** Metadata of a run that produced data. */
export const make = (given: Overrides, subject: Subject): Metadata => {
  const { run = {} } = given
  const runId = run.runId ?? subject.runId
  const rows = results(given.results ?? {}, run.status, runId)
  const status = run.status ?? (rows.rejectedRows > 0 ? "PARTIAL_FAILED" : "SUCCEEDED")
  return {
    run: { ...override({ flowVersion: subject.flowVersion, sourcePath: subject.sourcePath }, run), runId, status },
    pipeline: pipeline(given.pipeline ?? {}, subject),
    results: rows,
    validation: validation(given.validation ?? {}, rows),
    errors: given.errors ?? []
  }
}

const encode = unchecked.encode(LumeMetadata.LumeMetadata)

/** Metadata of a run that produced data, as Lume's JSON. */
export const finished =
  (given: Overrides, status: string) =>
  (subject: Subject): unknown =>
    encode(make({ ...given, run: override({ status }, given.run) }, subject))

/** Metadata of a run that produced no data, as Lume's JSON. Results and validation are null unless they are given. */
export const failed =
  (given: Overrides, status: string) =>
  (subject: Subject): unknown => {
    const whole = encode(make({ ...given, run: override({ status }, given.run) }, subject))
    return {
      ...whole,
      results: given.results === undefined ? null : whole.results,
      validation: given.validation === undefined ? null : whole.validation
    }
  }
