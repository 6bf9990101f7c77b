/**
 * What depends on the platform's HTTP client: what its errors say, and what holds on the fiber of an exchange.
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as Headers from "@effect/platform/Headers"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Context from "effect/Context"
import type * as FiberId from "effect/FiberId"
import * as FiberRef from "effect/FiberRef"
import * as FiberRefs from "effect/FiberRefs"
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
  if (error._tag === "ResponseError") return brokenBody(error)
  return error.reason === "Transport"
    ? fromCause(error)
    : noAnswer("Unsendable", error.description ?? `the request can't be sent (${error.reason})`, true)
}

/** An answer's body ended before its time. */
export const brokenBody = (error: HttpClientError.HttpClientError): NoAnswer =>
  noAnswer("Network", `the answer broke off: ${fromCause(error).detail}`)

/** Whether there was no body to read. */
export const isEmptyBody = (error: HttpClientError.HttpClientError): boolean => error.reason === "EmptyBody"

/** The answer that a client refused for its status, which is one all the same. */
export const refusedBy = (error: HttpClientError.HttpClientError): HttpClientResponse.HttpClientResponse | undefined =>
  error._tag === "ResponseError" && error.reason === "StatusCode" ? error.response : undefined

/** The error of a connection that could not be made, or broke. */
export const lost = (request: HttpClientRequest.HttpClientRequest, cause: unknown): HttpClientError.HttpClientError =>
  new HttpClientError.RequestError({ request, reason: "Transport", cause })

/** The error of a request that is not let through. The platform's retries don't take it for a transient one. */
export const notLetThrough = (
  request: HttpClientRequest.HttpClientRequest,
  description: string
): HttpClientError.HttpClientError => new HttpClientError.RequestError({ request, reason: "Encode", description })

/** Whether an error is such a one. */
export const isNotLetThrough = (error: HttpClientError.HttpClientError, description: string): boolean =>
  error._tag === "RequestError" && error.description === description

/** A copy of a response with another request, and what it wraps too. */
const withRequest = <R extends object>(response: R, request: HttpClientRequest.HttpClientRequest): R => {
  const original = source.originalOf(response)
  return Object.create(Object.getPrototypeOf(response), {
    ...Object.getOwnPropertyDescriptors(response),
    request: { value: request, enumerable: true },
    ...(Predicate.isObject(original) && { original: { value: withRequest(original, request) } })
  })
}

/** The same error about another request: as it was given, without the key. */
export const about = (
  error: HttpClientError.HttpClientError,
  request: HttpClientRequest.HttpClientRequest
): HttpClientError.HttpClientError => {
  const cause = { cause: error.cause, ...(error.description !== undefined && { description: error.description }) }
  if (error._tag === "RequestError") {
    return new HttpClientError.RequestError({ request, ...cause, reason: error.reason })
  }
  return new HttpClientError.ResponseError({
    request,
    ...cause,
    reason: error.reason,
    response: withRequest(error.response, request)
  })
}

/** If the runtime knows it, Fetch is told to keep nothing: a cache would answer every poll with the first answer. */
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
  return (refs: FiberRefs.FiberRefs, id: FiberId.Runtime): FiberRefs.FiberRefs => {
    const context = FiberRefs.getOrDefault(refs, FiberRef.currentContext)
    const names = FiberRefs.getOrDefault(refs, Headers.currentRedactedNames)
    const init = Option.getOrUndefined(Context.getOption(context, FetchHttpClient.RequestInit))
    const withInit = Context.add(context, FetchHttpClient.RequestInit, { ...init, ...always })
    return FiberRefs.updateManyAs(refs, {
      entries: [
        [FiberRef.currentContext, [[id, withInit]]],
        [Headers.currentRedactedNames, [[id, [...names, hidden]]]],
        ...(traceRequests ? [] : [noSpans(id)])
      ]
    })
  }
}

const noSpans = (id: FiberId.Single) => [HttpClient.currentTracerDisabledWhen, [[id, () => true]]] as const
