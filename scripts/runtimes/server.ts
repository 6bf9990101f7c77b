/**
 * Lumes with odd answers, for the checks: each at `/<session>/<check>/<name>`, with a memory of its own.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Http from "node:http"
import { gzipSync } from "node:zlib"
import { finishedMetadata } from "../../test/support/metadata.js"
import { answer, serve } from "../../test/support/server.js"

/** A request as it was received. */
interface Seen {
  readonly method: string | undefined
  /** From the Lume's base URL on, as it was sent. */
  readonly path: string
  readonly key: string | undefined
  readonly contentType: string | undefined
  readonly body: string
  /** Whether the client has left before the answer was complete. */
  gone: boolean
}

/** Answers a request, which is the `index`th for its path. */
type Lume = (response: Http.ServerResponse, request: Seen, index: number) => void

const idOf = ({ path }: Seen): string => decodeURIComponent(path.split("/")[2] ?? "run_1")

const run = (request: Seen, status: string, pairs: Readonly<Record<string, unknown>> = {}) => ({
  id: idOf(request),
  status,
  metadata: status === "PARTIAL_FAILED" ? finishedMetadata(status, idOf(request)) : null,
  run_metadata: pairs
})

const unavailable: Lume = (response) => answer(response, { detail: "overloaded" }, 503)

const proxy: Lume = (response) => {
  response.writeHead(200, { "content-type": "text/html" })
  response.end("<!doctype html><title>Sign in</title>")
}

const losing: Lume = (response) => response.destroy()

const breaking: Lume = (response, request) => {
  response.writeHead(200, { "content-type": "application/json", "content-length": 10_000 })
  response.write(JSON.stringify(run(request, "CREATED")).slice(0, 20), () => response.destroy())
}

/** A run goes through these statuses, one a request. */
const statuses =
  (...all: ReadonlyArray<string>): Lume =>
  (response, request, index) =>
    answer(response, run(request, all[Math.min(index, all.length - 1)] ?? ""))

const lumes: Readonly<Record<string, Lume>> = {
  breaking,
  busy: (response, request, index) =>
    index === 0
      ? answer(response, { detail: "slow down" }, 429, { "retry-after": "0" })
      : answer(response, run(request, "CREATED")),
  created: statuses("CREATED"),
  endless: (response) => {
    response.writeHead(200, { "content-type": "application/json" })
    const go = (): void => {
      while (!response.destroyed && response.write(" ".repeat(1000)));
    }
    response.on("drain", go)
    go()
  },
  finished: statuses("PARTIAL_FAILED"),
  hesitant: (response, request, index) =>
    index < 2 ? unavailable(response, request, index) : answer(response, run(request, "TRANSFORMING")),
  large: (response, request) => answer(response, run(request, "CREATED", { long: "x".repeat(10_000) })),
  losing,
  packed: (response, request) => {
    const body = gzipSync(JSON.stringify(run(request, "CREATED", { long: "x".repeat(1_000_000) })))
    response.writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" })
    response.end(body)
  },
  processed: (response) => answer(response, { detail: "already processed" }, 409),
  proxy,
  redirecting: (response, request, index) => {
    if (index > 0) return answer(response, run(request, "CREATED"))
    const { port } = response.req.socket.address() as { readonly port: number }
    // another origin
    response.writeHead(302, { location: `http://localhost:${port}${response.req.url}` })
    response.end()
  },
  refusing: (response, { key }) => answer(response, { detail: `the key ${key} is unknown` }, 401),
  running: statuses("CREATED", "SYNCING_SOURCE", "TRANSFORMING", "TRANSFORMING", "SYNCING_TARGET", "PARTIAL_FAILED"),
  silent: () => {},
  stuck: statuses("TRANSFORMING"),
  twice: statuses("TRANSFORMING", "PARTIAL_FAILED"),
  unavailable,
  wavering: (response, request, index) => {
    const answers = [unavailable, proxy, breaking, statuses("QUEUED"), statuses("PARTIAL_FAILED")]
    return (answers[Math.min(index, 4)] ?? unavailable)(response, request, 0)
  }
}

const place = /^(?<lume>\/[\w-]+\/\d+\/(?<name>\w+))(?<path>\/.*)$/

const text = async (request: Http.IncomingMessage): Promise<string> => Buffer.concat(await request.toArray()).toString()

const receive = async (
  request: Http.IncomingMessage,
  response: Http.ServerResponse,
  memory: Map<string, Array<Seen>>
): Promise<void> => {
  const { lume = "", name = "", path = "" } = place.exec(request.url ?? "")?.groups ?? {}
  const before = memory.get(lume) ?? []
  memory.set(lume, before)
  if (path === "/seen") return answer(response, before)
  const { "content-type": contentType, "lume-api-key": key } = request.headers
  const body = await text(request)
  const seen = { method: request.method, path, key: key?.toString(), contentType, body, gone: false }
  response.on("close", () => {
    seen.gone = !response.writableFinished
  })
  const play = lumes[name]
  if (play === undefined) return answer(response, {}, 404)
  const index = before.filter((one) => one.path === path).length
  before.push(seen)
  play(response, seen, index)
}

/** Serves them for as long as the scope is open, and a page for browsers at `/`. Gives the base URL of all of them. */
export const serveLumes: Effect.Effect<string, never, Scope.Scope> = Effect.suspend(() => {
  const memory = new Map<string, Array<Seen>>()
  return Effect.map(
    serve((request, response) => {
      if (request.url === "/") return proxy(response, { path: "" } as Seen, 0)
      void receive(request, response, memory)
    }),
    ({ url }) => url
  )
})
