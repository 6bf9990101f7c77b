/**
 * A local Lume's HTTP server: what holds for every request, whichever endpoint it is for.
 */
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpMiddleware from "@effect/platform/HttpMiddleware"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"
import { createServer, type RequestListener, type Server } from "node:http"
import { preview } from "../../internal/text.js"
import { LocalLumeError } from "./error.js"
import * as faults from "./faults.js"
import { largestBody } from "./request.js"

// ---------------------------------------------------------------------------------------------------------------------
// Hosts

const loopback = /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/i

/** Whether only this machine can reach a server that listens on this host. */
export const isLoopback = (host: string): boolean => loopback.test(host)

const withoutPort = (authority: string): string => authority.replace(/:\d*$/, "")

// ---------------------------------------------------------------------------------------------------------------------
// Middleware

type Middleware = <R>(app: HttpApp.Default<never, R>) => HttpApp.Default<never, R>

const refusal = (status: number, detail: string) => HttpServerResponse.unsafeJson({ detail }, { status })

/** No answer is true for longer than it takes to give it. */
const noStore: Middleware = Effect.map(HttpServerResponse.setHeader("cache-control", "no-store"))

/**
 * A page of another site can have its own name resolved to this machine, and then ask as if it were from here. The name
 * that it has asked for tells.
 */
const hostCheck: Middleware = (app) =>
  Effect.flatMap(HttpServerRequest.HttpServerRequest, ({ headers: { host = "" } }) =>
    loopback.test(withoutPort(host))
      ? app
      : Effect.succeed(
          refusal(
            421,
            `This server answers for this machine alone, as localhost or 127.0.0.1, not for ${preview(host)}`
          )
        )
  )

/** What no endpoint has answered: an unknown path, of which the platform's types don't tell, or a defect. */
const withBody: Middleware = (app) =>
  Effect.catchAllCause(app, (cause) => {
    const error = Cause.squash(cause)
    if (Predicate.isTagged(error, "RouteNotFound")) return Effect.succeed(refusal(404, "Not Found"))
    if (Cause.isInterrupted(cause)) return Effect.failCause(cause)
    return Effect.as(
      Effect.logError("The local Lume met a defect in answering a request", cause),
      refusal(500, "Internal Server Error")
    )
  })

// ---------------------------------------------------------------------------------------------------------------------
// The server

/** Where a server listens, and the faults that it has. */
export interface Options {
  readonly host: string
  /** 0 for a free one. */
  readonly port: number
  readonly fault: faults.Choice | undefined
}

/** What Node makes of bytes that are no request, by its error's code; of any other, 400. */
const nonsense: ReadonlyMap<unknown, readonly [status: string, detail: string]> = new Map([
  ["HPE_HEADER_OVERFLOW", ["431 Request Header Fields Too Large", "The URL and the headers have more than 16 KiB"]],
  ["ERR_HTTP_REQUEST_TIMEOUT", ["408 Request Timeout", "The request did not come to its end in time"]]
])

/** What is no HTTP is answered too, as everything is. */
const answerNonsense = (server: Server) =>
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    const [status, detail] = nonsense.get(error.code) ?? ["400 Bad Request", "This is no HTTP request"]
    const body = JSON.stringify({ detail })
    const head = `HTTP/1.1 ${status}\r\nconnection: close\r\ncache-control: no-store\r\ncontent-type: application/json\r\ncontent-length: ${body.length}`
    if (socket.writable) socket.end(`${head}\r\n\r\n${body}`)
    else socket.destroy()
  })

/** A body that is announced is asked for only where it would be read. */
const answerAnnouncement =
  (handler: RequestListener): RequestListener =>
  (request, response) => {
    if (!(Number(request.headers["content-length"]) > largestBody)) response.writeContinue()
    handler(request, response)
  }

const makeServer = (handler: RequestListener): Server => {
  // A request without a Host header is refused by the check above, and what else it may expect is ignored.
  const server = createServer({ keepAliveTimeout: 75_000, requireHostHeader: false, maxHeaderSize: 16 * 1024 }, handler)
  server.on("checkContinue", answerAnnouncement(handler))
  server.on("checkExpectation", handler)
  return answerNonsense(server)
}

const listen = (server: Server, host: string, port: number): Effect.Effect<void, LocalLumeError> =>
  Effect.flatMap(Effect.runtime(), (runtime) => listenIn(server, host, port, Runtime.runFork(runtime)))

const listenIn = (
  server: Server,
  host: string,
  port: number,
  fork: (effect: Effect.Effect<void>) => unknown
): Effect.Effect<void, LocalLumeError> =>
  Effect.async((resume) => {
    const refused = (error: Error) => {
      const isInUse = "code" in error && error.code === "EADDRINUSE"
      const reason = isInUse ? ", because the port is in use" : `: ${error.message}`
      const message = `Can't listen on ${host}:${port}${reason}. Leave the port out to get a free one.`
      resume(new LocalLumeError({ message }))
    }
    server.once("error", refused)
    server.listen(port, host, () => {
      server.off("error", refused)
      // such as a connection that can't be accepted, because too many files are open: the next one may be
      server.on("error", ({ message }) => fork(Effect.logError(`The local Lume's server: ${message}`)))
      resume(Effect.void)
    })
  })

/** Node's own end waits until every client has let go of its connection. */
const close = (server: Server): Effect.Effect<void> =>
  Effect.async((resume) => {
    server.close(() => resume(Effect.void))
    server.closeAllConnections()
  })

const urlOf = (server: Server): string => {
  const address = server.address()
  // A server that listens on a port has an address that is no text.
  if (address === null || typeof address === "string") return ""
  return `http://${address.address.includes(":") ? `[${address.address}]` : address.address}:${address.port}`
}

/** The page for people, beside the endpoints for programs. */
export interface Page {
  /** Whether a URL is the page's. */
  readonly has: (url: string) => boolean
  readonly app: HttpApp.Default
}

/** The page meets no faults, and is asked for by this machine's own names wherever the server listens. */
const withPage =
  (page: Page | undefined): Middleware =>
  (app) =>
    Effect.flatMap(HttpServerRequest.HttpServerRequest, ({ url }) =>
      page?.has(url) === true ? noStore(hostCheck(withBody(page.app))) : app
    )

/** Serves an app, and a page where there is one, until the scope closes; gives their URL. Requests leave no spans. */
export const serve = (
  app: HttpApp.Default,
  { fault, host, port }: Options,
  page?: Page
): Effect.Effect<string, LocalLumeError, Scope.Scope> =>
  Effect.gen(function* () {
    const checked = isLoopback(host) ? hostCheck(withBody(app)) : withBody(app)
    const handler = yield* HttpMiddleware.withTracerDisabledWhenEffect(
      NodeHttpServer.makeHandler(withPage(page)(noStore(faults.middleware(fault)(noStore(checked))))),
      () => true
    )
    const server = yield* Effect.acquireRelease(
      Effect.sync(() => makeServer(handler)),
      close
    )
    yield* listen(server, host, port)
    return urlOf(server)
  })
