/**
 * What depends on the platform's HTTP client: what its errors say, and what holds on the fiber of an exchange.
 */
import * as Context from "effect/Context"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Headers from "effect/http/Headers"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import type * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import type { TransportError } from "../LumeError.js"
import * as causes from "./causes.js"
import * as source from "./source.js"

/** Why nothing usable came back. */
export interface NoAnswer {
  readonly reason: TransportError["reason"] | "Unsendable"
  readonly detail: string
  /** Whether it is certain that Lume took nothing: no connection was made, or the answer says to ask elsewhere. */
  readonly nothingTaken: boolean
}

/** @see NoAnswer */
export const noAnswer = (reason: NoAnswer["reason"], detail: string, nothingTaken = false): NoAnswer => ({
  reason,
  detail,
  nothingTaken
})

const fromCause = (error: { readonly cause?: unknown; readonly description?: string | undefined }): NoAnswer => {
  const { code, message = error.description ?? "the request failed", neverSent } = causes.read(error.cause)
  return noAnswer("Network", code === undefined || message.includes(code) ? message : `${code}: ${message}`, neverSent)
}

/** Why no answer came, or none whose body could be read. */
export const explain = (error: HttpClientError.HttpClientError): NoAnswer => {
  const { reason } = error
  switch (reason._tag) {
    case "TransportError":
      return fromCause(reason)
    case "EncodeError":
    case "InvalidUrlError":
      return noAnswer("Unsendable", reason.description ?? `the request can't be sent (${reason._tag})`, true)
    default:
      return brokenBody(error)
  }
}

/** An answer's body ended before its time. */
export const brokenBody = ({ reason }: HttpClientError.HttpClientError): NoAnswer =>
  noAnswer("Network", `the answer broke off: ${fromCause(reason).detail}`)

/** Whether there was no body to read. */
export const isEmptyBody = ({ reason }: HttpClientError.HttpClientError): boolean => reason._tag === "EmptyBodyError"

/** The answer that a client refused for its status, which is one all the same. */
export const refusedBy = ({
  reason
}: HttpClientError.HttpClientError): HttpClientResponse.HttpClientResponse | undefined =>
  reason._tag === "StatusCodeError" ? reason.response : undefined

/** The error of a connection that could not be made, or broke. */
export const lost = (request: HttpClientRequest.HttpClientRequest, cause: unknown): HttpClientError.HttpClientError =>
  new HttpClientError.HttpClientError({ reason: new HttpClientError.TransportError({ request, cause }) })

/** The error of a request that is not let through. No retry of the platform takes it for one that may pass. */
export const notLetThrough = (
  request: HttpClientRequest.HttpClientRequest,
  description: string
): HttpClientError.HttpClientError =>
  new HttpClientError.HttpClientError({ reason: new HttpClientError.EncodeError({ request, description }) })

/** Whether an error is such a one. */
export const isNotLetThrough = ({ reason }: HttpClientError.HttpClientError, description: string): boolean =>
  reason._tag === "EncodeError" && reason.description === description

/** A copy of a response with another request, and what it wraps too. */
const withRequest = <R extends object>(response: R, request: HttpClientRequest.HttpClientRequest): R => {
  const original = source.originalOf(response)
  return Object.create(Object.getPrototypeOf(response), {
    ...Object.getOwnPropertyDescriptors(response),
    request: { value: request, enumerable: true },
    ...(Predicate.isObject(original) && { original: { value: withRequest(original, request) } })
  })
}

const requestFailures = {
  TransportError: HttpClientError.TransportError,
  EncodeError: HttpClientError.EncodeError,
  InvalidUrlError: HttpClientError.InvalidUrlError
}

const responseFailures = {
  StatusCodeError: HttpClientError.StatusCodeError,
  DecodeError: HttpClientError.DecodeError,
  EmptyBodyError: HttpClientError.EmptyBodyError
}

/** The same error about another request: as it was given, without the key. */
export const about = (
  { reason }: HttpClientError.HttpClientError,
  request: HttpClientRequest.HttpClientRequest
): HttpClientError.HttpClientError => {
  const given = {
    request,
    cause: reason.cause,
    ...(reason.description !== undefined && { description: reason.description })
  }
  switch (reason._tag) {
    case "TransportError":
    case "EncodeError":
    case "InvalidUrlError":
      return new HttpClientError.HttpClientError({ reason: new requestFailures[reason._tag](given) })
    default: {
      const response = withRequest(reason.response, request)
      return new HttpClientError.HttpClientError({ reason: new responseFailures[reason._tag]({ ...given, response }) })
    }
  }
}

/** Where the runtime knows it, Fetch is told to keep nothing: a cache would answer every poll with the first answer. */
const noStore = (): RequestInit =>
  Option.isSome(Option.liftThrowable(() => new Request("http://localhost", { cache: "no-store" }))())
    ? { cache: "no-store" }
    : {}

/** No header is shown in spans: any of an answer's could echo the key. */
const hidden = /^/

/**
 * What holds on the fiber that an exchange runs on, which ends with it: whatever else is set for Fetch, redirects are not
 * followed and nothing is cached; wherever headers are shown, the key is not; and there is no span, unless asked for.
 */
export const guard = (traceRequests: boolean) => {
  const always = { ...noStore(), redirect: "manual" } as const
  return (context: Context.Context<never>): Context.Context<never> => {
    const names = Context.get(context, Headers.CurrentRedactedNames)
    const init = Option.getOrUndefined(Context.getOption(context, FetchHttpClient.RequestInit))
    const guarded = context.pipe(
      Context.add(FetchHttpClient.RequestInit, { ...init, ...always }),
      Context.add(Headers.CurrentRedactedNames, [...names, hidden])
    )
    return traceRequests ? guarded : Context.add(guarded, HttpClient.TracerDisabledWhen, () => true)
  }
}
