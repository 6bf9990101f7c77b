/**
 * `npm run api`: writes the public surface of the built package to `api/`.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as path from "node:path"
import { repository } from "./repository.js"
import { surface } from "./surface.js"

Effect.gen(function* () {
  const fileSystem = yield* FileSystem.FileSystem
  const folder = path.join(repository, "api")
  const declared = yield* surface(path.join(repository, "dist"))
  yield* fileSystem.remove(folder, { recursive: true, force: true })
  for (const [name, text] of declared) {
    const file = path.join(folder, name)
    yield* fileSystem.makeDirectory(path.dirname(file), { recursive: true })
    yield* fileSystem.writeFileString(file, text)
  }
}).pipe(Effect.provide(NodeContext.layer), NodeRuntime.runMain)
