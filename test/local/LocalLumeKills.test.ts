/**
 * A local Lume that is killed, again and again. `npm run check:kills` does so more often.
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { kills } from "./kills/kills.js"

describe("killed at any point", () => {
  it.live(
    "nothing that anybody was told is lost, and nothing is half done",
    () =>
      Effect.gen(function* () {
        const report = yield* kills(10, "ten")
        assert.strictEqual(report.kills, 10)
        assert.isAbove(report.crashed, 0, "no run was killed while it went on")
        assert.isAbove(report.resumed, 0, "no run was waiting when it was killed")
      }).pipe(Effect.provide(NodeFileSystem.layer)),
    180_000
  )
})
