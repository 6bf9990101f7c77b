/**
 * Lume's two endpoints, one request each time they are called: submit a run, read a run.
 */
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { preview } from "../internal/text.js"
import * as LumeError from "../LumeError.js"
import type { LumeRun, RunId } from "../LumeRun.js"
import type { RunRequest } from "../RunRequest.js"
import * as answer from "./answer.js"
import type { Scrub } from "./apiKey.js"
import * as eventLoop from "./eventLoop.js"
import type { Answer, Exchange } from "./exchange.js"
import { refuse } from "./refuse.js"
import type { Submission } from "./submission.js"
import type { NoAnswer } from "./transportFailure.js"

/** Where the endpoints are. */
export interface Settings {
  /** Without a slash at its end. */
  readonly baseUrl: string
  readonly paths: {
    readonly submit: string
    readonly status: (id: RunId) => string
  }
}

/** Lume's endpoints. */
export interface Endpoints {
  /** Submits a run. */
  readonly submit: (submission: Submission) => Effect.Effect<LumeRun, SubmitFailure>
  /** Where a run is read. Fails if the id leads elsewhere. */
  readonly read: (id: RunId) => Effect.Effect<Read, LumeError.InvalidRequestError>
}

/** Reads a run once, giving up after `limit` milliseconds. */
export type Read = (limit: number) => Effect.Effect<LumeRun, LumeError.StatusError>

/**
 * No proxy on the way may answer a poll with an earlier answer. Browsers have a cache of their own that is told so by
 * Fetch; to them this would be one more header that a server must allow.
 */
const uncached: Record<string, string> =
  "location" in globalThis && globalThis.location !== undefined ? {} : { "cache-control": "no-cache" }

/** Why a submit failed, and whether to send it again: only what Lume has certainly not taken, and may take later. */
export interface SubmitFailure {
  readonly error: LumeError.SubmitError
  readonly repeatable: boolean
}

const isOk = ({ status }: Answer): boolean => status >= 200 && status < 300

/** What URLs read as another path: a backslash, a segment of dots (`%2e` is one), and what they leave out. */
const leadsElsewhere = /[\\\t\r\n]|\/(?:\.|%2e){1,2}(?=\/|$)/i

/** The URL of a path; none if it is read as another one. */
const join = (baseUrl: string, path: string): Option.Option<string> => {
  const url = `${baseUrl}${path.startsWith("/") ? "" : "/"}${path}`
  const [beforeQuery = ""] = url.split(/[?#]/, 1)
  return leadsElsewhere.test(beforeQuery) ? Option.none() : Option.some(url)
}

const elsewhere = (what: string) => refuse(`${what} gives no URL beneath the base URL: correct it`)

/** Lume's endpoints over one exchange. */
export const make = (
  exchange: Exchange,
  { baseUrl, paths }: Settings,
  scrub: Scrub
): Effect.Effect<Endpoints, LumeError.InvalidRequestError> => {
  const readRefused = (id: RunId, refused: Answer): Effect.Effect<never, LumeError.StatusError> =>
    Effect.flatMap(answer.toRefusal(refused, id, scrub), (error) =>
      Effect.fail(
        refused.status === 404 || refused.status === 410
          ? new LumeError.RunNotFoundError({ runId: id, status: refused.status, detail: error.detail })
          : error
      )
    )

  const readAt = (url: string, id: RunId): Read => {
    const request = HttpClientRequest.get(url, { acceptJson: true, headers: uncached })
    const attempt = exchange(request)
    return (limit) =>
      Effect.matchEffect(attempt(limit), {
        onFailure: (failure) => Effect.fail(answer.toTransportError(failure, id, scrub)),
        onSuccess: (received): Effect.Effect<LumeRun, LumeError.StatusError> =>
          isOk(received) ? answer.toRun(received, id, scrub) : readRefused(id, received)
      })
  }

  const read: Endpoints["read"] = (id) =>
    Effect.flatMap(
      // a function of the caller's, which can throw
      Effect.orElse(
        Effect.try(() => paths.status(id)),
        () => elsewhere(`paths.status of the run id ${preview(id)}`)
      ),
      (path) =>
        Option.match(join(baseUrl, path), {
          onNone: () => elsewhere(`paths.status of the run id ${preview(id)}`),
          onSome: (url) => Effect.succeed(readAt(url, id))
        })
    )

  const submitTo =
    (url: string): Endpoints["submit"] =>
    ({ json, request: run }) => {
      const request = HttpClientRequest.post(url, { acceptJson: true }).pipe(
        HttpClientRequest.bodyText(json, "application/json")
      )
      return Effect.matchEffect(Effect.zipRight(eventLoop.lookAtSockets, exchange(request)(Infinity)), {
        onFailure: (failure) => Effect.fail(unanswered(run, failure, scrub)),
        onSuccess: (received): Effect.Effect<LumeRun, SubmitFailure> =>
          isOk(received)
            ? Effect.mapError(answer.toRun(received, undefined, scrub), (error) => outcomeUnknown(run, error))
            : Effect.flatMap(answer.toRefusal(received, undefined, scrub), (error) => Effect.fail(refused(run, error)))
      })
    }

  return Option.match(join(baseUrl, paths.submit), {
    onNone: () => elsewhere("paths.submit"),
    onSome: (url) => Effect.succeed({ submit: submitTo(url), read })
  })
}

// ---------------------------------------------------------------------------------------------------------------------
// What a failed submit means

const outcomeUnknown = (run: RunRequest, failure: LumeError.SubmitOutcomeUnknownError["failure"]): SubmitFailure => ({
  error: new LumeError.SubmitOutcomeUnknownError({ flowVersion: run.flowVersion, sourcePath: run.sourcePath, failure }),
  repeatable: false
})

/** No answer: the run may have started, unless it is certain that Lume took nothing. */
const unanswered = (run: RunRequest, failure: NoAnswer, scrub: Scrub): SubmitFailure => {
  const error = answer.toTransportError(failure, undefined, scrub)
  return error._tag === "InvalidRequestError" || failure.nothingTaken
    ? { error, repeatable: failure.reason === "Network" }
    : outcomeUnknown(run, error)
}

/**
 * An answer that refuses. 429 and what is said of the request itself mean that nothing was taken. Anything else, a 503
 * with `Retry-After` included, leaves it open: proxies answer so for requests that were delivered.
 */
const refused = (run: RunRequest, error: answer.Refusal): SubmitFailure => {
  switch (error._tag) {
    case "RateLimitedError":
      return { error, repeatable: true }
    case "ApiError":
      return outcomeUnknown(run, error)
    case "InvalidRequestError":
      return {
        error: Option.contains(error.status, 409) ? alreadyProcessed(run, error.detail) : error,
        repeatable: false
      }
    case "AuthenticationError":
      return { error, repeatable: false }
  }
}

const alreadyProcessed = ({ flowVersion, sourcePath }: RunRequest, detail: string): LumeError.AlreadyProcessedError =>
  new LumeError.AlreadyProcessedError({ flowVersion, sourcePath, detail })
