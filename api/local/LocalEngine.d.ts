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
interface Ended<Status extends string, Metadata> {
    readonly status: Status;
    readonly metadata: Metadata;
}
export type Outcome = Ended<"SUCCEEDED", LumeMetadata> | Ended<"PARTIAL_FAILED", LumeMetadata> | Ended<"FAILED", FailedMetadata> | Ended<"CRASHED", FailedMetadata>;
export declare const run: (job: Job) => Effect.Effect<Outcome, never, FileSystem.FileSystem>;
