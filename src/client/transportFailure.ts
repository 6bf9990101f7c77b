/**
 * What depends on the platform's HTTP client: what its errors say, and what holds on the fiber of a request.
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
import type { TransportError } from "../LumeError.js"
import * as causes from "./causes.js"

/** Why nothing usable came back. */
export interface NoAnswer {
  readonly reason: TransportError["reason"] | "Unsendable"
  readonly detail: string
  /** Whether it is certain that the request never left: no connection was made. */
  readonly neverSent: boolean
}

/** @see NoAnswer */
export const noAnswer = (reason: NoAnswer["reason"], detail: string, neverSent = false): NoAnswer => ({
  reason,
  detail,
  neverSent
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
    : noAnswer("Unsendable", error.description ?? error.reason, true)
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

/** The same error about another request: as it was given, without the key. */
export const about = (
  error: HttpClientError.HttpClientError,
  request: HttpClientRequest.HttpClientRequest
): HttpClientError.HttpClientError => {
  const { cause, description = "" } = error
  return error._tag === "RequestError"
    ? new HttpClientError.RequestError({ request, cause, description, reason: error.reason })
    : new HttpClientError.ResponseError({ request, cause, description, reason: error.reason, response: error.response })
}

/**
 * What holds on the fiber that an exchange runs on, which ends with it: whatever else is set for Fetch, redirects are not
 * followed; wherever the request is shown, its key is not; and it makes no span, unless asked to.
 */
export const guard =
  (keyHeader: string, traceRequests: boolean) =>
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
