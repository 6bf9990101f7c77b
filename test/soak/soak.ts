/**
 * Many waits at once, through faults: every one ends right, no run is submitted twice, and nothing is left behind.
 */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import { fork } from "node:child_process"
import { once } from "node:events"
import { Agent } from "@effect/platform-node/Undici"
import * as LumeClient from "../../src/LumeClient.js"
import type * as LumeRun from "../../src/LumeRun.js"
import { heapUsed } from "../support/heap.js"

/** How much of it. */
export interface Scale {
  readonly waits: number
  /** The longest that a run takes, in milliseconds. */
  readonly longestRun: number
  /** The time between two reads of a run. */
  readonly pollInterval: Duration.DurationInput
  /** How often one wait reads its run, to see whether the heap stays flat. */
  readonly polls: number
}

/** What came of it. */
export interface Report {
  /** Waits that ended in the state in which their run ended. */
  readonly right: number
  /** Waits that ended otherwise, or not at all. */
  readonly wrong: ReadonlyArray<string>
  /** Runs whose submit got no answer; whether they run is not known, so they are not submitted again. */
  readonly unknown: number
  /** Source paths that were submitted more than once. */
  readonly submittedTwice: number
  readonly seconds: number
  /** Timers and sockets that were not there before. */
  readonly leftOver: ReadonlyArray<string>
  /** The heap afterwards as a ratio to before. */
  readonly heap: number
  /** The heap at the end of the one long wait as a ratio to a tenth of it. */
  readonly heapOfPolls: number
}

class Crash extends Data.TaggedError("Crash")<{ readonly cause: unknown }> {}

const resources = (): ReadonlyArray<string> =>
  process.getActiveResourcesInfo().filter((name) => name === "Timeout" || name.startsWith("TCP"))

const startLume = Effect.acquireRelease(
  Effect.tryPromise({
    try: async () => {
      const child = fork(new URL("faultyLume.mjs", import.meta.url), { execArgv: [] })
      const [{ port }] = (await once(child, "message")) as [{ port: number }]
      return { child, url: `http://127.0.0.1:${port}` }
    },
    catch: (cause) => new Crash({ cause })
  }),
  ({ child }) => Effect.sync(() => child.kill())
)

/** At most so many connections: more than enough to be fast, and fewer than a process may open. */
const undici = NodeHttpClient.layerUndiciWithoutDispatcher.pipe(
  Layer.provide(
    Layer.scoped(
      NodeHttpClient.Dispatcher,
      Effect.acquireRelease(
        Effect.sync(() => new Agent({ connections: 512 })),
        (agent) => Effect.promise(() => agent.destroy())
      )
    )
  )
)

const client = (url: string, options: Pick<LumeClient.Options, "requestTimeout" | "retry">) =>
  LumeClient.make({ apiKey: Redacted.make("soak-test-key"), baseUrl: url, ...options })

interface Clients {
  /** For what is asked again where no answer comes, and for submits that get none. */
  readonly hasty: LumeClient.Service
  /** For submits that get an answer, however busy the machine is: their outcome must not depend on that. */
  readonly patient: LumeClient.Service
}

const clients = (url: string) =>
  Effect.all({
    hasty: client(url, { requestTimeout: "2 seconds" }),
    patient: client(url, { requestTimeout: "2 minutes" })
  })

const endings = ["SUCCEEDED", "PARTIAL_FAILED", "FAILED", "CRASHED"] as const
const tags = { SUCCEEDED: "Succeeded", PARTIAL_FAILED: "PartialFailed", FAILED: "Failed", CRASHED: "Crashed" }

type Outcome = "right" | "unknown" | (string & {})

const millis = (longestRun: number): number => Math.round((0.5 + Math.random() / 2) * longestRun)

/** Submits a run; `None` where the outcome is unknown. One of forty submits gets no answer. */
const submit = ({ hasty, patient }: Clients, index: number, { longestRun }: Scale) => {
  const ending = endings[index % endings.length] ?? "SUCCEEDED"
  const [lume, answer] = index % 40 === 7 ? ([hasty, "unanswered"] as const) : ([patient, "answered"] as const)
  const sourcePath = `${ending}/${millis(longestRun)}/${answer}/${index}-${Math.random()}`
  return lume.run({ flowVersion: "soak:v1", sourcePath }).pipe(
    Effect.asSome,
    Effect.map(Option.map((run) => ({ run, ending }))),
    Effect.catchTag("SubmitOutcomeUnknownError", () => Effect.succeedNone)
  )
}

const wait = (
  lume: LumeClient.Service,
  run: LumeRun.LumeRun,
  ending: (typeof endings)[number],
  { pollInterval }: Scale
) =>
  lume.wait(run, { pollInterval, timeout: "5 minutes" }).pipe(
    Effect.map((run): Outcome => (run._tag === tags[ending] ? "right" : `${ending} read as ${run._tag}`)),
    Effect.catchAll((error) => Effect.succeed<Outcome>(`${error._tag}: ${error.message}`))
  )

/** Submits so many runs, a few at a time, and waits for all of them at once. */
const wave = (clients: Clients, scale: Scale): Effect.Effect<Array<Outcome>, unknown> =>
  Effect.gen(function* () {
    const submitted = yield* Effect.forEach(
      Array.from({ length: scale.waits }).keys(),
      (index) => submit(clients, index, scale),
      { concurrency: 128 }
    )
    return yield* Effect.forEach(
      submitted,
      (one) =>
        Option.isNone(one)
          ? Effect.succeed<Outcome>("unknown")
          : wait(clients.hasty, one.value.run, one.value.ending, scale),
      { concurrency: "unbounded" }
    )
  })

/** One wait of very many polls, against a run that does not end; failures cost it milliseconds. */
const manyPolls = (url: string, polls: number) =>
  Effect.gen(function* () {
    const lume = yield* client(url, { requestTimeout: "25 millis", retry: { base: "1 millis", cap: "2 millis" } })
    const patient = yield* client(url, { requestTimeout: "2 minutes" })
    const run = yield* Effect.eventually(
      patient.run({ flowVersion: "soak:v1", sourcePath: `SUCCEEDED/9999999/hurried/${Math.random()}` })
    )
    const poll = (times: number) => {
      const schedule = Schedule.intersect(Schedule.spaced("1 millis"), Schedule.recurs(times - 1))
      return Effect.flip(lume.wait(run, { schedule, timeout: Infinity }))
    }
    yield* poll(polls / 10)
    const before = yield* heapUsed
    const error = yield* poll(polls)
    // else the heap says nothing of so many polls
    if (error._tag !== "TimeoutError" || error.polls < polls) return yield* Effect.fail(error)
    return (yield* heapUsed) / before
  })

/** Soaks the client, and reports. */
export const soak = (scale: Scale): Effect.Effect<Report, unknown> =>
  Effect.gen(function* () {
    const { child, url } = yield* startLume
    const run = <A, E>(use: (clients: Clients) => Effect.Effect<A, E>) =>
      Effect.flatMap(clients(url), use).pipe(Effect.provide(undici))

    // A first wave of as many but shorter runs, so that what is made once is there: compiled code, and the tables of
    // weak references in effect and Node.js, which keep the size that they once had when their entries are gone.
    yield* run((clients) => wave(clients, { ...scale, longestRun: scale.longestRun / 8 }))
    const resourcesBefore = resources()
    const heapBefore = yield* heapUsed
    const startedAt = performance.now()

    const outcomes = yield* run((clients) => wave(clients, scale))

    const seconds = (performance.now() - startedAt) / 1000
    const summary = {
      right: outcomes.filter((outcome) => outcome === "right").length,
      unknown: outcomes.filter((outcome) => outcome === "unknown").length,
      wrong: outcomes.filter((outcome) => outcome !== "right" && outcome !== "unknown")
    }
    outcomes.length = 0
    const heap = (yield* heapUsed) / heapBefore
    const leftOver = resources().slice(resourcesBefore.length)
    const submitted = yield* Effect.promise(async () => {
      child.send("submitted")
      const [message] = (await once(child, "message")) as [{ submitted: ReadonlyArray<number> }]
      return message.submitted
    })
    return {
      ...summary,
      submittedTwice: submitted.filter((times) => times > 1).length,
      seconds,
      leftOver,
      heap,
      heapOfPolls: yield* Effect.provide(manyPolls(url, scale.polls), undici)
    }
  }).pipe(Effect.scoped)
