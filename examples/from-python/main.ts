/**
 * Runs the script against Lume: `LUME_API_KEY=… npx tsx examples/from-python/main.ts`.
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import { LumeClient } from "effect-lume"
import { script } from "./script.js"

script.pipe(Effect.provide(LumeClient.layerConfig()), Effect.provide(FetchHttpClient.layer), NodeRuntime.runMain)
