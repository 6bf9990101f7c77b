/**
 * Every typed error of this package, as plain data that crosses an RPC or a queue.
 *
 * The tag is the class's name. A message says what happened, to which run, and what to do. None holds the API key, a
 * request, a header or an error of the platform; text that is quoted from an answer is shortened, and the key, should
 * an answer echo it, is cut out.
 *
 * @module
 * @since 1.0.0
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { nullable } from "./internal/fields.js"
import { Integer, Millis, Natural } from "./internal/leaf.js"
import { TaggedError } from "./internal/taggedError.js"
import { statusWord } from "./internal/text.js"
import { MetadataDecodeError } from "./LumeMetadata.js"
import * as LumeRun from "./LumeRun.js"

export {
  /**
   * @see LumeMetadata.MetadataDecodeError
   *
   * @since 1.0.0
   * @category errors
   */
  MetadataDecodeError
} from "./LumeMetadata.js"
export {
  /**
   * @see LumeRun.QualityError
   *
   * @since 1.0.0
   * @category errors
   */
  QualityError,
  /**
   * @see LumeRun.RunFailedError
   *
   * @since 1.0.0
   * @category errors
   */
  RunFailedError
} from "./LumeRun.js"

const optional = <A, I>(schema: Schema.Schema<A, I>) =>
  nullable(schema).pipe(Schema.withConstructorDefault(() => Option.none<A>()))

/** The run that was asked about. */
const askedRun = optional(Schema.String)

/** What is said of it. */
const detail = Schema.String.pipe(
  Schema.propertySignature,
  Schema.withConstructorDefault(() => "")
)

const doing = (error: { readonly runId: Option.Option<string> }): string =>
  Option.match(error.runId, { onNone: () => "Submitting a run", onSome: (id) => `Reading run ${id}` })

const said = (error: { readonly detail: string }): string =>
  // a sentence's end is written by the message
  error.detail.replace(/\.$/, "") === "" ? "" : `: ${error.detail.replace(/\.$/, "")}`

const seconds = (duration: Duration.Duration): string => `${Duration.toSeconds(duration)} s`

// ---------------------------------------------------------------------------------------------------------------------
// Answers that refuse

/**
 * The key was refused: 401 or 403.
 *
 * @since 1.0.0
 * @category errors
 */
export class AuthenticationError extends TaggedError<AuthenticationError>()("AuthenticationError", {
  /** The answer's HTTP status. */
  status: Integer,
  /** What Lume says of it, shortened to one line; empty if it says nothing. */
  detail,
  /** The run that was asked about; `None` if a run was being submitted, which has no id yet. */
  runId: askedRun
}) {
  /** Why the key was refused, and where it is set. */
  override get message(): string {
    const refusal = this.status === 403 ? "the API key may not do this" : "the API key is missing, wrong or expired"
    return `${doing(this)} failed: ${refusal} (status ${this.status})${said(this)}. Check LUME_API_KEY, or the apiKey option.`
  }
}

/**
 * The request can't be right: refused by Lume (400, 422, any other 4xx, 404 on submit, 409 on a read), or by this
 * client before anything was sent.
 *
 * @since 1.0.0
 * @category errors
 */
export class InvalidRequestError extends TaggedError<InvalidRequestError>()("InvalidRequestError", {
  /** What is wrong with it, and where. */
  detail,
  /** The answer's status; `None` if nothing was sent. */
  status: optional(Integer),
  /**
   * The run that was asked about; `None` if a run was being submitted, which has no id yet, or if what was given was refused
   * before a request was made of it.
   */
  runId: askedRun
}) {
  /** What is wrong with the request, and whether anything was sent. */
  override get message(): string {
    return Option.match(this.status, {
      onNone: () => `Nothing was sent to Lume${said(this)}.`,
      onSome: (status) => {
        const what = status === 404 ? "request, or the base URL if Lume's API is not there" : "request"
        return `${doing(this)} was refused (status ${status})${said(this)}. Correct the ${what}: sent again as it is, it will be refused again.`
      }
    })
  }
}

/**
 * 409 on submit: this flow version has already processed this source path successfully.
 *
 * @since 1.0.0
 * @category errors
 */
export class AlreadyProcessedError extends TaggedError<AlreadyProcessedError>()("AlreadyProcessedError", {
  /** The flow version that was submitted. */
  flowVersion: Schema.String,
  /** The source path that was submitted. */
  sourcePath: Schema.String,
  /** What Lume says of it, shortened to one line; empty if it says nothing. */
  detail
}) {
  /** What was processed already, and when `forceRerun` is right. */
  override get message(): string {
    return (
      `${this.flowVersion} has already processed ${this.sourcePath} successfully${said(this)}. ` +
      "Nothing was started. Submit with forceRerun only if duplicate data in the target is acceptable."
    )
  }
}

/**
 * Lume knows no such run: 404 or 410 on a read.
 *
 * @since 1.0.0
 * @category errors
 */
export class RunNotFoundError extends TaggedError<RunNotFoundError>()("RunNotFoundError", {
  /** The id that was asked for. */
  runId: Schema.String,
  /** The answer's HTTP status: 404 or 410. Default: 404. */
  status: Integer.pipe(
    Schema.propertySignature,
    Schema.withConstructorDefault(() => 404)
  ),
  /** What Lume says of it, shortened to one line; empty if it says nothing. */
  detail
}) {
  /** Which run is unknown, and what to check. */
  override get message(): string {
    return `${happened(this)}. Check the id, the base URL, and that the key belongs to the same account.`
  }
}

/**
 * Too many requests: 429. Transient.
 *
 * @since 1.0.0
 * @category errors
 */
export class RateLimitedError extends TaggedError<RateLimitedError>()("RateLimitedError", {
  /** How long Lume asks to wait (`Retry-After`), at most two minutes; `None` if it says nothing readable. */
  retryAfter: optional(Millis),
  /** What Lume says of it, shortened to one line; empty if it says nothing. */
  detail,
  /** The run that was asked about; `None` if a run was being submitted, which has no id yet. */
  runId: askedRun
}) {
  /** When to try again. */
  override get message(): string {
    const when = Option.match(this.retryAfter, { onNone: () => "later", onSome: (after) => `in ${seconds(after)}` })
    return `${happened(this)}. Try again ${when}.`
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Answers that say nothing of the run, or none at all

/**
 * Lume, or a proxy before it, failed: 408, 5xx, or any other unexpected status. Transient for 408 and 500 to 599.
 *
 * Only reads fail with it. Of a submit it is at most the `failure` inside `SubmitOutcomeUnknownError`.
 *
 * @since 1.0.0
 * @category errors
 */
export class ApiError extends TaggedError<ApiError>()("ApiError", {
  /** The answer's HTTP status. */
  status: Integer,
  /** The answer's `x-request-id`, to give to Lume's support. */
  requestId: optional(Schema.String),
  /** What the answer's body says, shortened to one line. */
  detail,
  /** How long the answer asks to wait (`Retry-After`), at most two minutes. */
  retryAfter: optional(Millis),
  /** The run that was asked about; `None` if a run was being submitted, which has no id yet. */
  runId: askedRun
}) {
  /** The status, the request's id, what the body says, and whether to try again. */
  override get message(): string {
    const advice = isTransient(this)
      ? "This usually passes: try again later."
      : "This is not an answer of Lume's API: check the base URL, and proxies on the way."
    return `${happened(this)}. ${advice}`
  }
}

const transportAdvice = {
  Network: "Check the network and the base URL, then try again.",
  RequestTimeout: "Try again, or raise the requestTimeout option.",
  Redirect: "Redirects are not followed, because they would carry the key away: set baseUrl to where Lume really is.",
  TooLarge: "Check the base URL, or raise the maxResponseBytes option.",
  Interrupted: "Whether it arrived is unknown."
}

/**
 * No usable answer came. Transient for `Network` and `RequestTimeout`.
 *
 * @since 1.0.0
 * @category errors
 */
export class TransportError extends TaggedError<TransportError>()("TransportError", {
  /**
   * - `Network`: the connection could not be made, or broke.
   * - `RequestTimeout`: no whole answer within the `requestTimeout` option.
   * - `Redirect`: the answer points elsewhere.
   * - `TooLarge`: the body has more than `maxResponseBytes`.
   * - `Interrupted`: the request was sent, and nobody saw its answer. Only inside `SubmitOutcomeUnknownError`.
   */
  reason: Schema.Literal("Network", "RequestTimeout", "Redirect", "TooLarge", "Interrupted"),
  /** What the HTTP client says of it, such as `ECONNREFUSED: …`, or this one, in one line. */
  detail,
  /** The run that was asked about; `None` if a run was being submitted, which has no id yet. */
  runId: askedRun
}) {
  /** Why no usable answer came, and what to do about it. */
  override get message(): string {
    return `${happened(this)}. ${transportAdvice[this.reason]}`
  }
}

/**
 * A 2xx answer that is not this run. It says nothing of the run, so a wait goes on. Of a durable workflow, it can also be
 * what the workflow's journal holds of the run: then `status` is 0, because no answer has come.
 *
 * @since 1.0.0
 * @category errors
 */
export class DecodeError extends TaggedError<DecodeError>()("DecodeError", {
  /** The run that was asked about; `None` if a run was being submitted, which has no id yet. */
  runId: askedRun,
  /** The answer's HTTP status; 0 where a workflow's journal can't be read. */
  status: Integer,
  /** The answer's `content-type`; `None` if it has none. */
  contentType: optional(Schema.String),
  /** The place in the answer's JSON, such as `status`; empty if the body as a whole is meant. */
  path: Schema.String,
  /** What was expected at that place. */
  expected: Schema.String,
  /** What was there, shortened. */
  received: Schema.String,
  /** How the body begins. */
  preview: Schema.String
}) {
  /** Where the answer is not a run, what was there in place of it, and what to check. */
  override get message(): string {
    const advice =
      this.status === 0
        ? "Run the workflow with the version of effect-lume that wrote it, or a later one. Of a defect, the log says more."
        : "Check that the base URL is Lume's API and no proxy or login page answers in its place."
    return `${happened(this)}. ${advice}`
  }
}

/** What a wait goes on after. */
type Passing = RunNotFoundError | RateLimitedError | ApiError | TransportError | DecodeError

const isPassing = (error: StatusError): error is Passing =>
  error._tag !== "AuthenticationError" && error._tag !== "InvalidRequestError"

/** What an answer, or its absence, says; without advice. */
const happened = (error: Passing): string => {
  switch (error._tag) {
    case "RunNotFoundError":
      return `Lume knows no run ${error.runId} (status ${error.status})${said(error)}`
    case "RateLimitedError":
      return `${doing(error)} failed: too many requests (status 429)${said(error)}`
    case "ApiError": {
      const request = Option.match(error.requestId, { onNone: () => "", onSome: (id) => `, request ${id}` })
      return `${doing(error)} failed with status ${error.status}${request}${said(error)}`
    }
    case "TransportError":
      return `${doing(error)} got no usable answer (${error.reason})${said(error)}`
    case "DecodeError": {
      const place = error.path === "" ? "" : `at ${error.path}, `
      const found = `${place}expected ${error.expected}, got ${error.received}`
      const begins = `it begins ${JSON.stringify(error.preview)}`
      if (error.status === 0) {
        const of = Option.match(error.runId, { onNone: () => "a submit", onSome: (id) => `run ${id}` })
        return `What the workflow's journal keeps of ${of} can't be read: ${found} (${begins})`
      }
      const type = Option.getOrElse(error.contentType, () => "no content type")
      return `${doing(error)} gave an answer that can't be read: ${found} (status ${error.status}, ${type}; ${begins})`
    }
  }
}

/**
 * A run was submitted and no answer says what became of it: it may be running. Never transient, so that no retry of
 * transient errors can start a second run.
 *
 * @since 1.0.0
 * @category errors
 */
export class SubmitOutcomeUnknownError extends TaggedError<SubmitOutcomeUnknownError>()("SubmitOutcomeUnknownError", {
  /** The flow version that was submitted. */
  flowVersion: Schema.String,
  /** The source path that was submitted. */
  sourcePath: Schema.String,
  /** Why the outcome is unknown. Its own advice is for reads: here, trying again is not safe. */
  failure: Schema.Union(TransportError, ApiError, DecodeError)
}) {
  /** What was submitted, why its outcome is unknown, and how to find the run. */
  override get message(): string {
    return (
      `${this.flowVersion} was submitted on ${this.sourcePath}, and whether the run started is unknown. ${happened(this.failure)}. ` +
      "Before submitting again, look for the run in Lume or wait for its webhook, matching runMetadata: " +
      "Lume refuses a second submit only if the first has succeeded by then."
    )
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Waits

/**
 * Schema of `StatusError`.
 *
 * @since 1.0.0
 * @category errors
 */
export const StatusError = Schema.Union(
  AuthenticationError,
  InvalidRequestError,
  RunNotFoundError,
  RateLimitedError,
  ApiError,
  TransportError,
  DecodeError
)

/**
 * Why reading a run fails.
 *
 * @since 1.0.0
 * @category errors
 */
export type StatusError = typeof StatusError.Type

/**
 * A wait ran out before the run ended. The run itself goes on.
 *
 * @since 1.0.0
 * @category errors
 */
export class TimeoutError extends TaggedError<TimeoutError>()("TimeoutError", {
  /** The run that was waited for. */
  runId: Schema.String,
  /** How long the wait was allowed to take. */
  timeout: Millis,
  /** How often the run was read. */
  polls: Natural,
  /** The run as last read; `None` if no read succeeded. */
  lastRun: nullable(LumeRun.LumeRun),
  /** Why the last read failed; `None` if it succeeded. */
  lastFailure: nullable(StatusError)
}) {
  /** How long the wait was, the run as last read, and why the last read failed. */
  override get message(): string {
    const last = Option.match(this.lastRun, {
      onNone: () => "It was never read",
      onSome: (run) => `It was last read as ${statusWord(run.status)}`
    })
    const failure = Option.match(this.lastFailure, {
      onNone: () => "",
      onSome: (error) => ` The last read failed: ${isPassing(error) ? `${happened(error)}.` : error.message}`
    })
    return (
      `The wait for run ${this.runId} ended before the run did (timeout ${Duration.format(this.timeout)}, ` +
      `${this.polls} ${this.polls === 1 ? "poll" : "polls"}). ${last}.${failure} The run goes on: wait for it again, or longer.`
    )
  }
}

/**
 * `runAndWait` submitted the run, and waiting for it failed. The run goes on. Never transient, so that no retry of
 * transient errors submits again.
 *
 * @since 1.0.0
 * @category errors
 */
export class WaitFailedError extends TaggedError<WaitFailedError>()("WaitFailedError", {
  /** The run that was submitted, which goes on. */
  runId: Schema.String,
  /** The run as last read; as it was submitted if no read succeeded. */
  lastRun: LumeRun.LumeRun,
  /** Why reading it failed. Its own advice is for reads. */
  failure: StatusError
}) {
  /** Which run goes on, and why waiting for it failed. */
  override get message(): string {
    const advice =
      this.failure._tag === "InvalidRequestError"
        ? "Do not submit it again."
        : "Wait for it again by its id; do not submit it again."
    return (
      `Run ${this.runId} was submitted and goes on (last read as ${statusWord(this.lastRun.status)}), but waiting for it failed: ` +
      `${this.failure.message} ${advice}`
    )
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Webhooks

const signatureAdvice = {
  NoSignature: "it has no signature. Pass the header X-Lume-Signature-256; a proxy on the way may have dropped it",
  WrongLength:
    "its signature is not 64 hex digits long. The header may have been cut off or joined with another, or another one was read",
  NotHex: "its signature holds more than hex digits, after an optional sha256=. Another header may have been read",
  ParsedBody: "its body is neither bytes nor text. Pass the body as it was received, before any parser has read it",
  EmptyBody: "its body is empty, and the signature is of another one. Something before this may have read the body",
  Mismatch:
    "its signature is not of this body and these secrets. Either a secret is wrong (of another endpoint, replaced " +
    "since, or with white space around it), or the body is not as it was received: text that was parsed and " +
    "written again is another body",
  InvalidSecret: "it can't be checked: secrets must be a list of at least one Redacted, non-empty text",
  ConsumedBody:
    "it can't be checked: something before this has read its body. Mount the webhook before body parsers and " +
    "middleware that reads bodies",
  NoBodyStream:
    "it can't be checked: requests have no body stream (Request.body) in this runtime. Read the body yourself, by " +
    "request.arrayBuffer(), and give it to unwrap",
  NoWebCrypto: "it can't be checked: WebCrypto (globalThis.crypto.subtle) is missing, or refused to work, here"
}

/**
 * A webhook's delivery was refused: its signature does not show that Lume sent it. Holds nothing secret.
 *
 * @since 1.0.0
 * @category errors
 */
export class WebhookSignatureError extends TaggedError<WebhookSignatureError>()("WebhookSignatureError", {
  /**
   * - `NoSignature`: the header is missing or empty.
   * - `WrongLength`, `NotHex`: the header is not the hex of 32 bytes, with or without `sha256=` in front.
   * - `ParsedBody`: the body is neither bytes nor text, as an object is that a parser has made of it.
   * - `EmptyBody`: there is no body, and the signature is not of an empty one.
   * - `Mismatch`: the signature was not made of this body with one of these secrets.
   * - `InvalidSecret`: there is no secret, or one of them is empty or not `Redacted`: nothing was checked.
   * - `ConsumedBody`: `httpApp` only; something else has read the request's body, or has begun to.
   * - `NoBodyStream`: `httpApp` only; the runtime's requests have no `body`, as in Firefox.
   * - `NoWebCrypto`: the runtime can't check signatures.
   */
  reason: Schema.Literal(
    "NoSignature",
    "WrongLength",
    "NotHex",
    "ParsedBody",
    "EmptyBody",
    "Mismatch",
    "InvalidSecret",
    "ConsumedBody",
    "NoBodyStream",
    "NoWebCrypto"
  )
}) {
  /** Why the delivery was refused, and the likely mistake. */
  override get message(): string {
    return `The webhook was refused: ${signatureAdvice[this.reason]}.`
  }
}

/**
 * A webhook's delivery is signed, and its body is not an event of Lume.
 *
 * @since 1.0.0
 * @category errors
 */
export class WebhookPayloadError extends TaggedError<WebhookPayloadError>()("WebhookPayloadError", {
  /** The place in the body's JSON, such as `run_id`; empty if the body as a whole is meant. */
  path: Schema.String,
  /** What was expected at that place. */
  expected: Schema.String,
  /** What was there, shortened. */
  received: Schema.String
}) {
  /** Where the body is no event, and what to check. */
  override get message(): string {
    const place = this.path === "" ? "the body" : this.path
    return (
      `The webhook is signed, but is no event of a run: at ${place}, expected ${this.expected}, got ${this.received}. ` +
      "Check that nothing but Lume's run webhooks is sent here with this secret."
    )
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Unions

/**
 * Schema of `SubmitError`.
 *
 * @since 1.0.0
 * @category errors
 */
export const SubmitError = Schema.Union(
  AuthenticationError,
  InvalidRequestError,
  AlreadyProcessedError,
  RateLimitedError,
  TransportError,
  SubmitOutcomeUnknownError
)

/**
 * Why submitting a run fails.
 *
 * @since 1.0.0
 * @category errors
 */
export type SubmitError = typeof SubmitError.Type

/**
 * Schema of `WaitError`.
 *
 * @since 1.0.0
 * @category errors
 */
export const WaitError = Schema.Union(...StatusError.members, TimeoutError)

/**
 * Why waiting for a run fails.
 *
 * @since 1.0.0
 * @category errors
 */
export type WaitError = typeof WaitError.Type

/**
 * Schema of every error of this package.
 *
 * @since 1.0.0
 * @category errors
 */
export const LumeError = Schema.Union(
  AuthenticationError,
  InvalidRequestError,
  AlreadyProcessedError,
  RunNotFoundError,
  RateLimitedError,
  ApiError,
  TransportError,
  DecodeError,
  SubmitOutcomeUnknownError,
  WaitFailedError,
  MetadataDecodeError,
  TimeoutError,
  LumeRun.RunFailedError,
  LumeRun.QualityError,
  WebhookSignatureError,
  WebhookPayloadError
)

/**
 * Any error of this package.
 *
 * @since 1.0.0
 * @category errors
 */
export type LumeError = typeof LumeError.Type

/**
 * Whether `error` is an error of this package.
 *
 * @example
 * ```ts
 * import { LumeError } from "effect-lume"
 *
 * const describe = (error: unknown): string => (LumeError.isLumeError(error) ? error._tag : "not from Lume")
 * ```
 *
 * @since 1.0.0
 * @category predicates
 */
export const isLumeError: (error: unknown) => error is LumeError = Schema.is(LumeError)

/**
 * The id of the run that an error of this package is about; `None` if it names none, as when a submit fails, and for
 * anything that is not an error of this package.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Option from "effect/Option"
 * import { LumeClient, LumeError } from "effect-lume"
 *
 * const program = LumeClient.runAndWait({ flowVersion: "invoice_cleaner:v4", sourcePath: "batch-001" }).pipe(
 *   Effect.tapError((error) =>
 *     Effect.logError(`failed, run ${Option.getOrElse(LumeError.runId(error), () => "unknown")}`)
 *   )
 * )
 * ```
 *
 * @since 1.0.0
 * @category getters
 */
export const runId = (error: unknown): Option.Option<string> => {
  if (!isLumeError(error)) return Option.none()
  if ("run" in error) return Option.some(error.run.id)
  if (!("runId" in error)) return Option.none()
  return typeof error.runId === "string" ? Option.some(error.runId) : error.runId
}

declare const transient: unique symbol

/**
 * The transient errors. The brand keeps an `ApiError` of any status from being taken for one.
 *
 * @since 1.0.0
 * @category errors
 */
export type TransientError =
  | RateLimitedError
  | (ApiError & {
      /** A brand and no value: no error has it. */
      readonly [transient]: true
    })
  | (TransportError & {
      /** The reasons that pass. */
      readonly reason: "Network" | "RequestTimeout"
    })

/**
 * Whether doing the same again later can help: `RateLimitedError`, `ApiError` with status 408 or 5xx, `TransportError`
 * with reason `Network` or `RequestTimeout`. Safe around `run` too: if a submit may have arrived, the error is
 * `SubmitOutcomeUnknownError`, which is not transient.
 *
 * As a guard for `Effect.catchIf` it keeps `ApiError` and `TransportError` in the error type, because some of them
 * are not transient.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Schedule from "effect/Schedule"
 * import { LumeClient, LumeError } from "effect-lume"
 *
 * const program = LumeClient.run({ flowVersion: "invoice_cleaner:v4", sourcePath: "batch-001" }).pipe(
 *   Effect.retry({ while: LumeError.isTransient, schedule: Schedule.spaced("1 minute"), times: 5 })
 * )
 * ```
 *
 * @since 1.0.0
 * @category predicates
 */
export const isTransient = (error: unknown): error is TransientError => {
  if (!isLumeError(error)) return false
  switch (error._tag) {
    case "RateLimitedError":
      return true
    case "ApiError":
      return error.status === 408 || (error.status >= 500 && error.status <= 599)
    case "TransportError":
      return error.reason === "Network" || error.reason === "RequestTimeout"
    default:
      return false
  }
}
