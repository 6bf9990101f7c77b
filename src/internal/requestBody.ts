/**
 * The body of a request as raw bytes, counted while they come in.
 */
import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as Effect from "effect/Effect"
import { type Bytes, collect } from "./bytes.js"

/**
 * How much more than what is allowed is taken in and dropped, in bytes. A web request can be answered whenever its
 * body is cancelled; on Node, that closes the connection before the answer can go out.
 */
const excess = (request: HttpServerRequest.HttpServerRequest): number =>
  typeof Request === "function" && request.source instanceof Request ? 0 : 8 * 1024 ** 2

/**
 * The whole body; `TooLarge` where it has more than `most` bytes, `Broken` where it ended before its time.
 */
export const readUpTo = (
  request: HttpServerRequest.HttpServerRequest,
  most: number
): Effect.Effect<Bytes, "TooLarge" | "Broken"> =>
  Effect.suspend(() => {
    if (Number(request.headers["content-length"]) > most) return Effect.fail("TooLarge")
    // the stream of a web request without a body fails
    const { source } = request
    if (typeof Request === "function" && source instanceof Request && source.body === null) {
      return Effect.succeed(new Uint8Array())
    }
    return Effect.flatMap(
      Effect.mapError(collect(request.stream, most, excess(request)), () => "Broken" as const),
      ({ bytes, whole }): Effect.Effect<Bytes, "TooLarge"> => (whole ? Effect.succeed(bytes) : Effect.fail("TooLarge"))
    )
  })
