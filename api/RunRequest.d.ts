import * as Schema from "effect/Schema";
export declare const FlowVersion: Schema.brand<Schema.refine<string, typeof Schema.String>, "effect-lume/FlowVersion">;
export type FlowVersion = typeof FlowVersion.Type;
export interface Input {
    readonly flowVersion: string;
    readonly sourcePath: string;
    readonly runMetadata?: {
        readonly [key: string]: unknown;
    } | undefined;
    readonly forceRerun?: boolean | undefined;
}
declare const Checked: Schema.Struct<{
    flowVersion: Schema.brand<Schema.refine<string, typeof Schema.String>, "effect-lume/FlowVersion">;
    sourcePath: Schema.refine<string, typeof Schema.String>;
    runMetadata: Schema.optional<Schema.filter<Schema.declare<{
        readonly [key: string]: unknown;
    }, {
        readonly [key: string]: unknown;
    }, readonly [
    ], never>>>;
    forceRerun: Schema.optional<typeof Schema.Boolean>;
}>;
export interface RunRequest extends Schema.Schema.Type<typeof Checked> {
}
export interface Encoded {
    readonly flow_version: string;
    readonly source_path: string;
    readonly run_metadata?: {
        readonly [key: string]: unknown;
    } | null | undefined;
    readonly force_rerun?: boolean | null | undefined;
}
export declare const RunRequest: Schema.Schema<RunRequest, Encoded>;
export {};
