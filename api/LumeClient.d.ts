import * as HttpClient from "@effect/platform/HttpClient";
import type * as Config from "effect/Config";
import type * as ConfigError from "effect/ConfigError";
import * as Context from "effect/Context";
import type * as Duration from "effect/Duration";
import * as Effect from "effect/Effect";
import * as Layer from "effect/Layer";
import type * as Option from "effect/Option";
import type * as Redacted from "effect/Redacted";
import * as Schedule from "effect/Schedule";
import * as Stream from "effect/Stream";
import type * as LumeError from "./LumeError.js";
import * as LumeRun from "./LumeRun.js";
import * as RunEvents from "./RunEvents.js";
import type * as RunRequest from "./RunRequest.js";
declare const LumeClient_base: Context.TagClass<LumeClient, "effect-lume/LumeClient", Service>;
export declare class LumeClient extends LumeClient_base {
}
export interface Service {
    readonly run: (request: RunRequest.Input) => Effect.Effect<LumeRun.LumeRun, LumeError.SubmitError>;
    readonly runStatus: (id: string) => Effect.Effect<LumeRun.LumeRun, LumeError.StatusError>;
    readonly refresh: (run: LumeRun.LumeRun) => Effect.Effect<LumeRun.LumeRun, LumeError.StatusError>;
    readonly wait: (run: LumeRun.LumeRun | string, options?: WaitOptions) => Effect.Effect<LumeRun.TerminalRun, LumeError.WaitError>;
    readonly watch: (run: LumeRun.LumeRun | string, options?: WaitOptions) => Stream.Stream<LumeRun.LumeRun, LumeError.WaitError>;
    readonly runAndWait: (request: RunRequest.Input, options?: WaitOptions) => Effect.Effect<LumeRun.TerminalRun, LumeError.SubmitError | LumeError.TimeoutError | LumeError.WaitFailedError>;
}
export interface Options {
    readonly apiKey: Redacted.Redacted;
    readonly baseUrl?: string | undefined;
    readonly requestTimeout?: Duration.DurationInput | undefined;
    readonly paths?: {
        readonly submit: string;
        readonly status: (id: LumeRun.RunId) => string;
    } | undefined;
    readonly transformClient?: ((client: HttpClient.HttpClient) => HttpClient.HttpClient) | undefined;
    readonly retry?: {
        readonly times?: number | undefined;
        readonly base?: Duration.DurationInput | undefined;
        readonly cap?: Duration.DurationInput | undefined;
    } | undefined;
    readonly wait?: WaitOptions | undefined;
    readonly maxResponseBytes?: number | undefined;
    readonly traceRequests?: boolean | undefined;
}
export interface WaitOptions {
    readonly timeout?: Duration.DurationInput | undefined;
    readonly pollInterval?: Duration.DurationInput | undefined;
    readonly schedule?: Schedule.Schedule<unknown, Option.Option<LumeRun.LumeRun>> | undefined;
    readonly tolerance?: Duration.DurationInput | undefined;
    readonly onStatus?: ((run: LumeRun.LumeRun) => Effect.Effect<void>) | undefined;
}
export declare const backoff: Schedule.Schedule<unknown>;
export declare const make: (options: Options) => Effect.Effect<Service, LumeError.InvalidRequestError, HttpClient.HttpClient>;
export declare const layer: (options: Options) => Layer.Layer<LumeClient, LumeError.InvalidRequestError, HttpClient.HttpClient>;
export declare const layerWithEvents: (options: Options) => Layer.Layer<LumeClient, LumeError.InvalidRequestError, HttpClient.HttpClient | RunEvents.RunEvents>;
export type Configs = {
    readonly [K in keyof Options]?: Options[K] | Config.Config<Options[K]> | undefined;
};
export declare const layerConfig: (configs?: Configs) => Layer.Layer<LumeClient, LumeError.InvalidRequestError | ConfigError.ConfigError, HttpClient.HttpClient>;
export declare const layerConfigWithEvents: (configs?: Configs) => Layer.Layer<LumeClient, LumeError.InvalidRequestError | ConfigError.ConfigError, HttpClient.HttpClient | RunEvents.RunEvents>;
export declare const run: (request: RunRequest.Input) => Effect.Effect<LumeRun.LumeRun, LumeError.SubmitError, LumeClient>;
export declare const runStatus: (id: string) => Effect.Effect<LumeRun.LumeRun, LumeError.StatusError, LumeClient>;
export declare const refresh: (run: LumeRun.LumeRun) => Effect.Effect<LumeRun.LumeRun, LumeError.StatusError, LumeClient>;
export declare const wait: {
    (options?: WaitOptions): (run: LumeRun.LumeRun | string) => Effect.Effect<LumeRun.TerminalRun, LumeError.WaitError, LumeClient>;
    (run: LumeRun.LumeRun | string, options?: WaitOptions): Effect.Effect<LumeRun.TerminalRun, LumeError.WaitError, LumeClient>;
};
export declare const watch: {
    (options?: WaitOptions): (run: LumeRun.LumeRun | string) => Stream.Stream<LumeRun.LumeRun, LumeError.WaitError, LumeClient>;
    (run: LumeRun.LumeRun | string, options?: WaitOptions): Stream.Stream<LumeRun.LumeRun, LumeError.WaitError, LumeClient>;
};
export declare const runAndWait: (request: RunRequest.Input, options?: WaitOptions) => Effect.Effect<LumeRun.TerminalRun, LumeError.SubmitError | LumeError.TimeoutError | LumeError.WaitFailedError, LumeClient>;
export {};
