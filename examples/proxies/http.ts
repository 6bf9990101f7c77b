/**
 * An HTTP client of the application's own that tries again, which a client of Lume can be given: it repeats reads only.
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"

const mayPass = (error: HttpClientError.HttpClientError): boolean =>
  error._tag === "RequestError" ? error.reason === "Transport" : error.response.status >= 500

/** Repeats `GET` and `HEAD`, and nothing else: what a `POST` has done cannot be seen from a failure. */
export const retryReads = (client: HttpClient.HttpClient): HttpClient.HttpClient =>
  HttpClient.transform(client, (response, request) =>
    request.method === "GET" || request.method === "HEAD"
      ? Effect.retry(response, { times: 3, schedule: Schedule.exponential("200 millis"), while: mayPass })
      : response
  )

/** Fetch that repeats reads, for whatever needs an `HttpClient`. */
export const layer: Layer.Layer<HttpClient.HttpClient> = Layer.effect(
  HttpClient.HttpClient,
  Effect.map(HttpClient.HttpClient, retryReads)
).pipe(Layer.provide(FetchHttpClient.layer))
