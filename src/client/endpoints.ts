/**
 * Lume's two endpoints, one request each time they are called: submit a run, read a run.
 */
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as LumeError from "../LumeError.js"
import type { LumeRun, RunId } from "../LumeRun.js"
import type { RunRequest } from "../RunRequest.js"
import * as answer from "./answer.js"
import type { Scrub } from "./apiKey.js"
import type { Answer, Exchange } from "./exchange.js"
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
  /** Reads a run, giving up after `limit` milliseconds. */
  readonly read: (id: RunId) => (limit: number) => Effect.Effect<LumeRun, LumeError.StatusError>
}

/** Why a submit failed, and whether it is certain that Lume took nothing. */
export interface SubmitFailure {
  readonly error: LumeError.SubmitError
  readonly repeatable: boolean
}

const isOk = ({ status }: Answer): boolean => status >= 200 && status < 300

const join = (baseUrl: string, path: string): string => `${baseUrl}${path.startsWith("/") ? "" : "/"}${path}`

/** Lume's endpoints over one exchange. */
export const make = (exchange: Exchange, { baseUrl, paths }: Settings, scrub: Scrub): Endpoints => {
  const readRefused = (id: RunId, refused: Answer): Effect.Effect<never, LumeError.StatusError> =>
    Effect.flatMap(answer.toRefusal(refused, id, scrub), (error) =>
      Effect.fail(
        refused.status === 404 || refused.status === 410
          ? new LumeError.RunNotFoundError({ runId: id, status: refused.status, detail: detailOf(error) })
          : error
      )
    )

  const read = (id: RunId) => {
    const request = HttpClientRequest.get(join(baseUrl, paths.status(id)), { acceptJson: true })
    const attempt = exchange(request)
    return (limit: number) =>
      Effect.matchEffect(attempt(limit), {
        onFailure: (failure) => Effect.fail(answer.toTransportError(failure, id, scrub)),
        onSuccess: (received): Effect.Effect<LumeRun, LumeError.StatusError> =>
          isOk(received) ? answer.toRun(received, id, scrub) : readRefused(id, received)
      })
  }

  const submit = ({ json, request: run }: Submission) => {
    const request = HttpClientRequest.post(join(baseUrl, paths.submit), { acceptJson: true }).pipe(
      HttpClientRequest.bodyText(json, "application/json")
    )
    return Effect.matchEffect(exchange(request)(Infinity), {
      onFailure: (failure) => Effect.fail(unanswered(run, failure, scrub)),
      onSuccess: (received): Effect.Effect<LumeRun, SubmitFailure> =>
        isOk(received)
          ? Effect.mapError(answer.toRun(received, undefined, scrub), (error) => unknown(run, error))
          : Effect.flatMap(answer.toRefusal(received, undefined, scrub), (error) => Effect.fail(refused(run, error)))
    })
  }

  return { submit, read }
}

const detailOf = (error: { readonly detail: string }): string => error.detail

// ---------------------------------------------------------------------------------------------------------------------
// What a failed submit means

const unknown = (run: RunRequest, failure: LumeError.SubmitOutcomeUnknownError["failure"]): SubmitFailure => ({
  error: new LumeError.SubmitOutcomeUnknownError({ flowVersion: run.flowVersion, sourcePath: run.sourcePath, failure }),
  repeatable: false
})

/** No answer: the run may have started, unless no connection was made or an answer said to go elsewhere. */
const unanswered = (run: RunRequest, failure: NoAnswer, scrub: Scrub): SubmitFailure => {
  const error = answer.toTransportError(failure, undefined, scrub)
  return error._tag === "InvalidRequestError" || failure.neverSent || failure.reason === "Redirect"
    ? { error, repeatable: failure.reason === "Network" }
    : unknown(run, error)
}

/** An answer that refuses: only a 5xx leaves it open whether the run started, and not where it says when to retry. */
const refused = (run: RunRequest, error: Effect.Effect.Success<ReturnType<typeof answer.toRefusal>>): SubmitFailure => {
  switch (error._tag) {
    case "RateLimitedError":
      return { error, repeatable: true }
    case "ApiError": {
      const repeatable = error.status === 503 && Option.isSome(error.retryAfter)
      return error.status < 500 || repeatable ? { error, repeatable } : unknown(run, error)
    }
    case "InvalidRequestError":
      return Option.contains(error.status, 409)
        ? {
            error: new LumeError.AlreadyProcessedError({
              flowVersion: run.flowVersion,
              sourcePath: run.sourcePath,
              detail: error.detail
            }),
            repeatable: false
          }
        : { error, repeatable: false }
    case "AuthenticationError":
      return { error, repeatable: false }
  }
}
