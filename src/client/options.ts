/**
 * What callers give, checked before anything is sent: every option with its default, and run ids.
 *
 * TypeScript checks only some callers, so each value is taken as unknown. A refusal names the option, says what it must
 * be, and what was given.
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { preview, thrown } from "../internal/text.js"
import type { InvalidRequestError } from "../LumeError.js"
import { isTerminal, LumeRun, type RunId, type TerminalRun } from "../LumeRun.js"
import type * as RunEvents from "../RunEvents.js"
import * as apiKey from "./apiKey.js"
import type * as endpoints from "./endpoints.js"
import type * as exchange from "./exchange.js"
import type * as polling from "./polling.js"
import { refuse } from "./refuse.js"
import type * as retry from "./retry.js"

type Checked<A> = Effect.Effect<A, InvalidRequestError>

type Unchecked<Name extends string> = { readonly [K in Name]?: unknown }

/** Refuses what is given for `name`. */
export const must = (name: string, be: string, given: unknown): Checked<never> =>
  refuse(`${name} must be ${be}, but is ${preview(given)}`)

// ---------------------------------------------------------------------------------------------------------------------
// Single values

const isNegative = (input: unknown): boolean =>
  Array.isArray(input)
    ? input.some(isNegative)
    : typeof input === "string"
      ? input.trim().startsWith("-")
      : (typeof input === "number" && !(input >= 0)) || (typeof input === "bigint" && input < 0n)

/** A duration, whatever is given; `None` if it is none. */
export const duration = (input: unknown): Option.Option<Duration.Duration> =>
  // What was given is checked, not what it becomes: decoding turns NaN and negative numbers into zero.
  isNegative(input) ? Option.none() : Duration.decodeUnknown(input)

/** A duration in milliseconds. */
export const millis = (
  name: string,
  given: unknown,
  allow: { readonly zero?: boolean; readonly infinity?: boolean } = {}
): Checked<number> => {
  const value = Option.match(duration(given), { onNone: () => Number.NaN, onSome: Duration.toMillis })
  const fits = (value > 0 || (value === 0 && allow.zero)) && (value < Infinity || allow.infinity)
  if (fits) return Effect.succeed(value)
  const kind = `a ${allow.zero ? "non-negative" : "positive"}${allow.infinity ? "" : ", finite"} duration`
  const shown = Duration.isDuration(given) ? Duration.format(given) : preview(given)
  return refuse(`${name} must be ${kind}, such as "10 seconds" or a number of milliseconds, but is ${shown}`)
}

/** An integer of at least `least`. */
export const count = (name: string, given: unknown, least: number): Checked<number> =>
  typeof given === "number" && Number.isSafeInteger(given) && given >= least
    ? Effect.succeed(given)
    : must(name, `an integer of at least ${least}`, given)

const flag = (name: string, given: unknown): Checked<boolean> =>
  typeof given === "boolean" ? Effect.succeed(given) : must(name, "true or false", given)

/** What is given, or its default. Only `undefined` is not given: `null` is something that can't be right. */
export const or = <A>(given: unknown, otherwise: A): unknown => (given === undefined ? otherwise : given)

const isObject = (given: unknown): given is Unchecked<string> => typeof given === "object" && given !== null

const httpUrl = "an http or https URL without credentials, query and fragment"

/** A base URL without a slash at its end. What may hold credentials is never shown. */
const baseUrl = (given: unknown): Checked<string> => {
  const refused =
    typeof given === "string" && /[@?#]/.test(given)
      ? refuse(`baseUrl must be ${httpUrl}, and what is given holds an @, a ? or a #`)
      : must("baseUrl", httpUrl, given)
  if (typeof given !== "string" || !URL.canParse(given)) return refused
  const url = new URL(given)
  if (!/^https?:$/.test(url.protocol) || url.username + url.password + url.search + url.hash !== "") return refused
  let path = url.pathname
  while (path.endsWith("/")) path = path.slice(0, -1)
  return Effect.succeed(url.origin + path)
}

const loopback = /^(?:localhost|.+\.localhost|127(?:\.\d+){3}|\[::1\])$/

/** Whether a URL's host is this machine. */
export const isLoopback = (hostname: string): boolean => loopback.test(hostname)

/** Whether the key would go over a network unencrypted. */
export const isUnencrypted = ({ baseUrl }: Settings): boolean => {
  const { hostname, protocol } = new URL(baseUrl)
  return protocol === "http:" && !isLoopback(hostname)
}

const segment = /^(?!\.{1,2}$)[^/?#\s\p{Cc}\p{Cs}]+$/u

/** A run id that can be sent: one segment of a path. */
export const runId = (id: unknown): Checked<RunId> =>
  typeof id === "string" && segment.test(id)
    ? Effect.succeed(id as RunId) // RunId asks for less: a non-empty string
    : must(
        "a run id",
        'a non-empty text without "/", "?", "#", white space or control characters, and neither "." nor ".."',
        id
      )

const isRun = Schema.is(LumeRun)

/** A run to wait for or to read again: as the client gave it, or its id. */
export const run = (given: unknown): Checked<LumeRun | RunId> =>
  typeof given === "string"
    ? runId(given)
    : isRun(given)
      ? Effect.succeed(given)
      : must("a run", "a LumeRun, such as run gives or Schema.decode makes of JSON, or its id", given)

/** Whether such a run has ended, as far as is known. */
export const isEnded = (run: LumeRun | RunId): run is TerminalRun => typeof run !== "string" && isTerminal(run)

// ---------------------------------------------------------------------------------------------------------------------
// The client's options

/** The base URL of Lume's own service. */
export const defaultBaseUrl = "https://api.lume.ai"

/** The options of a client, checked. */
export interface Settings extends exchange.Settings, endpoints.Settings {
  readonly backoff: retry.Backoff
  /** The defaults of every wait; each is checked with the wait. */
  readonly wait: WaitOptions
}

const backoff = (given: unknown): Checked<retry.Backoff> =>
  isObject(given)
    ? Effect.all({
        times: count("retry.times", or(given["times"], 3), 0),
        base: millis("retry.base", or(given["base"], "500 millis")),
        cap: millis("retry.cap", or(given["cap"], "30 seconds"))
      })
    : must("retry", "an object with times, base or cap", given)

const transformClient = (given: unknown): Checked<exchange.Settings["transformClient"]> => {
  if (typeof given !== "function") return must("transformClient", "a function", given)
  return Effect.succeed((client) =>
    Effect.try({
      // what it takes can't be checked
      try: (): unknown => given(client),
      catch: thrown
    }).pipe(
      Effect.catchAll((why) =>
        refuse(`transformClient must be a function that gives an HttpClient, but it throws: ${why}`)
      ),
      Effect.flatMap((made) =>
        isHttpClient(made) ? Effect.succeed(made) : must("what transformClient gives", "an HttpClient", made)
      )
    )
  )
}

const isHttpClient = (given: unknown): given is HttpClient.HttpClient => Predicate.hasProperty(given, "execute")

const paths = (given: unknown): Checked<endpoints.Settings["paths"]> => {
  if (isObject(given)) {
    const { status, submit } = given
    if (typeof submit === "string" && typeof status === "function") {
      return Effect.succeed({ submit, status: (id) => String(status(id)) })
    }
  }
  return must("paths", "an object with submit, a text, and status, a function", given)
}

const defaultPaths: endpoints.Settings["paths"] = {
  submit: "/runs",
  status: (id) => `/runs/${encodeURIComponent(id)}`
}

/** Checks the options of a client. */
export const settings = (
  given: Unchecked<
    | "apiKey"
    | "baseUrl"
    | "requestTimeout"
    | "paths"
    | "transformClient"
    | "retry"
    | "wait"
    | "maxResponseBytes"
    | "traceRequests"
  >
): Checked<Settings> =>
  isObject(given)
    ? Effect.all({
        apiKey: apiKey.check(given.apiKey),
        baseUrl: baseUrl(or(given.baseUrl, defaultBaseUrl)),
        requestTimeout: millis("requestTimeout", or(given.requestTimeout, "60 seconds"), { infinity: true }),
        paths: paths(or(given.paths, defaultPaths)),
        transformClient: transformClient(or(given.transformClient, (client: HttpClient.HttpClient) => client)),
        backoff: backoff(or(given.retry, {})),
        wait: waitOptions("wait", or(given.wait, {})),
        maxResponseBytes: count("maxResponseBytes", or(given.maxResponseBytes, 8 * 1024 ** 2), 1),
        traceRequests: flag("traceRequests", or(given.traceRequests, false))
      })
    : must("the client's options", "an object with an apiKey", given)

// ---------------------------------------------------------------------------------------------------------------------
// The options of a wait

type WaitOptions = Unchecked<"timeout" | "pollInterval" | "schedule" | "tolerance" | "onStatus">

const waitOptions = (name: string, given: unknown): Checked<WaitOptions> =>
  isObject(given)
    ? Effect.succeed(given)
    : must(name, "an object with timeout, pollInterval, schedule, tolerance or onStatus", given)

const pace = (pollInterval: unknown, schedule: unknown): Checked<polling.Pace> =>
  Effect.flatMap(millis("pollInterval", pollInterval), (interval): Checked<polling.Pace> => {
    if (schedule === undefined) return Effect.succeed({ schedule: Schedule.spaced(interval), isGiven: false })
    return Schedule.isSchedule(schedule)
      ? // what a schedule takes can't be checked
        Effect.succeed({ schedule: schedule as polling.Pace["schedule"], isGiven: true })
      : must("schedule", "a Schedule", schedule)
  })

const onStatus = (given: unknown): Checked<polling.Plan["onStatus"]> =>
  given === undefined || typeof given === "function"
    ? // what a function takes and gives can't be checked
      Effect.succeed(given as polling.Plan["onStatus"])
    : must("onStatus", "a function", given)

const defaultTimeout = "1 hour"
const defaultInterval = "5 seconds"
const defaultIntervalWithEvents = "5 minutes"
const defaultTolerance = "5 minutes"

/** Checks the options of a wait. What is not given there is as in the client's `wait` option, field by field. */
export const plan = (
  options: unknown,
  { backoff, wait }: Settings,
  events: RunEvents.Service | undefined
): Checked<polling.Plan> =>
  Effect.flatMap(waitOptions("the options of a wait", or(options, {})), (given) =>
    Effect.all({
      timeout: millis("timeout", or(given.timeout, or(wait.timeout, defaultTimeout)), { infinity: true }),
      pace: pace(
        or(
          given.pollInterval,
          or(wait.pollInterval, events === undefined ? defaultInterval : defaultIntervalWithEvents)
        ),
        // an interval that is given to this wait replaces a schedule that is not
        or(given.schedule, given.pollInterval === undefined ? wait.schedule : undefined)
      ),
      tolerance: millis("tolerance", or(given.tolerance, or(wait.tolerance, defaultTolerance)), {
        zero: true,
        infinity: true
      }),
      onStatus: onStatus(or(given.onStatus, wait.onStatus)),
      backoff: Effect.succeed(backoff),
      events: Effect.succeed(events)
    })
  )
