import * as Context from "effect/Context";
import * as Layer from "effect/Layer";
import * as Redacted from "effect/Redacted";
import * as flows from "./internal/flows.js";
import type { Webhook } from "./internal/webhook.js";
import type { LocalFlow } from "./LocalFlow.js";
export { LocalLumeError } from "./internal/flows.js";
declare const LocalLume_base: Context.TagClass<LocalLume, "effect-lume/local/LocalLume", Service>;
export declare class LocalLume extends LocalLume_base {
}
export interface Service {
    readonly url: string;
    readonly apiKey: Redacted.Redacted;
}
export interface Options {
    readonly flows: string | ReadonlyArray<LocalFlow>;
    readonly sources: string;
    readonly targets: string;
    readonly apiKey?: Redacted.Redacted | undefined;
    readonly host?: string | undefined;
    readonly port?: number | undefined;
    readonly concurrency?: number | undefined;
    readonly webhook?: Webhook | undefined;
}
export declare const layer: (options: Options) => Layer.Layer<LocalLume, flows.LocalLumeError>;
