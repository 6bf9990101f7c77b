/**
 * One delivery for each run and status is handled, whatever comes twice, at once, or fails.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as WebhookDeliveries from "../src/WebhookDeliveries.js"

const delivery = (runId = "run_1", status: string | null = "SUCCEEDED"): WebhookDeliveries.Identity => ({
  runId,
  status: Option.fromNullable(status)
})

/** Lets every fiber go as far as it can. */
const settle = Effect.repeatN(Effect.yieldNow(), 20)

describe("a memory of deliveries", () => {
  it.effect("has one of each run and status handled", () =>
    Effect.gen(function* () {
      const memory = WebhookDeliveries.makeInMemory()
      const handled: Array<string> = []
      const send = (name: string, delivery: WebhookDeliveries.Identity) =>
        memory.once(
          delivery,
          Effect.sync(() => handled.push(name))
        )
      yield* send("first", delivery())
      yield* send("again", delivery())
      yield* send("another run", delivery("run_2"))
      yield* send("another status", delivery("run_1", "FAILED"))
      yield* send("no status", delivery("run_1", null))
      yield* send("no status again", delivery("run_1", null))
      yield* send("the word null", delivery("run_1", "null"))
      assert.deepStrictEqual(handled, ["first", "another run", "another status", "no status", "the word null"])
    })
  )

  it.effect("handles one again whose handling failed, died or was interrupted", () =>
    Effect.gen(function* () {
      const memory = WebhookDeliveries.makeInMemory()
      assert.strictEqual(yield* Effect.flip(memory.once(delivery(), Effect.fail("no"))), "no")
      assert(Exit.isFailure(yield* Effect.exit(memory.once(delivery(), Effect.dieMessage("a bug")))))
      const fiber = yield* Effect.fork(memory.once(delivery(), Effect.never))
      yield* settle
      yield* Fiber.interrupt(fiber)
      let handled = 0
      yield* memory.once(
        delivery(),
        Effect.sync(() => handled++)
      )
      assert.strictEqual(handled, 1)
    })
  )

  it.effect("lets one that comes meanwhile wait, and handles nothing twice", () =>
    Effect.gen(function* () {
      const memory = WebhookDeliveries.makeInMemory()
      const gate = yield* Deferred.make<void>()
      const first = yield* Effect.fork(memory.once(delivery(), Deferred.await(gate)))
      yield* settle
      const second = yield* Effect.fork(memory.once(delivery(), Effect.dieMessage("handled twice")))
      const unrelated = yield* Effect.fork(memory.once(delivery("run_2"), Effect.void))
      yield* settle
      assert.deepStrictEqual(yield* Fiber.poll(unrelated), Option.some(Exit.void))
      assert.deepStrictEqual(yield* Fiber.poll(second), Option.none())
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.joinAll([first, second])
    })
  )

  it.effect("has one of those that wait handle it when the first fails", () =>
    Effect.gen(function* () {
      const memory = WebhookDeliveries.makeInMemory()
      const gate = yield* Deferred.make<never, string>()
      let handled = 0
      const first = yield* Effect.fork(memory.once(delivery(), Deferred.await(gate)))
      yield* settle
      const others = yield* Effect.forEach([1, 2, 3], () =>
        Effect.fork(
          memory.once(
            delivery(),
            Effect.zipRight(
              settle,
              Effect.sync(() => handled++)
            )
          )
        )
      )
      yield* settle
      yield* Deferred.fail(gate, "no")
      assert.strictEqual(yield* Effect.flip(Fiber.join(first)), "no")
      yield* Fiber.joinAll(others)
      assert.strictEqual(handled, 1)
    })
  )

  it.effect("handles one again that was taken over and then interrupted", () =>
    Effect.gen(function* () {
      const memory = WebhookDeliveries.makeInMemory()
      const gate = yield* Deferred.make<never, string>()
      const first = yield* Effect.fork(memory.once(delivery(), Deferred.await(gate)))
      yield* settle
      const second = yield* Effect.fork(memory.once(delivery(), Effect.never))
      yield* settle
      yield* Deferred.fail(gate, "no")
      yield* Effect.flip(Fiber.join(first))
      yield* settle
      yield* Fiber.interrupt(second)
      let handled = 0
      yield* memory.once(
        delivery(),
        Effect.sync(() => handled++)
      )
      assert.strictEqual(handled, 1)
    })
  )

  it.effect("lets one that waits go away", () =>
    Effect.gen(function* () {
      const memory = WebhookDeliveries.makeInMemory()
      const gate = yield* Deferred.make<void>()
      const first = yield* Effect.fork(memory.once(delivery(), Deferred.await(gate)))
      yield* settle
      const second = yield* Effect.fork(memory.once(delivery(), Effect.void))
      yield* settle
      yield* Fiber.interrupt(second)
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(first)
      yield* memory.once(delivery(), Effect.dieMessage("handled twice"))
    })
  )

  it.effect("forgets the oldest first", () =>
    Effect.gen(function* () {
      const memory = WebhookDeliveries.makeInMemory({ capacity: 2 })
      const handled: Array<string> = []
      for (const runId of ["run_1", "run_2", "run_1", "run_3", "run_2", "run_1"]) {
        yield* memory.once(
          delivery(runId),
          Effect.sync(() => handled.push(runId))
        )
      }
      assert.deepStrictEqual(handled, ["run_1", "run_2", "run_3", "run_1"])
    })
  )
})
