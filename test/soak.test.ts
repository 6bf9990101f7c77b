/**
 * The soak in its short form: `npm run soak` is the long one.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { soak } from "./soak/soak.js"

describe("a thousand waits at once, through faults", () => {
  it.live(
    "end right, start no run twice, and leave nothing behind",
    () =>
      Effect.gen(function* () {
        const report = yield* soak({ waits: 1_000, longestRun: 4_000, pollInterval: "1 second", polls: 1_000 })
        assert.deepStrictEqual(report.wrong, [])
        assert.strictEqual(report.right + report.unknown, 1_000)
        assert.isAbove(report.right, 700)
        assert.strictEqual(report.submittedTwice, 0)
        assert.deepStrictEqual(report.leftOver, [])
        assert.isBelow(report.heap, 1.1)
        assert.isBelow(report.heapOfPolls, 1.1)
      }),
    300_000
  )
})
