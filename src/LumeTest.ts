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
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/TestClock"
import { SkippingClock } from "./internal/skippingClock.js"
import * as arbitraries from "./internal/testArbitrary.js"
import * as server from "./internal/testServer.js"
import * as timelines from "./internal/testTimeline.js"
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
  readonly requests: Effect.Effect<ReadonlyArray<ReceivedRequest>>
  /** @see submitted */
  readonly submitted: Effect.Effect<ReadonlyArray<RunRequest>>
}

export type {
  /**
   * What befalls a request: `"network"` (the connection is refused, or reset where the request was received),
   * `"timeout"` (no answer ever), `"html502"` (a proxy's page), or a status, with `retryAfter` in seconds.
   */
  Fault,
  /** A request as it reached the fake Lume; never the key. */
  ReceivedRequest
} from "./internal/testServer.js"
export type {
  /** Parts of `LumeMetadata` that are not as `metadata` would make them. */
  MetadataOverrides,
  /** A status of a timeline, from a time on. */
  Step,
  /** What a run does, step by step. */
  Timeline
} from "./internal/testTimeline.js"

type Fault = server.Fault
type ReceivedRequest = server.ReceivedRequest
type Timeline = timelines.Timeline

/** Which requests a fault befalls. */
export interface FaultOptions {
  /** Reads or submits. Default: both. */
  readonly on?: "read" | "submit" | undefined
  /** Whether the request reaches Lume before its answer is lost: a submitted run then exists. Default: false. */
  readonly received?: boolean | undefined
}

/** What the fake Lume does. */
export interface Script {
  /** Runs that are known from the beginning, by their ids. */
  readonly runs?: Readonly<Record<string, Timeline>> | undefined
  /** What a submitted run does. Default: `succeeds()`. */
  readonly onRun?: ((request: RunRequest) => Timeline) | undefined
}

/**
 * The real client over a fake Lume, and the service with which a test speaks to that. Submitted runs get the ids
 * `run_test_1`, `run_test_2` and so on; a source path that has succeeded for a flow version is refused as Lume does.
 */
export const layer = (script: Script = {}): Layer.Layer<LumeClient.LumeClient | LumeTest> =>
  Layer.unwrapEffect(
    Effect.map(Clock.currentTimeMillis, (now) => {
      const state: server.State = { runs: new Map(), faults: [], requests: [], submitted: [] }
      for (const [id, timeline] of Object.entries(script.runs ?? {})) {
        state.runs.set(id, { id, request: undefined, acceptedAt: now, timeline })
      }
      const client = Layer.succeed(HttpClient.HttpClient, server.makeClient(state, script.onRun ?? (() => succeeds())))
      const service: Service = {
        failNext: (remaining, fault, { on, received = false } = {}) =>
          Effect.sync(() => void state.faults.push({ remaining, fault, on, received })),
        requests: Effect.sync(() => [...state.requests]),
        submitted: Effect.sync(() => [...state.submitted])
      }
      return Layer.merge(
        // the options are right, so that there is no failure
        Layer.orDie(LumeClient.layer({ apiKey: Redacted.make("lume-test-key") })).pipe(Layer.provide(client)),
        Layer.succeed(LumeTest, service)
      )
    })
  )

// ---------------------------------------------------------------------------------------------------------------------
// Speaking to the fake Lume

/** Lets the next so many requests fail. Faults that are planned later come after those before. */
export const failNext = (count: number, fault: Fault, options?: FaultOptions): Effect.Effect<void, never, LumeTest> =>
  Effect.flatMap(LumeTest, (test) => test.failNext(count, fault, options))

/** Every request that reached the fake Lume, in its order, faults included. */
export const requests: Effect.Effect<ReadonlyArray<ReceivedRequest>, never, LumeTest> = Effect.flatMap(
  LumeTest,
  (test) => test.requests
)

/** Every run that was accepted, in its order. */
export const submitted: Effect.Effect<ReadonlyArray<RunRequest>, never, LumeTest> = Effect.flatMap(
  LumeTest,
  (test) => test.submitted
)

// ---------------------------------------------------------------------------------------------------------------------
// Timelines

/** Through every status to `SUCCEEDED`, in 30 seconds, with 1000 rows; other metadata as given. */
export const succeeds = (
  options: {
    readonly in?: Duration.DurationInput | undefined
    readonly rows?: number | undefined
    readonly metadata?: timelines.MetadataOverrides | undefined
  } = {}
): Timeline => {
  const { metadata = {}, rows = 1000 } = options
  const given = { ...metadata, results: { inputRows: rows, ...metadata.results } }
  return timelines.through(options.in ?? "30 seconds", "SUCCEEDED", timelines.finishedJson(given, "SUCCEEDED"))
}

/** Through every status to `PARTIAL_FAILED`, in 30 seconds, with 20 of 1000 rows rejected; other metadata as given. */
export const partiallyFails = (
  options: {
    readonly in?: Duration.DurationInput | undefined
    readonly rows?: number | undefined
    readonly rejected?: number | undefined
    readonly topErrors?: ReadonlyArray<LumeMetadata.TopError> | undefined
    readonly metadata?: timelines.MetadataOverrides | undefined
  } = {}
): Timeline => {
  const { metadata = {}, rejected = 20, rows = Math.max(1000, rejected), topErrors } = options
  const given = {
    ...metadata,
    results: { inputRows: rows, rejectedRows: rejected, ...metadata.results },
    validation: { ...(topErrors && { topErrors }), ...metadata.validation }
  }
  return timelines.through(
    options.in ?? "30 seconds",
    "PARTIAL_FAILED",
    timelines.finishedJson(given, "PARTIAL_FAILED")
  )
}

const isStage = (stage: string): stage is "SYNCING_SOURCE" | "TRANSFORMING" | "SYNCING_TARGET" =>
  stage === "SYNCING_SOURCE" || stage === "TRANSFORMING" || stage === "SYNCING_TARGET"

/** As far as `stage`, then `FAILED`, in 30 seconds. Default: `TRANSFORMING`, `TEST_FAILURE`. */
export const fails = (
  options: { readonly in?: Duration.DurationInput | undefined } & Partial<LumeMetadata.StageError> = {}
): Timeline => {
  const { errorCode = "TEST_FAILURE", message = "The test lets this run fail.", stage = "TRANSFORMING" } = options
  const metadata = timelines.failedJson([{ stage, errorCode, message }], "FAILED")
  return timelines.through(options.in ?? "30 seconds", "FAILED", metadata, isStage(stage) ? stage : "SYNCING_TARGET")
}

/** As far as `TRANSFORMING`, then `CRASHED`, in 30 seconds. Lume names no cause. */
export const crashes = (options: { readonly in?: Duration.DurationInput | undefined } = {}): Timeline =>
  timelines.through(options.in ?? "30 seconds", "CRASHED", timelines.failedJson([], "CRASHED"), "TRANSFORMING")

/** As far as `TRANSFORMING`, and never any further. */
export const hangs = (): Timeline => [{ status: "CREATED" }, { status: "TRANSFORMING", after: "10 seconds" }]

/** A status that no client knows (or null) for 10 seconds, then what `next` says. Default: `succeeds()`. */
export const unknownStatus = (status: string | null, next: Timeline = succeeds()): Timeline => {
  const [first, ...rest] = next
  return [{ status }, ...(first === undefined ? [] : [{ ...first, after: "10 seconds" as const }]), ...rest]
}

/** Any sequence of statuses, each from a time after the one before; the last one stays. */
export const timeline = (steps: ReadonlyArray<timelines.Step>): Timeline => steps

// ---------------------------------------------------------------------------------------------------------------------
// Values

/** Metadata of a finished run, whose numbers fit together: what is not given follows from what is. */
export const metadata = (overrides?: timelines.MetadataOverrides): LumeMetadata.LumeMetadata =>
  timelines.makeMetadata(overrides)

/** What can be said of a run that `run` makes. */
export interface RunOverrides {
  /** Default: `run_test`. */
  readonly id?: string | undefined
  /** Default: the state's own word; `QUEUED` for `Unrecognized`. */
  readonly status?: string | null | undefined
  readonly runMetadata?: { readonly [key: string]: unknown } | undefined
  /** Of a run that produced data. */
  readonly metadata?: timelines.MetadataOverrides | undefined
  /** Of a run that did not. */
  readonly errors?: ReadonlyArray<LumeMetadata.StageError> | undefined
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

const metadataJson = (tag: LumeRun.LumeRun["_tag"], subject: timelines.Subject, overrides: RunOverrides): unknown => {
  switch (tag) {
    case "Succeeded":
      return timelines.finishedJson(overrides.metadata ?? {}, "SUCCEEDED")(subject)
    case "PartialFailed":
      return timelines.finishedJson(
        { ...overrides.metadata, results: { rejectedRows: 20, ...overrides.metadata?.results } },
        "PARTIAL_FAILED"
      )(subject)
    case "Failed":
    case "Crashed":
      return timelines.failedJson(overrides.errors ?? [], words[tag])(subject)
    default:
      return {}
  }
}

/** A run in the state with this tag, as the client would have read it. */
export const run = <Tag extends LumeRun.LumeRun["_tag"]>(
  tag: Tag,
  overrides: RunOverrides = {}
): Extract<LumeRun.LumeRun, { readonly _tag: Tag }> => {
  const runId = LumeRun.RunId.make(overrides.id ?? "run_test")
  const subject = {
    runId,
    flowVersion: "test_flow:v1",
    sourcePath: "s3://lume-test/source.csv",
    acceptedAt: Date.UTC(2026, 0, 1),
    took: 30_000
  }
  const made = LumeRun.fromWire({
    id: runId,
    status: tag === "Unrecognized" && overrides.status !== undefined ? overrides.status : words[tag],
    metadata: metadataJson(tag, subject, overrides),
    run_metadata: overrides.runMetadata
  })
  // the word decides the state, and this is the tag's own word
  return made as Extract<LumeRun.LumeRun, { readonly _tag: Tag }>
}

/**
 * Arbitraries for fast-check, whose values keep the invariants: `inputRows` is `mappedRows` plus `rejectedRows`,
 * `errorRate` is `testsFailed` divided by `testsExecuted`, and the stages take no longer than the whole.
 */
export const arbitrary = {
  /** Any `LumeMetadata`. */
  metadata: arbitraries.metadata,
  /** A run as Lume writes it, in any state. */
  wire: arbitraries.wire,
  /** A run in any state. */
  run: arbitraries.wire.map((wire): LumeRun.LumeRun => Schema.decodeUnknownSync(LumeRun.LumeRun)(wire))
}

// ---------------------------------------------------------------------------------------------------------------------
// Time

/** Lets virtual time pass, for fibers that were forked before: `TestClock.adjust`. */
export const advance = (duration: Duration.DurationInput): Effect.Effect<void> => TestClock.adjust(duration)

/** No effect waits longer than this for a test. */
const longestWait = Duration.days(365)

/**
 * Runs an effect to its end, skipping every sleep in it: an hour's wait takes milliseconds. The effect begins at the
 * test clock's time, and that is moved to its end.
 *
 * Only the effect's own fibers skip time; one that was forked before sleeps on until `waitFor` has ended. An effect
 * that has not ended after a year of virtual time dies with a message that says so.
 */
export const waitFor = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    const late = yield* Deferred.make<never>()
    const clock = new SkippingClock({
      now,
      longestSleep: Infinity,
      latest: now + Duration.toMillis(longestWait),
      onLate: () => {
        const message = `LumeTest.waitFor: the effect had not ended after ${Duration.format(longestWait)} of virtual time`
        Deferred.unsafeDone(late, Effect.dieMessage(message))
      }
    })
    const exit = yield* Effect.exit(Effect.raceFirst(Effect.withClock(effect, clock), Deferred.await(late)))
    yield* TestClock.setTime(clock.unsafeCurrentTimeMillis())
    return yield* exit
  })
