/**
 * Ways to wait with reads that are answered in memory. Each contender measures, for a number of waits at once: the
 * heap that one takes while it sleeps, and the CPU time of one poll while all of them poll.
 */
import { setTimeout as delay } from "node:timers/promises"
import * as Effect from "effect/Effect"
import { cpuOf, settledHeap } from "./harness.mjs"
import { answer, runId } from "./fixtures.mjs"
import { load } from "./lines.mjs"

const hour = 3_600_000
/** The pace while the heap is measured, which no poll interrupts, and while polls are. */
const slow = 600_000
const fast = 1

/** What all reads give, and how often they were called. */
const lume = { ended: false, polls: 0 }

/** @typedef {(waits: number, interval: number) => () => void} Start starts the waits, and gives what ends them early */

/** Sleeps that can't be cut short, or only at a cost: what is left of them is waited for by nobody. */
const stopNothing = () => {}

// ---------------------------------------------------------------------------------------------------------------------
// Contenders

/** What any wait costs on this runtime: a loop of `Effect.sleep` with a deadline check. */
const floor = (/** @type {import("./lines.mjs").Line} */ line) => async () => {
  const Clock = await load[line]("effect/Clock")
  /** @type {typeof import("effect/Effect")} */
  const Effect = await load[line]("effect/Effect")
  const then = Effect.zipRight ?? Effect.andThen
  const read = Effect.sync(() => {
    lume.polls++
    return lume.ended
  })
  return fromEffect(Effect, (interval) =>
    Effect.flatMap(Clock.currentTimeMillis, (/** @type {number} */ startedAt) => {
      /** @type {import("effect/Effect").Effect<boolean, string>} */
      const next = Effect.flatMap(read, (ended) =>
        ended
          ? Effect.succeed(true)
          : Effect.flatMap(Clock.currentTimeMillis, (/** @type {number} */ now) =>
              now - startedAt >= hour ? Effect.fail("timed out") : then(Effect.sleep(interval), next)
            )
      )
      return next
    })
  )
}

/** The wait of effect-lume, given a read; its pace is a `Schedule`. */
const lumeWait = (/** @type {import("./lines.mjs").Line} */ line) => async () => {
  const polling = await load[line]("./dist/client/polling.js")
  const LumeRun = await load[line]("./dist/LumeRun.js")
  const Schedule = await load[line]("effect/Schedule")
  const Effect = await load[line]("effect/Effect")
  const runs = {
    going: LumeRun.fromWire(JSON.parse(answer("TRANSFORMING"))),
    ended: LumeRun.fromWire(JSON.parse(answer("SUCCEEDED")))
  }
  const read = Effect.sync(() => {
    lume.polls++
    return lume.ended ? runs.ended : runs.going
  })
  const subject = { id: runId, known: true, read: () => read }
  const backoff = { times: 3, base: 500, cap: 30_000 }
  return fromEffect(Effect, (interval) =>
    polling.wait(subject, {
      events: undefined,
      timeout: hour,
      pace: Schedule.spaced(interval),
      tolerance: 300_000,
      backoff
    })
  )
}

/** The whole client over an HttpClient in memory: for information, since the floor has no HTTP. */
const lumeClient = async () => {
  const HttpClient = await import("@effect/platform/HttpClient")
  const HttpClientResponse = await import("@effect/platform/HttpClientResponse")
  const Redacted = await import("effect/Redacted")
  const LumeClient = await import("../dist/LumeClient.js")
  const bodies = { going: answer("TRANSFORMING"), ended: answer("SUCCEEDED") }
  const http = HttpClient.make((request) =>
    Effect.sync(() => {
      lume.polls++
      const body = lume.ended ? bodies.ended : bodies.going
      return HttpClientResponse.fromWeb(
        request,
        new Response(body, { headers: { "content-length": `${body.length}` } })
      )
    })
  )
  const client = await Effect.runPromise(
    Effect.provideService(
      LumeClient.make({ apiKey: Redacted.make("lume_0123456789abcdef") }),
      HttpClient.HttpClient,
      http
    )
  )
  return fromEffect(Effect, (interval) => client.wait(runId, { pollInterval: interval }))
}

/**
 * One program that waits for all of them.
 *
 * @param {any} Effect of either major
 * @param {(interval: number) => import("effect/Effect").Effect<unknown, unknown>} wait
 * @returns {Start}
 */
const fromEffect = (Effect, wait) => (waits, interval) => {
  const all = Effect.forEach(Array.from({ length: waits }), () => wait(interval), { concurrency: "unbounded" })
  const fiber = Effect.runFork(all)
  return () => (fiber.interruptUnsafe ? fiber.interruptUnsafe() : fiber.unsafeInterruptAsFork(fiber.id()))
}

/** @returns {Promise<Start>} */
const promises = async () => (waits, interval) => {
  const wait = async () => {
    const deadline = Date.now() + hour
    for (;;) {
      lume.polls++
      if (lume.ended) return
      if (Date.now() >= deadline) throw new Error("timed out")
      await delay(interval)
    }
  }
  for (let i = 0; i < waits; i++) wait()
  return stopNothing
}

/** @returns {Promise<Start>} */
const utilWaiter = async () => {
  const { createWaiter, WaiterState } = await import("@smithy/util-waiter")
  return (waits, interval) => {
    const seconds = interval / 1000
    const options = { client: {}, minDelay: seconds, maxDelay: seconds, maxWaitTime: hour / 1000 }
    const read = async () => {
      lume.polls++
      return { state: lume.ended ? WaiterState.SUCCESS : WaiterState.RETRY }
    }
    for (let i = 0; i < waits; i++) createWaiter(options, {}, read)
    return stopNothing
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Measuring

const until = async (/** @type {() => boolean} */ condition) => {
  while (!condition()) await delay(5)
}

/** @param {Start} start @param {number} waits @param {number} interval */
const startAndPoll = async (start, waits, interval) => {
  lume.ended = false
  lume.polls = 0
  const stop = start(waits, interval)
  await until(() => lume.polls >= waits)
  return stop
}

const measure = (/** @type {() => Promise<Start>} */ make) => async () => {
  const start = await make()
  return async (/** @type {{ waits: number, polls: number }} */ { polls, waits }) => {
    // what is allocated once, and optimised code, are not a wait's
    await startAndPoll(start, 500, fast)
    await until(() => lume.polls >= polls)
    lume.ended = true
    await delay(100)

    const before = await settledHeap()
    const stop = await startAndPoll(start, waits, slow)
    const heap = ((await settledHeap()) - before) / waits
    stop()
    await delay(100)

    await startAndPoll(start, waits, fast)
    const from = lume.polls
    const cpu = await cpuOf(() => until(() => lume.polls >= from + polls))
    return { heap: heap / 1000, cpu: cpu / (lume.polls - from) }
  }
}

const compared = {
  floor: floor("1.x"),
  "effect-lume": lumeWait("1.x"),
  "promise timers": promises,
  "util-waiter": utilWaiter
}

/** For information: the others know no HTTP. */
export const wholeClient = "effect-lume's client over HTTP in memory"

export const names = Object.keys(compared)

/** Those of 2.x, which only `majors.mjs` has. */
const ofEffect4 = { "floor 2.x": floor("2.x"), "effect-lume 2.x": lumeWait("2.x") }

export const contenders = Object.fromEntries(
  Object.entries({ ...compared, ...ofEffect4, [wholeClient]: lumeClient }).map(([name, make]) => [name, measure(make)])
)
