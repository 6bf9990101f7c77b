/**
 * A process that ends at every moment, and the one after it.
 */
import * as KeyValueStore from "@effect/platform/KeyValueStore"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as LumeTest from "effect-lume/LumeTest"
import { make } from "./ingest.js"

const path = "s3://acme/batch-001.csv"

/** What a process does that has just started. */
const ingest = (sourcePath: string) => Effect.flatMap(make, (ingest) => ingest(sourcePath))

/** What outlives the process: Lume, and what was written down. */
const world = Effect.provide(Layer.merge(LumeTest.layer(), KeyValueStore.layerMemory))

/** A process that is killed after some time. */
const killedAfter = (time: "1 second" | "0 seconds") =>
  Effect.gen(function* () {
    const process = yield* Effect.fork(ingest(path))
    yield* LumeTest.advance(time)
    yield* Fiber.interrupt(process)
  })

describe("a restart", () => {
  it.effect("waits for the run that the process before it has submitted", () =>
    Effect.gen(function* () {
      yield* killedAfter("1 second")
      const ended = yield* LumeTest.waitFor(ingest(path))
      assert.strictEqual(ended._tag, "Succeeded")
      assert.lengthOf(yield* LumeTest.submitted, 1)
    }).pipe(world)
  )

  it.effect("submits nothing where it is unknown whether the run has started", () =>
    Effect.gen(function* () {
      yield* LumeTest.failNext(1, "timeout", { on: "submit", received: true })
      yield* killedAfter("1 second")
      const error = yield* Effect.flip(ingest(path))
      assert.strictEqual(error._tag, "Interrupted")
      assert.lengthOf(yield* LumeTest.submitted, 1)
    }).pipe(world)
  )

  it.effect("submits again where the first submit was refused", () =>
    Effect.gen(function* () {
      yield* LumeTest.failNext(1, { status: 401 }, { on: "submit" })
      assert.strictEqual((yield* Effect.flip(ingest(path)))._tag, "AuthenticationError")
      assert.strictEqual((yield* LumeTest.waitFor(ingest(path)))._tag, "Succeeded")
    }).pipe(world)
  )

  it.effect("waits again for a run that Lume did not know, and submits no other", () =>
    Effect.gen(function* () {
      yield* LumeTest.failNext(1, { status: 410 }, { on: "read" })
      assert.strictEqual((yield* Effect.flip(LumeTest.waitFor(ingest(path))))._tag, "RunNotFoundError")
      assert.strictEqual((yield* LumeTest.waitFor(ingest(path)))._tag, "Succeeded")
      assert.lengthOf(yield* LumeTest.submitted, 1)
    }).pipe(world)
  )
})

describe("two calls at once", () => {
  it.effect("submit once: the second is told of the first", () =>
    Effect.gen(function* () {
      const ingest = yield* make
      const both = Effect.all([Effect.either(ingest(path)), Effect.either(ingest(path))], { concurrency: 2 })
      const [first, second] = yield* LumeTest.waitFor(both)
      assert(Either.isRight(first) && Either.isLeft(second))
      assert.strictEqual(second.left._tag, "Ongoing")
      assert.lengthOf(yield* LumeTest.submitted, 1)
    }).pipe(world)
  )

  it.effect("of two source paths are independent", () =>
    Effect.gen(function* () {
      const ingest = yield* make
      yield* LumeTest.waitFor(Effect.all([ingest(path), ingest("s3://acme/batch-002.csv")], { concurrency: 2 }))
      assert.lengthOf(yield* LumeTest.submitted, 2)
    }).pipe(world)
  )
})
