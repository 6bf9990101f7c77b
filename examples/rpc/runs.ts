/**
 * Runs over RPC: the client's runs and errors are schemas, so they cross as they are, and are handled by their tags on
 * the other side. The key stays on the server.
 */
import * as Rpc from "@effect/rpc/Rpc"
import * as RpcGroup from "@effect/rpc/RpcGroup"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { LumeClient, LumeError, LumeRun } from "effect-lume"

/** What can be asked of the server. */
export class Runs extends RpcGroup.make(
  Rpc.make("Submit", {
    payload: { flowVersion: Schema.String, sourcePath: Schema.String },
    success: LumeRun.LumeRun,
    error: LumeError.SubmitError
  }),
  Rpc.make("Watch", {
    payload: { runId: Schema.String },
    success: LumeRun.LumeRun,
    error: LumeError.WaitError,
    stream: true
  })
) {}

/** The server's side, over its client of Lume. */
export const handlers: Layer.Layer<
  Rpc.ToHandler<RpcGroup.Rpcs<typeof Runs>>,
  never,
  LumeClient.LumeClient
> = Runs.toLayer(
  Effect.map(LumeClient.LumeClient, (lume) => ({
    Submit: (request) => lume.run(request),
    Watch: ({ runId }) => lume.watch(runId)
  }))
)
