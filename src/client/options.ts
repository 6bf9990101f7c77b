/**
 * What callers give, checked before anything is sent: every option with its default, and run ids.
 *
 * TypeScript checks only some callers, so that each value is taken as unknown. A refusal names the option, says what it
 * must be, and what was given.
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import { preview } from "../internal/text.js"
import { InvalidRequestError } from "../LumeError.js"
import type { RunId } from "../LumeRun.js"
import type * as RunEvents from "../RunEvents.js"
import * as apiKey from "./apiKey.js"
import type * as endpoints from "./endpoints.js"
import type * as exchange from "./exchange.js"
import type * as polling from "./polling.js"
import type * as retry from "./retry.js"

type Checked<A> = Effect.Effect<A, InvalidRequestError>

type Unchecked<Name extends string> = { readonly [K in Name]?: unknown }

const refuse = (detail: string): Checked<never> => Effect.fail(new InvalidRequestError({ detail }))

const must = (name: string, be: string, given: unknown): Checked<never> =>
  refuse(`${name} must be ${be}, but is ${preview(given)}`)

// ---------------------------------------------------------------------------------------------------------------------
// Single values

const isNegative = (input: unknown): boolean =>
  Array.isArray(input)
    ? input.some(isNegative)
    : typeof input === "string"
      ? input.trim().startsWith("-")
      : (typeof input === "number" && !(input >= 0)) || (typeof input === "bigint" && input < 0n)

/** A duration, whatever is given; `None` where it is none. */
export const duration = (input: unknown): Option.Option<Duration.Duration> =>
  // What was given is checked, not what it becomes: decoding turns NaN and negative numbers into zero.
  isNegative(input) ? Option.none() : Duration.decodeUnknown(input)

/** A duration in milliseconds. */
const millis = (
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
const count = (name: string, given: unknown, least: number): Checked<number> =>
  typeof given === "number" && Number.isSafeInteger(given) && given >= least
    ? Effect.succeed(given)
    : must(name, `an integer of at least ${least}`, given)

const isObject = (given: unknown): given is Unchecked<string> => typeof given === "object" && given !== null

/** A base URL without a slash at its end. */
const baseUrl = (given: unknown): Checked<string> => {
  if (typeof given !== "string" || !URL.canParse(given)) return must("baseUrl", httpUrl, given)
  const url = new URL(given)
  if (url.username + url.password !== "") return refuse("baseUrl must not hold credentials")
  return /^https?:$/.test(url.protocol) && url.search + url.hash === ""
    ? Effect.succeed((url.origin + url.pathname).replace(/\/+$/, ""))
    : must("baseUrl", httpUrl, given)
}

const httpUrl = "an http or https URL without credentials, query and fragment"

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

// ---------------------------------------------------------------------------------------------------------------------
// The client's options

/** The options of a client, checked. */
export interface Settings extends exchange.Settings, endpoints.Settings {
  readonly backoff: retry.Backoff
}

const backoff = (given: unknown): Checked<retry.Backoff> =>
  isObject(given)
    ? Effect.all({
        times: count("retry.times", given["times"] ?? 3, 0),
        base: millis("retry.base", given["base"] ?? "500 millis"),
        cap: millis("retry.cap", given["cap"] ?? "30 seconds")
      })
    : must("retry", "an object with times, base or cap", given)

const transformClient = (given: unknown): Checked<(client: HttpClient.HttpClient) => HttpClient.HttpClient> =>
  typeof given === "function"
    ? // what a function takes and gives can't be checked
      Effect.succeed(given as (client: HttpClient.HttpClient) => HttpClient.HttpClient)
    : must("transformClient", "a function", given)

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
    | "maxResponseBytes"
    | "traceRequests"
  >
): Checked<Settings> =>
  Effect.all({
    apiKey: apiKey.check(given.apiKey),
    baseUrl: baseUrl(given.baseUrl ?? "https://api.lume.ai"),
    requestTimeout: millis("requestTimeout", given.requestTimeout ?? "60 seconds", { infinity: true }),
    paths: paths(given.paths ?? defaultPaths),
    transformClient: transformClient(given.transformClient ?? ((client: HttpClient.HttpClient) => client)),
    backoff: backoff(given.retry ?? {}),
    maxResponseBytes: count("maxResponseBytes", given.maxResponseBytes ?? 8 * 1024 ** 2, 1),
    traceRequests: Effect.succeed(given.traceRequests === true)
  })

// ---------------------------------------------------------------------------------------------------------------------
// The options of a wait

const pace = (given: Unchecked<"pollInterval" | "schedule">, usual: string): Checked<polling.Plan["pace"]> =>
  Effect.flatMap(millis("pollInterval", given.pollInterval ?? usual), (interval) =>
    given.schedule === undefined
      ? Effect.succeed(Schedule.spaced(interval))
      : Schedule.isSchedule(given.schedule)
        ? // what a schedule takes can't be checked
          Effect.succeed(given.schedule as polling.Plan["pace"])
        : must("schedule", "a Schedule", given.schedule)
  )

/** Checks the options of a wait. */
export const plan = (
  given: Unchecked<"timeout" | "pollInterval" | "schedule" | "tolerance">,
  backoff: retry.Backoff,
  events: RunEvents.Service | undefined
): Checked<polling.Plan> =>
  Effect.all({
    timeout: millis("timeout", given.timeout ?? "1 hour", { infinity: true }),
    pace: pace(given, events === undefined ? "5 seconds" : "5 minutes"),
    tolerance: millis("tolerance", given.tolerance ?? "5 minutes", { zero: true, infinity: true }),
    backoff: Effect.succeed(backoff),
    events: Effect.succeed(events)
  })
