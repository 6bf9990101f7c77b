import * as Schema from "effect/Schema";
import { FlowVersion } from "../RunRequest.js";
declare const Flow: Schema.Struct<{
    name: Schema.refine<string, typeof Schema.String>;
    version: Schema.refine<string, typeof Schema.String>;
    fields: Schema.Record$<typeof Schema.String, Schema.refine<string, typeof Schema.NonEmptyTrimmedString>>;
    tests: Schema.Array$<Schema.Struct<{
        error_code: Schema.refine<string, typeof Schema.NonEmptyTrimmedString>;
        field: typeof Schema.String;
        check: Schema.refine<string, typeof Schema.NonEmptyTrimmedString>;
    }>>;
    encoding: Schema.optional<Schema.refine<string, typeof Schema.String>>;
    delimiter: Schema.optional<Schema.refine<string, typeof Schema.String>>;
}>;
export interface LocalFlow extends Schema.Schema.Type<typeof Flow> {
}
export declare const LocalFlow: Schema.Schema<LocalFlow>;
export declare const flowVersion: (flow: LocalFlow) => FlowVersion;
export {};
