/**
 * One request and its answer: sent with the key, within a time limit, the body bounded, redirects not followed.
 *
 * Everything that depends on the platform's HTTP client (its errors, its fiber refs, its ways of reading a body) is
 * here.
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as Headers from "@effect/platform/Headers"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as FiberId from "effect/FiberId"
import * as FiberRef from "effect/FiberRef"
import * as FiberRefs from "effect/FiberRefs"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Stream from "effect/Stream"
import type { TransportError } from "../LumeError.js"
import { longestSleep } from "./sleep.js"
import { within } from "./within.js"

/** What came back. The body of a 2xx answer is whole; of any other, as much as is worth quoting. */
export interface Answer {
  readonly status: number
  readonly headers: Headers.Headers
  readonly body: string
}

/** Why nothing usable came back. */
export interface NoAnswer {
  readonly reason: TransportError["reason"] | "Unsendable"
  readonly detail: string
  /** Whether it is certain that the request never left: no connection was made. */
  readonly neverSent: boolean
}

/** Sends a request as often as it is asked to; each time it is given up after `limit` milliseconds. */
export type Exchange = (
  request: HttpClientRequest.HttpClientRequest
) => (limit: number) => Effect.Effect<Answer, NoAnswer>

const keyHeader = "lume-api-key"

const noAnswer = (reason: NoAnswer["reason"], detail: string, neverSent = false): NoAnswer => ({
  reason,
  detail,
  neverSent
})

// ---------------------------------------------------------------------------------------------------------------------
// Why a request failed

/** A cause of this kind has no code of its own: what went wrong is further down. */
const causes = (cause: unknown, depth = 0): ReadonlyArray<unknown> => {
  if (depth === 8 || !Predicate.isObject(cause)) return []
  const inner =
    "errors" in cause && Array.isArray(cause.errors) ? cause.errors[0] : "cause" in cause ? cause.cause : undefined
  return [cause, ...causes(inner, depth + 1)]
}

const property = (causes: ReadonlyArray<unknown>, name: string): string | undefined =>
  causes
    .map((cause) => (Predicate.hasProperty(cause, name) ? cause[name] : undefined))
    .findLast((value): value is string => typeof value === "string" && value !== "")

/**
 * Codes that are given before a connection stands, a server's certificate that is refused included. Any other, or none,
 * says nothing of what has been sent.
 */
const neverConnected = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "UND_ERR_CONNECT_TIMEOUT",
  "CERT_HAS_EXPIRED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE"
])

const fromRequestError = (error: HttpClientError.RequestError): NoAnswer => {
  if (error.reason !== "Transport") return noAnswer("Unsendable", error.description ?? error.reason, true)
  const chain = causes(error.cause)
  const code = property(chain, "code")
  const message = property(chain, "message") ?? error.description ?? "the request failed"
  return noAnswer(
    "Network",
    code === undefined || message.includes(code) ? message : `${code}: ${message}`,
    code !== undefined && (neverConnected.has(code) || property(chain, "syscall") === "connect")
  )
}

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
): Effect.Effect<{ readonly text: string; readonly whole: boolean }, HttpClientError.ResponseError> =>
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
      Effect.catchIf(
        (error) => error.reason === "EmptyBody",
        () => Effect.void
      ),
      Effect.map(() => ({ text: decode(chunks), whole: size <= most }))
    )
  })

const brokenBody = (error: HttpClientError.ResponseError): NoAnswer => {
  const { detail } = fromRequestError(
    new HttpClientError.RequestError({ request: error.request, reason: "Transport", cause: error.cause })
  )
  return noAnswer("Network", `the answer broke off: ${detail}`)
}

const tooLarge = (most: number): NoAnswer => noAnswer("TooLarge", `the body has more than ${most} bytes`)

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
        onFailure: brokenBody,
        onSuccess: (text) => toAnswer(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text)
      })
    : Effect.flatMap(Effect.mapError(readSome(response, most), brokenBody), ({ text, whole }) =>
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
    Effect.fail(noAnswer("Redirect", `status ${status} is a redirect to ${target}`))
  )
}

/** The same error about the request as it was given, without the key. */
const withoutKey = (
  error: HttpClientError.HttpClientError,
  request: HttpClientRequest.HttpClientRequest
): HttpClientError.HttpClientError => {
  const { cause, description = "" } = error
  return error._tag === "RequestError"
    ? new HttpClientError.RequestError({ request, cause, description, reason: error.reason })
    : new HttpClientError.ResponseError({ request, cause, description, reason: error.reason, response: error.response })
}

/** The injected client with the key: the request that it is given, and its errors, never hold it. */
const withKey = (client: HttpClient.HttpClient, key: string): HttpClient.HttpClient =>
  HttpClient.makeWith<never, never, HttpClientError.HttpClientError, never>(
    Effect.flatMap((request) =>
      Effect.mapError(client.execute(HttpClientRequest.setHeader(request, keyHeader, key)), (error) =>
        withoutKey(error, request)
      )
    ),
    Effect.succeed
  )

/**
 * What holds on the fiber that an exchange runs on, which ends with it: whatever else is set for Fetch, redirects are not
 * followed; wherever the request is shown, its key is not; and it makes no span, unless asked to.
 */
const refsOfExchange =
  (traceRequests: boolean) =>
  (refs: FiberRefs.FiberRefs, id: FiberId.Runtime): FiberRefs.FiberRefs => {
    const context = FiberRefs.getOrDefault(refs, FiberRef.currentContext)
    const names = FiberRefs.getOrDefault(refs, Headers.currentRedactedNames)
    const init = Option.getOrUndefined(Context.getOption(context, FetchHttpClient.RequestInit))
    const withInit = Context.add(context, FetchHttpClient.RequestInit, { ...init, redirect: "manual" })
    return FiberRefs.updateManyAs(refs, {
      entries: [
        [FiberRef.currentContext, [[id, withInit]]],
        [Headers.currentRedactedNames, [[id, [...names, keyHeader]]]],
        ...(traceRequests ? [] : [noSpans(id)])
      ]
    })
  }

const noSpans = (id: FiberId.Single) => [HttpClient.currentTracerDisabledWhen, [[id, () => true]]] as const

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
  const updateRefs = refsOfExchange(options.traceRequests)
  return (request) => {
    const exchange = Effect.matchEffect(client.execute(request), {
      onSuccess: (response) => receive(response, options.maxResponseBytes),
      onFailure: (error) =>
        error._tag === "RequestError"
          ? Effect.fail(fromRequestError(error))
          : error.reason === "StatusCode"
            ? receive(error.response, options.maxResponseBytes)
            : Effect.fail(brokenBody(error))
    })
    return (limit) => {
      // whole milliseconds, because TestClock can't hold fractions
      const millis = Math.min(Math.ceil(limit), options.requestTimeout, longestSleep)
      const late = () => noAnswer("RequestTimeout", `no whole answer within ${millis / 1000} s`)
      return within(exchange, millis, late, updateRefs)
    }
  }
}
