/**
 * Reading an answer's body up to a bound: whole if it counts, its beginning if it is only quoted.
 */
import type * as Headers from "@effect/platform/Headers"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { collect, type Collected, encode } from "../internal/bytes.js"
import * as source from "./source.js"
import { disconnect } from "./timeLimit.js"
import type { NoAnswer } from "./transportFailure.js"
import * as transportFailure from "./transportFailure.js"

/** How much is read of a body that is only quoted, in bytes, and for how long, in milliseconds. */
const quotedBytes = 16_384
const quotingTime = 2_000

/** A body as text, without a byte-order mark. */
export interface Body {
  readonly text: string
  /** Whether its bytes are UTF-8. Where they are not, the text says something else than they do. */
  readonly isUtf8: boolean
}

/** A body of no bytes. */
export const empty: Body = { text: "", isUtf8: true }

const lenient = new TextDecoder()
const strict = new TextDecoder("utf-8", { fatal: true })

const decode = (bytes: Uint8Array): Body =>
  Option.match(Option.liftThrowable(() => strict.decode(bytes))(), {
    onNone: () => ({ text: lenient.decode(bytes), isUtf8: false }),
    onSome: (text) => ({ text, isUtf8: true })
  })

/**
 * A text that was read as such. Each byte that was none of UTF-8 has become a character of three, so that there are more
 * of them than were declared; where none were, what has read it before vouches for it.
 */
const fromText = (text: string, declared: number): Body => ({
  text: text.charCodeAt(0) === 0xfeff ? text.slice(1) : text,
  isUtf8: !text.includes("\ufffd") || !(encode(text).length > declared)
})

const brokenOff = transportFailure.noAnswer(
  "Network",
  "its body was read before, and not to its end or not as text: read answers as text or JSON, and whole"
)

/** The text. What a client, or `transformClient`, has read before is kept, and can only be had so again. */
const readText = (response: HttpClientResponse.HttpClientResponse, declared: number): Effect.Effect<Body, NoAnswer> => {
  const text = Effect.mapBoth(response.text, {
    onFailure: transportFailure.brokenBody,
    onSuccess: (text) => fromText(text, declared)
  })
  if (!source.wasRead(response)) return text
  const kept = source.wasReadToEnd(response)
    ? Effect.timeoutFail(text, { duration: quotingTime, onTimeout: () => brokenOff })
    : text
  // of a reading that was given up, the interruption is kept
  return Effect.catchAllCause(kept, (cause) =>
    Effect.fail(Option.getOrElse(Cause.failureOption(cause), () => brokenOff))
  )
}

/** Reads at most `limit` bytes and cancels what would be more. */
const readUpTo = (response: HttpClientResponse.HttpClientResponse, limit: number): Effect.Effect<Collected, NoAnswer> =>
  collect(response.stream, limit).pipe(
    Effect.catchIf(transportFailure.isEmptyBody, () => Effect.succeed({ bytes: new Uint8Array(), whole: true })),
    Effect.mapError(transportFailure.brokenBody)
  )

/** Of a body without a known length: its text, if it was read before, and else what is made of its bytes. */
const readUnknown = <A, B>(
  response: HttpClientResponse.HttpClientResponse,
  asText: () => Effect.Effect<A, NoAnswer>,
  asBytes: () => Effect.Effect<B, NoAnswer>
): Effect.Effect<A | B, NoAnswer> =>
  // a reading that has just begun, as by a response that was shown, is seen after the promises that wait
  Effect.flatMap(
    Effect.promise(() => Promise.resolve()),
    (): Effect.Effect<A | B, NoAnswer> => (source.wasRead(response) ? asText() : asBytes())
  )

/**
 * The beginning of a body whose answer counts without it; empty if it does not come. The rest is cancelled. What was read
 * before is there whole.
 */
export const quote = (response: HttpClientResponse.HttpClientResponse): Effect.Effect<Body> =>
  readUnknown(
    response,
    () => readText(response, Number.NaN),
    () => Effect.map(readUpTo(response, quotedBytes), ({ bytes }) => decode(bytes))
  ).pipe(
    disconnect,
    Effect.timeout(quotingTime),
    Effect.orElseSucceed(() => empty)
  )

/** The whole body, if it has at most `limit` bytes. */
export const readWhole = (
  response: HttpClientResponse.HttpClientResponse,
  headers: Headers.Headers,
  limit: number
): Effect.Effect<Body, NoAnswer> => {
  const tooLarge = Effect.fail(transportFailure.noAnswer("TooLarge", `the body has more than ${limit} bytes`))
  // A declared length bounds what can come, unless it is of a compressed body. Reading a body as a stream costs more
  // than twice as much, so that is done only if the length is not known.
  const length = headers["content-length"] ?? ""
  const declared = headers["content-encoding"] === undefined && /^\d+$/.test(length) ? Number(length) : Number.NaN
  if (declared > limit) return Effect.zipRight(quote(response), tooLarge)
  if (declared <= limit) {
    return Effect.flatMap(readText(response, declared), (body) =>
      // browsers can hide that a body was compressed
      body.text.length <= limit ? Effect.succeed(body) : tooLarge
    )
  }
  return readUnknown(
    response,
    () =>
      Effect.flatMap(readText(response, declared), (body) =>
        encode(body.text).length <= limit ? Effect.succeed(body) : tooLarge
      ),
    () =>
      Effect.flatMap(readUpTo(response, limit), ({ bytes, whole }) =>
        whole ? Effect.succeed(decode(bytes)) : tooLarge
      )
  )
}
