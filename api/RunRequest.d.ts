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
declare const Wire: Schema.Struct<{
    flow_version: typeof Schema.String;
    source_path: typeof Schema.String;
    run_metadata: Schema.optionalWith<Schema.Union<[
        Schema.Schema<{
            readonly [key: string]: unknown;
        }, {
            readonly [key: string]: unknown;
        }, never>,
        Schema.declare<null | undefined, null | undefined, readonly [
        ], never>
    ]>, {
        exact: true;
    }>;
    force_rerun: Schema.optionalWith<Schema.Union<[
        Schema.Schema<boolean, boolean, never>,
        Schema.declare<null | undefined, null | undefined, readonly [
        ], never>
    ]>, {
        exact: true;
    }>;
}>;
export declare const RunRequest: Schema.Schema<RunRequest, typeof Wire.Encoded>;
export {};
