import * as Context from "effect/Context";
import type * as Duration from "effect/Duration";
import * as Effect from "effect/Effect";
import type * as Option from "effect/Option";
import { InvalidRequestError } from "./LumeError.js";
declare const WebhookDeliveries_base: Context.TagClass<WebhookDeliveries, "effect-lume/WebhookDeliveries", Service>;
export declare class WebhookDeliveries extends WebhookDeliveries_base {
}
export interface Identity {
    readonly runId: string;
    readonly status: Option.Option<string>;
}
export interface Service {
    readonly once: <R>(delivery: Identity, handle: Effect.Effect<unknown, unknown, R>, options?: {
        readonly timeout?: Duration.Duration | undefined;
    }) => Effect.Effect<void, unknown, R>;
}
export declare const makeInMemory: (options?: {
    readonly capacity?: number | undefined;
}) => Effect.Effect<Service, InvalidRequestError>;
export {};
