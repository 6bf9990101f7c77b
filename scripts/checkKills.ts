/**
 * `npm run check:kills`: kills a local Lume 50 times, and checks that nothing is lost. Takes some minutes.
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { kills } from "../test/local/kills/kills.js"

kills(50, "fifty").pipe(
  Effect.flatMap((report) => Console.log(JSON.stringify(report))),
  Effect.provide(NodeFileSystem.layer),
  NodeRuntime.runMain
)
