import * as FileSystem from "@effect/platform/FileSystem";
import * as Duration from "effect/Duration";
import * as Effect from "effect/Effect";
import type { FailedMetadata, LumeMetadata } from "../LumeMetadata.js";
import { type Stage } from "./internal/failure.js";
import { type LocalFlow } from "./LocalFlow.js";
export type { Stage } from "./internal/failure.js";
export interface Job {
    readonly runId: string;
    readonly flow: LocalFlow;
    readonly sourcePath: string;
    readonly sources: string;
    readonly targets: string;
    readonly acceptedAt?: bigint | undefined;
    readonly memoryLimit?: FileSystem.SizeInput | undefined;
    readonly spillFolder?: string | undefined;
    readonly runTimeout?: Duration.DurationInput | undefined;
    readonly onStage?: ((stage: Stage) => Effect.Effect<void>) | undefined;
}
export type Outcome = {
    readonly status: "SUCCEEDED";
    readonly metadata: LumeMetadata;
} | {
    readonly status: "PARTIAL_FAILED";
    readonly metadata: LumeMetadata;
} | {
    readonly status: "FAILED";
    readonly metadata: FailedMetadata;
} | {
    readonly status: "CRASHED";
    readonly metadata: FailedMetadata;
};
export declare const run: (job: Job) => Effect.Effect<Outcome, never, FileSystem.FileSystem>;
