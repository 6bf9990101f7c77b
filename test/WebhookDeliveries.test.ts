/**
 * One delivery for each run and status is handled, whatever comes twice, at once, or fails.
 */
import { assert, describe, it } from "@effect/vitest"
import { assertNone, assertSome } from "@effect/vitest/utils"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as WebhookDeliveries from "../src/WebhookDeliveries.js"
import * as requests from "./support/requests.js"

const delivery = (runId = "run_1", status: string | null = "SUCCEEDED"): WebhookDeliveries.Identity => ({
  runId,
  status: Option.fromNullable(status)
})

/** Lets every fiber go as far as it can. */
const settle = Effect.repeatN(Effect.yieldNow(), 20)

describe("a memory of deliveries", () => {
  it.effect("has one of each run and status handled", () =>
    Effect.gen(function* () {
      const memory = yield* WebhookDeliveries.makeInMemory()
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
      const memory = yield* WebhookDeliveries.makeInMemory()
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
      const memory = yield* WebhookDeliveries.makeInMemory()
      const gate = yield* Deferred.make<void>()
      const first = yield* Effect.fork(memory.once(delivery(), Deferred.await(gate)))
      yield* settle
      const second = yield* Effect.fork(memory.once(delivery(), Effect.dieMessage("handled twice")))
      const unrelated = yield* Effect.fork(memory.once(delivery("run_2"), Effect.void))
      yield* settle
      assertSome(yield* Fiber.poll(unrelated), Exit.void)
      assertNone(yield* Fiber.poll(second))
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(first)
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(second)
    })
  )

  it.effect("has one of those that wait handle it when the first fails", () =>
    Effect.gen(function* () {
      const memory = yield* WebhookDeliveries.makeInMemory()
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
      yield* TestClock.adjust("1 second")
      yield* Fiber.joinAll(others)
      assert.strictEqual(handled, 1)
    })
  )

  it.effect("handles one again that was taken over and then interrupted", () =>
    Effect.gen(function* () {
      const memory = yield* WebhookDeliveries.makeInMemory()
      const gate = yield* Deferred.make<never, string>()
      const first = yield* Effect.fork(memory.once(delivery(), Deferred.await(gate)))
      yield* settle
      const second = yield* Effect.fork(memory.once(delivery(), Effect.never))
      yield* settle
      yield* Deferred.fail(gate, "no")
      yield* Effect.flip(Fiber.join(first))
      yield* TestClock.adjust("1 second")
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
      const memory = yield* WebhookDeliveries.makeInMemory()
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
      const memory = yield* WebhookDeliveries.makeInMemory({ capacity: 2 })
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

  it.effect("remembers 10,000, if nothing else is said", () =>
    Effect.gen(function* () {
      const memory = yield* WebhookDeliveries.makeInMemory()
      let handled = 0
      const once = (index: number) =>
        memory.once(
          delivery(`run_${index}`),
          Effect.sync(() => handled++)
        )
      for (let index = 0; index < 10_000; index++) yield* once(index)
      yield* once(0)
      assert.strictEqual(handled, 10_000)
      yield* once(10_000)
      yield* once(0)
      assert.strictEqual(handled, 10_002)
    })
  )

  it.live("looks again within the request that waits, not within the one that has the delivery in hand", () =>
    Effect.promise(async () => {
      const memory = await Effect.runPromise(WebhookDeliveries.makeInMemory())
      const gate = await Effect.runPromise(Deferred.make<void>())
      const first = requests.within("the first", memory.once(delivery(), Deferred.await(gate)))
      await requests.settle()
      const again = memory.once(delivery(), Effect.dieMessage("handled twice"))
      const second = requests.within("the second", Effect.zipRight(again, requests.current))
      await requests.settle()
      await requests.within("the first", Deferred.succeed(gate, undefined))
      await first
      assert.strictEqual(await second, "the second")
    })
  )

  it.effect("counts a delivery as never seen that is in hand for longer than it can be", () =>
    Effect.gen(function* () {
      const memory = yield* WebhookDeliveries.makeInMemory()
      const gate = yield* Deferred.make<void, string>()
      const timeout = Duration.seconds(3)
      // as in a request that its runtime has ended: its fiber is never resumed, and never interrupted
      const lost = yield* Effect.fork(memory.once(delivery(), Deferred.await(gate), { timeout }))
      yield* settle
      let handled = 0
      const again = yield* Effect.fork(
        memory.once(
          delivery(),
          Effect.sync(() => handled++),
          { timeout }
        )
      )
      yield* TestClock.adjust("3 seconds")
      assert.strictEqual(handled, 0)
      yield* TestClock.adjust("2 seconds")
      yield* Fiber.join(again)
      assert.strictEqual(handled, 1)
      // whoever was lost and comes back takes nothing away
      yield* Deferred.fail(gate, "too late")
      yield* Effect.flip(Fiber.join(lost))
      yield* memory.once(delivery(), Effect.dieMessage("handled twice"))
    })
  )

  it.effect("keeps a delivery in hand for whoever took it over", () =>
    Effect.gen(function* () {
      const memory = yield* WebhookDeliveries.makeInMemory()
      const gate = yield* Deferred.make<void, string>()
      const timeout = Duration.seconds(3)
      const lost = yield* Effect.fork(memory.once(delivery(), Deferred.await(gate), { timeout }))
      yield* TestClock.adjust("5 seconds")
      const second = yield* Effect.fork(memory.once(delivery(), Effect.never, { timeout }))
      yield* settle
      yield* Deferred.fail(gate, "too late")
      yield* Effect.flip(Fiber.join(lost))
      const third = yield* Effect.fork(memory.once(delivery(), Effect.dieMessage("handled twice"), { timeout }))
      yield* TestClock.adjust("3 seconds")
      assertNone(yield* Fiber.poll(third))
      yield* Fiber.interruptAll([second, third])
    })
  )

  it.effect("can't be of no size", () =>
    Effect.gen(function* () {
      for (const capacity of [0, -1, 1.5, Number.NaN, Infinity, 10_000_001]) {
        const error = yield* Effect.flip(WebhookDeliveries.makeInMemory({ capacity }))
        assert.strictEqual(error._tag, "InvalidRequestError")
        assert.include(error.message, `capacity must be an integer from 1 to 10000000, but is ${capacity}`)
      }
      yield* WebhookDeliveries.makeInMemory({ capacity: 1 })
      yield* WebhookDeliveries.makeInMemory({ capacity: 10_000_000 })
      yield* WebhookDeliveries.makeInMemory({ capacity: undefined })
    })
  )
})
