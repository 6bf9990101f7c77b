/**
 * Files of every kind through it, and no more than ten at a time.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as LumeTest from "effect-lume/LumeTest"
import { ingestAll } from "./ingest.js"

const timelines: Readonly<Record<string, LumeTest.Timeline>> = {
  "good.csv": LumeTest.succeeds({ rows: 100 }),
  "messy.csv": LumeTest.partiallyFails({ rows: 100, rejected: 7 }),
  "missing.csv": LumeTest.fails({ stage: "SYNCING_SOURCE", errorCode: "SOURCE_NOT_FOUND", message: "No such file" }),
  "slow.csv": LumeTest.hangs(),
  "unreadable.csv": LumeTest.timeline([{ status: "PARTIAL_FAILED", metadata: { results: "lost" } }]),
  "short.csv": LumeTest.succeeds({ in: "1 second" })
}

const onRun = ({ sourcePath }: { readonly sourcePath: string }) => timelines[sourcePath] ?? LumeTest.succeeds()

const outcomes = (paths: ReadonlyArray<string>) =>
  Effect.map(LumeTest.waitFor(ingestAll(paths)), (reports) => reports.map(({ outcome }) => outcome))

describe("many files", () => {
  it.effect("have an outcome each, whatever becomes of the others", () =>
    Effect.gen(function* () {
      const [good, messy, missing, slow, unreadable] = yield* outcomes(Object.keys(timelines))
      assert.deepStrictEqual(good, { _tag: "Mapped", mappedRows: 100, rejectedRows: 0 })
      assert.deepStrictEqual(messy, { _tag: "Mapped", mappedRows: 93, rejectedRows: 7 })
      assert(missing?._tag === "Failed" && slow?._tag === "Running")
      assert.include(missing.message, "SOURCE_NOT_FOUND")
      assert.strictEqual(slow.runId, "run_test_4")
      assert(unreadable?._tag === "Unreadable")
      assert.strictEqual(unreadable.runId, "run_test_5")
      assert.deepStrictEqual(yield* outcomes(["good.csv"]), [{ _tag: "ProcessedBefore" }])
    }).pipe(Effect.provide(LumeTest.layer({ onRun })))
  )

  it.effect("are never submitted again where it is unknown whether they run", () =>
    Effect.gen(function* () {
      yield* LumeTest.failNext(1, "network", { on: "submit", received: true })
      const [outcome] = yield* outcomes(["good.csv"])
      assert.strictEqual(outcome?._tag, "Unknown")
      assert.lengthOf(yield* LumeTest.submitted, 1)
    }).pipe(Effect.provide(LumeTest.layer({ onRun })))
  )

  it.effect("go on one by one as places become free, ten at a time", () =>
    Effect.gen(function* () {
      yield* outcomes(Array.from({ length: 25 }, (_, index) => `file-${index}.csv`))
      const submits = (yield* LumeTest.requests).filter(({ method }) => method === "POST")
      const first = submits[0]?.at ?? 0
      assert.lengthOf(
        submits.filter(({ at }) => at === first),
        10
      )
      assert.lengthOf(submits, 25)
    }).pipe(Effect.provide(LumeTest.layer({ onRun })))
  )

  it.effect("are no longer submitted once the key is refused, and those that run are reported", () =>
    Effect.gen(function* () {
      const running = Array.from({ length: 9 }, () => "slow.csv")
      const reports = yield* Effect.fork(outcomes(["short.csv", ...running, "refused.csv", "after it.csv"]))
      yield* LumeTest.advance("1 second")
      yield* LumeTest.failNext(1, { status: 401 }, { on: "submit" })
      const tags = (yield* LumeTest.waitFor(Fiber.join(reports))).map(({ _tag }) => _tag)
      assert.deepStrictEqual(tags, ["Mapped", ...running.map(() => "Running" as const), "KeyRefused", "KeyRefused"])
      assert.lengthOf(
        (yield* LumeTest.requests).filter(({ method }) => method === "POST"),
        11
      )
    }).pipe(Effect.provide(LumeTest.layer({ onRun })))
  )
})
