/**
 * What the script prints.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as LumeTest from "effect-lume/LumeTest"
import { script } from "./script.js"

/** Runs the script over a Lume whose runs follow this timeline, and gives the lines that it prints. */
const printed = (timeline: LumeTest.Timeline) =>
  Effect.gen(function* () {
    const lines: Array<string> = []
    const recorder = Logger.make(({ message }) => void lines.push(String(message)))
    yield* LumeTest.waitFor(script).pipe(
      Effect.provide(LumeTest.layer({ onRun: () => timeline })),
      Effect.provide(Logger.replace(Logger.defaultLogger, recorder))
    )
    return lines
  })

describe("the script", () => {
  it.effect("prints how the run ended, and its rows", () =>
    Effect.gen(function* () {
      const lines = yield* printed(LumeTest.partiallyFails({ rejected: 20 }))
      assert.deepStrictEqual(lines, ["Run finished with status: PARTIAL_FAILED", "980"])
    })
  )

  it.effect("prints the error where time is up", () =>
    Effect.gen(function* () {
      const [line] = yield* printed(LumeTest.hangs())
      assert.include(line, "The wait for run run_test_1 ended before the run did (timeout 10m")
    })
  )
})
