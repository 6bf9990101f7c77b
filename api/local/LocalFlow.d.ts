import * as Schema from "effect/Schema";
import { FlowVersion } from "../RunRequest.js";
declare const Flow: Schema.Struct<{
    name: Schema.declare<string, string, readonly [
    ], never>;
    version: Schema.declare<string, string, readonly [
    ], never>;
    fields: Schema.declare<{
        readonly [name: string]: string;
    }, {
        readonly [name: string]: string;
    }, readonly [
    ], never>;
    tests: Schema.Array$<Schema.Struct<{
        error_code: Schema.declare<string, string, readonly [
        ], never>;
        field: Schema.declare<string, string, readonly [
        ], never>;
        check: Schema.declare<string, string, readonly [
        ], never>;
    }>>;
    encoding: Schema.optionalWith<Schema.declare<string | undefined, string | undefined, readonly [
    ], never>, {
        exact: true;
    }>;
    delimiter: Schema.optionalWith<Schema.declare<string | undefined, string | undefined, readonly [
    ], never>, {
        exact: true;
    }>;
}>;
export interface LocalFlow extends Schema.Schema.Type<typeof Flow> {
}
export declare const LocalFlow: Schema.Schema<LocalFlow>;
export declare const flowVersion: (flow: LocalFlow) => FlowVersion;
export {};
