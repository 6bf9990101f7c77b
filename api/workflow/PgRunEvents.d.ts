import * as PgClient from "@effect/sql-pg/PgClient";
import * as Duration from "effect/Duration";
import * as Layer from "effect/Layer";
import type { InvalidRequestError } from "../LumeError.js";
import * as RunEvents from "../RunEvents.js";
export interface Options {
    readonly channel?: string | undefined;
    readonly heartbeat?: Duration.DurationInput | undefined;
}
export declare const layer: (options?: Options) => Layer.Layer<RunEvents.RunEvents, InvalidRequestError, PgClient.PgClient>;
