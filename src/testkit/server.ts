/**
 * The test kit's Lume: a fake `HttpClient`. Its runs follow their timelines on the clock, and it fails on demand.
 */
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as ParseResult from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import * as check from "../client/options.js"
import type { InvalidRequestError } from "../LumeError.js"
import { RunRequest } from "../RunRequest.js"
import * as testMetadata from "./metadata.js"
import * as testTimeline from "./timeline.js"
import * as transportFailure from "../client/transportFailure.js"

/** What goes wrong with a request. */
export type Fault =
  | "network"
  | "timeout"
  | "html502"
  | {
      /** The answer's HTTP status. */
      readonly status: number
      /** The header `Retry-After`, in seconds. */
      readonly retryAfter?: number | undefined
      /** The `detail` of the answer. Default: a text that names the test as the cause. */
      readonly detail?: string | undefined
    }

/** A fault for the next `remaining` requests. */
export interface PlannedFault {
  remaining: number
  readonly fault: Fault
  readonly on: "read" | "submit" | undefined
  readonly received: boolean
}

/** A request as the client sent it, without the key. */
export interface ReceivedRequest {
  /** `POST` for a submit, `GET` for a read. */
  readonly method: string
  /** The path of its URL, such as `/runs/run_test_1`. */
  readonly path: string
  /** The decoded JSON; `undefined` if there is no body. */
  readonly body: unknown
  /** When it was sent, on the test's clock, in milliseconds since 1970. */
  readonly at: number
}

interface Run extends testTimeline.Run {
  /** `undefined` for a run that existed from the beginning. */
  readonly request: RunRequest | undefined
}

/** What the fake Lume knows. */
export interface State {
  readonly runs: Map<string, Run>
  readonly faults: Array<PlannedFault>
  readonly requests: Array<ReceivedRequest>
  readonly submitted: Array<RunRequest>
  readonly onRun: (request: RunRequest) => testTimeline.Timeline
  /** When the last request came, in milliseconds since 1970. */
  now: number
}

/** A fake Lume with these runs, which begin `now`. */
export const makeState = (
  runs: Readonly<Record<string, testTimeline.Timeline>>,
  onRun: State["onRun"],
  now: number
): State => ({
  runs: new Map(
    Object.entries(runs).map(([id, timeline]) => {
      const { flowVersion, sourcePath } = testMetadata.someRun(id)
      return [id, { id, flowVersion, sourcePath, acceptedAt: now, timeline, request: undefined }]
    })
  ),
  faults: [],
  requests: [],
  submitted: [],
  onRun,
  now
})

/** Where the clock has gone back it is another one: the layer was built on the live clock, say. Its runs begin again. */
const clockIs = (state: State, now: number): void => {
  if (now < state.now) for (const [id, run] of state.runs) state.runs.set(id, { ...run, acceptedAt: now })
  state.now = now
}

// ---------------------------------------------------------------------------------------------------------------------
// Answers

const json = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Response => {
  const bytes = new TextEncoder().encode(JSON.stringify(body))
  return new Response(bytes, {
    status,
    headers: { "content-type": "application/json", "content-length": String(bytes.length), ...headers }
  })
}

/** An answer with any status: a `Response` is made with some only. */
const answerWith = (status: number, body: unknown, headers: Readonly<Record<string, string>>): Response => {
  const hasNoBody = status === 204 || status === 205 || status === 304
  if (hasNoBody) return new Response(null, { status, headers })
  if (status >= 200 && status <= 599) return json(status, body, headers)
  return Object.defineProperty(json(200, body, headers), "status", { value: status })
}

const answer = (run: Run, now: number): Response => {
  const { metadata, status } = testTimeline.at(run, now)
  return json(200, { id: run.id, status, metadata, run_metadata: run.request?.runMetadata ?? null })
}

const hasSucceeded = ({ runs }: State, { flowVersion, sourcePath }: RunRequest, now: number): boolean =>
  [...runs.values()].some(
    (run) =>
      run.request !== undefined &&
      run.flowVersion === flowVersion &&
      run.sourcePath === sourcePath &&
      testTimeline.at(run, now).status === "SUCCEEDED"
  )

const freeId = (runs: State["runs"], number: number): string =>
  runs.has(`run_test_${number}`) ? freeId(runs, number + 1) : `run_test_${number}`

const start = (state: State, request: RunRequest, now: number): Effect.Effect<Response> => {
  const { flowVersion, sourcePath } = request
  return Effect.map(testTimeline.checked(`onRun of ${sourcePath}`, state.onRun(request)), (timeline) => {
    const id = freeId(state.runs, state.submitted.push(request))
    const run = { id, flowVersion, sourcePath, acceptedAt: now, timeline, request }
    state.runs.set(id, run)
    return answer(run, now)
  })
}

const decodeRequest = ParseResult.decodeUnknown(RunRequest)

const submit = (state: State, body: unknown, now: number): Effect.Effect<Response> =>
  Effect.matchEffect(decodeRequest(body), {
    onFailure: (issue) =>
      Effect.succeed(
        json(422, {
          detail: [{ loc: ["body"], msg: ParseResult.TreeFormatter.formatIssueSync(issue), type: "value_error" }]
        })
      ),
    onSuccess: (request) =>
      request.forceRerun !== true && hasSucceeded(state, request, now)
        ? Effect.succeed(json(409, { detail: "this source path is processed again only with force_rerun" }))
        : start(state, request, now)
  })

const read = ({ runs }: State, path: string, now: number): Response => {
  const run = runs.get(decodeURIComponent(path.split("/").at(-1) ?? ""))
  return run === undefined ? json(404, { detail: "Run not found" }) : answer(run, now)
}

// ---------------------------------------------------------------------------------------------------------------------
// Faults

const page = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"

/** Refuses what is no fault: types do not show every mistake. */
export const checkedFault = (fault: Fault): Effect.Effect<unknown, InvalidRequestError> =>
  Predicate.isObject(fault)
    ? Effect.zipRight(
        check.count("the status of a fault", fault.status, 0),
        check.count("the retryAfter of a fault", check.or(fault.retryAfter, 0), 0)
      )
    : fault === "network" || fault === "timeout" || fault === "html502"
      ? Effect.void
      : check.must("a fault", '"network", "timeout", "html502" or { status }', fault)

const failWith = (
  { fault, received }: PlannedFault,
  request: HttpClientRequest.HttpClientRequest
): Effect.Effect<Response, HttpClientError.HttpClientError> => {
  if (fault === "timeout") return Effect.never
  if (fault === "html502") {
    return Effect.succeed(new Response(page, { status: 502, headers: { "content-type": "text/html" } }))
  }
  if (fault !== "network") {
    const headers = fault.retryAfter === undefined ? {} : { "retry-after": String(fault.retryAfter) }
    return Effect.succeed(answerWith(fault.status, { detail: fault.detail ?? "A fault of the test" }, headers))
  }
  const code = received ? "ECONNRESET" : "ECONNREFUSED"
  const cause = Object.assign(new Error(`${code}: a fault of the test`), { code })
  return Effect.fail(transportFailure.lost(request, cause))
}

const takeFault = ({ faults }: State, kind: "read" | "submit"): PlannedFault | undefined => {
  const fault = faults.find(({ on, remaining }) => remaining > 0 && (on === undefined || on === kind))
  if (fault !== undefined) fault.remaining--
  return fault
}

// ---------------------------------------------------------------------------------------------------------------------
// The client

const bodyOf = ({ body }: HttpClientRequest.HttpClientRequest): Effect.Effect<unknown> =>
  body._tag === "Uint8Array"
    ? Effect.orElseSucceed(
        Effect.try((): unknown => JSON.parse(new TextDecoder().decode(body.body))),
        () => undefined
      )
    : Effect.void

/** The client whose requests the fake Lume answers. It does no more than that: a wait makes hundreds of requests. */
export const makeClient = (state: State): HttpClient.HttpClient =>
  HttpClient.makeWith<never, never, HttpClientError.HttpClientError, never>(
    Effect.flatMap((request) =>
      Effect.gen(function* () {
        const at = yield* Clock.currentTimeMillis
        clockIs(state, at)
        const body = yield* bodyOf(request)
        const path = new URL(request.url).pathname
        state.requests.push({ method: request.method, path, body, at })
        const kind = request.method === "POST" ? "submit" : "read"
        const respond = kind === "submit" ? submit(state, body, at) : Effect.sync(() => read(state, path, at))
        const fault = takeFault(state, kind)
        const response =
          fault === undefined
            ? yield* respond
            : yield* Effect.zipRight(fault.received ? respond : Effect.void, failWith(fault, request))
        return HttpClientResponse.fromWeb(request, response)
      })
    ),
    Effect.succeed
  )
