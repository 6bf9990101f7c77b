/**
 * Several processes on one PostgreSQL: killed, ended, stopped and restarted under load.
 */
import { assert } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { built, freePort, killedTwice, lume, type Lume, runner, type Running, statusesIn } from "../durable/support.js"
import { client, database, onPostgres, Postgres } from "./support.js"

/** As the runner has them: until others notice that a process is gone, and until they look for its work, in seconds. */
const lock = 5
const polls = 3

/** A database, a Lume, and a way to start processes on them. */
const machines = Effect.gen(function* () {
  const file = yield* built
  const server = yield* lume
  const url = yield* database
  const started: Array<Running> = []
  const start = (workflows: number) =>
    Effect.flatMap(freePort, (port) =>
      Effect.tap(
        runner(file, { DATABASE: url, LUME: server.url, RUNNER_PORT: port, START: workflows, CONCURRENCY: 1 }),
        (running) => {
          started.push(running)
          return running.prints("started")
        }
      )
    )
  // a defect of the engine is an unknown outcome to the workflow, so it is looked for in what they print
  const assertNoDefect = () => started.forEach(({ output }) => assert.notInclude(output(), "has ended in a defect"))
  return {
    assertNoDefect,
    server,
    start,
    statuses: (workflows: number) => Effect.provide(statusesIn(workflows), client(url))
  }
})

const until = (isSo: () => boolean) =>
  Effect.repeat(Effect.sleep("50 millis"), { until: isSo }).pipe(Effect.timeout("1 minute"))

const assertOnce = ({ submits }: Lume, most: number) => {
  assert.strictEqual(new Set(submits).size, submits.length, "a path that was submitted twice")
  assert.isAtMost(submits.length, most)
}

onPostgres("several processes", (it) => {
  it.scoped("take over the waits of one that was killed, after a time that is logged", () =>
    Effect.gen(function* () {
      const { server, start, statuses } = yield* machines
      server.runsFor = 60_000
      const killed = yield* start(20)
      const other = yield* start(0)
      yield* until(() => server.reads.size === 20)
      killed.process.kill("SIGKILL")
      yield* killed.ended
      const reads = new Map(server.reads)
      const [taken] = yield* Effect.timed(
        until(() => [...server.reads].every(([id, count]) => count > (reads.get(id) ?? 0)))
      )
      server.runsFor = 0
      assert.deepStrictEqual((yield* statuses(20)).flat(), Array<string>(20).fill("SUCCEEDED"), other.output())
      assertOnce(server, 20)
      yield* Effect.log(`taken over after ${Duration.format(taken)}`)
    })
  )

  it.scoped("go on where one was told to end, which loses nothing, and ends after a time that is logged", () =>
    Effect.gen(function* () {
      const { server, start, statuses } = yield* machines
      server.runsFor = 60_000
      server.answerAfter = 200
      const ending = yield* start(20)
      yield* start(0)
      yield* until(() => server.reads.size === 20)
      ending.process.kill("SIGTERM")
      const [took] = yield* Effect.timed(ending.ended)
      server.runsFor = 0
      assert.deepStrictEqual((yield* statuses(20)).flat(), Array<string>(20).fill("SUCCEEDED"), ending.output())
      assertOnce(server, 20)
      yield* Effect.log(`ended after ${Duration.format(took)}`)
    })
  )

  it.scoped("submit nothing twice where one was stopped past its lock and goes on", () =>
    Effect.gen(function* () {
      const { server, start, statuses } = yield* machines
      server.answerAfter = 1_000
      const stopped = yield* start(0)
      yield* start(0)
      yield* start(20)
      yield* until(() => server.submits.length >= 5)
      stopped.process.kill("SIGSTOP")
      yield* Effect.sleep(Duration.seconds(2 * lock + polls))
      stopped.process.kill("SIGCONT")
      const all = (yield* statuses(20)).flat()
      const allowed = new Set(["SUCCEEDED", "SubmitOutcomeUnknownError"])
      assert.deepStrictEqual(
        all.filter((status) => !allowed.has(status)),
        []
      )
      assertOnce(server, 20)
    })
  )

  it.scoped("are restarted one after the other under load, and no workflow ends in a defect", () =>
    Effect.gen(function* () {
      const { assertNoDefect, server, start, statuses } = yield* machines
      server.runsFor = 2_000
      server.answerAfter = 50
      let first = yield* start(20)
      let second = yield* start(0)
      for (const started of [40, 60, 80]) {
        first.process.kill("SIGTERM")
        yield* first.ended
        first = second
        second = yield* start(started)
      }
      const all = (yield* statuses(80)).flat()
      const unknown = all.filter((status) => status === "SubmitOutcomeUnknownError")
      assert.lengthOf(
        all.filter((status) => status === "SUCCEEDED"),
        80 - unknown.length,
        second.output()
      )
      assertOnce(server, 80)
      assertNoDefect()
    })
  )

  it.scoped("go on after a restart of the database", () =>
    Effect.gen(function* () {
      const { server, start, statuses } = yield* machines
      const postgres = yield* Postgres
      server.runsFor = 3_000
      const other = yield* start(0)
      const running = yield* start(20)
      yield* until(() => server.submits.length >= 10)
      yield* postgres.restart
      const all = (yield* statuses(20)).flat()
      const allowed = new Set(["SUCCEEDED", "SubmitOutcomeUnknownError"])
      assert.deepStrictEqual(
        all.filter((status) => !allowed.has(status)),
        [],
        running.output() + other.output()
      )
      assertOnce(server, 20)
    })
  )

  it.scoped("of the example: its batch goes on where it was, twice, and submits nothing twice", () =>
    Effect.flatMap(database, killedTwice)
  )
})
