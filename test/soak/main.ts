/**
 * `npm run soak`: 10,000 waits at once, and one wait of 100,000 polls. Takes some minutes.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { soak } from "./soak.js"

soak({ waits: 10_000, longestRun: 90_000, pollInterval: "5 seconds", polls: 100_000 }).pipe(
  Effect.flatMap((report) => Console.log(JSON.stringify(report, null, 2))),
  NodeRuntime.runMain
)
