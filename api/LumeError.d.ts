import * as Duration from "effect/Duration";
import * as Option from "effect/Option";
import * as Schema from "effect/Schema";
import { MetadataDecodeError } from "./LumeMetadata.js";
import * as LumeRun from "./LumeRun.js";
export { MetadataDecodeError } from "./LumeMetadata.js";
export { QualityError, RunFailedError } from "./LumeRun.js";
declare const AuthenticationError_base: Schema.TaggedErrorClass<AuthenticationError, "AuthenticationError", {
    readonly _tag: Schema.tag<"AuthenticationError">;
} & {
    status: Schema.declare<number, number, readonly [
    ], never>;
    detail: Schema.PropertySignature<":", string, never, ":", string, true, never>;
    runId: Schema.PropertySignature<":", Option.Option<string>, never, "?:", string | null | undefined, true, never>;
}>;
export declare class AuthenticationError extends AuthenticationError_base {
    get message(): string;
}
declare const InvalidRequestError_base: Schema.TaggedErrorClass<InvalidRequestError, "InvalidRequestError", {
    readonly _tag: Schema.tag<"InvalidRequestError">;
} & {
    detail: Schema.PropertySignature<":", string, never, ":", string, true, never>;
    status: Schema.PropertySignature<":", Option.Option<number>, never, "?:", number | null | undefined, true, never>;
    runId: Schema.PropertySignature<":", Option.Option<string>, never, "?:", string | null | undefined, true, never>;
}>;
export declare class InvalidRequestError extends InvalidRequestError_base {
    get message(): string;
}
declare const AlreadyProcessedError_base: Schema.TaggedErrorClass<AlreadyProcessedError, "AlreadyProcessedError", {
    readonly _tag: Schema.tag<"AlreadyProcessedError">;
} & {
    flowVersion: typeof Schema.String;
    sourcePath: typeof Schema.String;
    detail: Schema.PropertySignature<":", string, never, ":", string, true, never>;
}>;
export declare class AlreadyProcessedError extends AlreadyProcessedError_base {
    get message(): string;
}
declare const RunNotFoundError_base: Schema.TaggedErrorClass<RunNotFoundError, "RunNotFoundError", {
    readonly _tag: Schema.tag<"RunNotFoundError">;
} & {
    runId: typeof Schema.String;
    status: Schema.PropertySignature<":", number, never, ":", number, true, never>;
    detail: Schema.PropertySignature<":", string, never, ":", string, true, never>;
}>;
export declare class RunNotFoundError extends RunNotFoundError_base {
    get message(): string;
}
declare const RateLimitedError_base: Schema.TaggedErrorClass<RateLimitedError, "RateLimitedError", {
    readonly _tag: Schema.tag<"RateLimitedError">;
} & {
    retryAfter: Schema.PropertySignature<":", Option.Option<Duration.Duration>, never, "?:", string | number | null | undefined, true, never>;
    detail: Schema.PropertySignature<":", string, never, ":", string, true, never>;
    runId: Schema.PropertySignature<":", Option.Option<string>, never, "?:", string | null | undefined, true, never>;
}>;
export declare class RateLimitedError extends RateLimitedError_base {
    get message(): string;
}
declare const ApiError_base: Schema.TaggedErrorClass<ApiError, "ApiError", {
    readonly _tag: Schema.tag<"ApiError">;
} & {
    status: Schema.declare<number, number, readonly [
    ], never>;
    requestId: Schema.PropertySignature<":", Option.Option<string>, never, "?:", string | null | undefined, true, never>;
    detail: Schema.PropertySignature<":", string, never, ":", string, true, never>;
    retryAfter: Schema.PropertySignature<":", Option.Option<Duration.Duration>, never, "?:", string | number | null | undefined, true, never>;
    runId: Schema.PropertySignature<":", Option.Option<string>, never, "?:", string | null | undefined, true, never>;
}>;
export declare class ApiError extends ApiError_base {
    get message(): string;
}
declare const TransportError_base: Schema.TaggedErrorClass<TransportError, "TransportError", {
    readonly _tag: Schema.tag<"TransportError">;
} & {
    reason: Schema.Literal<[
        "Network",
        "RequestTimeout",
        "Redirect",
        "TooLarge",
        "Interrupted"
    ]>;
    detail: Schema.PropertySignature<":", string, never, ":", string, true, never>;
    runId: Schema.PropertySignature<":", Option.Option<string>, never, "?:", string | null | undefined, true, never>;
}>;
export declare class TransportError extends TransportError_base {
    get message(): string;
}
declare const DecodeError_base: Schema.TaggedErrorClass<DecodeError, "DecodeError", {
    readonly _tag: Schema.tag<"DecodeError">;
} & {
    runId: Schema.PropertySignature<":", Option.Option<string>, never, "?:", string | null | undefined, true, never>;
    status: Schema.declare<number, number, readonly [
    ], never>;
    contentType: Schema.PropertySignature<":", Option.Option<string>, never, "?:", string | null | undefined, true, never>;
    path: typeof Schema.String;
    expected: typeof Schema.String;
    received: typeof Schema.String;
    preview: typeof Schema.String;
}>;
export declare class DecodeError extends DecodeError_base {
    get message(): string;
}
declare const SubmitOutcomeUnknownError_base: Schema.TaggedErrorClass<SubmitOutcomeUnknownError, "SubmitOutcomeUnknownError", {
    readonly _tag: Schema.tag<"SubmitOutcomeUnknownError">;
} & {
    flowVersion: typeof Schema.String;
    sourcePath: typeof Schema.String;
    failure: Schema.Union<[
        typeof TransportError,
        typeof ApiError,
        typeof DecodeError
    ]>;
}>;
export declare class SubmitOutcomeUnknownError extends SubmitOutcomeUnknownError_base {
    get message(): string;
}
export declare const StatusError: Schema.Union<[
    typeof AuthenticationError,
    typeof InvalidRequestError,
    typeof RunNotFoundError,
    typeof RateLimitedError,
    typeof ApiError,
    typeof TransportError,
    typeof DecodeError
]>;
export type StatusError = typeof StatusError.Type;
declare const TimeoutError_base: Schema.TaggedErrorClass<TimeoutError, "TimeoutError", {
    readonly _tag: Schema.tag<"TimeoutError">;
} & {
    runId: typeof Schema.String;
    timeout: Schema.transform<Schema.declare<string | number, string | number, readonly [
    ], never>, Schema.SchemaClass<Duration.Duration, Duration.Duration, never>>;
    polls: Schema.declare<number, number, readonly [
    ], never>;
    lastRun: Schema.PropertySignature<":", Option.Option<LumeRun.LumeRun>, never, "?:", LumeRun.Encoded | null | undefined, false, never>;
    lastFailure: Schema.PropertySignature<":", Option.Option<AuthenticationError | InvalidRequestError | RunNotFoundError | RateLimitedError | ApiError | TransportError | DecodeError>, never, "?:", {
        readonly _tag: "AuthenticationError";
        readonly status: number;
        readonly detail: string;
        readonly runId?: string | null | undefined;
    } | {
        readonly _tag: "InvalidRequestError";
        readonly detail: string;
        readonly runId?: string | null | undefined;
        readonly status?: number | null | undefined;
    } | {
        readonly _tag: "RunNotFoundError";
        readonly runId: string;
        readonly status: number;
        readonly detail: string;
    } | {
        readonly _tag: "RateLimitedError";
        readonly detail: string;
        readonly runId?: string | null | undefined;
        readonly retryAfter?: string | number | null | undefined;
    } | {
        readonly _tag: "ApiError";
        readonly status: number;
        readonly detail: string;
        readonly runId?: string | null | undefined;
        readonly retryAfter?: string | number | null | undefined;
        readonly requestId?: string | null | undefined;
    } | {
        readonly _tag: "TransportError";
        readonly detail: string;
        readonly reason: "Network" | "RequestTimeout" | "Redirect" | "TooLarge" | "Interrupted";
        readonly runId?: string | null | undefined;
    } | {
        readonly path: string;
        readonly _tag: "DecodeError";
        readonly expected: string;
        readonly status: number;
        readonly received: string;
        readonly preview: string;
        readonly runId?: string | null | undefined;
        readonly contentType?: string | null | undefined;
    } | null | undefined, false, never>;
}>;
export declare class TimeoutError extends TimeoutError_base {
    get message(): string;
}
declare const WaitFailedError_base: Schema.TaggedErrorClass<WaitFailedError, "WaitFailedError", {
    readonly _tag: Schema.tag<"WaitFailedError">;
} & {
    runId: typeof Schema.String;
    lastRun: Schema.Schema<LumeRun.LumeRun, LumeRun.Encoded, never>;
    failure: Schema.Union<[
        typeof AuthenticationError,
        typeof InvalidRequestError,
        typeof RunNotFoundError,
        typeof RateLimitedError,
        typeof ApiError,
        typeof TransportError,
        typeof DecodeError
    ]>;
}>;
export declare class WaitFailedError extends WaitFailedError_base {
    get message(): string;
}
declare const WebhookSignatureError_base: Schema.TaggedErrorClass<WebhookSignatureError, "WebhookSignatureError", {
    readonly _tag: Schema.tag<"WebhookSignatureError">;
} & {
    reason: Schema.Literal<[
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
    ]>;
}>;
export declare class WebhookSignatureError extends WebhookSignatureError_base {
    get message(): string;
}
declare const WebhookPayloadError_base: Schema.TaggedErrorClass<WebhookPayloadError, "WebhookPayloadError", {
    readonly _tag: Schema.tag<"WebhookPayloadError">;
} & {
    path: typeof Schema.String;
    expected: typeof Schema.String;
    received: typeof Schema.String;
}>;
export declare class WebhookPayloadError extends WebhookPayloadError_base {
    get message(): string;
}
export declare const SubmitError: Schema.Union<[
    typeof AuthenticationError,
    typeof InvalidRequestError,
    typeof AlreadyProcessedError,
    typeof RateLimitedError,
    typeof TransportError,
    typeof SubmitOutcomeUnknownError
]>;
export type SubmitError = typeof SubmitError.Type;
export declare const WaitError: Schema.Union<[
    typeof AuthenticationError,
    typeof InvalidRequestError,
    typeof RunNotFoundError,
    typeof RateLimitedError,
    typeof ApiError,
    typeof TransportError,
    typeof DecodeError,
    typeof TimeoutError
]>;
export type WaitError = typeof WaitError.Type;
export declare const LumeError: Schema.Union<[
    typeof AuthenticationError,
    typeof InvalidRequestError,
    typeof AlreadyProcessedError,
    typeof RunNotFoundError,
    typeof RateLimitedError,
    typeof ApiError,
    typeof TransportError,
    typeof DecodeError,
    typeof SubmitOutcomeUnknownError,
    typeof WaitFailedError,
    typeof MetadataDecodeError,
    typeof TimeoutError,
    typeof LumeRun.RunFailedError,
    typeof LumeRun.QualityError,
    typeof WebhookSignatureError,
    typeof WebhookPayloadError
]>;
export type LumeError = typeof LumeError.Type;
export declare const isLumeError: (error: unknown) => error is LumeError;
export declare const runId: (error: unknown) => Option.Option<string>;
declare const transient: unique symbol;
export type TransientError = RateLimitedError | (ApiError & {
    readonly [transient]: true;
}) | (TransportError & {
    readonly reason: "Network" | "RequestTimeout";
});
export declare const isTransient: (error: unknown) => error is TransientError;
