/**
 * The body of a request as raw bytes, counted while they come in.
 */
import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

/**
 * How much more than what is allowed is taken in and dropped, in bytes. A web request can be answered whenever its
 * body is cancelled; on Node, that closes the connection before the answer can go out.
 */
const excess = (request: HttpServerRequest.HttpServerRequest): number =>
  typeof Request === "function" && request.source instanceof Request ? 0 : 8 * 1024 ** 2

const concat = (chunks: ReadonlyArray<Uint8Array>, size: number): Uint8Array => {
  const whole = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.length
  }
  return whole
}

/**
 * The whole body; `TooLarge` where it has more than `most` bytes, `Broken` where it ended before its time.
 */
export const readUpTo = (
  request: HttpServerRequest.HttpServerRequest,
  most: number
): Effect.Effect<Uint8Array | "TooLarge" | "Broken"> =>
  Effect.suspend(() => {
    if (Number(request.headers["content-length"]) > most) return Effect.succeed("TooLarge")
    const last = most + excess(request)
    let chunks: Array<Uint8Array> = []
    let size = 0
    return Effect.match(
      Stream.runForEachWhile(request.stream, (chunk) =>
        Effect.sync(() => {
          size += chunk.length
          if (size <= most) chunks.push(chunk)
          else chunks = []
          return size <= last
        })
      ),
      {
        // a web request without a body fails too, since it has no stream
        onFailure: () => (size === 0 ? new Uint8Array() : "Broken"),
        onSuccess: () => (size <= most ? concat(chunks, size) : "TooLarge")
      }
    )
  })
