/**
 * Waits woken by events: `LumeClient.layerWithEvents`.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as LumeClient from "../src/LumeClient.js"
import * as RunEvents from "../src/RunEvents.js"
import {
  apiKey,
  fakeHttp,
  type FakeHttp,
  inTurn,
  json,
  type Respond,
  runId,
  state,
  states
} from "./support/fakeHttp.js"
import { logged } from "./support/observed.js"

/** A client with events over a fake, and the events that wake it. */
const make = (http: FakeHttp) =>
  Effect.gen(function* () {
    const context = yield* Layer.build(
      LumeClient.layerWithEvents({ apiKey: Redacted.make(apiKey) }).pipe(
        Layer.provide(http.layer),
        Layer.provideMerge(RunEvents.layer)
      )
    )
    return { lume: Context.get(context, LumeClient.LumeClient), events: Context.get(context, RunEvents.RunEvents) }
  })

const seconds = (http: FakeHttp) => http.sent.map(({ at }) => at / 1000)

describe("a wait with events", () => {
  it.scoped("polls slowly where no event comes", () =>
    Effect.gen(function* () {
      const http = fakeHttp(states("CREATED", "TRANSFORMING", "SUCCEEDED"))
      const { lume } = yield* make(http)
      const fiber = yield* Effect.fork(lume.wait(runId))
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "Succeeded")
      assert.deepStrictEqual(seconds(http), [0, 300, 600])
    })
  )

  it.scoped("reads at once when an event for its run arrives, and for no other", () =>
    Effect.gen(function* () {
      const http = fakeHttp(states("CREATED", "SUCCEEDED"))
      const { events, lume } = yield* make(http)
      const fiber = yield* Effect.fork(lume.wait(runId))
      yield* TestClock.adjust("10 seconds")
      yield* events.publish({ runId: "run_OTHER" })
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(http.sent.length, 1)
      yield* events.publish({ runId })
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "Succeeded")
      assert.deepStrictEqual(seconds(http), [0, 20.001])
    })
  )

  it.scoped("believes only what is read: after an event, every 5 seconds for a minute", () =>
    Effect.gen(function* () {
      const http = fakeHttp(states("TRANSFORMING"))
      const { events, lume } = yield* make(http)
      const fiber = yield* Effect.fork(Effect.flip(lume.wait(runId, { timeout: "7 minutes" })))
      yield* TestClock.adjust("100 seconds")
      yield* events.publish({ runId })
      yield* TestClock.adjust("320 seconds")
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "TimeoutError")
      const times = seconds(http).map(Math.round)
      assert.deepStrictEqual(times.slice(0, 14), [0, 100, 105, 110, 115, 120, 125, 130, 135, 140, 145, 150, 155, 160])
      assert.deepStrictEqual(times.slice(14), [420])
    })
  )

  it.scoped("misses no event during a read, or before its first", () =>
    Effect.gen(function* () {
      const slow: Respond = () => Effect.delay(Effect.succeed(state("TRANSFORMING")), "3 seconds")
      const http = fakeHttp(inTurn(slow, () => state("SUCCEEDED")))
      const { events, lume } = yield* make(http)
      const fiber = yield* Effect.fork(lume.wait(runId))
      yield* TestClock.adjust("1 second")
      yield* events.publish({ runId })
      yield* events.publish({ runId })
      yield* TestClock.adjust("3 seconds")
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "Succeeded")
      assert.deepStrictEqual(seconds(http), [0, 3.001])
    })
  )

  it.scoped("keeps to Retry-After, whatever events come", () =>
    Effect.gen(function* () {
      const http = fakeHttp(
        inTurn(
          () => json({}, 429, { "retry-after": "20" }),
          () => state("SUCCEEDED")
        )
      )
      const { events, lume } = yield* make(http)
      const fiber = yield* Effect.fork(lume.wait(runId))
      yield* TestClock.adjust("1 second")
      yield* events.publish({ runId })
      yield* TestClock.adjust("18 seconds")
      assert(Option.isNone(yield* Fiber.poll(fiber)))
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(seconds(http), [0, 20])
    })
  )

  it.scoped("ends at its deadline, with one last read", () =>
    Effect.gen(function* () {
      const http = fakeHttp(states("TRANSFORMING"))
      const { events, lume } = yield* make(http)
      const fiber = yield* Effect.fork(Effect.flip(lume.wait(runId, { timeout: "30 seconds" })))
      yield* TestClock.adjust("29 seconds")
      yield* events.publish({ runId })
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "TimeoutError")
      assert.deepStrictEqual(seconds(http), [0, 29.001, 30])
    })
  )

  it.scoped("is so for watch too, which gives changes only", () =>
    Effect.gen(function* () {
      const http = fakeHttp(states("CREATED", "CREATED", "TRANSFORMING", "SUCCEEDED"))
      const { events, lume } = yield* make(http)
      const seen: Array<string | null> = []
      const fiber = yield* lume.watch(runId).pipe(
        Stream.runForEach((run) => Effect.sync(() => seen.push(run.status))),
        Effect.fork
      )
      for (const _ of [1, 2, 3]) {
        yield* TestClock.adjust("1 second")
        yield* events.publish({ runId })
      }
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(seen, ["CREATED", "TRANSFORMING", "SUCCEEDED"])
    })
  )

  it.scoped("takes an interval of the caller's own", () =>
    Effect.gen(function* () {
      const http = fakeHttp(states("CREATED", "CREATED", "SUCCEEDED"))
      const { lume } = yield* make(http)
      const fiber = yield* Effect.fork(lume.wait(runId, { pollInterval: "10 seconds" }))
      yield* TestClock.adjust("20 seconds")
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "Succeeded")
    })
  )
})

/** A client over a fake whose waits listen to these events. */
const listeningTo = (http: FakeHttp, subscribe: RunEvents.Service["subscribe"]) =>
  LumeClient.layerWithEvents({ apiKey: Redacted.make(apiKey) }).pipe(
    Layer.provide(http.layer),
    Layer.provide(Layer.succeed(RunEvents.RunEvents, { publish: () => Effect.void, subscribe }))
  )

describe("events that", () => {
  it.effect("nobody can listen to in time hinder no wait, which says so", () =>
    Effect.gen(function* () {
      let left = false
      const http = fakeHttp(states("CREATED", "SUCCEEDED"))
      const never = () => Effect.onInterrupt(Effect.never, () => Effect.sync(() => (left = true)))
      const log = logged()
      const fiber = yield* LumeClient.wait(runId).pipe(
        Effect.provide(listeningTo(http, never)),
        Effect.provide(log.layer),
        Effect.fork
      )
      yield* TestClock.adjust("305 seconds")
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "Succeeded")
      assert.deepStrictEqual(seconds(http), [5, 305])
      assert.isTrue(left)
      const warnings = log.of("WARN")
      assert.strictEqual(warnings.length, 1)
      assert.include(warnings[0], runId)
    })
  )

  it.effect.each([
    ["that dies", () => Effect.die(new Error("no broker"))],
    [
      "that throws",
      () => {
        throw new Error("no broker")
      }
    ],
    ["that interrupts itself", () => Effect.interrupt]
  ] satisfies ReadonlyArray<readonly [string, RunEvents.Service["subscribe"]]>)(
    "come from a service %s hinder no wait, which says so",
    ([, subscribe]) =>
      Effect.gen(function* () {
        const http = fakeHttp(states("CREATED", "SUCCEEDED"))
        const log = logged()
        const fiber = yield* LumeClient.wait(runId).pipe(
          Effect.provide(listeningTo(http, subscribe)),
          Effect.provide(log.layer),
          Effect.fork
        )
        yield* TestClock.adjust("5 minutes")
        assert.strictEqual((yield* Fiber.join(fiber))._tag, "Succeeded")
        assert.deepStrictEqual(seconds(http), [0, 300])
        assert.lengthOf(log.of("ERROR"), 1)
        assert.include(log.of("ERROR")[0], runId)
      })
  )

  it.effect.each([
    ["dies", Effect.die(new Error("no broker")), 1],
    ["does not end", Effect.never, 0],
    ["can't be interrupted", Effect.uninterruptible(Effect.never), 0]
  ] as const)("are left by what %s hinder no wait, nor its stream", ([, leave, errors]) =>
    Effect.gen(function* () {
      const log = logged()
      const http = fakeHttp(states("CREATED", "SUCCEEDED", "SUCCEEDED"))
      const client = listeningTo(http, () => Effect.acquireRelease(Queue.unbounded<void>(), () => leave))
      const wait = LumeClient.wait(runId).pipe(Effect.provide(client), Effect.provide(log.layer))
      const fiber = yield* Effect.fork(wait)
      yield* TestClock.adjust("302 seconds")
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "Succeeded")
      assert.lengthOf(log.of("ERROR"), errors)
      const watch = Stream.runCollect(LumeClient.watch(runId)).pipe(Effect.provide(client), Effect.provide(log.layer))
      const watching = yield* Effect.fork(watch)
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual(Chunk.size(yield* Fiber.join(watching)), 1)
      assert.lengthOf(log.of("ERROR"), 2 * errors)
    })
  )

  it.effect("nobody can listen to count against the deadline", () =>
    Effect.gen(function* () {
      const http = fakeHttp(states("CREATED"))
      const client = listeningTo(http, () => Effect.never)
      const fiber = yield* Effect.fork(Effect.flip(Effect.provide(LumeClient.wait(runId, { timeout: 2000 }), client)))
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "TimeoutError")
      assert.deepStrictEqual(seconds(http), [2])
    })
  )

  it.effect("are over, since their queue was shut down, leave a wait to its polls", () =>
    Effect.gen(function* () {
      const http = fakeHttp(states("CREATED", "CREATED", "SUCCEEDED"))
      const queue = yield* Queue.unbounded<void>()
      const client = listeningTo(http, () => Effect.succeed(queue))
      const fiber = yield* Effect.fork(Effect.provide(LumeClient.wait(runId), client))
      yield* TestClock.adjust("10 seconds")
      yield* Queue.shutdown(queue)
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "Succeeded")
      assert.deepStrictEqual(seconds(http), [0, 300, 600])
    })
  )

  it.scoped("are listened to are no matter for a warning", () =>
    Effect.gen(function* () {
      const log = logged()
      const { lume } = yield* make(fakeHttp(states("SUCCEEDED")))
      yield* Effect.provide(lume.wait(runId), log.layer)
      assert.deepStrictEqual(log.of("WARN"), [])
    })
  )
})

it.scoped("a wait with events ends where it can't be interrupted too, by an event and without one", () =>
  Effect.gen(function* () {
    const http = fakeHttp(states("CREATED", "SUCCEEDED"))
    const { events, lume } = yield* make(http)
    const woken = yield* Effect.fork(Effect.acquireRelease(lume.wait(runId), () => Effect.void))
    yield* TestClock.adjust("10 seconds")
    yield* events.publish({ runId })
    yield* TestClock.adjust("1 second")
    assert.strictEqual((yield* Fiber.join(woken))._tag, "Succeeded")

    const silent = fakeHttp(states("CREATED", "SUCCEEDED"))
    const polling = yield* make(silent)
    const polled = yield* Effect.fork(Effect.acquireRelease(polling.lume.wait(runId), () => Effect.void))
    yield* TestClock.adjust("5 minutes")
    assert.strictEqual((yield* Fiber.join(polled))._tag, "Succeeded")
  })
)
