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
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { type Bytes, encode } from "./internal/bytes.js"
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

const refuse = (reason: WebhookSignatureError["reason"]): WebhookSignatureError => new WebhookSignatureError({ reason })

/** A copy of the body, so that what is read is what was verified. */
const bytesOf = (body: unknown): Effect.Effect<Bytes, WebhookSignatureError> =>
  Effect.suspend(() => {
    if (typeof body === "string") return Effect.succeed(encode(body))
    if (!ArrayBuffer.isView(body)) return Effect.fail(refuse("ParsedBody"))
    // bytes that were transferred elsewhere throw
    return Effect.try({
      try: () => new Uint8Array(body.buffer, body.byteOffset, body.byteLength).slice(),
      catch: () => refuse("ParsedBody")
    })
  })

/** The body's bytes, once they have been verified. */
const verified = <E, R>(delivery: Delivery<E, R>): Effect.Effect<Bytes, WebhookSignatureError | E, R> =>
  Effect.gen(function* () {
    const body = yield* bytesOf(delivery.body)
    const signature = yield* Effect.mapError(hmac.parse(delivery.signature), refuse)
    const secrets = Effect.isEffect(delivery.secrets) ? yield* delivery.secrets : delivery.secrets
    yield* Effect.mapError(hmac.verify(secrets, signature, body), refuse)
    return body
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
  bytesOf(options.body).pipe(
    Effect.flatMap((body) => hmac.sign(Redacted.value(options.secret), body)),
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

const parse = (body: Bytes): Effect.Effect<unknown, WebhookPayloadError> =>
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

/** What is wrong with a delivery, as an answer. */
class Refusal extends Data.TaggedClass("Refusal")<{ readonly status: number; readonly message: string }> {}

/** Whether it is the delivery that is at fault, and not who receives it. */
const isRefusal = (error: unknown): error is WebhookSignatureError | WebhookPayloadError =>
  error instanceof WebhookPayloadError ||
  (error instanceof WebhookSignatureError && error.reason !== "InvalidSecret" && error.reason !== "NoWebCrypto")

const answer = ({ message, status }: Refusal): Effect.Effect<HttpServerResponse.HttpServerResponse> =>
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
    const body = yield* Effect.mapError(readUpTo(request, maxBytes), (why) =>
      why === "TooLarge"
        ? new Refusal({ status: 413, message: `The body has more than ${maxBytes} bytes.` })
        : new Refusal({ status: 400, message: "The body broke off." })
    )
    const event = yield* Effect.mapError(
      unwrap({ secrets, body, signature: request.headers[signatureHeader] }),
      (error) =>
        isRefusal(error)
          ? new Refusal({ status: error._tag === "WebhookPayloadError" ? 400 : 401, message: error.message })
          : error
    )
    yield* Effect.annotateCurrentSpan("lume.run_id", event.runId)
    return yield* handle(event)
  }).pipe(
    Effect.catchAll((error) => (error instanceof Refusal ? answer(error) : Effect.fail(error))),
    failed("Receiving a webhook failed; the sender is told to send it again.")
  )
}
