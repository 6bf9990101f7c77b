/**
 * A real server on loopback, for what only the wire shows.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Http from "node:http"
import type * as Net from "node:net"

export interface Server {
  readonly url: string
  /** What came in, in its order. */
  readonly requests: Array<Http.IncomingMessage>
  /** The connections that are open and that a request came by: undici opens another after one that was given up. */
  readonly sockets: Set<Net.Socket>
  /** From now on, new connections are answered by hand, at their first bytes. */
  readonly intercept: (answer: (socket: Net.Socket) => void) => void
}

export type Handler = (request: Http.IncomingMessage, response: Http.ServerResponse, index: number) => void

/** Runs for as long as its scope is open. */
export const serve = (handler: Handler): Effect.Effect<Server, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.async<Server & { readonly close: () => void }>((resume) => {
      const requests: Array<Http.IncomingMessage> = []
      const sockets = new Set<Net.Socket>()
      let byHand: ((socket: Net.Socket) => void) | undefined = undefined
      const server = Http.createServer((request, response) => {
        request.resume()
        sockets.add(request.socket)
        handler(request, response, requests.push(request) - 1)
      })
      server.on("connection", (socket) => {
        const answer = byHand
        if (answer !== undefined) {
          socket.removeAllListeners("data")
          socket.once("data", () => {
            sockets.add(socket)
            answer(socket)
          })
        }
        socket.on("close", () => sockets.delete(socket))
      })
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        const port = typeof address === "object" && address !== null ? address.port : 0
        const intercept: Server["intercept"] = (answer) => {
          byHand = answer
        }
        const close = () => {
          server.close()
          server.closeAllConnections()
        }
        resume(Effect.succeed({ url: `http://127.0.0.1:${port}`, requests, sockets, close, intercept }))
      })
    }),
    ({ close }) => Effect.sync(close)
  )

/** Answers with JSON. */
export const answer = (
  response: Http.ServerResponse,
  body: unknown,
  status = 200,
  headers: Http.OutgoingHttpHeaders = {}
) => {
  const text = JSON.stringify(body)
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(text),
    ...headers
  })
  response.end(text)
}

/** Until this holds; the test's own time limit ends it otherwise. */
export const until = (condition: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() =>
    condition()
      ? Effect.void
      : Effect.zipRight(
          // leaves the core to what is waited for
          Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 5))),
          until(condition)
        )
  )
