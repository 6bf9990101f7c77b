/**
 * The client: submit a run, read it, wait for its end.
 *
 * `LumeClient` is a service; `layer` and `layerConfig` make it from options or from the environment, over whichever
 * `HttpClient` the application provides.
 */
import * as HttpClient from "@effect/platform/HttpClient"
import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as api from "./client/endpoints.js"
import * as exchange from "./client/exchange.js"
import * as key from "./client/apiKey.js"
import * as check from "./client/options.js"
import * as polling from "./client/polling.js"
import * as retry from "./client/retry.js"
import * as LumeError from "./LumeError.js"
import * as LumeRun from "./LumeRun.js"
import * as RunEvents from "./RunEvents.js"
import * as RunRequest from "./RunRequest.js"

/** The client, as a service. */
export class LumeClient extends Context.Tag("effect-lume/LumeClient")<LumeClient, Service>() {}

/** What the client does. */
export interface Service {
  /**
   * Submits a run and returns at once; the pipeline goes on in Lume. The request is checked before anything is sent.
   *
   * Fails with `InvalidRequestError` (the request can't be right), `AlreadyProcessedError` (this flow version has
   * already processed this source path successfully), `AuthenticationError`, `RateLimitedError`, `ApiError`,
   * `TransportError`, or `SubmitOutcomeUnknownError` where the run may have started and no answer says so.
   *
   * Sent again, up to `retry.times`, only where Lume certainly took nothing: no connection was made, 429, or 503 with
   * `Retry-After`. Source: Lume's `run`.
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
   * Fails with `TimeoutError` when time is up, with `InvalidRequestError` where an option can't work, and with the
   * other errors of `runStatus` where waiting can't cure them, or where no read has succeeded for `tolerance`.
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
   * Submits a run and waits until it has ended. Where the wait fails, the run goes on: its id is in the error.
   *
   * Fails as `run` and `wait` do.
   */
  readonly runAndWait: (
    request: RunRequest.Input,
    options?: WaitOptions
  ) => Effect.Effect<LumeRun.TerminalRun, LumeError.SubmitError | LumeError.WaitError>
}

/** Where Lume is and how to speak to it. Bare numbers are milliseconds (in Lume's own SDK they are seconds). */
export interface Options {
  /** The API key. White space around it is ignored. It leaves the client only as the header `lume-api-key`. */
  readonly apiKey: Redacted.Redacted
  /** Lume's base URL; a path prefix is kept, a slash at the end does not matter. Default: `https://api.lume.ai`. */
  readonly baseUrl?: string | undefined
  /** The longest that one request may take, its answer's body included. Default: 60 seconds, as Lume's own. */
  readonly requestTimeout?: Duration.DurationInput | undefined
  /** The endpoints' paths, for deployments that differ. Default: `/runs` and `/runs/{id}`. */
  readonly paths?:
    | {
        readonly submit: string
        readonly status: (id: LumeRun.RunId) => string
      }
    | undefined
  /**
   * Wraps the HTTP client, for instance to log or to add headers. The key is added beneath it: it is in no request
   * and no error that passes here. It is in `response.request` of the responses that do.
   */
  readonly transformClient?: ((client: HttpClient.HttpClient) => HttpClient.HttpClient) | undefined
  /**
   * How often a failed request is tried again: `times` (default 3) after delays that begin with `base` (default 500
   * milliseconds), double, and go up to `cap` (default 30 seconds). Where an answer says `Retry-After`, that is the
   * delay. Only what is safe is tried again: reads, and submits that Lume certainly did not take.
   */
  readonly retry?:
    | {
        readonly times?: number | undefined
        readonly base?: Duration.DurationInput | undefined
        readonly cap?: Duration.DurationInput | undefined
      }
    | undefined
  /** The largest body that is read, in bytes. Default: 8 MiB. */
  readonly maxResponseBytes?: number | undefined
  /** Whether each HTTP request is a span of its own. Default: false, since a wait makes hundreds. */
  readonly traceRequests?: boolean | undefined
}

/** How to wait. Bare numbers are milliseconds (in Lume's own SDK they are seconds). */
export interface WaitOptions {
  /** How long to wait; `Infinity` is for ever. Default: 1 hour, as Lume's own. */
  readonly timeout?: Duration.DurationInput | undefined
  /** The time between two reads. Default: 5 seconds, as Lume's own; 5 minutes with `layerWithEvents`. */
  readonly pollInterval?: Duration.DurationInput | undefined
  /**
   * The pace of the reads, in place of `pollInterval`. It is fed with the run as last read, `None` before the first;
   * when it is done, the wait fails with `TimeoutError`.
   */
  readonly schedule?: Schedule.Schedule<unknown, Option.Option<LumeRun.LumeRun>> | undefined
  /** How long reads may go on failing transiently before the wait fails with the last error. Default: 5 minutes. */
  readonly tolerance?: Duration.DurationInput | undefined
}

/** Lume's advice for production as a schedule for `WaitOptions`: 5 seconds, doubling, up to 60 seconds. */
export const backoff: Schedule.Schedule<unknown> = Schedule.either(
  Schedule.exponential("5 seconds"),
  Schedule.spaced("60 seconds")
)

// ---------------------------------------------------------------------------------------------------------------------
// Checking what callers give

const checked = <A>(result: Either.Either<A, string>): Effect.Effect<A, LumeError.InvalidRequestError> =>
  Either.match(result, {
    onLeft: (detail) => Effect.fail(new LumeError.InvalidRequestError({ detail })),
    onRight: Effect.succeed
  })

const prepare = (input: RunRequest.Input): Effect.Effect<RunRequest.Prepared, LumeError.InvalidRequestError> =>
  checked(
    Either.mapLeft(
      RunRequest.prepare(input),
      ({ expected, path, received }) => `${path === "" ? "the request" : path} must be ${expected}, but is ${received}`
    )
  )

const makeBackoff = (options: Options["retry"] = {}): Effect.Effect<retry.Backoff, LumeError.InvalidRequestError> =>
  Effect.all({
    times: checked(check.count("retry.times", options.times ?? 3, 0)),
    base: checked(check.millis("retry.base", options.base ?? "500 millis")),
    cap: checked(check.millis("retry.cap", options.cap ?? "30 seconds"))
  })

const makePlan = (
  options: WaitOptions,
  backoff: retry.Backoff,
  events: RunEvents.Service | undefined
): Effect.Effect<polling.Plan, LumeError.InvalidRequestError> =>
  Effect.all({
    timeout: checked(check.millis("timeout", options.timeout ?? "1 hour", { infinity: true })),
    pace: Effect.map(
      checked(check.millis("pollInterval", options.pollInterval ?? (events === undefined ? "5 seconds" : "5 minutes"))),
      (interval): polling.Plan["pace"] => options.schedule ?? Schedule.spaced(interval)
    ),
    tolerance: checked(check.millis("tolerance", options.tolerance ?? "5 minutes", { zero: true, infinity: true })),
    backoff: Effect.succeed(backoff),
    events: Effect.succeed(events)
  })

const makeExchange = (
  options: Options,
  apiKey: string
): Effect.Effect<exchange.Exchange, LumeError.InvalidRequestError, HttpClient.HttpClient> =>
  Effect.map(
    Effect.all({
      client: HttpClient.HttpClient,
      requestTimeout: checked(
        check.millis("requestTimeout", options.requestTimeout ?? "60 seconds", { infinity: true })
      ),
      maxResponseBytes: checked(check.count("maxResponseBytes", options.maxResponseBytes ?? 8 * 1024 ** 2, 1))
    }),
    (parts) =>
      exchange.make({
        ...parts,
        key: apiKey,
        transformClient: options.transformClient ?? ((client) => client),
        traceRequests: options.traceRequests ?? false
      })
  )

// ---------------------------------------------------------------------------------------------------------------------
// Making it

const makeWith = (
  options: Options,
  events: RunEvents.Service | undefined
): Effect.Effect<Service, LumeError.InvalidRequestError, HttpClient.HttpClient> =>
  Effect.gen(function* () {
    const apiKey = yield* checked(key.check(options.apiKey))
    const backoff = yield* makeBackoff(options.retry)
    const endpoints = {
      baseUrl: yield* checked(check.baseUrl(options.baseUrl ?? "https://api.lume.ai")),
      submit: options.paths?.submit ?? "/runs",
      status: options.paths?.status ?? ((id) => `/runs/${encodeURIComponent(id)}`)
    }
    const lume = api.make(yield* makeExchange(options, apiKey), endpoints, key.scrub(apiKey))

    const run: Service["run"] = (input) =>
      Effect.flatMap(prepare(input), ({ json, request }) =>
        Effect.withSpan(
          lume.submit(request, json).pipe(
            Effect.retry({
              schedule: retry.schedule(backoff, ({ error }: api.SubmitFailure) => LumeError.retryAfter(error)),
              while: ({ repeatable }) => repeatable
            }),
            Effect.mapError(({ error }) => error),
            Effect.tap((run) => Effect.annotateCurrentSpan("lume.run_id", run.id))
          ),
          "LumeClient.run",
          {
            attributes: { "lume.flow_version": request.flowVersion, "lume.source_path": request.sourcePath },
            captureStackTrace: false
          }
        )
      )

    const runStatus: Service["runStatus"] = (id) =>
      Effect.flatMap(checked(check.runId(id)), (id) =>
        Effect.withSpan(
          Effect.retry(lume.read(id)(Infinity), {
            schedule: retry.schedule(backoff, LumeError.retryAfter),
            while: LumeError.isTransient
          }),
          "LumeClient.runStatus",
          { attributes: { "lume.run_id": id }, captureStackTrace: false }
        )
      )

    const subject = (run: LumeRun.LumeRun | string): Effect.Effect<polling.Subject, LumeError.InvalidRequestError> =>
      Effect.map(checked(check.runId(typeof run === "string" ? run : run.id)), (id) => ({
        id,
        known: typeof run !== "string",
        read: lume.read(id)
      }))

    const wait: Service["wait"] = (run, options = {}) =>
      Effect.flatMap(makePlan(options, backoff, events), (plan) =>
        isEnded(run)
          ? Effect.succeed(run)
          : Effect.flatMap(subject(run), (subject) =>
              Effect.withSpan(polling.wait(subject, plan), "LumeClient.wait", {
                attributes: { "lume.run_id": subject.id },
                captureStackTrace: false
              })
            )
      )

    const watch: Service["watch"] = (run, options = {}) =>
      Stream.unwrap(
        Effect.flatMap(makePlan(options, backoff, events), (plan) =>
          isEnded(run)
            ? Effect.succeed(Stream.succeed(run))
            : Effect.map(subject(run), (subject) =>
                Stream.withSpan(polling.watch(subject, plan), "LumeClient.watch", {
                  attributes: { "lume.run_id": subject.id },
                  captureStackTrace: false
                })
              )
        )
      )

    return {
      run,
      runStatus,
      refresh: (run) => runStatus(run.id),
      wait,
      watch,
      // options that can't work are refused before anything is submitted
      runAndWait: (request, options = {}) =>
        Effect.zipRight(
          makePlan(options, backoff, events),
          Effect.flatMap(run(request), (run) => wait(run, options))
        )
    }
  })

const isEnded = (run: LumeRun.LumeRun | string): run is LumeRun.TerminalRun =>
  typeof run !== "string" && LumeRun.isTerminal(run)

/**
 * Makes the client.
 *
 * Fails with `InvalidRequestError` where an option can't be right, such as a key that can't be a header.
 */
export const make = (options: Options): Effect.Effect<Service, LumeError.InvalidRequestError, HttpClient.HttpClient> =>
  makeWith(options, undefined)

/**
 * The client as a layer over the application's `HttpClient`.
 *
 * Fails with `InvalidRequestError` where an option can't be right.
 */
export const layer = (
  options: Options
): Layer.Layer<LumeClient, LumeError.InvalidRequestError, HttpClient.HttpClient> =>
  Layer.effect(LumeClient, make(options))

/**
 * The client as a layer whose waits are woken by `RunEvents`, such as those that a webhook publishes. They poll every 5
 * minutes unless told otherwise, so that none depends on an event, and read their run at once when one arrives. An
 * event is only a hint: where the run has not ended yet, it is read every 5 seconds for a minute.
 *
 * Fails with `InvalidRequestError` where an option can't be right.
 */
export const layerWithEvents = (
  options: Options
): Layer.Layer<LumeClient, LumeError.InvalidRequestError, HttpClient.HttpClient | RunEvents.RunEvents> =>
  Layer.effect(
    LumeClient,
    Effect.flatMap(RunEvents.RunEvents, (events) => makeWith(options, events))
  )

// ---------------------------------------------------------------------------------------------------------------------
// From the environment

const nonEmpty = (name: string): Config.Config<string | undefined> =>
  Config.string(name).pipe(
    Config.option,
    Config.map((text) => Option.getOrUndefined(Option.filter(text, (text) => text.trim() !== "")))
  )

/** Not `Config.redacted`, whose errors leave out what is missing; no error of a plain text shows the text. */
const environmentKey: Config.Config<Redacted.Redacted> = Config.map(Config.string("LUME_API_KEY"), (text) =>
  Redacted.make(text)
)

/** Seconds, as everywhere in Lume, or a duration with its unit. */
const requestTimeout: Effect.Effect<Duration.Duration | undefined, ConfigError.ConfigError> = Effect.gen(function* () {
  const text = (yield* nonEmpty("LUME_REQUEST_TIMEOUT"))?.trim()
  if (text === undefined) return undefined
  const given = check.duration(/^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : text)
  if (given !== undefined && Duration.toMillis(given) > 0) return given
  return yield* Effect.fail(
    ConfigError.InvalidData(
      ["LUME_REQUEST_TIMEOUT"],
      `Expected a positive number of seconds, or a duration such as "2 minutes", but received ${JSON.stringify(text)}`
    )
  )
})

/** `Config.unwrap` asks for at least one. */
const unwrap = (configs: Config.Config.Wrap<Partial<Options>>): Config.Config<Partial<Options>> =>
  Object.keys(configs).length === 0 ? Config.succeed({}) : Config.unwrap(configs)

/**
 * The client as a layer, with what is not given read from the environment: `LUME_API_KEY`, `LUME_BASE_URL`, and
 * `LUME_REQUEST_TIMEOUT` (in seconds, or a duration such as `2 minutes`).
 *
 * ```ts
 * LumeClient.layerConfig({ apiKey: Config.redacted("ACME_LUME_KEY") })
 * ```
 *
 * Fails with `ConfigError` where a variable is missing or can't be read, and as `layer` does.
 */
export const layerConfig = (
  configs: Config.Config.Wrap<Partial<Options>> = {}
): Layer.Layer<LumeClient, LumeError.InvalidRequestError | ConfigError.ConfigError, HttpClient.HttpClient> =>
  Layer.effect(
    LumeClient,
    Effect.gen(function* () {
      const given = yield* unwrap(configs)
      return yield* make({
        ...given,
        apiKey: given.apiKey ?? (yield* environmentKey),
        baseUrl: given.baseUrl ?? (yield* nonEmpty("LUME_BASE_URL")),
        requestTimeout: given.requestTimeout ?? (yield* requestTimeout)
      })
    })
  )

// ---------------------------------------------------------------------------------------------------------------------
// The run's own methods

/**
 * `run.wait()` of Lume's reference, for pipes: `run.pipe(LumeClient.wait({ timeout: "10 minutes" }))`. The run as it
 * ended is the result.
 *
 * Fails as `Service.wait` does.
 */
export const wait =
  (options?: WaitOptions) =>
  (run: LumeRun.LumeRun | string): Effect.Effect<LumeRun.TerminalRun, LumeError.WaitError, LumeClient> =>
    Effect.flatMap(LumeClient, (lume) => lume.wait(run, options))

/**
 * `run.refresh()` of Lume's reference, for pipes: `run.pipe(LumeClient.refresh)`. The run as it is now is the result.
 *
 * Fails as `Service.runStatus` does.
 */
export const refresh = (run: LumeRun.LumeRun): Effect.Effect<LumeRun.LumeRun, LumeError.StatusError, LumeClient> =>
  Effect.flatMap(LumeClient, (lume) => lume.refresh(run))
