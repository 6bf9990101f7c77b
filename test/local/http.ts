/**
 * Bare HTTP, with any headers, and bodies that are sent or not.
 */
import * as Effect from "effect/Effect"
import { type ClientRequest, type IncomingHttpHeaders, request } from "node:http"
import { connect } from "node:net"

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface Init {
  readonly method?: string
  readonly headers?: Record<string, string>
}

/** Sends a request on a connection of its own; `write` sends the body, or does not. */
export const send = (
  url: string,
  init: Init = {},
  write: (request: ClientRequest) => void = (sent) => sent.end()
): Effect.Effect<Answer> =>
  Effect.async((resume) => {
    const sent = request(url, { agent: false, ...init }, (response) => {
      const chunks: Array<Buffer> = []
      response.on("data", (chunk: Buffer) => chunks.push(chunk))
      response.on("end", () => {
        const { headers, statusCode = 0 } = response
        resume(Effect.succeed({ status: statusCode, headers, body: Buffer.concat(chunks).toString() }))
        sent.destroy()
      })
    })
    // what is still being sent when the answer is there
    sent.on("error", () => {})
    write(sent)
  })

/** What comes back for these bytes until the connection is closed. */
export const raw = (url: string, bytes: string): Effect.Effect<string> =>
  Effect.async((resume) => {
    let received = ""
    const socket = connect(Number(new URL(url).port), new URL(url).hostname, () => socket.write(bytes))
    socket.on("data", (chunk) => (received += chunk.toString()))
    socket.on("error", () => {})
    socket.on("close", () => resume(Effect.succeed(received)))
  })
