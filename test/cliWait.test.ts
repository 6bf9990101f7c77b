/**
 * What `lume wait` and `lume run --wait` do over minutes and hours, on the test's clock.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as LumeClient from "effect-lume/LumeClient"
import * as LumeTest from "effect-lume/LumeTest"
import type { Output } from "../src/cli/output.js"
import { waitFor, type Waiting } from "../src/cli/wait.js"

/** What is written, a line each. */
const recorder = () => {
  const data: Array<string> = []
  const said: Array<string> = []
  const write = (lines: Array<string>, line: string) => Effect.sync(() => void lines.push(line))
  const out: Output = {
    json: false,
    run: (run) => write(data, `${run.id} ${run.status}`),
    data: (line) => write(data, line),
    say: (sentence) => write(said, sentence),
    error: (error) => write(said, error._tag),
    status: (_id, _status, sentence) => write(said, sentence),
    setAround: () => {}
  }
  return { data, out, said }
}

const usual: Waiting = { timeout: undefined, pollInterval: undefined, acceptPartial: false, limits: {} }

describe("over time", () => {
  it.effect("a line a minute says what goes on", () =>
    Effect.gen(function* () {
      const { out, said } = recorder()
      const code = yield* LumeTest.waitFor(waitFor(["r1"], { ...usual, timeout: 150_000 }, out, 1))
      assert.strictEqual(code, 5)
      assert.deepStrictEqual(said, [
        "r1 CREATED 0:00",
        "r1 SYNCING_SOURCE 0:05",
        "r1 TRANSFORMING 0:10",
        "r1 still TRANSFORMING, 1 min",
        "r1 still TRANSFORMING, 2 min",
        "TimeoutError",
        "Re-attach with: lume wait r1"
      ])
    }).pipe(Effect.provide(LumeTest.layer({ runs: { r1: LumeTest.hangs() } })))
  )

  it.effect("a wait ends after an hour, where nothing else is asked for", () =>
    Effect.gen(function* () {
      const { out, said } = recorder()
      assert.strictEqual(yield* LumeTest.waitFor(waitFor(["r1", "r2"], { ...usual, pollInterval: 600_000 }, out, 1)), 5)
      assert.include(said, "r1 still TRANSFORMING, 59 min")
      assert.notInclude(said, "r1 still TRANSFORMING, 61 min")
      assert.strictEqual(said.at(-1), "Re-attach with: lume wait r1")
    }).pipe(Effect.provide(LumeTest.layer({ runs: { r1: LumeTest.hangs(), r2: LumeTest.succeeds() } })))
  )

  const lost = (isSubmitted: boolean) =>
    Effect.gen(function* () {
      const { data, out, said } = recorder()
      const run = yield* LumeClient.run({ flowVersion: "clean:v1", sourcePath: "a.csv" })
      yield* LumeTest.failNext(10_000, "network", { on: "read" })
      const code = yield* LumeTest.waitFor(waitFor([isSubmitted ? run : run.id], usual, out, isSubmitted ? 6 : 1))
      assert.deepStrictEqual(data, [])
      assert.strictEqual(said.at(-1), "Re-attach with: lume wait run_test_1")
      return code
    }).pipe(Effect.provide(LumeTest.layer()))

  it.effect("a run that can't be read is said to be so, and why, once and early", () =>
    Effect.gen(function* () {
      const { out, said } = recorder()
      yield* LumeTest.failNext(8, "network", { on: "read" })
      assert.strictEqual(yield* LumeTest.waitFor(waitFor(["r1"], usual, out, 1)), 0)
      const why = said.filter((line) => line.includes("ECONNREFUSED"))
      assert.lengthOf(why, 1)
      assert.match(said[0] ?? "", /^r1 has not been read yet\. .*ECONNREFUSED/)
    }).pipe(Effect.provide(LumeTest.layer({ runs: { r1: LumeTest.succeeds({ in: "5 minutes" }) } })))
  )

  it.effect("a service that is lost is a client error of wait, and an unknown outcome of run --wait", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* lost(false), 1)
      assert.strictEqual(yield* lost(true), 6)
    })
  )
})
