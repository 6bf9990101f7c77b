/**
 * Durable waits: rows and CPU time a wait, and the time to take over after a kill. On a PostgreSQL of its own with two
 * processes, and on a file of SQLite with one. The processes are those of the tests.
 */
import * as Effect from "effect/Effect"
import { execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { register } from "tsx/esm/api"
import { finish, number, print, printTable } from "./harness.mjs"

register()
const postgres = await import("../scripts/postgres.ts")
const support = await import("../test/durable/support.ts")
const storage = await import("../examples/durable/storage.ts")
const PgClient = await import("@effect/sql-pg/PgClient")
const Redacted = await import("effect/Redacted")
const SqlClient = await import("@effect/sql/SqlClient")

const waits = 1_000
const ticks = Number(execFileSync("getconf", ["CLK_TCK"]))

/** CPU time of a process so far, in milliseconds. */
const cpuOf = (/** @type {{ readonly process: import("node:child_process").ChildProcess }} */ { process }) => {
  const fields = readFileSync(`/proc/${process.pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ")
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / ticks
}

const seen = (/** @type {() => boolean} */ isSo) =>
  Effect.timeout(Effect.repeat(Effect.sleep("20 millis"), { until: isSo }), "150 seconds")

const rows = Effect.flatMap(SqlClient.SqlClient, (sql) =>
  Effect.map(
    sql`select (select count(*) from cluster_messages) + (select count(*) from cluster_replies) as count`,
    ([row]) => Number(row.count)
  )
)

/** @typedef {{ readonly name: string, readonly database: string, readonly client: any, readonly processes: number }} Storage */

/** Processes, the last of which starts the workflows. */
const started = (
  /** @type {Storage} */ { database, processes },
  /** @type {any} */ lume,
  /** @type {number} */ workflows
) =>
  Effect.gen(function* () {
    const file = yield* support.built
    return yield* Effect.forEach(Array.from({ length: processes }), (_, index) =>
      Effect.gen(function* () {
        const START = index === processes - 1 ? workflows : 0
        const RUNNER_PORT = yield* support.freePort
        const running = yield* support.runner(file, {
          DATABASE: database,
          LUME: lume.url,
          RUNNER_PORT,
          START,
          POLL: 5_000
        })
        yield* running.prints("started")
        return { running, before: START === 0 ? cpuOf(running) : 0 }
      })
    )
  })

/** Rows and CPU time of each wait: a workflow with one submit and one wait, whose run takes 10 seconds. */
const cost = (/** @type {Storage} */ storage) =>
  Effect.scoped(
    Effect.gen(function* () {
      const lume = yield* support.lume
      lume.runsFor = 10_000
      const processes = yield* started(storage, lume, waits)
      const statuses = (yield* Effect.provide(support.statusesIn(waits), storage.client)).flat()
      const cpu = processes.reduce((sum, { before, running }) => sum + cpuOf(running) - before, 0)
      const polls = [...lume.reads.values()].reduce((sum, count) => sum + count, 0)
      const succeeded = statuses.filter((status) => status === "SUCCEEDED").length
      return {
        cpu: cpu / waits,
        succeeded,
        rows: (yield* Effect.provide(rows, storage.client)) / waits,
        polls: polls / waits
      }
    })
  )

/** The time from the kill of the process that makes waits until each of them is made again, in milliseconds. */
const takeOver = (/** @type {Storage} */ storage) =>
  Effect.scoped(
    Effect.gen(function* () {
      const lume = yield* support.lume
      lume.runsFor = 600_000
      const processes = yield* started(storage, lume, 100)
      yield* seen(() => lume.reads.size === 100)
      const { running } = processes[processes.length - 1]
      running.process.kill("SIGKILL")
      yield* running.ended
      const killed = Date.now()
      const before = new Map(lume.reads)
      if (storage.processes === 1) yield* started(storage, lume, 0)
      yield* seen(() => [...lume.reads].every(([id, count]) => count > (before.get(id) ?? 0)))
      return Date.now() - killed
    })
  )

const program = Effect.gen(function* () {
  const cluster = yield* postgres.start
  const onPostgres = (/** @type {string} */ name) =>
    Effect.map(cluster.database(name), (url) => ({
      name: "PostgreSQL, two processes",
      database: url,
      client: PgClient.layer({ url: Redacted.make(url) }),
      processes: 2
    }))
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "bench-durable-"))),
    (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
  )
  const onSqlite = (/** @type {string} */ name) =>
    Effect.sync(() => {
      const database = join(folder, name)
      return { name: "SQLite, one process", database, client: storage.SqliteClient(database), processes: 1 }
    })

  const results = yield* Effect.forEach([onPostgres, onSqlite], (make) =>
    Effect.gen(function* () {
      const made = yield* make("cost")
      const { cpu, polls, rows, succeeded } = yield* cost(made)
      return { name: made.name, cpu, polls, rows, succeeded, takeOver: yield* takeOver(yield* make("takeover")) }
    })
  )
  print(`${waits} workflows with a submit and a wait each, polls every 5 s, runs of 10 s; shard locks of 5 s\n`)
  printTable(
    ["storage", "ended well", "rows a wait", "polls a wait", "CPU ms a wait", "taken over after, s"],
    results.map(({ cpu, name, polls, rows, succeeded, takeOver }) => [
      name,
      String(succeeded),
      number(rows, 1),
      number(polls, 1),
      number(cpu, 1),
      number(takeOver / 1_000, 1)
    ])
  )
  return results
})

const results = await Effect.runPromise(Effect.scoped(program))
finish(results.map(({ name, rows }) => ({ name: `rows a wait: ${name}`, value: rows, most: 10 })))
