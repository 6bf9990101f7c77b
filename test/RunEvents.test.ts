/**
 * Events by run id: who hears them, and what they leave behind.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import * as RunEvents from "../src/RunEvents.js"
import { heapUsed } from "./support/heap.js"
import * as requests from "./support/requests.js"

const subscribe = (runId: string) => Effect.flatMap(RunEvents.RunEvents, (events) => events.subscribe(runId))

const heard = (queue: Queue.Dequeue<void>) => Effect.map(Queue.poll(queue), Option.isSome)

describe("RunEvents", () => {
  it.scoped("wakes who listens for the run, and nobody else", () =>
    Effect.gen(function* () {
      const [first, second, other] = yield* Effect.all([subscribe("run_1"), subscribe("run_1"), subscribe("run_2")])
      const woken = yield* Effect.fork(Queue.take(first))
      yield* Effect.yieldNow()
      yield* RunEvents.publish({ runId: "run_1" })
      yield* Fiber.join(woken)
      assert.isTrue(yield* heard(second))
      assert.isFalse(yield* heard(other))
    }).pipe(Effect.provide(RunEvents.layer))
  )

  it.scoped("keeps one event for a listener that is busy", () =>
    Effect.gen(function* () {
      const events = yield* subscribe("run_1")
      yield* RunEvents.publish({ runId: "run_1" })
      yield* RunEvents.publish({ runId: "run_1" })
      assert.isTrue(yield* heard(events))
      assert.isFalse(yield* heard(events))
      yield* RunEvents.publish({ runId: "run_1" })
      assert.isTrue(yield* heard(events))
    }).pipe(Effect.provide(RunEvents.layer))
  )

  it.scoped("keeps nothing for a listener that comes later", () =>
    Effect.gen(function* () {
      yield* RunEvents.publish({ runId: "run_1" })
      assert.isFalse(yield* heard(yield* subscribe("run_1")))
    }).pipe(Effect.provide(RunEvents.layer))
  )

  it.scoped("takes run ids as they are", () =>
    Effect.gen(function* () {
      const strange = ["", "__proto__", "constructor", "run 1", "\u{1f600}"]
      const listeners = yield* Effect.forEach(strange, subscribe)
      yield* RunEvents.publish({ runId: "__proto__" })
      assert.deepStrictEqual(yield* Effect.forEach(listeners, heard), [false, true, false, false, false])
    }).pipe(Effect.provide(RunEvents.layer))
  )

  it.effect("lets go of a listener when its scope closes, and of no other", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const gone = yield* Scope.extend(subscribe("run_1"), scope)
      const blocked = yield* Effect.fork(Queue.take(gone))
      yield* Effect.scoped(
        Effect.gen(function* () {
          const stays = yield* subscribe("run_1")
          yield* Scope.close(scope, Exit.void)
          assert.isTrue(Exit.isInterrupted(yield* Fiber.await(blocked)))
          assert.isTrue(Exit.isInterrupted(yield* Effect.exit(Queue.take(gone))))
          yield* RunEvents.publish({ runId: "run_1" })
          assert.isTrue(yield* heard(stays))
        })
      )
    }).pipe(Effect.provide(RunEvents.layer))
  )

  it.effect("listens again after the last listener has left", () =>
    Effect.gen(function* () {
      yield* Effect.asVoid(Effect.scoped(subscribe("run_1")))
      yield* Effect.scoped(
        Effect.gen(function* () {
          const events = yield* subscribe("run_1")
          yield* RunEvents.publish({ runId: "run_1" })
          assert.isTrue(yield* heard(events))
        })
      )
    }).pipe(Effect.provide(RunEvents.layer))
  )

  it.live("keeps nothing of runs whose listeners have left", () =>
    Effect.gen(function* () {
      const listened = (round: string) =>
        Effect.forEach(
          Array.from({ length: 20_000 }).keys(),
          (run) => Effect.scoped(subscribe(`run_${round}_${run}`)),
          {
            discard: true
          }
        )
      yield* listened("first")
      const before = yield* heapUsed
      yield* listened("second")
      assert.isBelow((yield* heapUsed) - before, 2_000_000)
    }).pipe(Effect.provide(RunEvents.layer))
  )

  it.live("wakes a listener within the request that listens, not within the one that publishes", () =>
    Effect.promise(async () => {
      const runtime = ManagedRuntime.make(RunEvents.layer)
      const events = await runtime.runPromise(RunEvents.RunEvents)
      const listening = requests.within(
        "the wait",
        Effect.scoped(
          Effect.gen(function* () {
            const queue = yield* events.subscribe("run_1")
            // twice: the second event finds a listener that was woken before
            yield* Queue.take(queue)
            yield* Queue.take(queue)
            return yield* requests.current
          })
        )
      )
      for (const _ of [1, 2]) {
        await requests.settle()
        await requests.within("the webhook", events.publish({ runId: "run_1" }))
      }
      assert.strictEqual(await listening, "the wait")
      await runtime.dispose()
    })
  )
})
