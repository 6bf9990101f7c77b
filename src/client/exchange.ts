/**
 * One request and its answer: sent with the key, within a time limit, the body bounded, redirects not followed.
 */
import type * as Headers from "@effect/platform/Headers"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { InvalidRequestError } from "../LumeError.js"
import * as body from "./body.js"
import { longestSleep } from "./sleep.js"
import * as source from "./source.js"
import { timeoutDisconnected } from "./timeLimit.js"
import type { NoAnswer } from "./transportFailure.js"
import * as transportFailure from "./transportFailure.js"

/** What came back. The body of a 2xx answer is whole; of any other, as much as is worth quoting. */
export interface Answer {
  readonly status: number
  readonly headers: Headers.Headers
  readonly body: body.Body
}

/** Sends a request as often as it is asked to; each time it is given up after `limit` milliseconds. */
export type Exchange = (
  request: HttpClientRequest.HttpClientRequest
) => (limit: number) => Effect.Effect<Answer, NoAnswer>

/** What an exchange is made of. */
export interface Settings {
  readonly apiKey: string
  /** Where Lume is: only what is sent to its origin gets the key. */
  readonly baseUrl: string
  readonly transformClient: (client: HttpClient.HttpClient) => Effect.Effect<HttpClient.HttpClient, InvalidRequestError>
  /** In milliseconds. */
  readonly requestTimeout: number
  readonly maxResponseBytes: number
  readonly traceRequests: boolean
}

const keyHeader = "lume-api-key"

/** What happens in one attempt of ours, which `transformClient` may make more than one request of. */
interface Attempt {
  readonly request: HttpClientRequest.HttpClientRequest
  /** What the answer's status says by itself. It counts, even if time is up before the body has come. */
  known: Effect.Effect<Answer, NoAnswer> | undefined
  /** Whether it has sent a submit that may have been taken. */
  mayBeTaken: boolean
}

class CurrentAttempt extends Context.Tag("effect-lume/client/Attempt")<CurrentAttempt, Attempt>() {}

// ---------------------------------------------------------------------------------------------------------------------
// Beneath transformClient

const isAt =
  (origin: string) =>
  (url: string): boolean =>
    url.startsWith(`${origin}/`) || (URL.canParse(url) && new URL(url).origin === origin)

/** Whether `transformClient` made a request of the submit, and not of its own: it has kept the URL or the body. */
const isSubmit = (
  { body, method, url }: HttpClientRequest.HttpClientRequest,
  submit: HttpClientRequest.HttpClientRequest,
  isLume: (url: string) => boolean
): boolean => method !== "GET" && isLume(url) && (url === submit.url || body === submit.body)

/** Sends a request. A submit is refused where it was sent in this attempt and may have been taken. */
const onlyOnce = (
  request: HttpClientRequest.HttpClientRequest,
  isLume: (url: string) => boolean,
  send: Effect.Effect<HttpClientResponse.HttpClientResponse, HttpClientError.HttpClientError>
): Effect.Effect<HttpClientResponse.HttpClientResponse, HttpClientError.HttpClientError> =>
  Effect.flatMap(Effect.serviceOption(CurrentAttempt), (current) => {
    if (Option.isNone(current) || !isSubmit(request, current.value.request, isLume)) return send
    const attempt = current.value
    if (attempt.mayBeTaken) return Effect.fail(transportFailure.notLetThrough(request, repeated))
    attempt.mayBeTaken = true
    const wasNotTaken = Effect.sync(() => {
      attempt.mayBeTaken = false
    })
    return send.pipe(
      Effect.tapError((error) => {
        const refused = transportFailure.refusedBy(error)
        const isTaken = refused === undefined ? !transportFailure.explain(error).nothingTaken : !tookNothing(refused)
        return isTaken ? Effect.void : wasNotTaken
      }),
      Effect.tap((response) => (tookNothing(response) ? wasNotTaken : Effect.void))
    )
  })

const repeated = "transformClient sent a submit again that may have been taken, which was not let through"

/** The injected client with the key: the request that it is given, and its errors, never hold it. */
const beneath = (
  injected: HttpClient.HttpClient,
  apiKey: string,
  isLume: (url: string) => boolean
): HttpClient.HttpClient => {
  // what `transformClient` sends elsewhere gets no key
  const addKey = (request: HttpClientRequest.HttpClientRequest) =>
    isLume(request.url) ? HttpClientRequest.setHeader(request, keyHeader, apiKey) : request
  return HttpClient.makeWith<never, never, HttpClientError.HttpClientError, never>(
    Effect.flatMap((request) => {
      const send = Effect.mapError(injected.execute(addKey(request)), (error) => transportFailure.about(error, request))
      return request.method === "GET" ? send : onlyOnce(request, isLume, send)
    }),
    Effect.succeed
  )
}

// ---------------------------------------------------------------------------------------------------------------------
// What comes back

/** A redirect that is never followed. Only of these it is certain that the request was not processed. */
const unprocessed: ReadonlySet<number> = new Set([301, 302, 307, 308])

/**
 * Whether an answer refuses the request as such, so that nothing was done. 408 does not: servers and proxies send it for
 * requests that they have got, too.
 */
export const isRefusal = (status: number): boolean => status >= 400 && status < 500 && status !== 408

/** Whether it is certain from an answer that Lume did nothing. */
const tookNothing = ({ status }: { readonly status: number }): boolean => unprocessed.has(status) || isRefusal(status)

const isRedirect = (status: number): boolean =>
  // 303 points to the result of what was processed; 0 is what browsers give for any redirect that was not followed
  unprocessed.has(status) || status === 303 || status === 0

const originOf = (location: string | undefined, base: string): string =>
  location !== undefined && URL.canParse(location, base) ? new URL(location, base).origin : "an unknown place"

const receive = (
  response: HttpClientResponse.HttpClientResponse,
  attempt: Attempt,
  limit: number
): Effect.Effect<Answer, NoAnswer> => {
  // read once, because some clients build them anew at each access
  const { headers, status } = response
  const toAnswer = (body: body.Body): Answer => ({ status, headers, body })
  if (status >= 200 && status < 300) return Effect.map(body.readWhole(response, headers, limit), toAnswer)
  if (isRedirect(status)) {
    const detail = `status ${status} is a redirect to ${originOf(headers["location"], response.request.url)}`
    const redirect = Effect.fail(transportFailure.noAnswer("Redirect", detail, unprocessed.has(status)))
    attempt.known = redirect
    return Effect.zipRight(body.quote(response), redirect)
  }
  attempt.known = Effect.succeed(toAnswer(body.empty))
  if (status < 200) return Effect.zipRight(source.close(response), attempt.known)
  return Effect.map(body.quote(response), toAnswer)
}

// ---------------------------------------------------------------------------------------------------------------------
// The exchange

/** @see make */
const over = (
  client: HttpClient.HttpClient,
  settings: Pick<Settings, "requestTimeout" | "maxResponseBytes" | "traceRequests">,
  isLume: (url: string) => boolean
): Exchange => {
  const updateRefs = transportFailure.guard(settings.traceRequests)
  const exchange = (request: HttpClientRequest.HttpClientRequest, attempt: Attempt) =>
    Effect.matchEffect(client.execute(request), {
      onSuccess: (response) => receive(response, attempt, settings.maxResponseBytes),
      onFailure: (error) => {
        const response = transportFailure.refusedBy(error)
        if (response !== undefined && (isSubmit(response.request, request, isLume) || !attempt.mayBeTaken)) {
          return receive(response, attempt, settings.maxResponseBytes)
        }
        if (transportFailure.isNotLetThrough(error, repeated)) {
          return Effect.fail(transportFailure.noAnswer("Interrupted", repeated))
        }
        const failure = transportFailure.explain(error)
        // whatever another request of `transformClient` failed with, the submit has been sent
        return Effect.fail(attempt.mayBeTaken ? transportFailure.noAnswer("Network", failure.detail) : failure)
      }
    })
  return (request) => {
    const isRead = request.method === "GET"
    return (limit) => {
      // whole milliseconds, because TestClock can't hold fractions
      const millis = Math.min(Math.ceil(limit), settings.requestTimeout, longestSleep)
      const within = limit < settings.requestTimeout ? "in the time left," : "within"
      const late = Effect.fail(
        transportFailure.noAnswer("RequestTimeout", `no whole answer ${within} ${millis / 1000} s`)
      )
      return Effect.suspend(() => {
        const attempt: Attempt = { request, known: undefined, mayBeTaken: false }
        const work = exchange(request, attempt)
        return timeoutDisconnected(isRead ? work : Effect.provideService(work, CurrentAttempt, attempt), {
          millis,
          onTimeout: () => attempt.known ?? late,
          updateRefs
        })
      })
    }
  }
}

/** Makes the one way in which this package sends requests. Fails if `transformClient` gives no client. */
export const make = (
  injected: HttpClient.HttpClient,
  settings: Settings
): Effect.Effect<Exchange, InvalidRequestError> => {
  const isLume = isAt(new URL(settings.baseUrl).origin)
  return Effect.map(settings.transformClient(beneath(injected, settings.apiKey, isLume)), (client) =>
    over(client, settings, isLume)
  )
}
