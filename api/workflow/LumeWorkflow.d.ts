import { WorkflowInstance, type WorkflowEngine } from "@effect/workflow/WorkflowEngine";
import * as Duration from "effect/Duration";
import * as Effect from "effect/Effect";
import * as LumeClient from "../LumeClient.js";
import * as LumeError from "../LumeError.js";
import type * as LumeRun from "../LumeRun.js";
import type * as RunRequest from "../RunRequest.js";
export interface SubmitOptions {
    readonly name: string;
    readonly request: RunRequest.Input;
    readonly ifUnknown?: "fail" | "resubmit" | undefined;
}
export interface WaitLimits {
    readonly timeout?: Duration.DurationInput | undefined;
    readonly pollInterval?: Duration.DurationInput | undefined;
    readonly tolerance?: Duration.DurationInput | undefined;
}
export interface WaitOptions extends WaitLimits {
    readonly name: string;
    readonly run: LumeRun.LumeRun | string;
}
export interface RunAndWaitOptions extends SubmitOptions, WaitLimits {
}
export type Requirements = LumeClient.LumeClient | WorkflowEngine | WorkflowInstance;
export declare const submit: (options: SubmitOptions) => Effect.Effect<LumeRun.LumeRun, LumeError.SubmitError, Requirements>;
export declare const wait: (options: WaitOptions) => Effect.Effect<LumeRun.TerminalRun, LumeError.WaitError, Requirements>;
export declare const runAndWait: (options: RunAndWaitOptions) => Effect.Effect<LumeRun.TerminalRun, LumeError.SubmitError | LumeError.TimeoutError | LumeError.WaitFailedError, Requirements>;
