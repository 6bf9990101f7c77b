/**
 * Reading an answer's body up to a bound: whole if it counts, its beginning if it is only quoted.
 */
import type * as Headers from "@effect/platform/Headers"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { collect, type Collected, encode } from "../internal/bytes.js"
import { disconnect } from "./timeLimit.js"
import type { NoAnswer } from "./transportFailure.js"
import * as transportFailure from "./transportFailure.js"
import * as view from "./view.js"

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
 * A text that was read as such: what a client has read before can only be read so again. Each byte that was none of UTF-8
 * has become a character of three, so that there are more of them than were declared.
 */
const fromText = (text: string, declared: number): Body => ({
  text: text.charCodeAt(0) === 0xfeff ? text.slice(1) : text,
  isUtf8: !text.includes("\ufffd") || encode(text).length <= declared
})

const gone = transportFailure.noAnswer(
  "Network",
  "its body was read by transformClient as bytes, which can't be read again: read it there as text or JSON"
)

/** Reads at most `limit` bytes and cancels what would be more. */
const readUpTo = (response: HttpClientResponse.HttpClientResponse, limit: number): Effect.Effect<Collected, NoAnswer> =>
  view.readAs(response) === "bytes"
    ? Effect.fail(gone)
    : collect(response.stream, limit).pipe(
        Effect.catchIf(transportFailure.isEmptyBody, () => Effect.succeed({ bytes: new Uint8Array(), whole: true })),
        Effect.mapError(transportFailure.brokenBody)
      )

const readText = (response: HttpClientResponse.HttpClientResponse, declared: number): Effect.Effect<Body, NoAnswer> =>
  Effect.mapBoth(response.text, {
    onFailure: transportFailure.brokenBody,
    onSuccess: (text) => fromText(text, declared)
  })

const cut = ({ isUtf8, text }: Body): Body => ({ text: text.slice(0, quotedBytes), isUtf8 })

/** The beginning of a body whose answer counts without it; empty if it does not come. The rest is cancelled. */
export const quote = (response: HttpClientResponse.HttpClientResponse): Effect.Effect<Body> =>
  (view.readAs(response) === "text"
    ? Effect.map(readText(response, Number.NaN), cut)
    : Effect.map(readUpTo(response, quotedBytes), ({ bytes }) => decode(bytes))
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
  const kind = view.readAs(response) ?? (declared <= limit ? "text" : "bytes")
  return kind === "text"
    ? Effect.flatMap(readText(response, declared), (body) =>
        // browsers can hide that a body was compressed
        body.text.length <= limit ? Effect.succeed(body) : tooLarge
      )
    : Effect.flatMap(readUpTo(response, limit), ({ bytes, whole }) =>
        whole ? Effect.succeed(decode(bytes)) : tooLarge
      )
}
