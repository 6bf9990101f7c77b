/**
 * A Lume for tests: the real client over a fake `HttpClient`. Its runs follow timelines on the test's clock.
 *
 * Encoding, decoding, retrying and waiting are those of production. It needs no test framework and no Node.
 *
 * @module
 * @since 1.0.0
 */
import * as HttpClient from "@effect/platform/HttpClient"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as TestClock from "effect/TestClock"
import * as check from "./client/options.js"
import * as testTime from "./testkit/time.js"
import * as testArbitrary from "./testkit/arbitrary.js"
import * as testMetadata from "./testkit/metadata.js"
import * as testServer from "./testkit/server.js"
import * as testTimeline from "./testkit/timeline.js"
import * as LumeClient from "./LumeClient.js"
import type { InvalidRequestError } from "./LumeError.js"
import type * as LumeMetadata from "./LumeMetadata.js"
import * as LumeRun from "./LumeRun.js"
import type { RunEvents } from "./RunEvents.js"
import type { RunRequest } from "./RunRequest.js"

/**
 * The fake Lume, as a service.
 *
 * @since 1.0.0
 * @category tags
 */
export class LumeTest extends Context.Tag("effect-lume/LumeTest")<LumeTest, Service>() {}

/**
 * What a test asks of the fake Lume.
 *
 * @since 1.0.0
 * @category testing
 */
export interface Service {
  /** @see failNext */
  readonly failNext: (count: number, fault: Fault, options?: FaultOptions) => Effect.Effect<void>
  /** @see requests */
  readonly requests: Effect.Effect<ReadonlyArray<testServer.ReceivedRequest>>
  /** @see submitted */
  readonly submitted: Effect.Effect<ReadonlyArray<RunRequest>>
}

export type {
  /**
   * What goes wrong with a request:
   * - `"network"`: the connection is refused; it is reset if the request was `received`;
   * - `"timeout"`: no answer comes;
   * - `"html502"`: a proxy answers with its own page;
   * - a status, with `retryAfter` in seconds and the `detail` of the answer.
   *
   * @since 1.0.0
   * @category testing
   */
  Fault,
  /**
   * A request as the client sent it, without the key.
   *
   * @since 1.0.0
   * @category testing
   */
  ReceivedRequest
} from "./testkit/server.js"
export type {
  /**
   * Overrides for metadata that the test kit makes, taken as they are. Everything else is made to fit them.
   *
   * @since 1.0.0
   * @category testing
   */
  Overrides as MetadataOverrides,
  /**
   * What a `Step` knows of its run when it makes the metadata.
   *
   * @since 1.0.0
   * @category testing
   */
  Subject
} from "./testkit/metadata.js"
export type {
  /**
   * A status that a run takes on, and when.
   *
   * @since 1.0.0
   * @category testing
   */
  Step,
  /**
   * What a run does, step by step.
   *
   * @since 1.0.0
   * @category testing
   */
  Timeline
} from "./testkit/timeline.js"

type Fault = testServer.Fault
type MetadataOverrides = testMetadata.Overrides
type Timeline = testTimeline.Timeline

/**
 * Which requests a fault is for, and whether Lume receives them.
 *
 * @since 1.0.0
 * @category testing
 */
export interface FaultOptions {
  /** Only reads or only submits. Default: both. */
  readonly on?: "read" | "submit" | undefined
  /** Whether Lume receives the request before the fault. A run that was submitted so exists. Default: false. */
  readonly received?: boolean | undefined
}

/**
 * What the fake Lume does.
 *
 * @since 1.0.0
 * @category testing
 */
export interface Script {
  /** Runs that exist already, by their ids. Their timelines begin when the layer is built. Default: none. */
  readonly runs?: Readonly<Record<string, Timeline>> | undefined
  /** What a submitted run does. Default: `succeeds()`. */
  readonly onRun?: ((request: RunRequest) => Timeline) | undefined
  /**
   * The client's options, such as the `wait` that the application has. Default: those of `LumeClient.layer`. The paths are
   * those that this package assumes.
   */
  readonly client?: Omit<LumeClient.Options, "apiKey" | "paths"> | undefined
}

/**
 * The real client over a fake Lume, and the fake as a service. Submitted runs get the ids `run_test_1`, `run_test_2` and
 * so on. Like Lume, the fake refuses a source path that has succeeded for the same flow version.
 *
 * @example
 * ```ts
 * import { assert, it } from "@effect/vitest"
 * import * as Effect from "effect/Effect"
 * import { LumeClient, LumeTest } from "effect-lume"
 *
 * it.effect("fails where the run does", () =>
 *   Effect.gen(function* () {
 *     const ended = yield* LumeTest.waitFor(LumeClient.runAndWait({ flowVersion: "a:v1", sourcePath: "batch" }))
 *     assert.strictEqual(ended._tag, "Failed")
 *   }).pipe(Effect.provide(LumeTest.layer({ onRun: () => LumeTest.fails({ errorCode: "DISK_FULL" }) })))
 * )
 * ```
 *
 * @since 1.0.0
 * @category layers
 */
export const layer = (script: Script = {}): Layer.Layer<LumeClient.LumeClient | LumeTest> =>
  over(LumeClient.layer, script)

/**
 * `layer` with waits that are woken by `RunEvents`, as those of `LumeClient.layerWithEvents` are.
 *
 * @example
 * ```ts
 * import { assert, it } from "@effect/vitest"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 * import { LumeClient, LumeTest, RunEvents } from "effect-lume"
 *
 * const Lume = LumeTest.layerWithEvents({ onRun: () => LumeTest.succeeds({ in: "2 minutes" }) }).pipe(
 *   Layer.provideMerge(RunEvents.layer)
 * )
 *
 * it.effect("is seen by the slow poll where no event comes", () =>
 *   Effect.gen(function* () {
 *     yield* LumeTest.waitFor(LumeClient.runAndWait({ flowVersion: "a:v1", sourcePath: "batch" }))
 *     const requests = yield* LumeTest.requests
 *     assert.lengthOf(requests, 3)
 *   }).pipe(Effect.provide(Lume))
 * )
 * ```
 *
 * @since 1.0.0
 * @category layers
 */
export const layerWithEvents = (script: Script = {}): Layer.Layer<LumeClient.LumeClient | LumeTest, never, RunEvents> =>
  over(LumeClient.layerWithEvents, script)

/** The script's client over a fake Lume, and the fake. What is wrong with the script is a mistake in a test: it dies. */
const over = <R>(
  clientLayer: (options: LumeClient.Options) => Layer.Layer<LumeClient.LumeClient, InvalidRequestError, R>,
  { client, onRun = () => succeeds(), runs = {} }: Script
): Layer.Layer<LumeClient.LumeClient | LumeTest, never, Exclude<R, HttpClient.HttpClient>> =>
  Layer.unwrapEffect(
    Effect.gen(function* () {
      const now = yield* testTime.startTime
      yield* Effect.forEach(Object.entries(runs), ([id, timeline]) => testTimeline.checked(id, timeline))
      const state = testServer.makeState(runs, onRun, now)
      const test: Service = {
        failNext: (count, fault, { on, received = false } = {}) =>
          Effect.gen(function* () {
            const remaining = count === Infinity ? count : yield* check.count("the count of failNext", count, 0)
            yield* testServer.checkedFault(fault)
            state.faults.push({ remaining, fault, on, received })
          }).pipe(Effect.orDie),
        requests: Effect.sync(() => [...state.requests]),
        submitted: Effect.sync(() => [...state.submitted])
      }
      return Layer.merge(
        clientLayer({ ...client, apiKey: Redacted.make("lume-test-key") }).pipe(
          Layer.provide(Layer.succeed(HttpClient.HttpClient, testServer.makeClient(state))),
          Layer.orDie
        ),
        Layer.succeed(LumeTest, test)
      )
    })
  )

// ---------------------------------------------------------------------------------------------------------------------
// Speaking to the fake Lume

/**
 * Gives the next `count` requests this fault (`Infinity`: all). `options` says which requests count. Faults come in the
 * order of the calls. What is no count or no fault is a mistake in the test: it dies.
 *
 * `runStatus` and `refresh` send a read again up to three times: it takes four transient faults for them to fail. A wait
 * goes on for its `tolerance`.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { LumeClient, LumeTest } from "effect-lume"
 *
 * const program = Effect.gen(function* () {
 *   yield* LumeTest.failNext(2, { status: 503 }, { on: "read" })
 *   yield* LumeTest.failNext(1, "network", { on: "submit", received: true })
 *   return yield* LumeTest.waitFor(LumeClient.runAndWait({ flowVersion: "a:v1", sourcePath: "batch" }))
 * }).pipe(Effect.provide(LumeTest.layer()))
 * ```
 *
 * @since 1.0.0
 * @category testing
 */
export const failNext = (count: number, fault: Fault, options?: FaultOptions): Effect.Effect<void, never, LumeTest> =>
  Effect.flatMap(LumeTest, (test) => test.failNext(count, fault, options))

/**
 * Every request that the client sent, in order. Requests that failed are included.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { LumeClient, LumeTest } from "effect-lume"
 *
 * const reads = Effect.gen(function* () {
 *   yield* LumeTest.waitFor(LumeClient.runAndWait({ flowVersion: "a:v1", sourcePath: "batch" }))
 *   const requests = yield* LumeTest.requests
 *   return requests.filter(({ method }) => method === "GET").length
 * }).pipe(Effect.provide(LumeTest.layer()))
 * ```
 *
 * @since 1.0.0
 * @category testing
 */
export const requests: Effect.Effect<ReadonlyArray<testServer.ReceivedRequest>, never, LumeTest> = Effect.flatMap(
  LumeTest,
  (test) => test.requests
)

/**
 * The request of every run that Lume accepted, in order. Runs whose answer was lost are included.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { LumeClient, LumeTest } from "effect-lume"
 *
 * const sourcePaths = Effect.gen(function* () {
 *   yield* LumeClient.run({ flowVersion: "a:v1", sourcePath: "batch" })
 *   return (yield* LumeTest.submitted).map(({ sourcePath }) => sourcePath)
 * }).pipe(Effect.provide(LumeTest.layer()))
 * ```
 *
 * @since 1.0.0
 * @category testing
 */
export const submitted: Effect.Effect<ReadonlyArray<RunRequest>, never, LumeTest> = Effect.flatMap(
  LumeTest,
  (test) => test.submitted
)

// ---------------------------------------------------------------------------------------------------------------------
// Timelines

/**
 * What `succeeds`, `partiallyFails`, `fails` and `crashes` take.
 *
 * @since 1.0.0
 * @category testing
 */
export interface TimelineOptions {
  /** How long the run takes; milliseconds if bare. Default: 30 seconds. */
  readonly in?: Duration.DurationInput | undefined
  /** Overrides for the metadata. */
  readonly metadata?: MetadataOverrides | undefined
}

const through = (
  options: TimelineOptions,
  last: testTimeline.Stage,
  status: string,
  metadata: testTimeline.Step["metadata"]
): Timeline => testTimeline.through(options.in ?? "30 seconds", last, { status, metadata })

/**
 * Through every status to `SUCCEEDED`, with `rows` rows (default: 1000).
 *
 * @example
 * ```ts
 * import { LumeTest } from "effect-lume"
 *
 * const Lume = LumeTest.layer({ onRun: () => LumeTest.succeeds({ in: "5 minutes", rows: 4 }) })
 * ```
 *
 * @since 1.0.0
 * @category testing
 */
export const succeeds = (options: TimelineOptions & { readonly rows?: number | undefined } = {}): Timeline => {
  const { metadata = {}, rows } = options
  const given = {
    ...metadata,
    results: testMetadata.override(rows === undefined ? {} : { inputRows: rows }, metadata.results)
  }
  return through(options, "SYNCING_TARGET", "SUCCEEDED", testMetadata.finished(given, "SUCCEEDED"))
}

/**
 * Through every status to `PARTIAL_FAILED`. Of `rows` rows (default: 1000), `rejected` are rejected (default: 20).
 * `topErrors` says why (default: one error for all of them).
 *
 * @example
 * ```ts
 * import { LumeTest } from "effect-lume"
 *
 * const Lume = LumeTest.layer({ onRun: () => LumeTest.partiallyFails({ rows: 100, rejected: 20 }) })
 * ```
 *
 * @since 1.0.0
 * @category testing
 */
export const partiallyFails = (
  options: TimelineOptions & {
    readonly rows?: number | undefined
    readonly rejected?: number | undefined
    readonly topErrors?: ReadonlyArray<LumeMetadata.TopError> | undefined
  } = {}
): Timeline => {
  const { metadata = {}, rejected, rows, topErrors } = options
  const counts = {
    ...(rows !== undefined && { inputRows: Math.max(rows, rejected ?? 0) }),
    ...(rejected !== undefined && { rejectedRows: rejected })
  }
  const given = {
    ...metadata,
    results: testMetadata.override(counts, metadata.results),
    validation: testMetadata.override({ topErrors }, metadata.validation)
  }
  return through(options, "SYNCING_TARGET", "PARTIAL_FAILED", testMetadata.finished(given, "PARTIAL_FAILED"))
}

const someFailure = { stage: "TRANSFORMING", errorCode: "TEST_FAILURE", message: "The test lets this run fail." }

/**
 * Up to `stage` (default: `TRANSFORMING`), then `FAILED` with `errorCode` (default: `TEST_FAILURE`) and `message`. A
 * `stage` that is none of the pipeline's comes after all of them. The metadata has results only if `metadata.results` is
 * given.
 *
 * @example
 * ```ts
 * import { LumeTest } from "effect-lume"
 *
 * const Lume = LumeTest.layer({ onRun: () => LumeTest.fails({ stage: "SYNCING_SOURCE", errorCode: "SOURCE_NOT_FOUND" }) })
 * ```
 *
 * @since 1.0.0
 * @category testing
 */
export const fails = (options: TimelineOptions & Partial<LumeMetadata.StageError> = {}): Timeline => {
  const { errorCode = someFailure.errorCode, message = someFailure.message, stage = someFailure.stage } = options
  const metadata = testMetadata.failed(
    testMetadata.override({ errors: [{ stage, errorCode, message }] }, options.metadata),
    "FAILED"
  )
  return through(options, testTimeline.isStage(stage) ? stage : "SYNCING_TARGET", "FAILED", metadata)
}

/**
 * Up to `TRANSFORMING`, then `CRASHED`. The metadata names no cause.
 *
 * @example
 * ```ts
 * import { LumeTest } from "effect-lume"
 *
 * const Lume = LumeTest.layer({ onRun: () => LumeTest.crashes({ in: "10 seconds" }) })
 * ```
 *
 * @since 1.0.0
 * @category testing
 */
export const crashes = (options: TimelineOptions = {}): Timeline =>
  through(options, "TRANSFORMING", "CRASHED", testMetadata.failed(options.metadata ?? {}, "CRASHED"))

/**
 * Up to `TRANSFORMING` within 10 seconds, then no further.
 *
 * @example
 * ```ts
 * import { LumeTest } from "effect-lume"
 *
 * const Lume = LumeTest.layer({ onRun: () => LumeTest.hangs() })
 * ```
 *
 * @since 1.0.0
 * @category testing
 */
export const hangs = (): Timeline => [
  { status: "CREATED" },
  { status: "SYNCING_SOURCE", after: "5 seconds" },
  { status: "TRANSFORMING", after: "5 seconds" }
]

/**
 * A status that the client does not know, or null, for 10 seconds; then `next` (default: `succeeds()`).
 *
 * @example
 * ```ts
 * import { LumeTest } from "effect-lume"
 *
 * const Lume = LumeTest.layer({ onRun: () => LumeTest.unknownStatus("QUEUED", LumeTest.succeeds()) })
 * ```
 *
 * @since 1.0.0
 * @category testing
 */
export const unknownStatus = (status: string | null, next: Timeline = succeeds()): Timeline => [
  { status },
  ...next.map((step, index) => (index === 0 ? { ...step, after: 10_000 + testTimeline.millis(step.after ?? 0) } : step))
]

/**
 * Any sequence of statuses. Each begins some time `after` the one before, and the last one stays.
 *
 * @example
 * ```ts
 * import { LumeTest } from "effect-lume"
 *
 * const Lume = LumeTest.layer({
 *   runs: {
 *     run_1: LumeTest.timeline([
 *       { status: "TRANSFORMING" },
 *       { status: "SUCCEEDED", after: "1 minute", metadata: { results: "unreadable" } }
 *     ])
 *   }
 * })
 * ```
 *
 * @since 1.0.0
 * @category testing
 */
export const timeline = (steps: ReadonlyArray<testTimeline.Step>): Timeline => steps

// ---------------------------------------------------------------------------------------------------------------------
// Values

/**
 * Metadata of a run that produced data. What is not given follows from what is, so that the numbers fit together.
 * Default: a run that succeeded with 1000 rows in 30 seconds.
 *
 * @example
 * ```ts
 * import { LumeTest } from "effect-lume"
 *
 * // mappedRows, testsFailed and errorRate follow from these
 * const metadata = LumeTest.metadata({ results: { inputRows: 100, rejectedRows: 5 } })
 * ```
 *
 * @since 1.0.0
 * @category testing
 */
export const metadata = (overrides: MetadataOverrides = {}): LumeMetadata.LumeMetadata =>
  testMetadata.make(overrides, testMetadata.someRun(overrides.run?.runId ?? someId))

const someId = "run_test"

/**
 * Overrides for a run made by `run`; everything else gets its default.
 *
 * @since 1.0.0
 * @category testing
 */
export interface RunOverrides {
  /** Default: `run_test`. */
  readonly id?: string | undefined
  /** Only for `Unrecognized`: a word that this version does not know. Default: `QUEUED`. */
  readonly status?: string | null | undefined
  /** Default: none. */
  readonly runMetadata?: { readonly [key: string]: unknown } | undefined
  /** Only for runs that have ended. `Failed` and `Crashed` have results only if `metadata.results` is given. */
  readonly metadata?: MetadataOverrides | undefined
  /** Only for `Failed` and `Crashed`. Default: one error for `Failed`, none for `Crashed`. */
  readonly errors?: ReadonlyArray<LumeMetadata.StageError> | undefined
  /** Lume's JSON, in place of `metadata` and `errors`; it may be unreadable. */
  readonly rawMetadata?: unknown
}

const statuses = {
  Created: "CREATED",
  SyncingSource: "SYNCING_SOURCE",
  Transforming: "TRANSFORMING",
  SyncingTarget: "SYNCING_TARGET",
  Unrecognized: "QUEUED",
  Succeeded: "SUCCEEDED",
  PartialFailed: "PARTIAL_FAILED",
  Failed: "FAILED",
  Crashed: "CRASHED"
} as const satisfies Record<LumeRun.LumeRun["_tag"], string>

const metadataJson = (tag: LumeRun.LumeRun["_tag"], id: string, { errors, metadata }: RunOverrides): unknown => {
  const subject = testMetadata.someRun(id)
  switch (tag) {
    case "Succeeded":
    case "PartialFailed":
      return testMetadata.finished(metadata ?? {}, statuses[tag])(subject)
    case "Failed":
    case "Crashed": {
      const usual = tag === "Failed" ? [someFailure] : []
      return testMetadata.failed(testMetadata.override({ errors: errors ?? usual }, metadata), statuses[tag])(subject)
    }
    default:
      return {}
  }
}

/**
 * A run with this tag, as the client would have read it.
 *
 * @example
 * ```ts
 * import { LumeTest } from "effect-lume"
 *
 * const failed = LumeTest.run("Failed", {
 *   id: "run_1",
 *   errors: [{ stage: "TRANSFORMING", errorCode: "BAD_SQL", message: "The flow has a mistake." }]
 * })
 * ```
 *
 * @since 1.0.0
 * @category testing
 */
export const run = <Tag extends LumeRun.LumeRun["_tag"]>(
  tag: Tag,
  overrides: RunOverrides = {}
): Extract<
  LumeRun.LumeRun,
  {
    /** The tag that was asked for. */
    readonly _tag: Tag
  }
> => {
  const id = overrides.id ?? someId
  const made = LumeRun.fromWire({
    id: LumeRun.RunId.make(id),
    status: tag === "Unrecognized" && overrides.status !== undefined ? overrides.status : statuses[tag],
    metadata: overrides.rawMetadata === undefined ? metadataJson(tag, id, overrides) : overrides.rawMetadata,
    run_metadata: overrides.runMetadata
  })
  // the status decides the tag, and this is the tag's status
  return made as Extract<LumeRun.LumeRun, { readonly _tag: Tag }>
}

/**
 * Arbitraries for `it.prop` of `@effect/vitest`. Their values keep the invariants: `inputRows` is `mappedRows` plus
 * `rejectedRows`, `errorRate` is `testsFailed` divided by `testsExecuted`, and the stages take no longer than the run.
 *
 * @example
 * ```ts
 * import { it } from "@effect/vitest"
 * import { LumeTest } from "effect-lume"
 *
 * it.prop(
 *   "counts each row once",
 *   [LumeTest.arbitrary.metadata],
 *   ([{ results }]) => results.mappedRows + results.rejectedRows === results.inputRows
 * )
 * ```
 *
 * @since 1.0.0
 * @category testing
 */
export const arbitrary = {
  /** Any `LumeMetadata`. */
  get metadata(): testArbitrary.Arbitrary<LumeMetadata.LumeMetadata> {
    return testArbitrary.metadata()
  },
  /** A run as Lume writes it, in any state. */
  get wire(): testArbitrary.Arbitrary<LumeRun.Encoded> {
    return testArbitrary.wire()
  },
  /** A run in any state. */
  get run(): testArbitrary.Arbitrary<LumeRun.LumeRun> {
    return testArbitrary.run()
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Time

const withTestClock = <A, E, R>(
  caller: string,
  use: (clock: TestClock.TestClock) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.clockWith((clock) =>
    testTime.isTestClock(clock)
      ? use(clock)
      : Effect.dieMessage(
          `LumeTest.${caller} needs effect's TestClock. Run the test with it.effect, or provide its layer.`
        )
  )

/**
 * Moves the test's clock by `duration`, like `TestClock.adjust`: fibers that were forked before wake in order.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Fiber from "effect/Fiber"
 * import { LumeClient, LumeTest } from "effect-lume"
 *
 * const program = Effect.gen(function* () {
 *   const waiting = yield* Effect.fork(LumeClient.runAndWait({ flowVersion: "a:v1", sourcePath: "batch" }))
 *   yield* LumeTest.advance("1 minute")
 *   return yield* Fiber.join(waiting)
 * }).pipe(Effect.provide(LumeTest.layer()))
 * ```
 *
 * @since 1.0.0
 * @category testing
 */
export const advance = (duration: Duration.DurationInput): Effect.Effect<void> =>
  withTestClock("advance", (clock) =>
    Effect.flatMap(durationOf("the duration of advance", duration), (millis) => clock.adjust(millis))
  )

const durationOf = (name: string, given: unknown): Effect.Effect<number> =>
  Effect.orDie(check.millis(name, given, { zero: true }))

/**
 * Runs an effect to its end and skips every sleep in it: an hour's wait takes milliseconds. It moves the test's clock, so
 * that fibers forked before go on too. Afterwards the clock stands where the effect ended.
 *
 * Real I/O, such as reading a file, takes no virtual time. It gets 20 real milliseconds before time goes on without it,
 * and as long as it needs, up to a second, if nothing sleeps.
 *
 * An effect that does not end dies with a message that says so: after `limit` of virtual time (milliseconds if bare;
 * default: 1 day), or after a real second in which it neither ends nor sleeps. A fiber that it forks is interrupted with
 * it: fork before, or by `Effect.forkScoped`, what a later `waitFor` joins.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { LumeClient, LumeTest } from "effect-lume"
 *
 * const program = LumeTest.waitFor(
 *   LumeClient.runAndWait({ flowVersion: "a:v1", sourcePath: "batch" }, { timeout: "2 hours" })
 * ).pipe(Effect.provide(LumeTest.layer({ onRun: () => LumeTest.succeeds({ in: "1 hour" }) })))
 * ```
 *
 * @since 1.0.0
 * @category testing
 */
export const waitFor = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  options?: { readonly limit?: Duration.DurationInput | undefined }
): Effect.Effect<A, E, R> =>
  withTestClock("waitFor", (clock) =>
    Effect.flatMap(durationOf("the limit of waitFor", check.or(options?.limit, "1 day")), (limit) =>
      testTime.runToEnd(effect, clock, Duration.millis(limit))
    )
  )
