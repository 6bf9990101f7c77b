import * as Option from "effect/Option";
import * as Schema from "effect/Schema";
declare const Stages: Schema.Struct<{
    syncSource: Schema.PropertySignature<":", Option.Option<import("effect/Duration").Duration>, "sync_source_seconds", "?:", string | number | null | undefined, false, never>;
    transform: Schema.PropertySignature<":", Option.Option<import("effect/Duration").Duration>, "transform_seconds", "?:", string | number | null | undefined, false, never>;
    syncTarget: Schema.PropertySignature<":", Option.Option<import("effect/Duration").Duration>, "sync_target_seconds", "?:", string | number | null | undefined, false, never>;
}>;
declare const TopError: Schema.Struct<{
    errorCode: Schema.PropertySignature<":", string, "error_code", ":", string, false, never>;
    field: typeof Schema.String;
    count: Schema.transform<Schema.declare<string | number, string | number, readonly [
    ], never>, Schema.SchemaClass<number, number, never>>;
}>;
declare const StageError: Schema.Struct<{
    stage: typeof Schema.String;
    errorCode: Schema.PropertySignature<":", string, "error_code", ":", string, false, never>;
    message: typeof Schema.String;
}>;
export type Stages = typeof Stages.Type;
export type TopError = typeof TopError.Type;
export type StageError = typeof StageError.Type;
declare const Finished: Schema.Struct<{
    run: Schema.Struct<{
        runId: Schema.PropertySignature<":", string, "run_id", ":", string, false, never>;
        flowVersion: Schema.PropertySignature<":", string, "flow_version", ":", string, false, never>;
        sourcePath: Schema.PropertySignature<":", string, "source_path", ":", string, false, never>;
        status: typeof Schema.String;
    }>;
    pipeline: Schema.Struct<{
        createdAt: Schema.PropertySignature<":", import("effect/DateTime").Utc, "created_at", ":", string | number, false, never>;
        completedAt: Schema.PropertySignature<":", import("effect/DateTime").Utc, "completed_at", ":", string | number, false, never>;
        duration: Schema.PropertySignature<":", import("effect/Duration").Duration, "duration_seconds", ":", string | number, false, never>;
        stages: Schema.transform<Schema.Union<[
            Schema.Schema<{
                readonly syncSource: Option.Option<import("effect/Duration").Duration>;
                readonly transform: Option.Option<import("effect/Duration").Duration>;
                readonly syncTarget: Option.Option<import("effect/Duration").Duration>;
            }, {
                readonly sync_source_seconds?: string | number | null | undefined;
                readonly transform_seconds?: string | number | null | undefined;
                readonly sync_target_seconds?: string | number | null | undefined;
            }, never>,
            Schema.declare<null | undefined, null | undefined, readonly [
            ], never>
        ]>, Schema.SchemaClass<{
            readonly syncSource: Option.Option<import("effect/Duration").Duration>;
            readonly transform: Option.Option<import("effect/Duration").Duration>;
            readonly syncTarget: Option.Option<import("effect/Duration").Duration>;
        }, {
            readonly syncSource: Option.Option<import("effect/Duration").Duration>;
            readonly transform: Option.Option<import("effect/Duration").Duration>;
            readonly syncTarget: Option.Option<import("effect/Duration").Duration>;
        }, never>>;
    }>;
    results: Schema.Struct<{
        inputRows: Schema.PropertySignature<":", number, "input_rows", ":", string | number, false, never>;
        mappedRows: Schema.PropertySignature<":", number, "mapped_rows", ":", string | number, false, never>;
        rejectedRows: Schema.PropertySignature<":", number, "rejected_rows", ":", string | number, false, never>;
        targetLocations: Schema.PropertySignature<":", {
            readonly mapped: string;
            readonly rejects: Option.Option<string>;
        }, "target_locations", ":", {
            readonly mapped: string;
            readonly rejects?: string | null | undefined;
        }, false, never>;
    }>;
    validation: Schema.transform<Schema.filter<Schema.Struct<{
        errorRate: Schema.PropertySignature<":", Option.Option<number>, "error_rate", "?:", string | number | null | undefined, false, never>;
        testsExecuted: Schema.PropertySignature<":", number, "tests_executed", ":", string | number, false, never>;
        testsFailed: Schema.PropertySignature<":", number, "tests_failed", ":", string | number, false, never>;
        topErrors: Schema.PropertySignature<":", readonly {
            readonly errorCode: string;
            readonly field: string;
            readonly count: number;
        }[], "top_errors", ":", readonly {
            readonly error_code: string;
            readonly field: string;
            readonly count: string | number;
        }[] | null | undefined, false, never>;
    }>>, Schema.SchemaClass<{
        readonly errorRate: number;
        readonly testsExecuted: number;
        readonly testsFailed: number;
        readonly topErrors: readonly {
            readonly errorCode: string;
            readonly field: string;
            readonly count: number;
        }[];
    }, {
        readonly errorRate: number;
        readonly testsExecuted: number;
        readonly testsFailed: number;
        readonly topErrors: readonly {
            readonly errorCode: string;
            readonly field: string;
            readonly count: number;
        }[];
    }, never>>;
    errors: Schema.transform<Schema.Union<[
        Schema.Schema<readonly {
            readonly message: string;
            readonly errorCode: string;
            readonly stage: string;
        }[], readonly {
            readonly message: string;
            readonly error_code: string;
            readonly stage: string;
        }[], never>,
        Schema.declare<null | undefined, null | undefined, readonly [
        ], never>
    ]>, Schema.SchemaClass<readonly {
        readonly message: string;
        readonly errorCode: string;
        readonly stage: string;
    }[], readonly {
        readonly message: string;
        readonly errorCode: string;
        readonly stage: string;
    }[], never>>;
}>;
type FinishedJson = typeof Finished.Encoded;
export interface Encoded extends FinishedJson {
}
export interface LumeMetadata extends Schema.Schema.Type<typeof Finished> {
}
export declare const LumeMetadata: Schema.Schema<LumeMetadata, Encoded>;
declare const Failed: Schema.Struct<{
    run: Schema.PropertySignature<":", Option.Option<{
        readonly runId: Option.Option<string>;
        readonly flowVersion: Option.Option<string>;
        readonly sourcePath: Option.Option<string>;
        readonly status: Option.Option<string>;
    }>, "run", "?:", {
        readonly run_id?: string | null | undefined;
        readonly flow_version?: string | null | undefined;
        readonly source_path?: string | null | undefined;
        readonly status?: string | null | undefined;
    } | null | undefined, false, never>;
    pipeline: Schema.PropertySignature<":", Option.Option<{
        readonly createdAt: Option.Option<import("effect/DateTime").Utc>;
        readonly completedAt: Option.Option<import("effect/DateTime").Utc>;
        readonly duration: Option.Option<import("effect/Duration").Duration>;
        readonly stages: Option.Option<{
            readonly syncSource: Option.Option<import("effect/Duration").Duration>;
            readonly transform: Option.Option<import("effect/Duration").Duration>;
            readonly syncTarget: Option.Option<import("effect/Duration").Duration>;
        }>;
    }>, "pipeline", "?:", {
        readonly created_at?: string | number | null | undefined;
        readonly completed_at?: string | number | null | undefined;
        readonly duration_seconds?: string | number | null | undefined;
        readonly stages?: {
            readonly sync_source_seconds?: string | number | null | undefined;
            readonly transform_seconds?: string | number | null | undefined;
            readonly sync_target_seconds?: string | number | null | undefined;
        } | null | undefined;
    } | null | undefined, false, never>;
    results: Schema.PropertySignature<":", Option.Option<{
        readonly inputRows: Option.Option<number>;
        readonly mappedRows: Option.Option<number>;
        readonly rejectedRows: Option.Option<number>;
        readonly targetLocations: Option.Option<{
            readonly mapped: Option.Option<string>;
            readonly rejects: Option.Option<string>;
        }>;
    }>, "results", "?:", {
        readonly input_rows?: string | number | null | undefined;
        readonly mapped_rows?: string | number | null | undefined;
        readonly rejected_rows?: string | number | null | undefined;
        readonly target_locations?: {
            readonly mapped?: string | null | undefined;
            readonly rejects?: string | null | undefined;
        } | null | undefined;
    } | null | undefined, false, never>;
    validation: Schema.PropertySignature<":", Option.Option<{
        readonly errorRate: Option.Option<number>;
        readonly testsExecuted: Option.Option<number>;
        readonly testsFailed: Option.Option<number>;
        readonly topErrors: readonly {
            readonly errorCode: string;
            readonly field: string;
            readonly count: number;
        }[];
    }>, "validation", "?:", {
        readonly top_errors: readonly {
            readonly error_code: string;
            readonly field: string;
            readonly count: string | number;
        }[] | null | undefined;
        readonly error_rate?: string | number | null | undefined;
        readonly tests_executed?: string | number | null | undefined;
        readonly tests_failed?: string | number | null | undefined;
    } | null | undefined, false, never>;
    errors: Schema.transform<Schema.Union<[
        Schema.Schema<readonly {
            readonly message: string;
            readonly errorCode: string;
            readonly stage: string;
        }[], readonly {
            readonly message: string;
            readonly error_code: string;
            readonly stage: string;
        }[], never>,
        Schema.declare<null | undefined, null | undefined, readonly [
        ], never>
    ]>, Schema.SchemaClass<readonly {
        readonly message: string;
        readonly errorCode: string;
        readonly stage: string;
    }[], readonly {
        readonly message: string;
        readonly errorCode: string;
        readonly stage: string;
    }[], never>>;
}>;
type FailedJson = typeof Failed.Encoded;
export interface FailedEncoded extends FailedJson {
}
export interface FailedMetadata extends Schema.Schema.Type<typeof Failed> {
}
export declare const FailedMetadata: Schema.Schema<FailedMetadata, FailedEncoded>;
declare const MetadataDecodeError_base: Schema.TaggedErrorClass<MetadataDecodeError, "MetadataDecodeError", {
    readonly _tag: Schema.tag<"MetadataDecodeError">;
} & {
    runId: typeof Schema.String;
    path: typeof Schema.String;
    expected: typeof Schema.String;
    received: typeof Schema.String;
    rawMetadata: Schema.declare<unknown, unknown, readonly [
    ], never>;
}>;
export declare class MetadataDecodeError extends MetadataDecodeError_base {
    get message(): string;
}
export {};
