/**
 * What the batch makes of failures: those that pass are waited out, those of a file are its outcome.
 */
import * as WorkflowEngine from "@effect/workflow/WorkflowEngine"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as LumeTest from "effect-lume/LumeTest"
import { layer, Nightly } from "./nightly.js"

const onRun = ({ sourcePath }: { readonly sourcePath: string }) =>
  sourcePath === "bad.csv" ? LumeTest.partiallyFails({ rejected: 400 }) : LumeTest.succeeds({ rows: 100 })

const world = Effect.provide(
  layer.pipe(Layer.provideMerge(WorkflowEngine.layerMemory), Layer.provideMerge(LumeTest.layer({ onRun })))
)

const batch = (...files: ReadonlyArray<string>) =>
  LumeTest.waitFor(Nightly.execute({ day: "2026-11-26", files: [...files] }))

const passed = (file: string) => ({ file, mappedRows: 100, problem: "" })

describe("the nightly batch", () => {
  it.effect("waits until Lume can be reached", () =>
    Effect.gen(function* () {
      yield* LumeTest.failNext(20, "network", { on: "submit" })
      assert.deepStrictEqual(yield* batch("a.csv", "b.csv"), [passed("a.csv"), passed("b.csv")])
      assert.lengthOf(yield* LumeTest.submitted, 2)
    }).pipe(world)
  )

  it.effect("waits until the key is right, before a submit and after it", () =>
    Effect.gen(function* () {
      yield* LumeTest.failNext(2, { status: 401 }, { on: "submit" })
      yield* LumeTest.failNext(2, { status: 401 }, { on: "read" })
      assert.deepStrictEqual(yield* batch("a.csv"), [passed("a.csv")])
      assert.lengthOf(yield* LumeTest.submitted, 1)
    }).pipe(world)
  )

  it.effect("submits nothing again where it is unknown whether the run has started", () =>
    Effect.gen(function* () {
      yield* LumeTest.failNext(1, "network", { on: "submit", received: true })
      const [outcome] = yield* batch("a.csv")
      assert.include(outcome?.problem, "whether the run started is unknown")
      assert.lengthOf(yield* LumeTest.submitted, 1)
    }).pipe(world)
  )

  it.effect("has the problem of a file as its outcome", () =>
    Effect.gen(function* () {
      const [good, bad] = yield* batch("a.csv", "bad.csv")
      assert.deepStrictEqual(good, passed("a.csv"))
      assert.include(bad?.problem, "does not pass")
    }).pipe(world)
  )
})
