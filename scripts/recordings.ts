/**
 * `npm run recordings`: records the command anew where a page shows it, and leaves what differs only in ids and times.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { join } from "node:path"
import { pages, record } from "./recorder.js"
import { repository } from "./repository.js"
import { run } from "./run.js"

Effect.gen(function* () {
  const fileSystem = yield* FileSystem.FileSystem
  const folder = ".build/recordings"
  yield* run(repository, ["node", "scripts/buildCli.mjs", folder])
  for (const page of pages) {
    const file = join(repository, page)
    const text = yield* fileSystem.readFileString(file)
    const recorded = yield* record(text, join(repository, folder, "lume.cjs"))
    if (recorded !== text) yield* fileSystem.writeFileString(file, recorded)
    yield* Console.log(`${page} ${recorded === text ? "is as it was" : "is recorded anew"}`)
  }
}).pipe(Effect.provide(NodeContext.layer), NodeRuntime.runMain)
