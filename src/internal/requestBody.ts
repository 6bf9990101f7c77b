/**
 * The body of a request as raw bytes, counted while they come in.
 */
import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import { type Bytes, collect } from "./bytes.js"

/**
 * Why a body can't be had.
 *
 * - `TooLarge`: it has more bytes than are allowed.
 * - `Broken`: it ended before its time.
 * - `ConsumedBody`: something else has read it, or has begun to.
 * - `NoBodyStream`: the runtime's requests have no `body`, as in Firefox, so that it can't be counted while it comes in.
 */
export type Obstacle = "TooLarge" | "Broken" | "ConsumedBody" | "NoBodyStream"

/**
 * How much more than what is allowed is taken in and dropped on Node, in bytes. There, cancelling a body closes the
 * connection before the answer can go out. A web request can be answered whenever its body is cancelled.
 */
const excess = 8 * 1024 ** 2

const readStream = (
  request: HttpServerRequest.HttpServerRequest,
  most: number,
  excess: number
): Effect.Effect<Bytes, Obstacle> =>
  Effect.flatMap(
    Effect.mapError(collect(request.stream, most, excess), (): Obstacle => "Broken"),
    ({ bytes, whole }) => (whole ? Effect.succeed(bytes) : Effect.fail("TooLarge"))
  )

const readWeb = (
  request: HttpServerRequest.HttpServerRequest,
  source: Request,
  most: number
): Effect.Effect<Bytes, Obstacle> => {
  // DOM's types don't know of runtimes without it
  const body: ReadableStream | null | undefined = source.body
  if (source.bodyUsed || body?.locked) return Effect.fail("ConsumedBody")
  if (body === undefined) return Effect.fail("NoBodyStream")
  return body === null ? Effect.succeed(new Uint8Array()) : readStream(request, most, 0)
}

/** The whole body, which has at most `most` bytes. */
export const readUpTo = (request: HttpServerRequest.HttpServerRequest, most: number): Effect.Effect<Bytes, Obstacle> =>
  Effect.suspend(() => {
    if (Number(request.headers["content-length"]) > most) return Effect.fail("TooLarge")
    const { source } = request
    if (typeof Request === "function" && source instanceof Request) return readWeb(request, source, most)
    // Node's streams say so
    return Predicate.hasProperty(source, "readableDidRead") && source.readableDidRead === true
      ? Effect.fail("ConsumedBody")
      : readStream(request, most, excess)
  })
