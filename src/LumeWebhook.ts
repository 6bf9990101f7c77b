/**
 * Lume's webhooks: verify a delivery, read its event, sign one for tests, and an HTTP app that does it all.
 *
 * A delivery is a `POST` with JSON about a run that has ended, and in the header `X-Lume-Signature-256` the
 * HMAC-SHA256 of its body, made with the webhook's secret. The body is signed as it is, byte by byte, so that it is
 * verified before anything reads it.
 *
 * Source: Lume's page on webhooks.
 */
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import type * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as hmac from "./internal/hmac.js"
import * as problem from "./internal/problem.js"
import { readUpTo } from "./internal/requestBody.js"
import { oneLine } from "./internal/text.js"
import * as wire from "./internal/leaf.js"
import { WebhookPayloadError, WebhookSignatureError } from "./LumeError.js"
import * as WebhookDeliveries from "./WebhookDeliveries.js"

/** The header that holds the signature, in lower case as Effect's and Fetch's headers have it. */
export const signatureHeader = "x-lume-signature-256"

/**
 * The webhook's secrets, or an effect that yields them, such as a `Config`. A delivery that any of them has signed is
 * accepted, so that a secret can be replaced: list the new one beside the old until Lume signs with the new one.
 *
 * A secret is taken as UTF-8 text and never decoded. Its key is imported once for each `Redacted`: an effect that
 * yields the same ones each time is the faster.
 */
export type Secrets<E = never, R = never> =
  | Arr.NonEmptyReadonlyArray<Redacted.Redacted>
  | Effect.Effect<Arr.NonEmptyReadonlyArray<Redacted.Redacted>, E, R>

/** A delivery as it was received, and the secrets to verify it with. */
export interface Delivery<E = never, R = never> {
  readonly secrets: Secrets<E, R>
  /** The body's bytes, or its exact text. An object that a parser has made of it is refused: it can't be verified. */
  readonly body: Uint8Array | string
  /** The header `X-Lume-Signature-256`: the hex of 32 bytes in either case, with or without `sha256=` in front. */
  readonly signature: string | null | undefined
}

/** What a delivery says. A hint, and no more: what became of the run is what `LumeClient.runStatus` says. */
export interface WebhookEvent {
  /** The run that is spoken of (`run_id`). */
  readonly runId: string
  /** Lume's word for the run's state as received, which can be one that this version doesn't know (`status`). */
  readonly status: Option.Option<string>
  /** The run's flow version (`flow_version`). */
  readonly flowVersion: Option.Option<string>
  /** The run's source path (`source_path`). */
  readonly sourcePath: Option.Option<string>
  /** The caller's own pairs that were submitted with the run (`run_metadata`). */
  readonly runMetadata: Option.Option<{ readonly [key: string]: unknown }>
  /** The whole JSON as received. */
  readonly raw: unknown
}

// ---------------------------------------------------------------------------------------------------------------------
// Signatures

const refuse = (reason: WebhookSignatureError["reason"]): Effect.Effect<never, WebhookSignatureError> =>
  Effect.fail(new WebhookSignatureError({ reason }))

/** A copy of the body, so that what is read is what was verified; undefined where it is neither bytes nor text. */
const bytesOf = (body: unknown): hmac.Bytes | undefined => {
  if (typeof body === "string") return hmac.encode(body)
  if (!ArrayBuffer.isView(body)) return undefined
  // the bytes of a buffer that has been transferred elsewhere throw
  return Either.getOrUndefined(Either.try(() => new Uint8Array(body.buffer, body.byteOffset, body.byteLength).slice()))
}

const digits = 64

const parseSignature = (header: unknown): Either.Either<hmac.Bytes, WebhookSignatureError["reason"]> => {
  const text = typeof header === "string" ? header.trim() : ""
  if (text === "") return Either.left("NoSignature")
  const hex = text.replace(/^sha256=/i, "")
  if (hex.length !== digits) return Either.left("WrongLength")
  return Either.mapBoth(Encoding.decodeHex(hex.toLowerCase()), {
    onLeft: () => "NotHex",
    onRight: (bytes) => new Uint8Array(bytes)
  })
}

const check = (
  secrets: ReadonlyArray<Redacted.Redacted>,
  signature: hmac.Bytes,
  body: hmac.Bytes
): Effect.Effect<hmac.Bytes, WebhookSignatureError> =>
  Array.isArray(secrets) && secrets.length > 0 && secrets.every(hmac.isSecret)
    ? Effect.flatMap(hmac.verify(secrets, signature, body), (verified) =>
        verified ? Effect.succeed(body) : refuse(body.length === 0 ? "EmptyBody" : "Mismatch")
      )
    : refuse("InvalidSecret")

/** The body's bytes, once they have been verified. */
const verified = <E, R>({
  body: given,
  secrets,
  signature
}: Delivery<E, R>): Effect.Effect<hmac.Bytes, WebhookSignatureError | E, R> =>
  Effect.suspend(() => {
    const body = bytesOf(given)
    if (body === undefined) return refuse("ParsedBody")
    return Either.match(parseSignature(signature), {
      onLeft: refuse,
      onRight: (signature): Effect.Effect<hmac.Bytes, WebhookSignatureError | E, R> =>
        Effect.isEffect(secrets)
          ? Effect.flatMap(secrets, (secrets) => check(secrets, signature, body))
          : check(secrets, signature, body)
    })
  })

/**
 * Verifies that a delivery was signed with one of the secrets, in constant time.
 *
 * Fails with `WebhookSignatureError`, whose message says the likely mistake, and as the effect that yields the
 * secrets does.
 */
export const verify = <E = never, R = never>(
  delivery: Delivery<E, R>
): Effect.Effect<void, WebhookSignatureError | E, R> => Effect.asVoid(verified(delivery))

/**
 * Signs a body as Lume does, for tests of what receives webhooks: lower-case hex, to be sent as
 * `X-Lume-Signature-256`.
 */
export const sign = (options: {
  readonly secret: Redacted.Redacted
  readonly body: Uint8Array | string
}): Effect.Effect<string> =>
  Effect.suspend(() => {
    const body = bytesOf(options.body)
    return body === undefined
      ? refuse("ParsedBody")
      : Effect.map(hmac.sign(Redacted.value(options.secret), body), Encoding.encodeHex)
  }).pipe(
    // neither bytes nor text, or no WebCrypto: a test that is wrong
    Effect.orDie
  )

// ---------------------------------------------------------------------------------------------------------------------
// Events

const Wire = Schema.Struct({
  run_id: Schema.NonEmptyString.annotations({ description: "a non-empty run id" }),
  status: wire.absent(Schema.String),
  flow_version: wire.absent(Schema.String),
  source_path: wire.absent(Schema.String),
  run_metadata: wire.absent(wire.JsonObject)
}).annotations({ description: 'an event, such as {"run_id": "run_…", "status": "SUCCEEDED"}' })

const decodeWire = ParseResult.decodeUnknownEither(Wire)

const parse = (body: hmac.Bytes): Effect.Effect<unknown, WebhookPayloadError> =>
  Effect.try({
    try: (): unknown => JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body)),
    catch: () =>
      new WebhookPayloadError({
        path: "",
        expected: "JSON in UTF-8",
        received: body.length === 0 ? "nothing" : "what is no JSON"
      })
  })

const decode = (raw: unknown): Effect.Effect<WebhookEvent, WebhookPayloadError> =>
  Either.match(decodeWire(raw), {
    onLeft: (issue) => Effect.fail(new WebhookPayloadError(problem.fromIssue(issue, raw))),
    onRight: (event) =>
      Effect.succeed({
        runId: event.run_id,
        status: Option.fromNullable(event.status),
        flowVersion: Option.fromNullable(event.flow_version),
        sourcePath: Option.fromNullable(event.source_path),
        runMetadata: Option.fromNullable(event.run_metadata),
        raw
      })
  })

/**
 * Verifies a delivery, then reads its event.
 *
 * Fails as `verify` does, and with `WebhookPayloadError` where the body is signed and is not an event.
 */
export const unwrap = <E = never, R = never>(
  delivery: Delivery<E, R>
): Effect.Effect<WebhookEvent, WebhookSignatureError | WebhookPayloadError | E, R> =>
  verified(delivery).pipe(Effect.flatMap(parse), Effect.flatMap(decode))

// ---------------------------------------------------------------------------------------------------------------------
// The HTTP app

/** What `httpApp` needs. */
export interface HttpAppOptions<R, SecretsR = never, DeliveriesR = never> {
  readonly secrets: Secrets<unknown, SecretsR>
  /**
   * What is done with an event, whatever its result. While it runs, the sender waits: long work belongs in a queue or
   * a fiber of its own. Where it fails, the sender is told to send the delivery again.
   */
  readonly handler: (event: WebhookEvent) => Effect.Effect<unknown, unknown, R>
  /** The largest body that is read, in bytes. Default: 1 MiB. */
  readonly maxBytes?: number | undefined
  /**
   * The memory that keeps a delivery from being handled twice, such as the tag `WebhookDeliveries` with a layer of
   * one that several processes share. Default: one of this app's own, in memory, of 10,000 deliveries.
   */
  readonly deliveries?: Effect.Effect<WebhookDeliveries.Service, never, DeliveriesR> | undefined
}

/** What is wrong with a delivery, as an answer; `None` where the fault is not the delivery's. */
const refusal = (error: unknown): Option.Option<readonly [status: number, message: string]> => {
  if (error instanceof WebhookSignatureError) {
    return error.reason === "InvalidSecret" || error.reason === "NoWebCrypto"
      ? Option.none()
      : Option.some([401, error.message])
  }
  return error instanceof WebhookPayloadError ? Option.some([400, error.message]) : Option.none()
}

const answer = (status: number, message: string): Effect.Effect<HttpServerResponse.HttpServerResponse> =>
  Effect.as(
    Effect.logWarning(`A webhook's delivery was answered with ${status}. ${message}`),
    HttpServerResponse.text(message, { status })
  )

/** Answers that it is not the delivery's fault: it is to be sent again. */
const failed = (what: string) =>
  Effect.catchAllCause((cause) => Effect.as(Effect.logError(what, cause), HttpServerResponse.empty({ status: 500 })))

/**
 * An HTTP app that receives deliveries, for any router or as a handler of its own. Make it once, not for each
 * request: it remembers what it has handled.
 *
 * | answer | when |
 * |---|---|
 * | 204 | the event has been handled, now or when it was delivered before |
 * | 400 | the delivery is signed and is not an event, or broke off |
 * | 401 | the signature is missing or wrong |
 * | 405 | the method is not `POST` |
 * | 413 | the body has more than `maxBytes`; nothing was hashed |
 * | 500 | the handler failed, or the secrets could not be had: the sender is to try again |
 *
 * One delivery for each run and status reaches the handler. One that comes while the same is being handled waits for
 * that, and is handled in turn should it fail: no sender is told of a success that is not one.
 *
 * Refusals are logged as warnings, failures with their cause as errors. Neither shows the secrets or the body.
 *
 * ```ts
 * LumeWebhook.httpApp({ secrets, handler: RunEvents.publish })
 * ```
 */
export const httpApp = <R, SecretsR = never, DeliveriesR = never>({
  deliveries = Effect.succeed(WebhookDeliveries.makeInMemory()),
  handler,
  maxBytes = 1024 ** 2,
  secrets
}: HttpAppOptions<R, SecretsR, DeliveriesR>): HttpApp.Default<never, R | SecretsR | DeliveriesR> => {
  const handle = (event: WebhookEvent) =>
    Effect.flatMap(deliveries, (deliveries) =>
      deliveries.once(
        event,
        Effect.suspend(() => handler(event))
      )
    ).pipe(
      Effect.as(HttpServerResponse.empty({ status: 204 })),
      failed(`Handling the webhook of run ${oneLine(event.runId)} failed; the sender is told to send it again.`)
    )

  return Effect.gen(function* () {
    const request = yield* HttpServerRequest.HttpServerRequest
    if (request.method !== "POST") return HttpServerResponse.empty({ status: 405, headers: { allow: "POST" } })
    const body = yield* readUpTo(request, maxBytes)
    if (body === "TooLarge") return yield* answer(413, `The body has more than ${maxBytes} bytes.`)
    if (body === "Broken") return yield* answer(400, "The body broke off.")
    const event = yield* unwrap({ secrets, body, signature: request.headers[signatureHeader] })
    yield* Effect.annotateCurrentSpan("lume.run_id", event.runId)
    return yield* handle(event)
  }).pipe(
    Effect.catchAll((error) =>
      Option.match(refusal(error), {
        onNone: () => Effect.fail(error),
        onSome: ([status, message]) => answer(status, message)
      })
    ),
    failed("Receiving a webhook failed; the sender is told to send it again.")
  )
}
