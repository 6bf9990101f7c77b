/**
 * The client: submit a run, read it, wait for its end.
 *
 * `LumeClient` is a service; `layer` and `layerConfig` make it from options or from the environment, over whichever
 * `HttpClient` the application provides.
 *
 * @module
 * @since 1.0.0
 */
import * as HttpClient from "@effect/platform/HttpClient"
import type * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import type * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as apiKey from "./client/apiKey.js"
import * as endpoints from "./client/endpoints.js"
import * as environment from "./client/environment.js"
import * as exchange from "./client/exchange.js"
import * as check from "./client/options.js"
import * as polling from "./client/polling.js"
import * as retry from "./client/retry.js"
import * as submission from "./client/submission.js"
import * as telemetry from "./client/telemetry.js"
import * as waitDefaults from "./client/waitDefaults.js"
import type * as LumeError from "./LumeError.js"
import * as LumeRun from "./LumeRun.js"
import * as RunEvents from "./RunEvents.js"
import type * as RunRequest from "./RunRequest.js"

/**
 * The client, as a service.
 *
 * @since 1.0.0
 * @category tags
 */
export class LumeClient extends Context.Tag("effect-lume/LumeClient")<LumeClient, Service>() {}

/**
 * What the client does.
 *
 * @since 1.0.0
 * @category models
 */
export interface Service {
  /**
   * Submits a run and returns at once; the pipeline goes on in Lume. The request is checked before anything is sent.
   *
   * Fails with `InvalidRequestError` (the request can't be right), `AlreadyProcessedError` (this flow version has
   * already processed this source path successfully), `AuthenticationError`, `RateLimitedError`, `TransportError`, or
   * `SubmitOutcomeUnknownError` if the run may have started and no answer says so.
   *
   * Sent again, up to `retry.times`, only if Lume certainly took nothing: no connection was made, or 429.
   * Source: Lume's `run`.
   */
  readonly run: (request: RunRequest.Input) => Effect.Effect<LumeRun.LumeRun, LumeError.SubmitError>

  /**
   * Reads a run by its id. Transient failures are retried up to `retry.times`.
   *
   * Fails with `InvalidRequestError` (an id that can't be sent), `RunNotFoundError`, `AuthenticationError`,
   * `RateLimitedError`, `ApiError`, `TransportError` or `DecodeError`. Source: Lume's `run_status`.
   */
  readonly runStatus: (id: string) => Effect.Effect<LumeRun.LumeRun, LumeError.StatusError>

  /** Reads a run again: `runStatus(run.id)`. Source: Lume's `run.refresh`. */
  readonly refresh: (run: LumeRun.LumeRun) => Effect.Effect<LumeRun.LumeRun, LumeError.StatusError>

  /**
   * Waits until a run has ended: reads it at once, then after each interval. A run that has already ended is returned
   * without a request. How the run ended is a value: `LumeRun.orFail` makes a failed run an error.
   *
   * Fails with `TimeoutError` when time is up or the schedule is done, with `InvalidRequestError` if an option can't
   * work, and with the other errors of `runStatus` if waiting can't cure them. A transient error, or an answer that can't
   * be read, ends a wait only if reads have failed for `tolerance`, at least twice.
   * Source: Lume's `run.wait`.
   */
  readonly wait: (
    run: LumeRun.LumeRun | string,
    options?: WaitOptions
  ) => Effect.Effect<LumeRun.TerminalRun, LumeError.WaitError>

  /**
   * The run as first read, then at every change of its status; ends after the terminal one. Reads are made as the
   * stream is pulled, at the pace of `wait`.
   *
   * Fails as `wait` does.
   */
  readonly watch: (
    run: LumeRun.LumeRun | string,
    options?: WaitOptions
  ) => Stream.Stream<LumeRun.LumeRun, LumeError.WaitError>

  /**
   * Submits a run and waits until it has ended. An option that can't work is refused before anything is submitted.
   *
   * Fails as `run` does if nothing is known to have started; then with `TimeoutError` when time is up, or with
   * `WaitFailedError`: the run goes on, and its id is in the error. A retry of transient errors
   * (`LumeError.isTransient`) submits no second time; a retry of every error does.
   */
  readonly runAndWait: (
    request: RunRequest.Input,
    options?: WaitOptions
  ) => Effect.Effect<LumeRun.TerminalRun, LumeError.SubmitError | LumeError.TimeoutError | LumeError.WaitFailedError>
}

/**
 * Where Lume is and how to speak to it. Bare numbers are milliseconds (in Lume's own SDK they are seconds).
 *
 * @since 1.0.0
 * @category models
 */
export interface Options {
  /** The API key. White space around it is ignored. It leaves the client only as the header `lume-api-key`. */
  readonly apiKey: Redacted.Redacted
  /** Lume's base URL; a path prefix is kept, a slash at the end does not matter. Default: `https://api.lume.ai`. */
  readonly baseUrl?: string | undefined
  /**
   * The longest that one request may take, its answer's body included; milliseconds if bare, `Infinity` is for ever.
   * Default: 60 seconds, as Lume's own.
   */
  readonly requestTimeout?: Duration.DurationInput | undefined
  /** The endpoints' paths, for deployments that differ. Default: `/runs` and `/runs/{id}`. */
  readonly paths?:
    | {
        /** The path that runs are submitted to by `POST`, below the base URL. */
        readonly submit: string
        /** The path that a run is read from by `GET`, below the base URL, by the run's id. */
        readonly status: (id: LumeRun.RunId) => string
      }
    | undefined
  /**
   * Wraps the HTTP client, for instance to log or to add headers. The key is added beneath it, for the base URL's
   * origin only: it is in no request that comes through here, and in no error of one. It is in `response.request` of the
   * responses that do, and in errors of reading their bodies. An answer can be read here as text or JSON, and whole:
   * then it is read again. The wrapper may send requests of its own. One to that origin with the submit's URL or body is
   * the submit: it could start a second run, so it is sent again only where the one before was certainly not taken.
   * Where another request fails after the answer to a submit, the outcome of that is unknown.
   */
  readonly transformClient?: ((client: HttpClient.HttpClient) => HttpClient.HttpClient) | undefined
  /**
   * How often a failed request is tried again: `times` (default 3) after delays that begin with `base` (default 500
   * milliseconds), double, are shortened or lengthened by up to a fifth, by chance, and never exceed `cap` (default 30
   * seconds). None is shorter than what an answer asks for (`Retry-After`, up to 2 minutes). Only what is safe is tried
   * again: reads, and submits that Lume certainly did not take. The reads of a wait have these delays too, but `tolerance`
   * says how long they go on.
   */
  readonly retry?:
    | {
        /** How often at most, after the first attempt; 0 is never. Default: 3. */
        readonly times?: number | undefined
        /** The delay before the second attempt; milliseconds if bare. Each delay after it is twice the one before. Default: 500 ms. */
        readonly base?: Duration.DurationInput | undefined
        /** The longest delay; milliseconds if bare. Default: 30 seconds. */
        readonly cap?: Duration.DurationInput | undefined
      }
    | undefined
  /**
   * The defaults of every wait of this client. The options of a call win, field by field; a call's `pollInterval` replaces
   * a `schedule` given here, too. Default: none.
   */
  readonly wait?: WaitOptions | undefined
  /** The largest body that is read, in bytes. Default: 8 MiB. */
  readonly maxResponseBytes?: number | undefined
  /**
   * Whether each HTTP request is a span of its own, with the headers that can't hold the key. Default: false, since a
   * wait makes hundreds.
   */
  readonly traceRequests?: boolean | undefined
}

/**
 * How to wait. Bare numbers are milliseconds (in Lume's own SDK they are seconds).
 *
 * @since 1.0.0
 * @category models
 */
export interface WaitOptions {
  /** How long to wait; `Infinity` is for ever. Default: 1 hour, as Lume's own. */
  readonly timeout?: Duration.DurationInput | undefined
  /** The time between two reads. Default: 5 seconds, as Lume's own; 5 minutes with `layerWithEvents`. */
  readonly pollInterval?: Duration.DurationInput | undefined
  /**
   * The pace of the reads, in place of `pollInterval`. It is fed with the run as last read, `None` before the first;
   * when it is done, the wait fails with `TimeoutError`. A step that takes time is interrupted at the deadline.
   */
  readonly schedule?: Schedule.Schedule<unknown, Option.Option<LumeRun.LumeRun>> | undefined
  /**
   * How long reads may go on failing, at least twice, before the wait fails with the last error. It is about transient
   * errors and answers that can't be read. Any other error ends the wait at once, but for a 404 in its first 10 seconds
   * where the run is known to exist: it was given as a run and not as an id, or has been read. Default: 5 minutes.
   */
  readonly tolerance?: Duration.DurationInput | undefined
  /**
   * Is told the run at every change of its status: as first read, then whenever it is read with another status, the last
   * one included; with `runAndWait`, as submitted first; a run that was given already ended, once. The wait goes on when
   * it is done. At the deadline it is interrupted, and the last read is made; of a run that has ended it has at least a
   * second. Should it die or interrupt itself, that is logged and the wait goes on. Default: nothing.
   */
  readonly onStatus?: ((run: LumeRun.LumeRun) => Effect.Effect<void>) | undefined
}

/**
 * Lume's advice for production as a `schedule` of `WaitOptions`, a pace of reads: 5 seconds, doubling, up to 60 seconds.
 *
 * @example
 * ```ts
 * import { LumeClient } from "effect-lume"
 *
 * const ended = LumeClient.wait("run_01HYE5ZJ4T8Q2W", { schedule: LumeClient.backoff, timeout: "6 hours" })
 * ```
 *
 * @since 1.0.0
 * @category schedules
 */
export const backoff: Schedule.Schedule<unknown> = Schedule.either(
  Schedule.exponential("5 seconds"),
  Schedule.spaced("60 seconds")
)

// ---------------------------------------------------------------------------------------------------------------------
// Making it

const makeWith = (
  given: Options,
  events: RunEvents.Service | undefined
): Effect.Effect<Service, LumeError.InvalidRequestError, HttpClient.HttpClient> =>
  Effect.gen(function* () {
    const settings = yield* check.settings(given)
    const defaults = yield* check.plan({}, settings, events)
    if (check.isUnencrypted(settings)) yield* telemetry.warnUnencrypted(settings.baseUrl)
    const client = yield* HttpClient.HttpClient
    const sending = yield* exchange.make(client, settings)
    const lume = yield* endpoints.make(sending, settings, apiKey.scrub(settings.apiKey))

    const run: Service["run"] = (input) =>
      Effect.flatMap(submission.prepare(input), (prepared) =>
        telemetry.inSpan(
          Effect.tap(retry.submit(lume.submit(prepared), settings.backoff), (run) =>
            Effect.annotateCurrentSpan("lume.run_id", run.id)
          ),
          "LumeClient.run",
          { "lume.flow_version": prepared.request.flowVersion, "lume.source_path": prepared.request.sourcePath }
        )
      )

    const runStatus: Service["runStatus"] = (id) =>
      Effect.flatMap(check.runId(id), (id) =>
        Effect.flatMap(lume.read(id), (read) =>
          telemetry.inSpan(retry.read(read(Infinity), settings.backoff), "LumeClient.runStatus", { "lume.run_id": id })
        )
      )

    const planOf = (waitOptions: WaitOptions | undefined) => check.plan(waitOptions, settings, events)

    const toAwaited = (run: LumeRun.LumeRun | LumeRun.RunId) =>
      Effect.gen(function* () {
        const id = yield* check.runId(typeof run === "string" ? run : run.id)
        return { id, known: typeof run !== "string", read: yield* lume.read(id) }
      })

    const waiting = <A, E>({ id }: polling.AwaitedRun, wait: Effect.Effect<A, E>) =>
      telemetry.inSpan(wait, "LumeClient.wait", { "lume.run_id": id })

    // flattened, so that nothing but the wait itself is held while it goes on
    const wait: Service["wait"] = (given, waitOptions) =>
      Effect.flatten(
        Effect.gen(function* () {
          const run = yield* check.run(given)
          const plan = yield* planOf(waitOptions)
          if (check.isEnded(run)) return Effect.as(polling.reportEnded(run, plan), run)
          const awaited = yield* toAwaited(run)
          return waiting(awaited, polling.wait(awaited, plan))
        })
      )

    const watch: Service["watch"] = (given, waitOptions) =>
      Stream.unwrap(
        Effect.gen(function* () {
          const run = yield* check.run(given)
          const plan = yield* planOf(waitOptions)
          if (check.isEnded(run)) return Stream.fromEffect(Effect.as(polling.reportEnded(run, plan), run))
          const awaited = yield* toAwaited(run)
          return Stream.withSpan(polling.watch(awaited, plan), "LumeClient.watch", {
            attributes: { "lume.run_id": awaited.id },
            captureStackTrace: false
          })
        })
      )

    const runAndWait: Service["runAndWait"] = (request, waitOptions) =>
      Effect.flatten(
        Effect.gen(function* () {
          // before anything is submitted
          const plan = yield* planOf(waitOptions)
          const submitted = yield* run(request)
          if (LumeRun.isTerminal(submitted)) return Effect.as(polling.reportEnded(submitted, plan), submitted)
          const awaited = yield* Effect.mapError(toAwaited(submitted), (error) => polling.waitFailed(error, submitted))
          return waiting(awaited, polling.waitForSubmitted(submitted, awaited, plan))
        })
      )

    const refresh: Service["refresh"] = (given) =>
      Effect.flatMap(check.run(given), (run) => runStatus(typeof run === "string" ? run : run.id))

    return waitDefaults.noted({ run, runStatus, refresh, wait, watch, runAndWait }, defaults)
  })

/**
 * Makes the client.
 *
 * Fails with `InvalidRequestError` if an option can't be right, such as a key that can't be a header.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Redacted from "effect/Redacted"
 * import { LumeClient } from "effect-lume"
 *
 * const program = Effect.gen(function* () {
 *   const lume = yield* LumeClient.make({ apiKey: Redacted.make("a-key") })
 *   return yield* lume.runStatus("run_01HYE5ZJ4T8Q2W")
 * })
 * ```
 *
 * @since 1.0.0
 * @category constructors
 */
export const make = (options: Options): Effect.Effect<Service, LumeError.InvalidRequestError, HttpClient.HttpClient> =>
  makeWith(options, undefined)

/**
 * The client as a layer over the application's `HttpClient`.
 *
 * Fails with `InvalidRequestError` if an option can't be right.
 *
 * @example
 * ```ts
 * import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
 * import * as Layer from "effect/Layer"
 * import * as Redacted from "effect/Redacted"
 * import { LumeClient } from "effect-lume"
 *
 * const Lume = LumeClient.layer({ apiKey: Redacted.make("a-key"), requestTimeout: "30 seconds" }).pipe(
 *   Layer.provide(FetchHttpClient.layer)
 * )
 * ```
 *
 * @since 1.0.0
 * @category layers
 */
export const layer = (
  options: Options
): Layer.Layer<LumeClient, LumeError.InvalidRequestError, HttpClient.HttpClient> =>
  Layer.effect(LumeClient, make(options))

/**
 * The client as a layer whose waits are woken by `RunEvents`, such as those that a webhook publishes. They poll every 5
 * minutes unless told otherwise, so that none depends on an event, and read their run at once when one arrives. An
 * event is only a hint: if the run has not ended yet, it is read every 5 seconds for a minute.
 *
 * Fails with `InvalidRequestError` if an option can't be right.
 *
 * @example
 * ```ts
 * import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
 * import * as Layer from "effect/Layer"
 * import * as Redacted from "effect/Redacted"
 * import { LumeClient, RunEvents } from "effect-lume"
 *
 * // with RunEvents in its output, so that a webhook publishes into the same
 * const Lume = LumeClient.layerWithEvents({ apiKey: Redacted.make("a-key") }).pipe(
 *   Layer.provideMerge(RunEvents.layer),
 *   Layer.provide(FetchHttpClient.layer)
 * )
 * ```
 *
 * @since 1.0.0
 * @category layers
 */
export const layerWithEvents = (
  options: Options
): Layer.Layer<LumeClient, LumeError.InvalidRequestError, HttpClient.HttpClient | RunEvents.RunEvents> =>
  Layer.effect(
    LumeClient,
    Effect.flatMap(RunEvents.RunEvents, (events) => makeWith(options, events))
  )

/**
 * The options of `layerConfig`: each a plain value, or a `Config` of the whole option.
 *
 * @since 1.0.0
 * @category models
 */
export type Configs = { readonly [K in keyof Options]?: Options[K] | Config.Config<Options[K]> | undefined }

const optionsFrom = (configs: Configs): Effect.Effect<Options, ConfigError.ConfigError> =>
  // each value has the type of its option, once it is read
  Effect.map(environment.read(configs), (options) => options as unknown as Options)

/**
 * The client as a layer, with what is not given read from the environment: `LUME_API_KEY`, `LUME_BASE_URL`, and
 * `LUME_REQUEST_TIMEOUT` (in seconds, or a duration such as `2 minutes`).
 *
 * Fails with `ConfigError` if a variable is missing or can't be read, and as `layer` does.
 *
 * @example
 * ```ts
 * import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
 * import * as Config from "effect/Config"
 * import * as Layer from "effect/Layer"
 * import { LumeClient } from "effect-lume"
 *
 * const Lume = LumeClient.layerConfig({ apiKey: Config.redacted("ACME_LUME_KEY"), requestTimeout: "30 seconds" }).pipe(
 *   Layer.provide(FetchHttpClient.layer)
 * )
 * ```
 *
 * @since 1.0.0
 * @category layers
 */
export const layerConfig = (
  configs: Configs = {}
): Layer.Layer<LumeClient, LumeError.InvalidRequestError | ConfigError.ConfigError, HttpClient.HttpClient> =>
  Layer.effect(LumeClient, Effect.flatMap(optionsFrom(configs), make))

/**
 * `layerConfig` with waits that are woken by `RunEvents`, as those of `layerWithEvents` are.
 *
 * Fails as `layerConfig` does.
 *
 * @example
 * ```ts
 * import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
 * import * as Layer from "effect/Layer"
 * import { LumeClient, RunEvents } from "effect-lume"
 *
 * const Lume = LumeClient.layerConfigWithEvents({ wait: { pollInterval: "10 minutes" } }).pipe(
 *   Layer.provideMerge(RunEvents.layer),
 *   Layer.provide(FetchHttpClient.layer)
 * )
 * ```
 *
 * @since 1.0.0
 * @category layers
 */
export const layerConfigWithEvents = (
  configs: Configs = {}
): Layer.Layer<
  LumeClient,
  LumeError.InvalidRequestError | ConfigError.ConfigError,
  HttpClient.HttpClient | RunEvents.RunEvents
> =>
  Layer.effect(
    LumeClient,
    Effect.flatMap(RunEvents.RunEvents, (events) =>
      Effect.flatMap(optionsFrom(configs), (options) => makeWith(options, events))
    )
  )

// ---------------------------------------------------------------------------------------------------------------------
// The methods, as functions that need the service

/**
 * Submits a run and returns at once, as `Service.run` does.
 *
 * Fails with `InvalidRequestError`, `AlreadyProcessedError`, `AuthenticationError`, `RateLimitedError`, `TransportError` or
 * `SubmitOutcomeUnknownError`. Source: Lume's `run`.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { LumeClient } from "effect-lume"
 *
 * const program = LumeClient.run({
 *   flowVersion: "invoice_cleaner:v4",
 *   sourcePath: "s3://acme/batch-001.csv",
 *   runMetadata: { batch: "2026-11" }
 * }).pipe(Effect.tap((run) => Effect.log(`submitted as ${run.id}`)))
 * ```
 *
 * @since 1.0.0
 * @category accessors
 */
export const run = (request: RunRequest.Input): Effect.Effect<LumeRun.LumeRun, LumeError.SubmitError, LumeClient> =>
  Effect.flatMap(LumeClient, (lume) => lume.run(request))

/**
 * Reads a run by its id, as `Service.runStatus` does. Transient failures are retried.
 *
 * Fails with `InvalidRequestError`, `RunNotFoundError`, `AuthenticationError`, `RateLimitedError`, `ApiError`,
 * `TransportError` or `DecodeError`. Source: Lume's `run_status`.
 *
 * @example
 * ```ts
 * import { LumeClient } from "effect-lume"
 *
 * const run = LumeClient.runStatus("run_01HYE5ZJ4T8Q2W")
 * ```
 *
 * @since 1.0.0
 * @category accessors
 */
export const runStatus = (id: string): Effect.Effect<LumeRun.LumeRun, LumeError.StatusError, LumeClient> =>
  Effect.flatMap(LumeClient, (lume) => lume.runStatus(id))

/**
 * `run.refresh()` of Lume's reference, for pipes: `run.pipe(LumeClient.refresh)`. The run as it is now is the result.
 *
 * Fails as `runStatus` does.
 *
 * @see Service.refresh
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { LumeClient } from "effect-lume"
 *
 * const program = LumeClient.run({ flowVersion: "invoice_cleaner:v4", sourcePath: "batch-001" }).pipe(
 *   Effect.delay("1 minute"),
 *   Effect.flatMap(LumeClient.refresh)
 * )
 * ```
 *
 * @since 1.0.0
 * @category accessors
 */
export const refresh = (run: LumeRun.LumeRun): Effect.Effect<LumeRun.LumeRun, LumeError.StatusError, LumeClient> =>
  Effect.flatMap(LumeClient, (lume) => lume.refresh(run))

// Options have no id, and never will: that is what tells a run that is given from options.
const isDataFirst = (args: IArguments): boolean =>
  args[1] !== undefined || typeof args[0] === "string" || Predicate.hasProperty(args[0], "id")

/**
 * `run.wait()` of Lume's reference. The run as it ended is the result: a failed run is a value too.
 *
 * Takes the run, or its id, first or last: `LumeClient.wait(run, options)`, `run.pipe(LumeClient.wait(options))`,
 * `Effect.flatMap(LumeClient.wait)`. Fails with `TimeoutError`, `InvalidRequestError`, and the errors of `runStatus` that
 * waiting can't cure.
 *
 * @see Service.wait
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { LumeClient, LumeRun } from "effect-lume"
 *
 * const program = LumeClient.run({ flowVersion: "invoice_cleaner:v4", sourcePath: "batch-001" }).pipe(
 *   Effect.flatMap(LumeClient.wait({ timeout: "10 minutes" })),
 *   Effect.flatMap(LumeRun.orFail)
 * )
 *
 * // of a run that was submitted elsewhere
 * const ended = LumeClient.wait("run_01HYE5ZJ4T8Q2W", { timeout: "10 minutes" })
 * ```
 *
 * @since 1.0.0
 * @category accessors
 */
export const wait: {
  (
    options?: WaitOptions
  ): (run: LumeRun.LumeRun | string) => Effect.Effect<LumeRun.TerminalRun, LumeError.WaitError, LumeClient>
  // last, because TypeScript takes the last overload of a function that is passed on
  (
    run: LumeRun.LumeRun | string,
    options?: WaitOptions
  ): Effect.Effect<LumeRun.TerminalRun, LumeError.WaitError, LumeClient>
} = dual(
  isDataFirst,
  (
    run: LumeRun.LumeRun | string,
    options?: WaitOptions
  ): Effect.Effect<LumeRun.TerminalRun, LumeError.WaitError, LumeClient> =>
    Effect.flatMap(LumeClient, (lume) => lume.wait(run, options))
)

/**
 * The run as first read, then at every change of its status; ends after the terminal one.
 *
 * Takes the run, or its id, first or last, and fails as `wait` does.
 *
 * @see Service.watch
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 * import { LumeClient } from "effect-lume"
 *
 * const program = LumeClient.watch("run_01HYE5ZJ4T8Q2W", { timeout: "1 hour" }).pipe(
 *   Stream.runForEach((run) => Effect.log(`${run.id} is ${run.status}`))
 * )
 * ```
 *
 * @since 1.0.0
 * @category accessors
 */
export const watch: {
  (
    options?: WaitOptions
  ): (run: LumeRun.LumeRun | string) => Stream.Stream<LumeRun.LumeRun, LumeError.WaitError, LumeClient>
  (
    run: LumeRun.LumeRun | string,
    options?: WaitOptions
  ): Stream.Stream<LumeRun.LumeRun, LumeError.WaitError, LumeClient>
} = dual(
  isDataFirst,
  (
    run: LumeRun.LumeRun | string,
    options?: WaitOptions
  ): Stream.Stream<LumeRun.LumeRun, LumeError.WaitError, LumeClient> =>
    Stream.unwrap(Effect.map(LumeClient, (lume) => lume.watch(run, options)))
)

/**
 * Submits a run and waits until it has ended, as `Service.runAndWait` does.
 *
 * Fails as `run` does if nothing is known to have started; then with `TimeoutError` when time is up, or with
 * `WaitFailedError`: the run goes on, and its id is in the error.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { LumeClient, LumeRun } from "effect-lume"
 *
 * const rejected = LumeClient.runAndWait(
 *   { flowVersion: "invoice_cleaner:v4", sourcePath: "s3://acme/batch-001.csv" },
 *   { timeout: "10 minutes" }
 * ).pipe(
 *   Effect.flatMap(LumeRun.orFail),
 *   Effect.flatMap((run) => run.metadata),
 *   Effect.map(({ results }) => results.rejectedRows)
 * )
 * ```
 *
 * @since 1.0.0
 * @category accessors
 */
export const runAndWait = (
  request: RunRequest.Input,
  options?: WaitOptions
): Effect.Effect<
  LumeRun.TerminalRun,
  LumeError.SubmitError | LumeError.TimeoutError | LumeError.WaitFailedError,
  LumeClient
> => Effect.flatMap(LumeClient, (lume) => lume.runAndWait(request, options))
