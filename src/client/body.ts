/**
 * Reading an answer's body up to a bound: whole if it counts, its beginning if it is only quoted.
 */
import type * as Headers from "@effect/platform/Headers"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Effect from "effect/Effect"
import { collect, type Collected } from "../internal/bytes.js"
import { disconnect } from "./timeLimit.js"
import type { NoAnswer } from "./transportFailure.js"
import * as transportFailure from "./transportFailure.js"

/** How much is read of a body that is only quoted, in bytes, and for how long, in milliseconds. */
const quotedBytes = 16_384
const quotingTime = 2_000

/** As `response.text` reads it; a byte-order mark is taken away. */
const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

/** Reads at most `limit` bytes and cancels what would be more. */
const readUpTo = (
  response: HttpClientResponse.HttpClientResponse,
  limit: number
): Effect.Effect<Collected, HttpClientError.HttpClientError> =>
  Effect.catchIf(collect(response.stream, limit), transportFailure.isEmptyBody, () =>
    Effect.succeed({ bytes: new Uint8Array(), whole: true })
  )

/** The beginning of a body whose answer counts without it; empty if it does not come. The rest is cancelled. */
export const quote = (response: HttpClientResponse.HttpClientResponse): Effect.Effect<string> =>
  readUpTo(response, quotedBytes).pipe(
    Effect.map(({ bytes }) => decode(bytes)),
    disconnect,
    Effect.timeout(quotingTime),
    Effect.orElseSucceed(() => "")
  )

/** The whole body, if it has at most `limit` bytes. */
export const readWhole = (
  response: HttpClientResponse.HttpClientResponse,
  headers: Headers.Headers,
  limit: number
): Effect.Effect<string, NoAnswer> => {
  const tooLarge = Effect.fail(transportFailure.noAnswer("TooLarge", `the body has more than ${limit} bytes`))
  // A declared length bounds what can come, unless it is of a compressed body. Reading a body as a stream costs more
  // than twice as much, so that is done only if the length is not known.
  const declared = headers["content-encoding"] === undefined ? Number(headers["content-length"]) : Number.NaN
  if (declared > limit) return Effect.zipRight(quote(response), tooLarge)
  return declared <= limit
    ? Effect.mapBoth(response.text, {
        onFailure: transportFailure.brokenBody,
        onSuccess: (text) => (text.charCodeAt(0) === 0xfeff ? text.slice(1) : text)
      })
    : Effect.flatMap(Effect.mapError(readUpTo(response, limit), transportFailure.brokenBody), ({ bytes, whole }) =>
        whole ? Effect.succeed(decode(bytes)) : tooLarge
      )
}
