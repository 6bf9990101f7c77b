import type * as FileSystem from "@effect/platform/FileSystem";
import * as Context from "effect/Context";
import type * as Duration from "effect/Duration";
import * as Layer from "effect/Layer";
import * as Option from "effect/Option";
import type * as Redacted from "effect/Redacted";
import { type LocalLumeError } from "./internal/error.js";
import type * as faults from "./internal/faults.js";
import type { LocalFlow } from "./LocalFlow.js";
export { LocalLumeError } from "./internal/error.js";
declare const LocalLume_base: Context.TagClass<LocalLume, "effect-lume/local/LocalLume", Service>;
export declare class LocalLume extends LocalLume_base {
}
export interface Service {
    readonly url: string;
    readonly apiKey: Redacted.Redacted;
    readonly webhookSecret: Option.Option<Redacted.Redacted>;
}
export interface Webhook {
    readonly url: string;
    readonly secret?: Redacted.Redacted | undefined;
}
export type FaultRequest = faults.Request;
export interface Options {
    readonly flows: string | ReadonlyArray<LocalFlow>;
    readonly sources: string;
    readonly targets: string;
    readonly apiKey?: Redacted.Redacted | undefined;
    readonly host?: string | undefined;
    readonly port?: number | undefined;
    readonly concurrency?: number | undefined;
    readonly webhook?: Webhook | undefined;
    readonly store?: "disk" | "memory" | undefined;
    readonly keepFor?: Duration.DurationInput | undefined;
    readonly keepRuns?: number | undefined;
    readonly memoryLimit?: FileSystem.SizeInput | undefined;
    readonly spillFolder?: string | undefined;
    readonly runTimeout?: Duration.DurationInput | undefined;
    readonly fault?: string | ((request: FaultRequest) => string | undefined) | undefined;
}
export declare const layer: (given: Options) => Layer.Layer<LocalLume, LocalLumeError>;
