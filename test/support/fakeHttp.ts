/**
 * A fake `HttpClient` beneath the real client: answers by a function, records what was sent.
 */
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as LumeClient from "../../src/LumeClient.js"
import type * as LumeError from "../../src/LumeError.js"

/** A request as it reached the wire. */
export interface Sent {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
  /** On the test's clock, in milliseconds. */
  readonly at: number
}

/** The n-th request (from 0) and what comes back: an answer, or an effect that may never give one. */
export type Respond = (
  sent: Sent,
  index: number,
  request: HttpClientRequest.HttpClientRequest
) => Response | Effect.Effect<Response, HttpClientError.HttpClientError>

export interface FakeHttp {
  readonly sent: Array<Sent>
  readonly layer: Layer.Layer<HttpClient.HttpClient>
}

const bodyOf = (request: HttpClientRequest.HttpClientRequest): unknown =>
  request.body._tag === "Uint8Array" ? JSON.parse(new TextDecoder().decode(request.body.body)) : undefined

export const fakeHttp = (respond: Respond): FakeHttp => {
  const sent: Array<Sent> = []
  const client = HttpClient.make((request, url) =>
    Effect.flatMap(Clock.currentTimeMillis, (at) => {
      const record: Sent = {
        method: request.method,
        url: url.toString(),
        headers: { ...request.headers },
        body: bodyOf(request),
        at
      }
      const answer = respond(record, sent.push(record) - 1, request)
      return Effect.map(answer instanceof Response ? Effect.succeed(answer) : answer, (response) =>
        HttpClientResponse.fromWeb(request, response)
      )
    })
  )
  return { sent, layer: Layer.succeed(HttpClient.HttpClient, client) }
}

export const apiKey = "lume-key-under-test"

/** The real client over the fake. */
export const clientLayer = (
  http: FakeHttp,
  options: Partial<LumeClient.Options> = {}
): Layer.Layer<LumeClient.LumeClient, LumeError.InvalidRequestError> =>
  LumeClient.layer({ apiKey: Redacted.make(apiKey), ...options }).pipe(Layer.provide(http.layer))

export const json = (body: unknown, status = 200, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json", ...headers } })

export const runId = "run_01HYE5ZJ4T8Q2W"

/** The answer about a run that is in this state. */
export const state = (status: string | null, metadata: unknown = {}, id: string = runId): Response =>
  json({ id, status, metadata })

/** A connection that breaks. */
export const disconnected: Respond = (_, __, request) =>
  Effect.fail(new HttpClientError.RequestError({ request, reason: "Transport", cause: new Error("socket hang up") }))

/** Answers with each of these in turn, then with the last one for ever. */
export const inTurn =
  (...answers: ReadonlyArray<Respond>): Respond =>
  (sent, index, request) => {
    const respond = answers[Math.min(index, answers.length - 1)]
    return respond === undefined ? Effect.dieMessage("no answer was given") : respond(sent, index, request)
  }

/** Answers with each of these states in turn, then with the last one for ever. */
export const states = (...statuses: ReadonlyArray<string | null>): Respond =>
  inTurn(
    ...statuses.map(
      (status): Respond =>
        () =>
          state(status)
    )
  )
