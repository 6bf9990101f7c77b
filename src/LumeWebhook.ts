/**
 * Lume's webhooks: verify a delivery, read its event, sign one for tests, and an HTTP app that receives deliveries.
 *
 * A delivery is a `POST` with JSON about a run that has ended. Its header `X-Lume-Signature-256` is the HMAC-SHA256 of
 * the body, made with the webhook's secret. The body is verified byte by byte as it came, before anything reads it.
 *
 * Source: Lume's page on webhooks.
 *
 * @module
 * @since 1.0.0
 */
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import type * as Arr from "effect/Array"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as check from "./client/options.js"
import { longestSleep } from "./client/sleep.js"
import { disconnect } from "./client/timeLimit.js"
import { type Bytes, encode } from "./internal/bytes.js"
import * as deliveryMemory from "./internal/deliveryMemory.js"
import { type Arbitrary, derive } from "./internal/derive.js"
import * as hmac from "./internal/hmac.js"
import * as json from "./internal/json.js"
import * as leaf from "./internal/leaf.js"
import * as logLimit from "./internal/logLimit.js"
import * as problem from "./internal/problem.js"
import { readUpTo } from "./internal/requestBody.js"
import { oneLine } from "./internal/text.js"
import { type InvalidRequestError, WebhookPayloadError, WebhookSignatureError } from "./LumeError.js"
import type * as WebhookDeliveries from "./WebhookDeliveries.js"

/**
 * The header that holds the signature, in lower case as Effect's and Fetch's headers have it.
 *
 * @since 1.0.0
 * @category signatures
 */
export const signatureHeader = "x-lume-signature-256"

/**
 * The webhook's secrets, or an effect that yields them, such as a `Config`. A delivery that any of them has signed is
 * accepted. So a secret can be replaced: list the new one beside the old until Lume signs with the new one.
 *
 * A secret is taken as UTF-8 text and never decoded. The keys of the last 1,000 secrets are kept, by the secret's text: an
 * effect may yield a new `Redacted` at each delivery, and the key is still imported only once.
 *
 * @since 1.0.0
 * @category models
 */
export type Secrets<E = never, R = never> =
  | Arr.NonEmptyReadonlyArray<Redacted.Redacted>
  | Effect.Effect<Arr.NonEmptyReadonlyArray<Redacted.Redacted>, E, R>

/**
 * A delivery as it was received, and the secrets to verify it with.
 *
 * @since 1.0.0
 * @category models
 */
export interface Delivery<E = never, R = never> {
  /** The secrets of which one must have signed the delivery, or an effect that yields them. */
  readonly secrets: Secrets<E, R>
  /** The body's bytes, or its exact text. An object that a parser has made of it is refused: it can't be verified. */
  readonly body: Uint8Array | string
  /** The header `X-Lume-Signature-256`: the hex of 32 bytes in either case, with or without `sha256=` in front. */
  readonly signature: string | null | undefined
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
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Redacted from "effect/Redacted"
 * import { LumeWebhook } from "effect-lume"
 *
 * const accept = (request: Request) =>
 *   Effect.gen(function* () {
 *     const body = new Uint8Array(yield* Effect.promise(() => request.arrayBuffer()))
 *     const signature = request.headers.get(LumeWebhook.signatureHeader)
 *     yield* LumeWebhook.verify({ secrets: [Redacted.make("a-secret")], body, signature })
 *     return body
 *   })
 * ```
 *
 * @since 1.0.0
 * @category signatures
 */
export const verify = <E = never, R = never>(
  delivery: Delivery<E, R>
): Effect.Effect<void, WebhookSignatureError | E, R> => Effect.asVoid(verified(delivery))

/**
 * Signs a body as Lume does, for tests of what receives webhooks. The result is lower-case hex, to be sent as
 * `X-Lume-Signature-256`.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Redacted from "effect/Redacted"
 * import { LumeWebhook } from "effect-lume"
 *
 * const delivery = Effect.gen(function* () {
 *   const body = JSON.stringify({ run_id: "run_test", status: "SUCCEEDED" })
 *   const signature = yield* LumeWebhook.sign({ secret: Redacted.make("a-secret"), body })
 *   return new Request("http://localhost/lume", {
 *     method: "POST",
 *     headers: { [LumeWebhook.signatureHeader]: signature },
 *     body
 *   })
 * })
 * ```
 *
 * @since 1.0.0
 * @category signatures
 */
export const sign = (options: {
  /** The secret, taken as UTF-8 text. */
  readonly secret: Redacted.Redacted
  /** The body as it will be sent, byte by byte. */
  readonly body: Uint8Array | string
}): Effect.Effect<string> =>
  bytesOf(options.body).pipe(
    Effect.flatMap((body) => hmac.sign(Redacted.value(options.secret), body)),
    // neither bytes nor text, or no WebCrypto: a test that is wrong
    Effect.orDie
  )

// ---------------------------------------------------------------------------------------------------------------------
// Events

const anyDelivery: Arbitrary<{ readonly [key: string]: unknown }> = (fc) =>
  fc.record(
    {
      run_id: fc.string({ minLength: 1 }),
      status: fc.string(),
      flow_version: fc.string(),
      source_path: fc.string(),
      run_metadata: leaf.jsonObject(fc)
    },
    { requiredKeys: ["run_id"] }
  )

/** A delivery's JSON, of which only the run's id must be right. */
const Json = leaf.JsonObject.annotations(
  derive({
    description: 'an event, such as {"run_id": "run_…", "status": "SUCCEEDED"}',
    arbitrary: anyDelivery,
    jsonSchema: {
      type: "object",
      required: ["run_id"],
      properties: {
        run_id: { type: "string", minLength: 1 },
        status: { type: ["string", "null"] },
        flow_version: { type: ["string", "null"] },
        source_path: { type: ["string", "null"] },
        run_metadata: { type: ["object", "null"] }
      }
    }
  })
).pipe(
  Schema.filter(({ run_id: runId }) =>
    problem.toIssue(
      typeof runId === "string" && runId !== "" ? undefined : { path: ["run_id"], message: "a non-empty run id" }
    )
  )
)

const isEvent = Schema.is(
  Schema.Struct({
    runId: Schema.NonEmptyString,
    status: Schema.OptionFromSelf(Schema.String),
    flowVersion: Schema.OptionFromSelf(Schema.String),
    sourcePath: Schema.OptionFromSelf(Schema.String),
    runMetadata: Schema.OptionFromSelf(leaf.JsonObject),
    raw: leaf.JsonObject
  })
)

const Event = Schema.declare(
  isEvent,
  derive<WebhookEvent>({
    description: "an event of a run",
    // the other fields are what is in `raw`
    arbitrary: (fc) => anyDelivery(fc).map(fromJson),
    equivalence: (one, other) => json.equals(one.raw, other.raw),
    pretty: ({ raw }) => `WebhookEvent(${JSON.stringify(raw)})`
  })
)

const text = Option.liftPredicate(Predicate.isString)
const object = Option.liftPredicate(Schema.is(leaf.JsonObject))

const fromJson = (raw: typeof Json.Type): WebhookEvent => ({
  runId: String(raw["run_id"]),
  status: text(raw["status"]),
  flowVersion: text(raw["flow_version"]),
  sourcePath: text(raw["source_path"]),
  runMetadata: object(raw["run_metadata"]),
  raw
})

/**
 * What a delivery says. It is a hint and no more: what became of the run is what `LumeClient.runStatus` says.
 *
 * Only the run's id must be right. What is missing, null or odd elsewhere is `None`, and `raw` has it.
 *
 * @since 1.0.0
 * @category models
 */
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
  /** The whole JSON as received. JSON itself rounds integers beyond 2^53: what must be exact belongs in a string. */
  readonly raw: { readonly [key: string]: unknown }
}

/**
 * Schema of an event. The encoded side is the delivery's JSON: decoding is lenient, encoding writes `raw`.
 *
 * @since 1.0.0
 * @category schemas
 */
export const WebhookEvent: Schema.Schema<WebhookEvent, { readonly [key: string]: unknown }> = Schema.transform(
  Json,
  Event,
  { strict: true, decode: fromJson, encode: ({ raw }) => raw }
).annotations({ identifier: "LumeWebhookEvent" })

const notJson = (received: string): WebhookPayloadError =>
  new WebhookPayloadError({ path: "", expected: "JSON in UTF-8", received })

const parse = (body: Bytes): Effect.Effect<unknown, WebhookPayloadError> => {
  if (body.length === 0) return Effect.fail(notJson("nothing"))
  return Effect.flatMap(
    Effect.try({
      try: () => new TextDecoder("utf-8", { fatal: true }).decode(body),
      catch: () => notJson("bytes that are not UTF-8")
    }),
    (text) => Effect.try({ try: (): unknown => JSON.parse(text), catch: () => notJson(json.explainUnparsed(text)) })
  )
}

const decodeEvent = ParseResult.decodeUnknownEither(WebhookEvent)

const decode = (raw: unknown): Effect.Effect<WebhookEvent, WebhookPayloadError> =>
  Either.match(decodeEvent(raw), {
    onLeft: (issue) => Effect.fail(new WebhookPayloadError(problem.fromIssue(issue, raw))),
    onRight: Effect.succeed
  })

/**
 * Verifies a delivery, then reads its event.
 *
 * Fails as `verify` does, and with `WebhookPayloadError` if the body is signed and names no run.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Redacted from "effect/Redacted"
 * import { LumeClient, LumeWebhook } from "effect-lume"
 *
 * const handle = (body: Uint8Array, signature: string | null) =>
 *   Effect.gen(function* () {
 *     const event = yield* LumeWebhook.unwrap({ secrets: [Redacted.make("a-secret")], body, signature })
 *     // the event is a hint: what became of the run is what Lume says when it is asked
 *     return yield* LumeClient.runStatus(event.runId)
 *   })
 * ```
 *
 * @since 1.0.0
 * @category decoding
 */
export const unwrap = <E = never, R = never>(
  delivery: Delivery<E, R>
): Effect.Effect<WebhookEvent, WebhookSignatureError | WebhookPayloadError | E, R> =>
  verified(delivery).pipe(Effect.flatMap(parse), Effect.flatMap(decode))

// ---------------------------------------------------------------------------------------------------------------------
// The HTTP app

/**
 * What `httpApp` needs.
 *
 * @since 1.0.0
 * @category models
 */
export interface HttpAppOptions<R, SecretsR = never, DeliveriesR = never> {
  /** The secrets of which one must have signed each delivery, or an effect that yields them, asked at each delivery. */
  readonly secrets: Secrets<unknown, SecretsR>
  /**
   * What is done with an event, whatever its result. The sender waits while it runs: long work belongs in a queue or a
   * fiber of its own. If it fails, the sender is told to send the delivery again.
   */
  readonly handler: (event: WebhookEvent) => Effect.Effect<unknown, unknown, R>
  /**
   * How long the handler may take. Then it is interrupted, the answer is 500, and the delivery counts as never seen,
   * even if the handler does not let itself be interrupted and runs on. Bare numbers are milliseconds; `Infinity` is
   * no limit. Default: 30 s. The body and `secrets` may take as long, and `deliveries` twice as long and 5 s more, for
   * the turn of another delivery.
   */
  readonly timeout?: Duration.DurationInput | undefined
  /** The largest body that is read, in bytes. Default: 1 MiB. */
  readonly maxBytes?: number | undefined
  /**
   * The memory that keeps a delivery from being handled twice, such as the tag `WebhookDeliveries` with a layer of
   * one that several processes share. Default: one of this app's own, in memory, of 10,000 deliveries.
   */
  readonly deliveries?: Effect.Effect<WebhookDeliveries.Service, never, DeliveriesR> | undefined
}

/** What a delivery is held to. */
interface Limits {
  /** Of a body. */
  readonly maxBytes: number
  /** For the handler, for the body, and for `secrets`. */
  readonly timeout: Duration.Duration
}

const limitsOf = ({
  maxBytes = 1024 ** 2,
  timeout = "30 seconds"
}: {
  readonly maxBytes?: number | undefined
  readonly timeout?: Duration.DurationInput | undefined
}): Effect.Effect<Limits, InvalidRequestError> =>
  Effect.all({
    maxBytes: check.count("maxBytes", maxBytes, 1),
    // whole milliseconds, because TestClock can't hold fractions
    timeout: Effect.map(check.millis("timeout", timeout, { infinity: true }), (millis) =>
      Duration.millis(millis > longestSleep ? Infinity : Math.ceil(millis))
    )
  })

/** Why a delivery is refused, as an answer. */
class Refusal extends Data.TaggedClass("Refusal")<{
  readonly status: 400 | 401 | 408 | 413
  readonly message: string
  /** Whether the secret was known to whoever has sent it. */
  readonly signed: boolean
}> {}

/** The refusal if the delivery is at fault; if its receiver is, the error as it is. */
const asRefusal = <E>(error: E): E | Refusal => {
  if (error instanceof WebhookPayloadError) return new Refusal({ status: 400, message: error.message, signed: true })
  if (!(error instanceof WebhookSignatureError)) return error
  switch (error.reason) {
    case "InvalidSecret":
    case "ConsumedBody":
    case "NoBodyStream":
    case "NoWebCrypto":
      return error
    default:
      return new Refusal({ status: 401, message: error.message, signed: false })
  }
}

const readBody = (
  request: HttpServerRequest.HttpServerRequest,
  { maxBytes, timeout }: Limits
): Effect.Effect<Bytes, Refusal | WebhookSignatureError> => {
  const body = Effect.mapError(readUpTo(request, maxBytes), (obstacle) => {
    switch (obstacle) {
      case "TooLarge":
        return new Refusal({ status: 413, message: `The body has more than ${maxBytes} bytes.`, signed: false })
      case "Broken":
        return new Refusal({ status: 400, message: "The body broke off.", signed: false })
      default:
        return refuse(obstacle)
    }
  })
  return Effect.mapError(within(body, timeout, "The body took longer than"), (error) =>
    typeof error === "string" ? new Refusal({ status: 408, message: error, signed: false }) : error
  )
}

/** The event of a request. A signature that can't be right is refused before the body is read. */
const receive = <R>(
  request: HttpServerRequest.HttpServerRequest,
  secrets: Secrets<unknown, R>,
  limits: Limits
): Effect.Effect<WebhookEvent, unknown, R> =>
  Effect.gen(function* () {
    const signature = request.headers[signatureHeader]
    yield* Effect.mapError(hmac.parse(signature), refuse)
    const body = yield* readBody(request, limits)
    const given = Effect.isEffect(secrets)
      ? within(secrets, limits.timeout, "The secrets, with which the signature is checked, took longer than")
      : secrets
    return yield* unwrap({ secrets: given, body, signature })
  })

/** Runs what the caller gave for at most this time, wherever it is called, and does not wait until it has given in. */
const within = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  timeout: Duration.Duration,
  tookLonger: string
): Effect.Effect<A, E | string, R> =>
  Effect.timeoutFail(disconnect(effect), {
    duration: timeout,
    onTimeout: () => `${tookLonger} ${Duration.format(timeout)}.`
  }).pipe(Effect.interruptible)

/** How long a memory of deliveries may take of its own, beyond a turn of the handler for another delivery and one for this. */
const memoryTime = Duration.seconds(5)

const tryAgain = HttpServerResponse.empty({ status: 500 })

/**
 * An HTTP app that receives deliveries, for any router or as a handler of its own. Make it once, not for each
 * request: it remembers what it has handled.
 *
 * | answer | when |
 * |---|---|
 * | 204 | the event has been handled, now or when it was delivered before |
 * | 400 | the delivery is signed and names no run, or broke off |
 * | 401 | the signature is missing or wrong; if it is missing or no signature at all, the body is not read |
 * | 405 | the method is not `POST` |
 * | 408 | the body took longer than `timeout`; on Node, the connection may be closed before the answer is seen |
 * | 413 | the body has more than `maxBytes`; nothing was hashed |
 * | 500 | the handler, `secrets` or `deliveries` failed or took too long, or deliveries can't be checked here: the sender is to try again |
 *
 * One delivery for each run and status reaches the handler. One that comes while the same is being handled waits, and
 * is handled in turn should that fail: no sender is told of a success that is not one.
 *
 * When the sender leaves, the handler is interrupted and the delivery counts as never seen.
 *
 * Refusals are logged as warnings, failures with their cause as errors; neither shows the secrets or the body. Refusals,
 * and failures before the handler is called, are one line a minute at most, with the number of those left out: anybody
 * can cause them.
 *
 * Deliveries can't be checked if the secrets can't be had, something has read the body before, or an option can't be
 * right (`timeout` is no positive duration, `maxBytes` no positive integer). Then every delivery is answered with 500,
 * and the log says why.
 *
 * @example
 * ```ts
 * import * as Config from "effect/Config"
 * import { LumeWebhook, RunEvents } from "effect-lume"
 *
 * const webhook = LumeWebhook.httpApp({
 *   secrets: Config.map(Config.redacted("LUME_WEBHOOK_SECRET"), (secret) => [secret] as const),
 *   handler: RunEvents.publish
 * })
 * ```
 *
 * @since 1.0.0
 * @category constructors
 */
export const httpApp = <R, SecretsR = never, DeliveriesR = never>(
  options: HttpAppOptions<R, SecretsR, DeliveriesR>
): HttpApp.Default<never, R | SecretsR | DeliveriesR> => {
  const deliveries = options.deliveries ?? Effect.succeed(deliveryMemory.make(deliveryMemory.defaultCapacity))
  const limits = limitsOf(options)
  const lines = { forged: logLimit.make(), signed: logLimit.make(), failed: logLimit.make() }

  const handle = (event: WebhookEvent, timeout: Duration.Duration) => {
    const handling = Effect.suspend(() => options.handler(event))
    return Effect.flatMap(deliveries, (memory) =>
      memory.once(event, within(handling, timeout, "The handler took longer than"), { timeout })
    ).pipe(
      Effect.as(HttpServerResponse.empty({ status: 204 })),
      Effect.catchAllCause((cause) => {
        const what = `Handling the webhook of run ${oneLine(event.runId)} failed; the sender is told to send it again.`
        return Effect.as(Effect.logError(what, cause), tryAgain)
      })
    )
  }

  const refusalOf = ({ message, signed, status }: Refusal) =>
    Effect.as(
      lines[signed ? "signed" : "forged"]((leftOut) =>
        Effect.logWarning(`A webhook's delivery was answered with ${status}. ${message}${leftOut}`)
      ),
      HttpServerResponse.text(message, { status })
    )

  return Effect.gen(function* () {
    const request = yield* HttpServerRequest.HttpServerRequest
    if (request.method !== "POST") return HttpServerResponse.empty({ status: 405, headers: { allow: "POST" } })
    const checked = yield* limits
    const { timeout } = checked
    const event = yield* Effect.mapError(receive(request, options.secrets, checked), asRefusal)
    yield* Effect.annotateCurrentSpan("lume.run_id", event.runId)
    const longest = Duration.sum(Duration.times(timeout, 2), memoryTime)
    return yield* within(handle(event, timeout), longest, "The memory of deliveries took longer than")
  }).pipe(
    Effect.catchAll((error) => (error instanceof Refusal ? refusalOf(error) : Effect.fail(error))),
    Effect.catchAllCause((cause) =>
      Effect.as(
        lines.failed((leftOut) =>
          Effect.logError(`Receiving a webhook failed; the sender is told to send it again.${leftOut}`, cause)
        ),
        tryAgain
      )
    ),
    // servers run apps in a region that can't be interrupted
    Effect.interruptible
  )
}
