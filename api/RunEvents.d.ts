import * as Context from "effect/Context";
import * as Effect from "effect/Effect";
import * as Layer from "effect/Layer";
import type * as Queue from "effect/Queue";
import type * as Scope from "effect/Scope";
declare const RunEvents_base: Context.TagClass<RunEvents, "effect-lume/RunEvents", Service>;
export declare class RunEvents extends RunEvents_base {
}
export interface Service {
    readonly publish: (event: {
        readonly runId: string;
    }) => Effect.Effect<void>;
    readonly subscribe: (runId: string) => Effect.Effect<Queue.Dequeue<void>, never, Scope.Scope>;
}
export declare const layer: Layer.Layer<RunEvents>;
export declare const publish: (event: {
    readonly runId: string;
}) => Effect.Effect<void, never, RunEvents>;
export {};
