import * as Effect from "effect/Effect";
import * as Option from "effect/Option";
import * as Pipeable from "effect/Pipeable";
import * as Schema from "effect/Schema";
import * as quality from "./internal/quality.js";
import * as LumeMetadata from "./LumeMetadata.js";
export declare const RunId: Schema.brand<Schema.filter<typeof Schema.String>, "effect-lume/RunId">;
export type RunId = typeof RunId.Type;
export interface Fields<Status extends string | null> {
    readonly id: RunId;
    readonly status: Status;
    readonly runMetadata: {
        readonly [key: string]: unknown;
    };
    readonly rawMetadata: unknown;
}
declare const State_base: Pipeable.PipeableConstructor;
declare abstract class State<Status extends string | null> extends State_base implements Fields<Status> {
    readonly id: RunId;
    readonly status: Status;
    readonly runMetadata: {
        readonly [key: string]: unknown;
    };
    readonly rawMetadata: unknown;
    abstract readonly _tag: string;
    constructor(fields: Fields<Status>);
}
export declare class Created extends State<"CREATED"> {
    readonly _tag = "Created";
}
export declare class SyncingSource extends State<"SYNCING_SOURCE"> {
    readonly _tag = "SyncingSource";
}
export declare class Transforming extends State<"TRANSFORMING"> {
    readonly _tag = "Transforming";
}
export declare class SyncingTarget extends State<"SYNCING_TARGET"> {
    readonly _tag = "SyncingTarget";
}
export declare class Unrecognized extends State<string | null> {
    readonly _tag = "Unrecognized";
}
declare abstract class Finished<Status extends string> extends State<Status> {
    get metadata(): Effect.Effect<LumeMetadata.LumeMetadata, LumeMetadata.MetadataDecodeError>;
}
declare abstract class Broken<Status extends string> extends State<Status> {
    get metadata(): Effect.Effect<LumeMetadata.FailedMetadata, LumeMetadata.MetadataDecodeError>;
}
export declare class Succeeded extends Finished<"SUCCEEDED"> {
    readonly _tag = "Succeeded";
}
export declare class PartialFailed extends Finished<"PARTIAL_FAILED"> {
    readonly _tag = "PartialFailed";
}
export declare class Failed extends Broken<"FAILED"> {
    readonly _tag = "Failed";
}
export declare class Crashed extends Broken<"CRASHED"> {
    readonly _tag = "Crashed";
}
export type TerminalRun = Succeeded | PartialFailed | Failed | Crashed;
export type LumeRun = Created | SyncingSource | Transforming | SyncingTarget | Unrecognized | TerminalRun;
export declare const isTerminal: (run: LumeRun) => run is TerminalRun;
export interface Encoded {
    readonly id: string;
    readonly status: string | null;
    readonly metadata?: unknown;
    readonly run_metadata?: unknown;
}
export declare const LumeRun: Schema.Schema<LumeRun, Encoded>;
export declare const TerminalRun: Schema.Schema<TerminalRun, Encoded>;
declare const RunFailedError_base: Schema.TaggedErrorClass<RunFailedError, "RunFailedError", {
    readonly _tag: Schema.tag<"RunFailedError">;
} & {
    run: Schema.Schema<PartialFailed | Failed | Crashed, Encoded, never>;
}>;
export declare class RunFailedError extends RunFailedError_base {
    get message(): string;
}
export type Accepted<R extends LumeRun, Mode extends "accept" | "fail"> = Exclude<R, Failed | Crashed | ([
    Mode
] extends [
    "fail"
] ? PartialFailed : never)>;
export declare const orFail: <R extends LumeRun, Mode extends "accept" | "fail" = "accept">(run: R, options?: {
    readonly partial?: Mode | undefined;
}) => Effect.Effect<Accepted<R, Mode>, RunFailedError>;
export type Limits = quality.Limits;
export type Breach = quality.Breach;
declare const QualityError_base: Schema.TaggedErrorClass<QualityError, "QualityError", {
    readonly _tag: Schema.tag<"QualityError">;
} & {
    run: Schema.Schema<Succeeded | PartialFailed, Encoded, never>;
    breaches: Schema.Array$<Schema.Struct<{
        measure: Schema.Literal<[
            "errorRate",
            "rejectedShare",
            "rejectedRows",
            "inputRows",
            "errorCode"
        ]>;
        code: Schema.PropertySignature<":", Option.Option<string>, never, "?:", string | null | undefined, false, never>;
        limit: Schema.PropertySignature<":", Option.Option<number>, never, "?:", number | null | undefined, false, never>;
        actual: Schema.PropertySignature<":", Option.Option<number>, never, "?:", number | null | undefined, false, never>;
    }>>;
}>;
export declare class QualityError extends QualityError_base {
    get message(): string;
}
export declare const gate: {
    (limits: Limits): (run: TerminalRun) => Effect.Effect<LumeMetadata.LumeMetadata, QualityError | RunFailedError | LumeMetadata.MetadataDecodeError>;
    (run: TerminalRun, limits: Limits): Effect.Effect<LumeMetadata.LumeMetadata, QualityError | RunFailedError | LumeMetadata.MetadataDecodeError>;
};
export {};
