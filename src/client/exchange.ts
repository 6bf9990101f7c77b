/**
 * One request and its answer: sent with the key, within a time limit, the body bounded, redirects not followed.
 */
import type * as Headers from "@effect/platform/Headers"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { longestSleep } from "./sleep.js"
import type { NoAnswer } from "./transportFailure.js"
import * as transport from "./transportFailure.js"
import { within } from "./timeLimit.js"

export type { NoAnswer } from "./transportFailure.js"

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

const keyHeader = "lume-api-key"

// ---------------------------------------------------------------------------------------------------------------------
// Reading bodies

const decode = (chunks: ReadonlyArray<Uint8Array>): string => {
  // The decoder takes a byte-order mark away.
  const decoder = new TextDecoder()
  return chunks.map((chunk) => decoder.decode(chunk, { stream: true })).join("") + decoder.decode()
}

/** Reads up to `most` bytes, and cancels what would be more. */
const readSome = (
  response: HttpClientResponse.HttpClientResponse,
  most: number
): Effect.Effect<{ readonly text: string; readonly whole: boolean }, HttpClientError.HttpClientError> =>
  Effect.suspend(() => {
    const chunks: Array<Uint8Array> = []
    let size = 0
    return Stream.runForEachWhile(response.stream, (chunk) =>
      Effect.sync(() => {
        chunks.push(chunk)
        size += chunk.length
        return size <= most
      })
    ).pipe(
      Effect.catchIf(transport.isEmptyBody, () => Effect.void),
      Effect.map(() => ({ text: decode(chunks), whole: size <= most }))
    )
  })

const tooLarge = (most: number): NoAnswer => transport.noAnswer("TooLarge", `the body has more than ${most} bytes`)

/** What is read of a body that is only quoted, and for how long, in milliseconds. */
const quoted = 16_384
const quotingTime = 2_000

/** The beginning of a body whose answer counts without it; the rest is cancelled. */
const quote = (response: HttpClientResponse.HttpClientResponse): Effect.Effect<string> =>
  readSome(response, quoted).pipe(
    Effect.map(({ text }) => text),
    (reading) => within(reading, quotingTime, () => undefined),
    Effect.orElseSucceed(() => "")
  )

const readWhole = (
  response: HttpClientResponse.HttpClientResponse,
  headers: Headers.Headers,
  most: number
): Effect.Effect<Answer, NoAnswer> => {
  const toAnswer = (body: string): Answer => ({ status: response.status, headers, body })
  // A declared length bounds what can come, unless it is of a compressed body. Reading a body as a stream costs more
  // than twice as much, so that is done only where the length is not known.
  const declared = headers["content-encoding"] === undefined ? Number(headers["content-length"]) : Number.NaN
  if (declared > most) return Effect.zipRight(quote(response), Effect.fail(tooLarge(most)))
  return declared <= most
    ? Effect.mapBoth(response.text, {
        onFailure: transport.brokenBody,
        onSuccess: (text) => toAnswer(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text)
      })
    : Effect.flatMap(Effect.mapError(readSome(response, most), transport.brokenBody), ({ text, whole }) =>
        whole ? Effect.succeed(toAnswer(text)) : Effect.fail(tooLarge(most))
      )
}

// ---------------------------------------------------------------------------------------------------------------------
// The exchange

const isRedirect = (status: number): boolean =>
  // 0 is what browsers give for a redirect that was not followed
  status === 0 || status === 301 || status === 302 || status === 303 || status === 307 || status === 308

const originOf = (location: string | undefined, base: string): string =>
  location !== undefined && URL.canParse(location, base) ? new URL(location, base).origin : "an unknown place"

const receive = (response: HttpClientResponse.HttpClientResponse, most: number): Effect.Effect<Answer, NoAnswer> => {
  const { headers, status } = response
  if (status >= 200 && status < 300) return readWhole(response, headers, most)
  if (!isRedirect(status)) return Effect.map(quote(response), (body) => ({ status, headers, body }))
  const target = originOf(headers["location"], response.request.url)
  return Effect.zipRight(
    quote(response),
    Effect.fail(transport.noAnswer("Redirect", `status ${status} is a redirect to ${target}`))
  )
}

/** The injected client with the key: the request that it is given, and its errors, never hold it. */
const withKey = (client: HttpClient.HttpClient, key: string): HttpClient.HttpClient =>
  HttpClient.makeWith<never, never, HttpClientError.HttpClientError, never>(
    Effect.flatMap((request) =>
      Effect.mapError(client.execute(HttpClientRequest.setHeader(request, keyHeader, key)), (error) =>
        transport.about(error, request)
      )
    ),
    Effect.succeed
  )

/** Makes the one way in which this package sends requests. */
export const make = (options: {
  readonly client: HttpClient.HttpClient
  readonly transformClient: (client: HttpClient.HttpClient) => HttpClient.HttpClient
  readonly key: string
  readonly requestTimeout: number
  readonly maxResponseBytes: number
  readonly traceRequests: boolean
}): Exchange => {
  const client = options.transformClient(withKey(options.client, options.key))
  const guard = transport.guard(keyHeader, options.traceRequests)
  return (request) => {
    const exchange = Effect.matchEffect(client.execute(request), {
      onSuccess: (response) => receive(response, options.maxResponseBytes),
      onFailure: (error) => {
        const response = transport.refusedBy(error)
        return response === undefined
          ? Effect.fail(transport.explain(error))
          : receive(response, options.maxResponseBytes)
      }
    })
    return (limit) => {
      // whole milliseconds, because TestClock can't hold fractions
      const millis = Math.min(Math.ceil(limit), options.requestTimeout, longestSleep)
      const late = () => transport.noAnswer("RequestTimeout", `no whole answer within ${millis / 1000} s`)
      return within(exchange, millis, late, guard)
    }
  }
}
