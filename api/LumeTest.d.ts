import * as Context from "effect/Context";
import * as Duration from "effect/Duration";
import * as Effect from "effect/Effect";
import * as Layer from "effect/Layer";
import * as testArbitrary from "./testkit/arbitrary.js";
import * as testMetadata from "./testkit/metadata.js";
import * as testServer from "./testkit/server.js";
import * as testTimeline from "./testkit/timeline.js";
import * as LumeClient from "./LumeClient.js";
import type * as LumeMetadata from "./LumeMetadata.js";
import * as LumeRun from "./LumeRun.js";
import type { RunEvents } from "./RunEvents.js";
import type { RunRequest } from "./RunRequest.js";
declare const LumeTest_base: Context.TagClass<LumeTest, "effect-lume/LumeTest", Service>;
export declare class LumeTest extends LumeTest_base {
}
export interface Service {
    readonly failNext: (count: number, fault: Fault, options?: FaultOptions) => Effect.Effect<void>;
    readonly requests: Effect.Effect<ReadonlyArray<testServer.ReceivedRequest>>;
    readonly submitted: Effect.Effect<ReadonlyArray<RunRequest>>;
}
export type { Fault, ReceivedRequest } from "./testkit/server.js";
export type { Overrides as MetadataOverrides, Subject } from "./testkit/metadata.js";
export type { Step, Timeline } from "./testkit/timeline.js";
type Fault = testServer.Fault;
type MetadataOverrides = testMetadata.Overrides;
type Timeline = testTimeline.Timeline;
export interface FaultOptions {
    readonly on?: "read" | "submit" | undefined;
    readonly received?: boolean | undefined;
}
export interface Script {
    readonly runs?: Readonly<Record<string, Timeline>> | undefined;
    readonly onRun?: ((request: RunRequest) => Timeline) | undefined;
    readonly client?: Omit<LumeClient.Options, "apiKey" | "paths"> | undefined;
}
export declare const layer: (script?: Script) => Layer.Layer<LumeClient.LumeClient | LumeTest>;
export declare const layerWithEvents: (script?: Script) => Layer.Layer<LumeClient.LumeClient | LumeTest, never, RunEvents>;
export declare const failNext: (count: number, fault: Fault, options?: FaultOptions) => Effect.Effect<void, never, LumeTest>;
export declare const requests: Effect.Effect<ReadonlyArray<testServer.ReceivedRequest>, never, LumeTest>;
export declare const submitted: Effect.Effect<ReadonlyArray<RunRequest>, never, LumeTest>;
export interface TimelineOptions {
    readonly in?: Duration.DurationInput | undefined;
    readonly metadata?: MetadataOverrides | undefined;
}
export declare const succeeds: (options?: TimelineOptions & {
    readonly rows?: number | undefined;
}) => Timeline;
export declare const partiallyFails: (options?: TimelineOptions & {
    readonly rows?: number | undefined;
    readonly rejected?: number | undefined;
    readonly topErrors?: ReadonlyArray<LumeMetadata.TopError> | undefined;
}) => Timeline;
export declare const fails: (options?: TimelineOptions & Partial<LumeMetadata.StageError>) => Timeline;
export declare const crashes: (options?: TimelineOptions) => Timeline;
export declare const hangs: () => Timeline;
export declare const unknownStatus: (status: string | null, next?: Timeline) => Timeline;
export declare const timeline: (steps: ReadonlyArray<testTimeline.Step>) => Timeline;
export declare const metadata: (overrides?: MetadataOverrides) => LumeMetadata.LumeMetadata;
export interface RunOverrides {
    readonly id?: string | undefined;
    readonly status?: string | null | undefined;
    readonly runMetadata?: {
        readonly [key: string]: unknown;
    } | undefined;
    readonly metadata?: MetadataOverrides | undefined;
    readonly errors?: ReadonlyArray<LumeMetadata.StageError> | undefined;
    readonly rawMetadata?: unknown;
}
export declare const run: <Tag extends LumeRun.LumeRun["_tag"]>(tag: Tag, overrides?: RunOverrides) => Extract<LumeRun.LumeRun, {
    readonly _tag: Tag;
}>;
export declare const arbitrary: {
    readonly metadata: testArbitrary.Arbitrary<LumeMetadata.LumeMetadata>;
    readonly wire: testArbitrary.Arbitrary<LumeRun.Encoded>;
    readonly run: testArbitrary.Arbitrary<LumeRun.LumeRun>;
};
export declare const advance: (duration: Duration.DurationInput) => Effect.Effect<void>;
export declare const waitFor: <A, E, R>(effect: Effect.Effect<A, E, R>, options?: {
    readonly limit?: Duration.DurationInput | undefined;
}) => Effect.Effect<A, E, R>;
