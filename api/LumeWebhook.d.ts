import type * as HttpApp from "@effect/platform/HttpApp";
import type * as Arr from "effect/Array";
import * as Duration from "effect/Duration";
import * as Effect from "effect/Effect";
import * as Option from "effect/Option";
import * as Redacted from "effect/Redacted";
import * as Schema from "effect/Schema";
import { WebhookPayloadError, WebhookSignatureError } from "./LumeError.js";
import type * as WebhookDeliveries from "./WebhookDeliveries.js";
export declare const signatureHeader = "x-lume-signature-256";
export type Secrets<E = never, R = never> = Arr.NonEmptyReadonlyArray<Redacted.Redacted> | Effect.Effect<Arr.NonEmptyReadonlyArray<Redacted.Redacted>, E, R>;
export interface Delivery<E = never, R = never> {
    readonly secrets: Secrets<E, R>;
    readonly body: Uint8Array | string;
    readonly signature: string | null | undefined;
}
export declare const verify: <E = never, R = never>(delivery: Delivery<E, R>) => Effect.Effect<void, WebhookSignatureError | E, R>;
export declare const sign: (options: {
    readonly secret: Redacted.Redacted;
    readonly body: Uint8Array | string;
}) => Effect.Effect<string>;
export interface WebhookEvent {
    readonly runId: string;
    readonly status: Option.Option<string>;
    readonly flowVersion: Option.Option<string>;
    readonly sourcePath: Option.Option<string>;
    readonly runMetadata: Option.Option<{
        readonly [key: string]: unknown;
    }>;
    readonly raw: {
        readonly [key: string]: unknown;
    };
}
export declare const WebhookEvent: Schema.Schema<WebhookEvent, {
    readonly [key: string]: unknown;
}>;
export declare const unwrap: <E = never, R = never>(delivery: Delivery<E, R>) => Effect.Effect<WebhookEvent, WebhookSignatureError | WebhookPayloadError | E, R>;
export interface HttpAppOptions<R, SecretsR = never, DeliveriesR = never> {
    readonly secrets: Secrets<unknown, SecretsR>;
    readonly handler: (event: WebhookEvent) => Effect.Effect<unknown, unknown, R>;
    readonly timeout?: Duration.DurationInput | undefined;
    readonly maxBytes?: number | undefined;
    readonly deliveries?: Effect.Effect<WebhookDeliveries.Service, never, DeliveriesR> | undefined;
}
export declare const httpApp: <R, SecretsR = never, DeliveriesR = never>(options: HttpAppOptions<R, SecretsR, DeliveriesR>) => HttpApp.Default<never, R | SecretsR | DeliveriesR>;
