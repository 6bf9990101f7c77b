/**
 * The test kit's Lume: a fake `HttpClient` behind which runs follow their timelines on the clock, with faults on demand.
 */
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { RunRequest } from "../RunRequest.js"
import * as timeline from "./testTimeline.js"

/** What can befall a request. */
export type Fault =
  | "network"
  | "timeout"
  | "html502"
  | { readonly status: number; readonly retryAfter?: number | undefined; readonly detail?: string | undefined }

/** A fault that waits for its requests. */
export interface PlannedFault {
  remaining: number
  readonly fault: Fault
  readonly on: "read" | "submit" | undefined
  readonly received: boolean
}

/** A request as it reached the fake Lume; never the key. */
export interface ReceivedRequest {
  readonly method: string
  readonly path: string
  /** The decoded JSON; `undefined` where there is no body. */
  readonly body: unknown
  /** When, in milliseconds since 1970 on the test's clock. */
  readonly at: number
}

interface Run {
  readonly id: string
  readonly request: RunRequest | undefined
  readonly acceptedAt: number
  readonly timeline: timeline.Timeline
}

/** What the fake Lume knows. */
export interface State {
  readonly runs: Map<string, Run>
  readonly faults: Array<PlannedFault>
  readonly requests: Array<ReceivedRequest>
  readonly submitted: Array<RunRequest>
}

const json = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Response => {
  const bytes = new TextEncoder().encode(JSON.stringify(body))
  return new Response(bytes, {
    status,
    headers: { "content-type": "application/json", "content-length": String(bytes.length), ...headers }
  })
}

const answer = (run: Run, now: number): Response => {
  const { acceptedAt, id, request } = run
  const { metadata, status } = timeline.at(run.timeline, {
    runId: id,
    flowVersion: request?.flowVersion ?? "test_flow:v1",
    sourcePath: request?.sourcePath ?? "s3://lume-test/source.csv",
    acceptedAt,
    took: now - acceptedAt
  })
  return json(200, { id, status, metadata, run_metadata: request?.runMetadata ?? null })
}

const hasSucceeded = ({ runs }: State, { flowVersion, sourcePath }: RunRequest, now: number): boolean =>
  [...runs.values()].some(
    (run) =>
      run.request?.flowVersion === flowVersion &&
      run.request.sourcePath === sourcePath &&
      timeline.at(run.timeline, {
        runId: run.id,
        flowVersion,
        sourcePath,
        acceptedAt: run.acceptedAt,
        took: now - run.acceptedAt
      }).status === "SUCCEEDED"
  )

const decodeRequest = Schema.decodeUnknown(RunRequest)

const submit = (state: State, body: unknown, now: number, onRun: (request: RunRequest) => timeline.Timeline) =>
  Effect.match(decodeRequest(body), {
    onFailure: (error) => json(422, { detail: [{ loc: ["body"], msg: error.message, type: "value_error" }] }),
    onSuccess: (request) => {
      if (request.forceRerun !== true && hasSucceeded(state, request, now)) {
        return json(409, { detail: `${request.sourcePath} has already been processed by ${request.flowVersion}` })
      }
      const run = { id: `run_test_${state.runs.size + 1}`, request, acceptedAt: now, timeline: onRun(request) }
      state.runs.set(run.id, run)
      state.submitted.push(request)
      return answer(run, now)
    }
  })

const read = ({ runs }: State, path: string, now: number): Response => {
  const run = runs.get(decodeURIComponent(path.split("/").at(-1) ?? ""))
  return run === undefined ? json(404, { detail: "Run not found" }) : answer(run, now)
}

const failWith = (
  { fault, received }: PlannedFault,
  request: HttpClientRequest.HttpClientRequest
): Effect.Effect<Response, HttpClientError.HttpClientError> => {
  if (fault === "timeout") return Effect.never
  if (fault === "html502") {
    const page = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
    return Effect.succeed(new Response(page, { status: 502, headers: { "content-type": "text/html" } }))
  }
  if (fault !== "network") {
    const headers = fault.retryAfter === undefined ? {} : { "retry-after": String(fault.retryAfter) }
    return Effect.succeed(json(fault.status, { detail: fault.detail ?? "A fault of the test" }, headers))
  }
  const code = received ? "ECONNRESET" : "ECONNREFUSED"
  const cause = Object.assign(new Error(`${code}: a fault of the test`), { code })
  return Effect.fail(new HttpClientError.RequestError({ request, reason: "Transport", cause }))
}

const takeFault = ({ faults }: State, kind: "read" | "submit"): PlannedFault | undefined => {
  const fault = faults.find(({ on, remaining }) => remaining > 0 && (on === undefined || on === kind))
  if (fault !== undefined) fault.remaining--
  return fault
}

const bodyOf = ({ body }: HttpClientRequest.HttpClientRequest): Effect.Effect<unknown> =>
  body._tag === "Uint8Array"
    ? Effect.orElseSucceed(
        Effect.try((): unknown => JSON.parse(new TextDecoder().decode(body.body))),
        () => undefined
      )
    : Effect.void

/** The client that speaks to it. */
export const makeClient = (state: State, onRun: (request: RunRequest) => timeline.Timeline): HttpClient.HttpClient =>
  HttpClient.make((request, url) =>
    Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const body = yield* bodyOf(request)
      state.requests.push({ method: request.method, path: url.pathname, body, at: now })
      const kind = request.method === "POST" ? "submit" : "read"
      const fault = takeFault(state, kind)
      const respond =
        kind === "submit" ? submit(state, body, now, onRun) : Effect.sync(() => read(state, url.pathname, now))
      const response =
        fault === undefined
          ? yield* respond
          : yield* Effect.zipRight(fault.received ? respond : Effect.void, failWith(fault, request))
      return HttpClientResponse.fromWeb(request, response)
    })
  )
