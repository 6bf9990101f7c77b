/**
 * Files of every kind through it, and no more than ten at a time.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { LumeClient, LumeError } from "effect-lume"
import * as LumeTest from "effect-lume/LumeTest"
import { ingestAll } from "./ingest.js"

const timelines: Readonly<Record<string, LumeTest.Timeline>> = {
  "good.csv": LumeTest.succeeds({ rows: 100 }),
  "messy.csv": LumeTest.partiallyFails({ rows: 100, rejected: 7 }),
  "missing.csv": LumeTest.fails({ stage: "SYNCING_SOURCE", errorCode: "SOURCE_NOT_FOUND", message: "No such file" }),
  "slow.csv": LumeTest.hangs(),
  "unreadable.csv": LumeTest.timeline([{ status: "PARTIAL_FAILED", metadata: { results: "lost" } }])
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

  it.effect("are no longer submitted once the key is refused, and those that run are reported", () => {
    const refused = new LumeError.AuthenticationError({ status: 401, detail: "", runId: Option.none() })
    const submitted: Array<string> = []
    return Effect.gen(function* () {
      const running = Array.from({ length: 9 }, (_, index) => `file-${index}.csv`)
      const tags = (yield* outcomes([...running, "refused.csv", "after it.csv"])).map(({ _tag }) => _tag)
      assert.deepStrictEqual(tags, [...running.map(() => "Mapped" as const), "KeyRefused", "KeyRefused"])
      assert.deepStrictEqual(submitted, [...running, "refused.csv"])
    }).pipe(
      Effect.provide(
        Layer.mock(LumeClient.LumeClient, {
          runAndWait: ({ sourcePath }) => {
            submitted.push(sourcePath)
            return sourcePath === "refused.csv"
              ? Effect.fail(refused)
              : Effect.delay(Effect.succeed(LumeTest.run("Succeeded")), "1 minute")
          }
        })
      )
    )
  })
})
