/**
 * One machine, SQLite, and a process that is killed thirty times while it submits and waits.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import { join } from "node:path"
import { SqliteClient } from "../../examples/durable/storage.js"
import { begunIn, built, folder, killedTwice, lume, runner, statusesIn } from "./support.js"

const kills = 30
/** How many workflows each process starts; each has five submits and waits at a time. */
const workflows = 2

describe("on SQLite", () => {
  it.scopedLive(
    "a process that is killed at any point loses nothing and doubles nothing",
    () =>
      Effect.gen(function* () {
        const file = yield* built
        const database = join(yield* folder, "workflows.db")
        const server = yield* lume
        server.answerAfter = 100
        server.runsFor = 500
        const process = (started: number) =>
          runner(file, { DATABASE: database, LUME: server.url, START: started * workflows, CONCURRENCY: 5 })

        let begun = 0
        for (let kill = 1; kill <= kills; kill++) {
          yield* Effect.scoped(
            Effect.gen(function* () {
              yield* (yield* process(kill)).prints("started")
              yield* Effect.sleep(yield* Random.nextIntBetween(0, 3_000))
            })
          )
          begun += yield* Effect.provide(begunIn, SqliteClient(database))
        }

        const last = yield* process(kills)
        const statuses = yield* Effect.provide(statusesIn(kills * workflows), SqliteClient(database)).pipe(
          Effect.tapErrorCause(() => Effect.logError(last.output()))
        )

        const all = statuses.flat()
        const count = (wanted: string) => all.filter((status) => status === wanted).length
        const [succeeded, unknown] = [count("SUCCEEDED"), count("SubmitOutcomeUnknownError")]
        assert.strictEqual(succeeded + unknown, kills * workflows * 5, "something else, or something lost")
        assert.strictEqual(new Set(server.submits).size, server.submits.length, "a path that was submitted twice")
        assert.isAtLeast(server.submits.length, succeeded)
        assert.isAtMost(unknown, begun, "an unknown outcome of a submit that nobody had begun")
        yield* Effect.log(
          `${succeeded} succeeded, ${unknown} unknown, ${begun} begun when a process was killed, ${server.submits.length} submitted`
        )
      }),
    600_000
  )

  it.scopedLive("the example's batch goes on where it was, twice, and submits nothing twice", () =>
    killedTwice(undefined)
  )
})
