/**
 * What the pages show of the command is what it shows, up to ids and times; `npm run recordings` makes it so.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { hasTerminal, pages, record } from "../../scripts/recorder.js"
import { repository } from "../../scripts/repository.js"
import * as command from "../support/lume.js"

beforeAll(() => Effect.runPromise(command.build))

describe.skipIf(!hasTerminal)("the recordings", () => {
  it.live.each(pages)("of %s are true", (page) =>
    Effect.gen(function* () {
      const fileSystem = yield* FileSystem.FileSystem
      const text = yield* fileSystem.readFileString(repository + page)
      assert.include(text, "```console\n$ npx")
      assert.strictEqual(yield* record(text, command.bin), text)
    }).pipe(Effect.provide(NodeContext.layer))
  )
})
