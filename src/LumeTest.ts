/**
 * A Lume for tests: the real client over a fake `HttpClient`, whose runs follow timelines on the test's clock.
 *
 * ```ts
 * it.effect("gates on the error rate", () =>
 *   LumeTest.waitFor(program).pipe(Effect.provide(LumeTest.layer({ onRun: () => LumeTest.partiallyFails({ rejected: 20 }) })))
 * )
 * ```
 *
 * Encoding, decoding, retrying and waiting are those of production. It needs no test framework and no Node.
 */
import * as HttpClient from "@effect/platform/HttpClient"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as TestClock from "effect/TestClock"
import * as testTime from "./testkit/time.js"
import * as testArbitrary from "./testkit/arbitrary.js"
import * as testMetadata from "./testkit/metadata.js"
import * as testServer from "./testkit/server.js"
import * as testTimeline from "./testkit/timeline.js"
import * as LumeClient from "./LumeClient.js"
import type * as LumeMetadata from "./LumeMetadata.js"
import * as LumeRun from "./LumeRun.js"
import type { RunRequest } from "./RunRequest.js"

/** The fake Lume, as a service. */
export class LumeTest extends Context.Tag("effect-lume/LumeTest")<LumeTest, Service>() {}

/** What can be asked of the fake Lume. */
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
   * What befalls a request: `"network"` (the connection is refused, or is reset where the request was received),
   * `"timeout"` (no answer ever), `"html502"` (a proxy's page), or a status, with `retryAfter` in seconds and the
   * `detail` that the answer gives.
   */
  Fault,
  /** A request as the client sent it, in the order of sending; never the key. */
  ReceivedRequest
} from "./testkit/server.js"
export type {
  /** Parts of `LumeMetadata` that are not as they would be made. What is given is taken as it is. */
  Overrides as MetadataOverrides,
  /** A run whose metadata a `Step` makes. */
  Subject
} from "./testkit/metadata.js"
export type {
  /** A status of a timeline, from a time on. */
  Step,
  /** What a run does, step by step. */
  Timeline
} from "./testkit/timeline.js"

type Fault = testServer.Fault
type MetadataOverrides = testMetadata.Overrides
type Timeline = testTimeline.Timeline

/** Which requests a fault befalls, and what becomes of them. */
export interface FaultOptions {
  /** Reads or submits. Default: both. */
  readonly on?: "read" | "submit" | undefined
  /** Whether the request reaches Lume before its answer is lost: a submitted run then exists. Default: false. */
  readonly received?: boolean | undefined
}

/** What the fake Lume does. */
export interface Script {
  /** Runs that are there from the beginning, by their ids; they begin when the layer is built. Default: none. */
  readonly runs?: Readonly<Record<string, Timeline>> | undefined
  /** What a submitted run does. Default: `succeeds()`. */
  readonly onRun?: ((request: RunRequest) => Timeline) | undefined
}

/**
 * The real client over a fake Lume, and the service with which a test speaks to that. Submitted runs get the ids
 * `run_test_1`, `run_test_2` and so on. A source path that has succeeded for a flow version is refused, as Lume does.
 */
export const layer = (script: Script = {}): Layer.Layer<LumeClient.LumeClient | LumeTest> =>
  Layer.effectContext(
    Effect.gen(function* () {
      const now = yield* testTime.startTime
      const state = testServer.makeState(script.runs ?? {}, script.onRun ?? (() => succeeds()), now)
      const client = yield* LumeClient.make({ apiKey: Redacted.make("lume-test-key") }).pipe(
        Effect.provideService(HttpClient.HttpClient, testServer.makeClient(state)),
        // the options are right, so that there is no failure
        Effect.orDie
      )
      return Context.make(LumeClient.LumeClient, client).pipe(
        Context.add(LumeTest, {
          failNext: (remaining, fault, { on, received = false } = {}) =>
            Effect.sync(() => void state.faults.push({ remaining, fault, on, received })),
          requests: Effect.sync(() => [...state.requests]),
          submitted: Effect.sync(() => [...state.submitted])
        })
      )
    })
  )

// ---------------------------------------------------------------------------------------------------------------------
// Speaking to the fake Lume

/**
 * Lets the next `count` requests fail, of those that `options` names. Faults come in the order in which they were
 * planned. The client sends a read again up to three times, so that a fault that comes once may not be seen.
 */
export const failNext = (count: number, fault: Fault, options?: FaultOptions): Effect.Effect<void, never, LumeTest> =>
  Effect.flatMap(LumeTest, (test) => test.failNext(count, fault, options))

/** Every request that the client sent, in its order, those that failed included. */
export const requests: Effect.Effect<ReadonlyArray<testServer.ReceivedRequest>, never, LumeTest> = Effect.flatMap(
  LumeTest,
  (test) => test.requests
)

/** What every run that Lume accepted was submitted with, in its order, those included whose answer was lost. */
export const submitted: Effect.Effect<ReadonlyArray<RunRequest>, never, LumeTest> = Effect.flatMap(
  LumeTest,
  (test) => test.submitted
)

// ---------------------------------------------------------------------------------------------------------------------
// Timelines

/** What the ready timelines have in common. */
export interface TimelineOptions {
  /** From acceptance to the end; milliseconds if bare. Default: 30 seconds. */
  readonly in?: Duration.DurationInput | undefined
  /** What is not as it would be made in the metadata. */
  readonly metadata?: MetadataOverrides | undefined
}

const through = (
  options: TimelineOptions,
  last: testTimeline.Stage,
  status: string,
  metadata: testTimeline.Step["metadata"]
): Timeline => testTimeline.through(options.in ?? "30 seconds", last, { status, metadata })

/** Through every status to `SUCCEEDED`, with `rows` rows (default: 1000). */
export const succeeds = (options: TimelineOptions & { readonly rows?: number | undefined } = {}): Timeline => {
  const { metadata = {}, rows = 1000 } = options
  const given = { ...metadata, results: { inputRows: rows, ...metadata.results } }
  return through(options, "SYNCING_TARGET", "SUCCEEDED", testMetadata.finished(given, "SUCCEEDED"))
}

/**
 * Through every status to `PARTIAL_FAILED`, with `rejected` of `rows` rows rejected (default: 20 of 1000) for
 * `topErrors` (default: all of them for one error).
 */
export const partiallyFails = (
  options: TimelineOptions & {
    readonly rows?: number | undefined
    readonly rejected?: number | undefined
    readonly topErrors?: ReadonlyArray<LumeMetadata.TopError> | undefined
  } = {}
): Timeline => {
  const { metadata = {}, rejected = Math.min(20, options.rows ?? 20), rows = 1000, topErrors } = options
  const given = {
    ...metadata,
    results: { inputRows: Math.max(rows, rejected), rejectedRows: rejected, ...metadata.results },
    validation: { ...(topErrors && { topErrors }), ...metadata.validation }
  }
  return through(options, "SYNCING_TARGET", "PARTIAL_FAILED", testMetadata.finished(given, "PARTIAL_FAILED"))
}

const someFailure = { stage: "TRANSFORMING", errorCode: "TEST_FAILURE", message: "The test lets this run fail." }

/**
 * As far as `stage` (default: `TRANSFORMING`), then `FAILED`, for `errorCode` and `message` (default: `TEST_FAILURE`).
 * Its metadata has results where some are given.
 */
export const fails = (options: TimelineOptions & Partial<LumeMetadata.StageError> = {}): Timeline => {
  const { errorCode = someFailure.errorCode, message = someFailure.message, stage = someFailure.stage } = options
  const metadata = testMetadata.failed({ errors: [{ stage, errorCode, message }], ...options.metadata }, "FAILED")
  return through(options, testTimeline.isStage(stage) ? stage : "SYNCING_TARGET", "FAILED", metadata)
}

/** As far as `TRANSFORMING`, then `CRASHED`. Lume names no cause. */
export const crashes = (options: TimelineOptions = {}): Timeline =>
  through(options, "TRANSFORMING", "CRASHED", testMetadata.failed(options.metadata ?? {}, "CRASHED"))

/** As far as `TRANSFORMING` in 10 seconds, and never any further. */
export const hangs = (): Timeline => [
  { status: "CREATED" },
  { status: "SYNCING_SOURCE", after: "5 seconds" },
  { status: "TRANSFORMING", after: "5 seconds" }
]

/** A status that no client knows (or null) for 10 seconds, then what `next` says. Default: `succeeds()`. */
export const unknownStatus = (status: string | null, next: Timeline = succeeds()): Timeline => [
  { status },
  ...next.map((step, index) =>
    index === 0 ? { ...step, after: Duration.millis(10_000 + Duration.toMillis(step.after ?? 0)) } : step
  )
]

/** Any sequence of statuses, each from a time after the one before; the last one stays. */
export const timeline = (steps: ReadonlyArray<testTimeline.Step>): Timeline => steps

// ---------------------------------------------------------------------------------------------------------------------
// Values

/**
 * Metadata of a run that produced data, whose numbers fit together: what is not given follows from what is. Where
 * nothing is given, it has succeeded with 1000 rows in 30 seconds.
 */
export const metadata = (overrides: MetadataOverrides = {}): LumeMetadata.LumeMetadata =>
  testMetadata.make(overrides, testMetadata.someRun(overrides.run?.runId ?? someId))

const someId = "run_test"

/** What a run that `run` makes has that is not as it would be made. */
export interface RunOverrides {
  /** Default: `run_test`. */
  readonly id?: string | undefined
  /** Of an `Unrecognized` run. Default: `QUEUED`. */
  readonly status?: string | null | undefined
  /** Default: none. */
  readonly runMetadata?: { readonly [key: string]: unknown } | undefined
  /** Of a run that has ended. `Failed` and `Crashed` have results where some are given. */
  readonly metadata?: MetadataOverrides | undefined
  /** Of a `Failed` or `Crashed` run. Default: one for `Failed`, none for `Crashed`. */
  readonly errors?: ReadonlyArray<LumeMetadata.StageError> | undefined
  /** Lume's JSON in place of all that, such as what can't be read. */
  readonly rawMetadata?: unknown
}

const words = {
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
      return testMetadata.finished(metadata ?? {}, words[tag])(subject)
    case "Failed":
    case "Crashed": {
      const usual = tag === "Failed" ? [someFailure] : []
      return testMetadata.failed({ errors: errors ?? usual, ...metadata }, words[tag])(subject)
    }
    default:
      return {}
  }
}

/** A run in the state with this tag, as the client would have read it. */
export const run = <Tag extends LumeRun.LumeRun["_tag"]>(
  tag: Tag,
  overrides: RunOverrides = {}
): Extract<LumeRun.LumeRun, { readonly _tag: Tag }> => {
  const id = overrides.id ?? someId
  const made = LumeRun.fromWire({
    id: LumeRun.RunId.make(id),
    status: tag === "Unrecognized" && overrides.status !== undefined ? overrides.status : words[tag],
    metadata: "rawMetadata" in overrides ? overrides.rawMetadata : metadataJson(tag, id, overrides),
    run_metadata: overrides.runMetadata
  })
  // the word decides the state, and this is the tag's own word
  return made as Extract<LumeRun.LumeRun, { readonly _tag: Tag }>
}

/**
 * Arbitraries, whose values keep the invariants: `inputRows` is `mappedRows` plus `rejectedRows`,
 * `errorRate` is `testsFailed` divided by `testsExecuted`, and the stages take no longer than the whole.
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
          `LumeTest.${caller} needs effect's TestClock: run the test by it.effect, or provide TestContext.TestContext.`
        )
  )

/**
 * Lets virtual time pass for what was forked before: `TestClock.adjust`. Everything that sleeps until then is woken in
 * its order.
 */
export const advance = (duration: Duration.DurationInput): Effect.Effect<void> =>
  withTestClock("advance", (clock) => clock.adjust(duration))

/**
 * Runs an effect to its end, skipping every sleep in it: an hour's wait takes milliseconds. The test's clock goes along,
 * and with it what was forked before; afterwards it stands where the effect has ended.
 *
 * Time stands still while the effect computes; what it does in the real world, such as reading a file, is not waited
 * for while something sleeps. An effect that never ends dies with a message that says so: at the end of `limit`
 * (virtual time, milliseconds if bare; default: 1 day), or after a real second in which it neither ends nor sleeps.
 */
export const waitFor = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  options?: { readonly limit?: Duration.DurationInput | undefined }
): Effect.Effect<A, E, R> =>
  withTestClock("waitFor", (clock) => testTime.runToEnd(effect, clock, Duration.decode(options?.limit ?? "1 day")))
