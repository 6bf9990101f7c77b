/**
 * One request and its answer: sent with the key, within a time limit, the body bounded, redirects not followed.
 */
import type * as Headers from "@effect/platform/Headers"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Effect from "effect/Effect"
import * as body from "./body.js"
import { longestSleep } from "./sleep.js"
import { timeoutDisconnected } from "./timeLimit.js"
import type { NoAnswer } from "./transportFailure.js"
import * as transportFailure from "./transportFailure.js"

/** What came back. The body of a 2xx answer is whole; of any other, as much as is worth quoting. */
export interface Answer {
  readonly status: number
  readonly headers: Headers.Headers
  readonly body: string
}

/** Sends a request as often as it is asked to; each time it is given up after `limit` milliseconds. */
export type Exchange = (
  request: HttpClientRequest.HttpClientRequest
) => (limit: number) => Effect.Effect<Answer, NoAnswer>

/** What an exchange is made of. */
export interface Settings {
  readonly apiKey: string
  readonly transformClient: (client: HttpClient.HttpClient) => HttpClient.HttpClient
  /** In milliseconds. */
  readonly requestTimeout: number
  readonly maxResponseBytes: number
  readonly traceRequests: boolean
}

const keyHeader = "lume-api-key"

const isRedirect = (status: number): boolean =>
  // 0 is what browsers give for a redirect that was not followed
  status === 0 || status === 301 || status === 302 || status === 303 || status === 307 || status === 308

const originOf = (location: string | undefined, base: string): string =>
  location !== undefined && URL.canParse(location, base) ? new URL(location, base).origin : "an unknown place"

const receive = (response: HttpClientResponse.HttpClientResponse, limit: number): Effect.Effect<Answer, NoAnswer> => {
  // read once, because some clients build them anew at each access
  const { headers, status } = response
  const toAnswer = (body: string): Answer => ({ status, headers, body })
  if (status >= 200 && status < 300) return Effect.map(body.readWhole(response, headers, limit), toAnswer)
  if (!isRedirect(status)) return Effect.map(body.quote(response), toAnswer)
  const target = originOf(headers["location"], response.request.url)
  return Effect.zipRight(
    body.quote(response),
    Effect.fail(transportFailure.noAnswer("Redirect", `status ${status} is a redirect to ${target}`))
  )
}

/** The injected client with the key: the request that it is given, and its errors, never hold it. */
const withKey = (client: HttpClient.HttpClient, apiKey: string): HttpClient.HttpClient =>
  HttpClient.makeWith<never, never, HttpClientError.HttpClientError, never>(
    Effect.flatMap((request) =>
      Effect.mapError(client.execute(HttpClientRequest.setHeader(request, keyHeader, apiKey)), (error) =>
        transportFailure.about(error, request)
      )
    ),
    Effect.succeed
  )

/** Makes the one way in which this package sends requests. */
export const make = (injected: HttpClient.HttpClient, settings: Settings): Exchange => {
  const client = settings.transformClient(withKey(injected, settings.apiKey))
  const updateRefs = transportFailure.guard(keyHeader, settings.traceRequests)
  return (request) => {
    const exchange = Effect.matchEffect(client.execute(request), {
      onSuccess: (response) => receive(response, settings.maxResponseBytes),
      onFailure: (error) => {
        const response = transportFailure.refusedBy(error)
        return response === undefined
          ? Effect.fail(transportFailure.explain(error))
          : receive(response, settings.maxResponseBytes)
      }
    })
    return (limit) => {
      // whole milliseconds, because TestClock can't hold fractions
      const millis = Math.min(Math.ceil(limit), settings.requestTimeout, longestSleep)
      const onTimeout = () =>
        Effect.fail(transportFailure.noAnswer("RequestTimeout", `no whole answer within ${millis / 1000} s`))
      return timeoutDisconnected(exchange, { millis, onTimeout, updateRefs })
    }
  }
}
