/**
 * `wait` and `watch`: the pace, the deadline, what ends a wait and what it outlives.
 */
import { assert, describe, it } from "@effect/vitest"
import { deepStrictEqual } from "@effect/vitest/utils"
import * as Chunk from "effect/Chunk"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as LumeClient from "../src/LumeClient.js"
import type * as LumeError from "../src/LumeError.js"
import type * as LumeRun from "../src/LumeRun.js"
import * as LumeTest from "../src/LumeTest.js"
import {
  clientLayer,
  disconnected,
  fakeHttp,
  type FakeHttp,
  inTurn,
  json,
  type Respond,
  runId,
  state,
  states
} from "./support/fakeHttp.js"
import { finishedMetadata } from "./support/metadata.js"
import { likeLive, withJumps } from "./support/likeLive.js"
import { messages, unlogged } from "./support/observed.js"
import { property } from "./support/property.js"
import { turn } from "./support/webhook.js"

const request = { flowVersion: "invoice_cleaner:v4", sourcePath: "s3://acme/batch-001.csv" }

const waitFor = (http: FakeHttp, options?: LumeClient.WaitOptions, client?: Partial<LumeClient.Options>) =>
  Effect.flatMap(LumeClient.LumeClient, (lume) => lume.wait(runId, options)).pipe(
    Effect.provide(clientLayer(http, client))
  )

const seconds = (http: FakeHttp) => http.sent.map(({ at }) => at / 1000)

/** Lets time pass, step by step: an answer's body is read in turns of the event loop, which no clock waits for. */
const pass = (millis: number, step = 1000): Effect.Effect<void> =>
  Effect.gen(function* () {
    for (let left = millis; left > 0; left -= step) {
      yield* Effect.repeatN(turn, 3)
      yield* TestClock.adjust(Math.min(left, step))
    }
    yield* Effect.repeatN(turn, 3)
  })

/** Lets the fiber go on for the given virtual time; it must not have ended before, and must have ended then. */
const endsAfter = <A, E>(fiber: Fiber.Fiber<A, E>, duration: Duration.DurationInput, step?: number) =>
  Effect.gen(function* () {
    yield* pass(Duration.toMillis(duration) - 1, step)
    assert(Option.isNone(yield* Fiber.poll(fiber)), `ended before ${Duration.format(Duration.decode(duration))}`)
    yield* pass(1)
    const exit = yield* Fiber.poll(fiber)
    assert(Option.isSome(exit), `had not ended after ${Duration.format(Duration.decode(duration))}`)
    return yield* exit.value
  })

const status =
  (code: number, headers: Record<string, string> = {}): Respond =>
  () =>
    json({ detail: "no" }, code, headers)

describe("the pace", () => {
  it.effect("reads at once, then after each interval, until the run has ended", () =>
    Effect.gen(function* () {
      const http = fakeHttp(states("CREATED", "SYNCING_SOURCE", "TRANSFORMING", "SYNCING_TARGET", "SUCCEEDED"))
      const fiber = yield* Effect.fork(waitFor(http, { pollInterval: "10 seconds" }))
      const run = yield* endsAfter(fiber, "40 seconds")
      assert.strictEqual(run._tag, "Succeeded")
      assert.deepStrictEqual(seconds(http), [0, 10, 20, 30, 40])
    })
  )

  it.effect("is 5 seconds and an hour by default", () =>
    Effect.gen(function* () {
      const paced = fakeHttp(states("CREATED", "CREATED", "SUCCEEDED"))
      yield* endsAfter(yield* Effect.fork(waitFor(paced)), "10 seconds")
      assert.deepStrictEqual(seconds(paced), [0, 5, 10])

      const endless = fakeHttp(states("TRANSFORMING"))
      const fiber = yield* Effect.fork(Effect.flip(waitFor(endless, { pollInterval: "20 minutes" })))
      const error = yield* endsAfter(fiber, "1 hour", 60_000)
      assert(error._tag === "TimeoutError")
      assert.deepStrictEqual(error.timeout, Duration.hours(1))
    })
  )

  it.effect("counts from the answer to the next read", () =>
    Effect.gen(function* () {
      const http = fakeHttp((_, index) =>
        index === 2 ? state("SUCCEEDED") : Effect.delay(Effect.succeed(state("CREATED")), "3 seconds")
      )
      yield* endsAfter(yield* Effect.fork(waitFor(http)), "16 seconds")
      assert.deepStrictEqual(seconds(http), [0, 8, 16])
    })
  )

  it.effect("can be any schedule, which is fed with the run as last read", () =>
    Effect.gen(function* () {
      const fed: Array<string> = []
      const schedule = Schedule.fibonacci("1 second").pipe(
        Schedule.tapInput((run: Option.Option<LumeRun.LumeRun>) =>
          Effect.sync(() => fed.push(Option.match(run, { onNone: () => "none", onSome: (run) => run._tag })))
        )
      )
      const http = fakeHttp(
        inTurn(
          disconnected,
          ...["CREATED", "TRANSFORMING", "SUCCEEDED"].map(
            (word): Respond =>
              () =>
                state(word)
          )
        )
      )
      const run = yield* endsAfter(
        yield* Effect.fork(waitFor(http, { schedule }, { retry: { base: 10_000 } })),
        "4 seconds"
      )
      assert.strictEqual(run._tag, "Succeeded")
      assert.deepStrictEqual(seconds(http), [0, 1, 2, 4])
      assert.deepStrictEqual(fed, ["none", "Created", "Transforming"])
    })
  )

  it.effect("is over when the schedule is done", () =>
    Effect.gen(function* () {
      const schedule = Schedule.intersect(Schedule.spaced("1 second"), Schedule.recurs(3))
      const http = fakeHttp(states("TRANSFORMING"))
      const fiber = yield* Effect.fork(Effect.flip(waitFor(http, { schedule, timeout: Infinity })))
      const error = yield* endsAfter(fiber, "3 seconds")
      assert(error._tag === "TimeoutError")
      assert.strictEqual(error.polls, 4)
      assert(Duration.equals(error.timeout, Duration.infinity))
      deepStrictEqual(
        Option.map(error.lastRun, (run) => run._tag),
        Option.some("Transforming")
      )
    })
  )

  it.effect("follows Lume's advice with LumeClient.backoff", () =>
    Effect.gen(function* () {
      const http = fakeHttp(states("TRANSFORMING"))
      const options = { schedule: LumeClient.backoff, timeout: "5 minutes" } as const
      yield* endsAfter(yield* Effect.fork(Effect.flip(waitFor(http, options))), "5 minutes")
      assert.deepStrictEqual(seconds(http), [0, 5, 15, 35, 75, 135, 195, 255, 300])
    })
  )

  it.effect("never spins, however short the interval or the schedule", () =>
    Effect.gen(function* () {
      const paces = [{ pollInterval: "1 nanos" }, { pollInterval: 0.25 }, { schedule: Schedule.forever }] as const
      for (const options of paces) {
        const http = fakeHttp(states("TRANSFORMING"))
        yield* endsAfter(yield* Effect.fork(Effect.flip(waitFor(http, { ...options, timeout: 10 }))), 10)
        assert.strictEqual(http.sent.length, 11)
      }
    })
  )
})

describe("what needs no request", () => {
  it.effect("a run that has ended", () =>
    Effect.gen(function* () {
      const http = fakeHttp(states("FAILED"))
      const [ended, again] = yield* Effect.gen(function* () {
        const lume = yield* LumeClient.LumeClient
        const ended = yield* lume.wait(runId)
        return [ended, yield* ended.pipe(LumeClient.wait())] as const
      }).pipe(Effect.provide(clientLayer(http)))
      assert.strictEqual(again, ended)
      assert.strictEqual(http.sent.length, 1)
    })
  )

  it.effect("a run that had ended when it was submitted", () =>
    Effect.gen(function* () {
      const http = fakeHttp(states("SUCCEEDED"))
      const ended = yield* Effect.provide(LumeClient.runAndWait(request), clientLayer(http))
      assert.strictEqual(ended._tag, "Succeeded")
      assert.strictEqual(http.sent.length, 1)
    })
  )

  it.effect("a submitted run whose id can't be sent", () =>
    Effect.gen(function* () {
      const http = fakeHttp(() => state("CREATED", {}, "a/b"))
      const error = yield* Effect.flip(Effect.provide(LumeClient.runAndWait(request), clientLayer(http)))
      assert(error._tag === "WaitFailedError")
      assert.strictEqual(error.lastRun.id, "a/b")
      assert.strictEqual(error.failure._tag, "InvalidRequestError")
      assert.strictEqual(http.sent.length, 1)
    })
  )

  it.effect.each([
    { timeout: 0 },
    { timeout: -1 },
    { timeout: Number.NaN },
    { timeout: "-5 seconds" },
    { timeout: "soon" as never },
    { timeout: [-1, 0] as const },
    { pollInterval: 0 },
    { pollInterval: -1 },
    { pollInterval: Number.NaN },
    { pollInterval: Infinity },
    { pollInterval: -5n },
    { tolerance: -1 },
    { tolerance: Number.NaN },
    { tolerance: "-1 minutes" }
  ] as ReadonlyArray<LumeClient.WaitOptions>)("options that can't work: %s", (options) =>
    Effect.gen(function* () {
      const http = fakeHttp(states("TRANSFORMING"))
      const error = yield* Effect.flip(waitFor(http, options))
      assert(error._tag === "InvalidRequestError")
      assert.include(error.message, Object.keys(options).join())
      const watched = yield* Effect.flatMap(LumeClient.LumeClient, (lume) =>
        Stream.runDrain(lume.watch(runId, options))
      ).pipe(Effect.flip, Effect.provide(clientLayer(http)))
      assert.strictEqual(watched._tag, "InvalidRequestError")
      const submitted = yield* Effect.flatMap(LumeClient.LumeClient, (lume) => lume.runAndWait(request, options)).pipe(
        Effect.flip,
        Effect.provide(clientLayer(http))
      )
      assert.strictEqual(submitted._tag, "InvalidRequestError")
      assert.deepStrictEqual(http.sent, [])
    })
  )
})

describe("the deadline", () => {
  it.effect("makes one last read, not up to an interval before it", () =>
    Effect.gen(function* () {
      const http = fakeHttp(states("CREATED", "CREATED", "CREATED", "SUCCEEDED"))
      const fiber = yield* Effect.fork(waitFor(http, { timeout: "12 seconds" }))
      assert.strictEqual((yield* endsAfter(fiber, "12 seconds"))._tag, "Succeeded")
      assert.deepStrictEqual(seconds(http), [0, 5, 10, 12])
    })
  )

  it.effect("says what was last read", () =>
    Effect.gen(function* () {
      const http = fakeHttp(states("CREATED", "TRANSFORMING"))
      const fiber = yield* Effect.fork(Effect.flip(waitFor(http, { timeout: "7 seconds" })))
      const error = yield* endsAfter(fiber, "7 seconds")
      assert(error._tag === "TimeoutError")
      assert.strictEqual(error.runId, runId)
      assert.deepStrictEqual(error.timeout, Duration.seconds(7))
      assert.strictEqual(error.polls, 3)
      assert.strictEqual(Option.getOrThrow(error.lastRun)._tag, "Transforming")
      assert(Option.isNone(error.lastFailure))
      for (const part of [runId, "7s", "3 polls", "TRANSFORMING"]) assert.include(error.message, part)
    })
  )

  it.effect("interrupts a read in flight, connecting or reading the body", () =>
    Effect.gen(function* () {
      const stalled: Respond = () =>
        new Response(new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode("{")) }))
      for (const hanging of [() => Effect.never, stalled]) {
        const http = fakeHttp(inTurn(() => state("CREATED"), hanging))
        const fiber = yield* Effect.fork(Effect.flip(waitFor(http, { timeout: "12 seconds" })))
        const error = yield* endsAfter(fiber, "12 seconds")
        assert(error._tag === "TimeoutError")
        assert.strictEqual(error.polls, 2)
        assert.include(error.message, "no whole answer in the time left, 7 s")
        assert.deepStrictEqual(
          seconds(http)
            .slice(-2)
            .map((at) => at - (seconds(http)[0] ?? 0)),
          [0, 5]
        )
      }
    })
  )

  it.effect("holds where a step of the schedule hangs, with one last read", () =>
    Effect.gen(function* () {
      const http = fakeHttp(states("CREATED", "SUCCEEDED"))
      const schedule = Schedule.spaced("5 seconds").pipe(
        Schedule.tapInput((_run: Option.Option<LumeRun.LumeRun>) => Effect.never)
      )
      const fiber = yield* Effect.fork(waitFor(http, { schedule, timeout: "12 seconds" }))
      yield* pass(12_001)
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "Succeeded")
      assert.deepStrictEqual(seconds(http).map(Math.floor), [0, 12])
    })
  )

  it.effect("gives the last read at most a second", () =>
    Effect.gen(function* () {
      const http = fakeHttp(
        inTurn(
          () => state("CREATED"),
          () => Effect.never
        )
      )
      const fiber = yield* Effect.fork(Effect.flip(waitFor(http, { timeout: "5 seconds" })))
      const error = yield* endsAfter(fiber, "6 seconds")
      assert(error._tag === "TimeoutError")
      deepStrictEqual(
        Option.map(error.lastFailure, ({ _tag }) => _tag),
        Option.some("TransportError")
      )
    })
  )

  it.effect("holds where a client does not let itself be interrupted", () =>
    Effect.gen(function* () {
      const http = fakeHttp(() => Effect.uninterruptible(Effect.delay(Effect.succeed(state("CREATED")), "1 hour")))
      const fiber = yield* Effect.fork(Effect.flip(waitFor(http, { timeout: "10 seconds" })))
      assert.strictEqual((yield* endsAfter(fiber, "10 seconds"))._tag, "TimeoutError")
      yield* TestClock.adjust("1 hour")
    })
  )

  it.effect("holds where the clock has jumped past it", () =>
    Effect.gen(function* () {
      const http = fakeHttp(states("CREATED", "SUCCEEDED"))
      yield* withJumps((jump) =>
        Effect.gen(function* () {
          const fiber = yield* Effect.fork(waitFor(http, { timeout: "1 hour" }))
          yield* TestClock.adjust("1 second")
          yield* jump(Duration.toMillis("3 days"))
          yield* TestClock.adjust("4 seconds")
          assert.strictEqual((yield* Fiber.join(fiber))._tag, "Succeeded")
        })
      )
      assert.strictEqual(http.sent.length, 2)
    })
  )
})

describe("statuses that are not known", () => {
  const warnings = (effect: Effect.Effect<unknown, unknown>) =>
    Effect.gen(function* () {
      const log = messages()
      const fiber = yield* Effect.fork(Effect.provide(effect, log.layer))
      yield* TestClock.adjust("1 minute")
      yield* Fiber.await(fiber)
      return log.messages
    })

  it.effect("keep waiting at the normal pace, and warn once", () =>
    Effect.gen(function* () {
      const http = fakeHttp(states("QUEUED", null, "succeeded", "QUEUED", "SUCCEEDED"))
      const messages = yield* warnings(waitFor(http))
      assert.deepStrictEqual(seconds(http), [0, 5, 10, 15, 20])
      assert.strictEqual(messages.length, 1)
      assert.include(messages[0], "QUEUED")
      assert.include(messages[0], runId)
    })
  )

  it.effect("are the only thing that is said above debug", () =>
    Effect.gen(function* () {
      const http = fakeHttp(
        inTurn(
          disconnected,
          status(503),
          () => state("CREATED"),
          () => state("FAILED")
        )
      )
      assert.deepStrictEqual(yield* warnings(waitFor(http)), [])
    })
  )
})

describe("failures on the way", () => {
  it.effect.each([401, 403, 400, 410, 422, 302, 304])("status %s ends the wait at once", (code) =>
    Effect.gen(function* () {
      const http = fakeHttp(
        inTurn(
          () => state("CREATED"),
          () => new Response(null, { status: code })
        )
      )
      const error = yield* endsAfter(yield* Effect.fork(Effect.flip(waitFor(http))), "5 seconds")
      assert.notInclude(["TimeoutError", "DecodeError"], error._tag)
      assert.strictEqual(http.sent.length, 2)
    })
  )

  const transient: ReadonlyArray<readonly [string, Respond]> = [
    ["a lost answer", disconnected],
    ["408", status(408)],
    ["429", status(429)],
    ["500", status(500)],
    ["502", status(502)],
    ["503", status(503)],
    ["504", status(504)],
    ["524", status(524)],
    ["a login page", () => new Response("<title>Sign in</title>")],
    ["another run", () => state("SUCCEEDED", {}, "run_OTHER")]
  ]

  it.effect.each(transient)(
    "%s is no news: the next poll comes after the shorter of backoff and interval",
    ([, fail]) =>
      Effect.gen(function* () {
        const http = fakeHttp(
          inTurn(
            () => state("CREATED"),
            fail,
            fail,
            fail,
            () => state("SUCCEEDED")
          )
        )
        const run = yield* endsAfter(
          yield* Effect.fork(
            waitFor(http, { pollInterval: "30 seconds" }, { retry: { base: "100 seconds", cap: "8 seconds" } })
          ),
          "54 seconds"
        )
        assert.strictEqual(run._tag, "Succeeded")
        assert.deepStrictEqual(seconds(http), [0, 30, 38, 46, 54])
      })
  )

  it.effect("the backoff doubles, with jitter, in whole milliseconds", () =>
    Effect.gen(function* () {
      const http = fakeHttp(disconnected)
      const options = { pollInterval: "1 hour", timeout: "1 day", tolerance: "1 minute" } as const
      const fiber = yield* Effect.fork(Effect.flip(waitFor(http, options)))
      yield* TestClock.adjust("2 minutes")
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "TransportError")
      const delays = http.sent.slice(1).map(({ at }, index) => at - (http.sent[index]?.at ?? 0))
      delays.forEach((delay, index) => {
        const middle = 500 * 2 ** index
        assert(Number.isInteger(delay))
        assert(delay >= Math.min(middle * 0.8, 30_000) && delay <= Math.min(middle * 1.2 + 1, 30_000), `${delays}`)
      })
    })
  )

  it.effect("Retry-After makes a pace longer, never shorter", () =>
    Effect.gen(function* () {
      const asked = inTurn(
        status(429, { "retry-after": "20" }),
        status(503, { "retry-after": "0" }),
        status(503, { "retry-after": "2" }),
        status(503, { "retry-after": "999999" }),
        () => state("SUCCEEDED")
      )
      const http = fakeHttp(asked)
      const client = { retry: { base: "100 seconds", cap: "100 seconds" } } as const
      yield* endsAfter(yield* Effect.fork(waitFor(http, { pollInterval: "5 seconds" }, client)), "150 seconds")
      assert.deepStrictEqual(seconds(http), [0, 20, 25, 30, 150])
    })
  )

  it.effect("Retry-After never lasts past the deadline", () =>
    Effect.gen(function* () {
      const http = fakeHttp(status(429, { "retry-after": "100" }))
      const error = yield* endsAfter(
        yield* Effect.fork(Effect.flip(waitFor(http, { timeout: "30 seconds" }))),
        "30 seconds"
      )
      assert(error._tag === "TimeoutError")
      deepStrictEqual(
        Option.map(error.lastFailure, ({ _tag }) => _tag),
        Option.some("RateLimitedError")
      )
      assert.include(error.message, "429")
      assert.deepStrictEqual(seconds(http), [0, 30])
    })
  )

  it.effect("only where no read has succeeded for the tolerance does the wait fail, with the last error", () =>
    Effect.gen(function* () {
      const client = { retry: { base: "1 minute", cap: "20 seconds" } } as const
      const options = { pollInterval: "20 seconds", tolerance: "1 minute", timeout: "1 day" } as const
      const broken = fakeHttp(inTurn(() => state("CREATED"), status(500), status(502), status(503), status(504)))
      const error = yield* endsAfter(yield* Effect.fork(Effect.flip(waitFor(broken, options, client))), "80 seconds")
      assert(error._tag === "ApiError" && error.status === 504)

      const flaky = fakeHttp((_, index) => (index % 3 === 0 ? state("CREATED") : json({}, 503)))
      const fiber = yield* Effect.fork(waitFor(flaky, options, client))
      yield* TestClock.adjust("10 minutes")
      assert(Option.isNone(yield* Fiber.poll(fiber)))
      yield* Fiber.interrupt(fiber)
    })
  )

  it.effect("no tolerance at all ends the wait at the second failure in a row", () =>
    Effect.gen(function* () {
      const http = fakeHttp(inTurn(status(503), () => state("CREATED"), status(503)))
      const fiber = yield* Effect.fork(Effect.flip(waitFor(http, { tolerance: 0 })))
      yield* TestClock.adjust("10 seconds")
      const error = yield* Fiber.join(fiber)
      assert.strictEqual(error._tag, "ApiError")
      assert.strictEqual(http.sent.length, 4)
    })
  )

  it.effect("one read that hangs for longer than the tolerance is followed by others", () =>
    Effect.gen(function* () {
      const http = fakeHttp(
        inTurn(
          () => Effect.never,
          status(503),
          () => state("SUCCEEDED")
        )
      )
      const fiber = yield* Effect.fork(waitFor(http, { tolerance: "1 minute" }, { requestTimeout: "30 minutes" }))
      yield* TestClock.adjust("31 minutes")
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "Succeeded")
    })
  )

  it.effect("a deadline that has long passed while a read was hanging is followed by a last read", () =>
    Effect.gen(function* () {
      const http = fakeHttp(
        inTurn(
          () => Effect.never,
          () => state("SUCCEEDED")
        )
      )
      yield* withJumps((jump) =>
        Effect.gen(function* () {
          const fiber = yield* Effect.fork(waitFor(http, { timeout: "1 minute" }, { requestTimeout: "10 seconds" }))
          yield* TestClock.adjust("5 seconds")
          yield* jump(8 * 3_600_000)
          yield* TestClock.adjust("5 seconds")
          assert.strictEqual((yield* Fiber.join(fiber))._tag, "Succeeded")
        })
      )
      assert.strictEqual(http.sent.length, 2)
    })
  )

  it.effect("a slow pace does not use up the tolerance", () =>
    Effect.gen(function* () {
      const http = fakeHttp(
        inTurn(
          () => state("CREATED"),
          status(503),
          () => state("SUCCEEDED")
        )
      )
      const fiber = yield* Effect.fork(waitFor(http, { pollInterval: "10 minutes" }))
      yield* TestClock.adjust("10 minutes")
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "Succeeded")
    })
  )

  it.effect("a run that was just submitted may be unknown for 10 seconds", () =>
    Effect.gen(function* () {
      const wait = (http: FakeHttp) =>
        Effect.flatMap(LumeClient.LumeClient, (lume) => lume.runAndWait(request)).pipe(
          Effect.provide(clientLayer(http, { retry: { base: "1 minute", cap: "4 seconds" } })),
          Effect.either,
          Effect.fork
        )
      const late = fakeHttp(
        inTurn(
          () => state("CREATED"),
          status(404),
          status(404),
          () => state("SUCCEEDED")
        )
      )
      yield* endsAfter(yield* wait(late), "8 seconds")

      const never = fakeHttp(inTurn(() => state("CREATED"), status(404)))
      const result = yield* endsAfter(yield* wait(never), "12 seconds")
      assert(Either.isLeft(result) && result.left._tag === "WaitFailedError")
      assert.strictEqual(result.left.failure._tag, "RunNotFoundError")

      const vanished = fakeHttp(
        inTurn(
          () => state("CREATED"),
          () => state("CREATED"),
          status(404)
        )
      )
      // from the wait's beginning: what comes later is no lagging replica
      yield* endsAfter(yield* wait(vanished), "13 seconds")
    })
  )

  it.effect(
    "a run that has been read may be unknown to another replica, for 10 seconds from the wait's beginning",
    () =>
      Effect.gen(function* () {
        const lagging = fakeHttp(
          inTurn(
            () => state("CREATED"),
            status(404),
            () => state("SUCCEEDED")
          )
        )
        const fiber = yield* Effect.fork(waitFor(lagging))
        yield* TestClock.adjust("10 seconds")
        assert.strictEqual((yield* Fiber.join(fiber))._tag, "Succeeded")
      })
  )

  it.effect("also where failures are not tolerated at all", () =>
    Effect.gen(function* () {
      const http = fakeHttp(
        inTurn(
          () => state("CREATED"),
          status(404),
          status(404),
          () => state("SUCCEEDED")
        )
      )
      const fiber = yield* LumeClient.runAndWait(request, { tolerance: 0 }).pipe(
        Effect.provide(clientLayer(http)),
        Effect.fork
      )
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "Succeeded")
    })
  )

  it.effect("an id that Lume does not know ends the wait at once", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(waitFor(fakeHttp(status(404))))
      assert.strictEqual(error._tag, "RunNotFoundError")
    })
  )
})

describe("interruption", () => {
  it.effect("ends a sleep, and a read on the wire", () =>
    Effect.gen(function* () {
      let cancelled = 0
      const hanging = () => Effect.onInterrupt(Effect.never, () => Effect.sync(() => cancelled++))
      const http = fakeHttp(inTurn(() => state("CREATED"), hanging))
      for (const time of ["2 seconds", "7 seconds"] as const) {
        const fiber = yield* Effect.fork(waitFor(http))
        yield* TestClock.adjust(time)
        yield* Fiber.interrupt(fiber)
        assert(Exit.isInterrupted(yield* Fiber.await(fiber)))
      }
      assert.strictEqual(http.sent.length, 2)
      assert.strictEqual(cancelled, 1)
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual(http.sent.length, 2)
    })
  )
})

describe("watch", () => {
  const watched = (http: FakeHttp, options?: LumeClient.WaitOptions) =>
    Stream.unwrap(Effect.map(LumeClient.LumeClient, (lume) => lume.watch(runId, options))).pipe(
      Stream.provideLayer(clientLayer(http))
    )

  it.effect("gives the run as first read, then every change, then the end", () =>
    Effect.gen(function* () {
      const http = fakeHttp(states("CREATED", "CREATED", "QUEUED", "TRANSFORMING", "TRANSFORMING", "SUCCEEDED"))
      const fiber = yield* Effect.fork(Stream.runCollect(watched(http)))
      const runs = yield* endsAfter(fiber, "25 seconds")
      assert.deepStrictEqual(
        Chunk.toReadonlyArray(runs).map((run) => run.status),
        ["CREATED", "QUEUED", "TRANSFORMING", "SUCCEEDED"]
      )
    })
  )

  it.effect("fails as wait does, after what was seen", () =>
    Effect.gen(function* () {
      const seen: Array<string | null> = []
      const fiber = yield* watched(fakeHttp(states("CREATED", "TRANSFORMING")), { timeout: "12 seconds" }).pipe(
        Stream.runForEach((run) => Effect.sync(() => seen.push(run.status))),
        Effect.flip,
        Effect.fork
      )
      assert.strictEqual((yield* endsAfter(fiber, "12 seconds"))._tag, "TimeoutError")
      assert.deepStrictEqual(seen, ["CREATED", "TRANSFORMING"])
    })
  )

  it.effect("reads only as fast as it is pulled, and no more once it is left", () =>
    Effect.gen(function* () {
      const http = fakeHttp(states("CREATED", "TRANSFORMING", "SYNCING_TARGET"))
      const slow = watched(http).pipe(
        Stream.tap(() => Effect.sleep("1 minute")),
        Stream.take(2),
        Stream.runDrain
      )
      yield* endsAfter(yield* Effect.fork(slow), "125 seconds")
      assert.deepStrictEqual(seconds(http), [0, 65])
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(http.sent.length, 2)
    })
  )

  it.effect("gives a run that has ended without a request", () =>
    Effect.gen(function* () {
      const http = fakeHttp(() => state("SUCCEEDED", finishedMetadata()))
      const runs = yield* Effect.gen(function* () {
        const lume = yield* LumeClient.LumeClient
        const ended = yield* lume.wait(runId)
        return yield* Stream.runCollect(lume.watch(ended))
      }).pipe(Effect.provide(clientLayer(http)))
      assert.strictEqual(Chunk.size(runs), 1)
      assert.strictEqual(http.sent.length, 1)
    })
  )
})

describe("any sequence of answers", () => {
  const answers: ReadonlyArray<readonly [string, Respond]> = [
    ["CREATED", () => state("CREATED")],
    ["QUEUED", () => state("QUEUED")],
    ["null", () => state(null)],
    ["SUCCEEDED", () => state("SUCCEEDED")],
    ["CRASHED", () => state("CRASHED")],
    ["401", status(401)],
    ["410", status(410)],
    ["429 and 7", status(429, { "retry-after": "7" })],
    ["429 and 0", status(429, { "retry-after": "0" })],
    ["503", status(503)],
    ["page", () => new Response("<p>hello")],
    ["lost", disconnected],
    ["never", () => Effect.never],
    ["slow", () => Effect.delay(Effect.succeed(state("TRANSFORMING")), "3 seconds")]
  ]

  const ends = new Map<string, LumeError.WaitError["_tag"] | LumeRun.TerminalRun["_tag"]>([
    ["SUCCEEDED", "Succeeded"],
    ["CRASHED", "Crashed"],
    ["401", "AuthenticationError"],
    ["410", "RunNotFoundError"]
  ])

  property.effect(
    "ends a wait at its first decisive answer, or at the deadline, never spins, and leaves no timer",
    [
      FastCheck.array(FastCheck.constantFrom(...answers), { minLength: 1, maxLength: 12 }),
      FastCheck.integer({ min: 1, max: 120_000 }),
      FastCheck.integer({ min: 1, max: 60_000 })
    ],
    ([sequence, timeout, interval]) =>
      LumeTest.waitFor(
        likeLive((sleeping) =>
          Effect.gen(function* () {
            const http = fakeHttp(inTurn(...sequence.map(([, respond]) => respond)))
            // no more than 200 polls, so that all of it stays fast
            const pollInterval = Math.max(interval, Math.ceil(timeout / 200))
            const tag = yield* waitFor(http, { timeout, pollInterval, tolerance: Infinity }).pipe(
              Effect.map((run): string => run._tag),
              Effect.catchAll((error) => Effect.succeed<string>(error._tag)),
              Effect.provide(unlogged)
            )
            assert.isAtMost(yield* Clock.currentTimeMillis, timeout + 1000)
            const decisive = sequence.slice(0, http.sent.length).find(([name]) => ends.has(name))
            assert.strictEqual(tag, decisive === undefined ? "TimeoutError" : ends.get(decisive[0]))
            http.sent.slice(1).forEach(({ at }, index) => assert.isAtLeast(at - (http.sent[index]?.at ?? 0), 1))
            yield* Effect.promise(() => new Promise(setImmediate))
            assert.strictEqual(sleeping(), 0)
          })
        )
      ),
    { fastCheck: { numRuns: 50 } }
  )

  it.effect("wakes from pauses that are longer than any timer of the live clock", () =>
    LumeTest.waitFor(
      likeLive(() =>
        Effect.gen(function* () {
          const http = fakeHttp(states("TRANSFORMING", "SUCCEEDED"))
          const run = yield* waitFor(http, { pollInterval: "40 days", timeout: Infinity })
          assert.strictEqual(run._tag, "Succeeded")
          assert.strictEqual(yield* Clock.currentTimeMillis, Duration.toMillis("40 days"))

          const endless = fakeHttp(states("TRANSFORMING"))
          const error = yield* Effect.flip(waitFor(endless, { pollInterval: "90 days", timeout: "60 days" }))
          assert(error._tag === "TimeoutError")
          assert.strictEqual(yield* Clock.currentTimeMillis, Duration.toMillis("100 days"))
        })
      ),
      { limit: "101 days" }
    )
  )
})

describe("onStatus", () => {
  const told = () => {
    const statuses: Array<string | null> = []
    return { statuses, onStatus: (run: LumeRun.LumeRun) => Effect.sync(() => void statuses.push(run.status)) }
  }

  it.effect("is told the run as first read, then every change, the end included", () =>
    Effect.gen(function* () {
      const { onStatus, statuses } = told()
      const http = fakeHttp(states("CREATED", "CREATED", "TRANSFORMING", null, "SUCCEEDED"))
      const fiber = yield* Effect.fork(waitFor(http, { onStatus }))
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(statuses, ["CREATED", "TRANSFORMING", null, "SUCCEEDED"])
    })
  )

  it.effect("is told of a run that was given already ended, by wait and by watch", () =>
    Effect.gen(function* () {
      const { onStatus, statuses } = told()
      const http = fakeHttp(states("SUCCEEDED"))
      yield* Effect.gen(function* () {
        const lume = yield* LumeClient.LumeClient
        const ended = yield* lume.runStatus(runId)
        yield* lume.wait(ended, { onStatus })
        yield* Stream.runDrain(lume.watch(ended, { onStatus }))
      }).pipe(Effect.provide(clientLayer(http)))
      assert.deepStrictEqual(statuses, ["SUCCEEDED", "SUCCEEDED"])
      assert.strictEqual(http.sent.length, 1)
    })
  )

  it.effect("is told of the submitted run first by runAndWait, and of each status once", () =>
    Effect.gen(function* () {
      for (const answered of [
        ["CREATED", "CREATED", "SUCCEEDED"],
        ["CREATED", "SUCCEEDED"]
      ]) {
        const { onStatus, statuses } = told()
        const fiber = yield* LumeClient.runAndWait(request, { onStatus }).pipe(
          Effect.provide(clientLayer(fakeHttp(states(...answered)))),
          Effect.fork
        )
        yield* TestClock.adjust("1 minute")
        yield* Fiber.join(fiber)
        assert.deepStrictEqual(statuses, ["CREATED", "SUCCEEDED"])
      }
    })
  )

  it.effect("has the time that is left for a run that has ended, and a second at least", () =>
    Effect.gen(function* () {
      for (const [timeout, ended] of [
        [30_000, 0],
        [5000, 5000]
      ] as const) {
        let told = 0
        const onStatus = (run: LumeRun.LumeRun) =>
          run._tag === "Succeeded"
            ? Effect.delay(
                Effect.sync(() => told++),
                ended === 0 ? 20_000 : 900
              )
            : Effect.void
        const http = fakeHttp((_, index) => state(ended === 0 || index > 0 ? "SUCCEEDED" : "CREATED"))
        const fiber = yield* Effect.fork(waitFor(http, { onStatus, timeout, pollInterval: 5000 }))
        yield* pass(25_000, 100)
        assert.strictEqual((yield* Fiber.join(fiber))._tag, "Succeeded")
        assert.strictEqual(told, 1)
      }
    })
  )

  it.effect("is not what ends runAndWait: time does, with TimeoutError", () =>
    Effect.gen(function* () {
      const fiber = yield* LumeClient.runAndWait(request, { timeout: "7 seconds" }).pipe(
        Effect.flip,
        Effect.provide(clientLayer(fakeHttp(states("CREATED")))),
        Effect.fork
      )
      yield* pass(7001)
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "TimeoutError")
    })
  )

  it.effect("is awaited, counts against the deadline and is interrupted there, before the last read", () =>
    Effect.gen(function* () {
      let interrupted = false
      const onStatus = () => Effect.onInterrupt(Effect.never, () => Effect.sync(() => (interrupted = true)))
      const http = fakeHttp(states("CREATED"))
      const fiber = yield* Effect.fork(Effect.flip(waitFor(http, { onStatus, timeout: "30 seconds" })))
      yield* pass(30_001)
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "TimeoutError")
      assert.isTrue(interrupted)
      assert.deepStrictEqual(seconds(http).map(Math.floor), [0, 30])
    })
  )

  const waits: ReadonlyArray<
    readonly [
      string,
      (options: LumeClient.WaitOptions) => Effect.Effect<LumeRun.TerminalRun, unknown, LumeClient.LumeClient>
    ]
  > = [
    ["wait", (options) => LumeClient.wait(runId, options)],
    ["runAndWait", (options) => LumeClient.runAndWait(request, options)]
  ]

  it.effect.each(waits)("that hangs does not hide from %s that the run has ended", ([, wait]) =>
    Effect.gen(function* () {
      const onStatus = (run: LumeRun.LumeRun) => (run._tag === "Created" ? Effect.never : Effect.void)
      const http = fakeHttp(states("CREATED", "SUCCEEDED"))
      const fiber = yield* Effect.fork(Effect.provide(wait({ onStatus, timeout: "30 seconds" }), clientLayer(http)))
      yield* pass(30_001)
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "Succeeded")
      assert.strictEqual(http.sent.length, 2)
    })
  )

  const breaks: ReadonlyArray<readonly [string, () => Effect.Effect<void>]> = [
    ["dies", () => Effect.die(new Error("a bug"))],
    // as an offer to a queue does that is shut down
    ["interrupts itself", () => Effect.interrupt],
    [
      "throws",
      () => {
        throw new Error("a bug")
      }
    ],
    // what plain JavaScript can give in spite of the types
    ["gives no effect", () => undefined as unknown as Effect.Effect<void>],
    [
      "joins what was interrupted",
      () =>
        Effect.flatMap(Effect.fork(Effect.never), (fiber) => Effect.zipRight(Fiber.interrupt(fiber), Fiber.join(fiber)))
    ]
  ]

  const watched = (options: LumeClient.WaitOptions) =>
    Effect.map(Stream.runCollect(LumeClient.watch(runId, options)), (runs) => Array.from(runs).at(-1)?._tag)

  it.effect.each(breaks)("that %s is logged, and the wait goes on", ([, onStatus]) =>
    Effect.gen(function* () {
      const ways = [
        ...waits.map(([, wait]) => Effect.map(wait({ onStatus }), ({ _tag }) => _tag)),
        watched({ onStatus })
      ]
      for (const way of ways) {
        const log = messages()
        const http = fakeHttp(states("CREATED", "SUCCEEDED"))
        const fiber = yield* way.pipe(Effect.provide(clientLayer(http)), Effect.provide(log.layer), Effect.fork)
        yield* pass(6000)
        assert.strictEqual(yield* Fiber.join(fiber), "Succeeded")
        assert.deepStrictEqual(
          log.messages,
          ["CREATED", "SUCCEEDED"].map(() => `The onStatus of the wait for run ${runId} broke off. The wait goes on.`)
        )
      }
    })
  )

  it.effect("that hangs does not take away how the run ended", () =>
    Effect.gen(function* () {
      const http = fakeHttp(states("SUCCEEDED"))
      const fiber = yield* Effect.fork(waitFor(http, { onStatus: () => Effect.never, timeout: "30 seconds" }))
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "Succeeded")
    })
  )
})

describe("the wait option of a client", () => {
  it.effect("gives every wait its defaults, and a call's own win field by field", () =>
    Effect.gen(function* () {
      const http = fakeHttp(states("CREATED"))
      const defaults = { timeout: "10 seconds", pollInterval: "4 seconds" } as const
      const first = yield* endsAfter(
        yield* Effect.fork(Effect.flip(waitFor(http, {}, { wait: defaults }))),
        "10 seconds"
      )
      assert.strictEqual(first._tag, "TimeoutError")
      assert.deepStrictEqual(seconds(http), [0, 4, 8, 10])

      const own = fakeHttp(states("CREATED"))
      yield* endsAfter(
        yield* Effect.fork(
          Effect.flip(waitFor(own, { timeout: undefined, pollInterval: "5 seconds" }, { wait: defaults }))
        ),
        "10 seconds"
      )
      assert.deepStrictEqual(
        seconds(own).map((at) => at - 10),
        [0, 5, 10]
      )
    })
  )

  it.effect("has a schedule, which an interval of a call replaces", () =>
    Effect.gen(function* () {
      const wait = { schedule: Schedule.spaced("20 seconds"), timeout: "20 seconds" } as const
      const scheduled = fakeHttp(states("CREATED"))
      yield* endsAfter(yield* Effect.fork(Effect.flip(waitFor(scheduled, {}, { wait }))), "20 seconds")
      assert.deepStrictEqual(seconds(scheduled), [0, 20])
      const interval = fakeHttp(states("CREATED"))
      yield* endsAfter(
        yield* Effect.fork(Effect.flip(waitFor(interval, { pollInterval: "10 seconds" }, { wait }))),
        "20 seconds"
      )
      assert.deepStrictEqual(
        seconds(interval).map((at) => at - 20),
        [0, 10, 20]
      )
    })
  )

  it.effect("is refused when the client is made, where it can't work", () =>
    Effect.gen(function* () {
      const http = fakeHttp(states("CREATED"))
      const error = yield* Effect.flip(waitFor(http, {}, { wait: { timeout: -1 } }))
      assert.strictEqual(error._tag, "InvalidRequestError")
      assert.deepStrictEqual(http.sent, [])
    })
  )
})
