/**
 * Events through a real PostgreSQL: who hears them, and what becomes of connections that die, loudly or silently.
 */
import * as PgClient from "@effect/sql-pg/PgClient"
import { assert } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Redacted from "effect/Redacted"
import type { Socket } from "node:net"
import * as LumeClient from "../../src/LumeClient.js"
import * as RunEvents from "../../src/RunEvents.js"
import * as PgRunEvents from "../../src/workflow/PgRunEvents.js"
import { fakeHttp, state } from "../support/fakeHttp.js"
import { client, database, onPostgres, Postgres, proxy } from "./support.js"

const build = (url: string, options?: PgRunEvents.Options, sockets?: Array<Socket>) =>
  Effect.map(Layer.build(Layer.provideMerge(PgRunEvents.layer(options), client(url, sockets))), (context) => ({
    events: Context.get(context, RunEvents.RunEvents),
    sql: Context.get(context, PgClient.PgClient)
  }))

const hears = (
  queue: Queue.Dequeue<void>,
  within: "5 seconds" | "300 millis" | "1 second" | "20 seconds" = "5 seconds"
) => Effect.map(Effect.timeoutOption(Queue.take(queue), within), Option.isSome)

/** Waits for a line in the log. */
const logged = (lines: ReadonlyArray<string>, line: string) =>
  Effect.repeat(Effect.sleep("20 millis"), { until: () => lines.some((logged) => logged.startsWith(line)) })

/** Collects warnings, and what follows them. */
const collected = Effect.sync(() => {
  const lines: Array<string> = []
  const logger = Logger.make(({ logLevel, message }) => {
    if (LogLevel.greaterThanEqual(logLevel, LogLevel.Info)) lines.push(`${logLevel.label} ${String(message)}`)
  })
  return { lines, layer: Logger.replace(Logger.defaultLogger, logger) }
})

onPostgres("PgRunEvents", (it) => {
  it.scoped("wakes who listens for the run in another process, and nobody else", () =>
    Effect.gen(function* () {
      const url = yield* database
      const here = yield* build(url)
      const there = yield* build(url)
      const [first, other] = yield* Effect.all([there.events.subscribe("run_1"), there.events.subscribe("run_2")])
      const own = yield* here.events.subscribe("run_1")
      yield* here.events.publish({ runId: "run_1" })
      assert.isTrue(yield* hears(first))
      assert.isTrue(yield* hears(own))
      assert.isFalse(yield* hears(other, "300 millis"))
    })
  )

  it.scoped("carries a run id of as many bytes as PostgreSQL takes", () =>
    Effect.gen(function* () {
      const url = yield* database
      const here = yield* build(url)
      const there = yield* build(url)
      const longest = "x".repeat(7_999)
      const queue = yield* there.events.subscribe(longest)
      yield* here.events.publish({ runId: longest })
      assert.isTrue(yield* hears(queue))
    })
  )

  it.scoped("says why an event reaches no other process, and why none comes from any", () =>
    Effect.gen(function* () {
      const { layer, lines } = yield* collected
      yield* Effect.gen(function* () {
        const { events } = yield* build(yield* database)
        yield* events.publish({ runId: "run_\0" })
        assert.deepStrictEqual(lines.splice(0), [
          "WARN An event of run run_ reaches this process only, and waits in others find out by their polls: " +
            'PostgreSQL has not taken it, invalid byte sequence for encoding "UTF8": 0x00.'
        ])

        const postgres = yield* Postgres
        const between = yield* proxy(postgres.port)
        const url = (yield* database).replace(`:${postgres.port}`, `:${between.port}`)
        const context = yield* Layer.build(client(url))
        yield* between.refuse(true)
        yield* Layer.build(PgRunEvents.layer({ channel: "a" })).pipe(Effect.provide(context))
      }).pipe(Effect.provide(layer))
      assert.deepStrictEqual(lines, [
        "WARN No events of runs come from PostgreSQL (channel a): Connection terminated unexpectedly. Waits find out by their " +
          "polls. Another connection is tried; it must reach the database itself, or a pooler in session mode."
      ])
    })
  )

  it.scoped("keeps applications on other channels apart", () =>
    Effect.gen(function* () {
      const url = yield* database
      const here = yield* build(url)
      // the longest name
      const there = yield* build(url, { channel: 'Another "channel"'.padEnd(63, "!") })
      const other = yield* there.events.subscribe("run_1")
      yield* here.events.publish({ runId: "run_1" })
      assert.isFalse(yield* hears(other, "300 millis"))
      yield* there.events.publish({ runId: "run_1" })
      assert.isTrue(yield* hears(other))
    })
  )

  it.scoped("wakes a hundred waits in another process, which read their runs twice each", () =>
    Effect.gen(function* () {
      const url = yield* database
      const here = yield* build(url)
      const there = yield* build(url)
      const ended = new Set<string>()
      const http = fakeHttp(({ url }) => {
        const id = url.slice(url.lastIndexOf("/") + 1)
        return state(ended.has(id) ? "SUCCEEDED" : "CREATED", {}, id)
      })
      const lume = yield* Layer.build(
        LumeClient.layerWithEvents({ apiKey: Redacted.make("a-key") }).pipe(
          Layer.provide(http.layer),
          Layer.provide(Layer.succeed(RunEvents.RunEvents, there.events))
        )
      )
      const ids = Array.from({ length: 100 }, (_, index) => `run_${index}`)
      const waits = yield* Effect.fork(
        Effect.provide(
          Effect.forEach(ids, (id) => LumeClient.wait(id), { concurrency: "unbounded" }),
          lume
        )
      )
      yield* Effect.repeat(Effect.sleep("20 millis"), { until: () => http.sent.length >= 100 })
      yield* Effect.forEach(
        ids,
        (runId) =>
          Effect.zipRight(
            Effect.sync(() => ended.add(runId)),
            here.events.publish({ runId })
          ),
        { concurrency: 10 }
      )
      const runs = yield* Effect.timeout(waits, "20 seconds")
      assert.deepStrictEqual(
        runs.map((run) => run.id),
        ids
      )
      assert.lengthOf(http.sent, 200)
    })
  )

  it.scoped("takes nothing of the caller's transaction with it, whatever becomes of either", () =>
    Effect.gen(function* () {
      const { layer, lines } = yield* collected
      const { events, sql } = yield* build(yield* database)
      yield* sql`create table kept (id text)`
      const long = "x".repeat(8_000)
      const queue = yield* events.subscribe(long)
      const strange = yield* events.subscribe("run_\0")
      yield* Effect.gen(function* () {
        yield* sql`insert into kept values ('a')`
        yield* events.publish({ runId: long })
        yield* events.publish({ runId: "run_\0" })
      }).pipe(sql.withTransaction, Effect.provide(layer))
      assert.deepStrictEqual(yield* sql`select id from kept`, [{ id: "a" }])
      // within this process, events need no database
      assert.isTrue(yield* hears(queue))
      assert.isTrue(yield* hears(strange))
      assert.lengthOf(lines, 1)
      assert.match(lines[0] ?? "", /^WARN An event of run x+… reaches this process only, and waits in others find out/)
      assert.include(lines[0], ": a run id of more than 7999 bytes is too long for a notification.")

      const undone = yield* events.subscribe("run_2")
      const failing = Effect.zipRight(events.publish({ runId: "run_2" }), Effect.fail("undone"))
      yield* Effect.ignore(sql.withTransaction(failing))
      assert.isTrue(yield* hears(undone))
    })
  )

  it.scoped("listens again when its connection was ended, and wakes every wait once", () =>
    Effect.gen(function* () {
      const { layer, lines } = yield* collected
      yield* Effect.gen(function* () {
        const url = yield* database
        const { events, sql } = yield* build(url, { heartbeat: "500 millis" })
        const another = yield* build(url)
        const queues = yield* Effect.forEach(["run_1", "run_2"], (id) => events.subscribe(id))
        assert.isFalse(yield* hears(queues[0] ?? assert.fail(), "1 second"), "what is tested is no event")
        assert.deepStrictEqual(lines, [])
        const ended = yield* sql`select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and query like 'LISTEN%'`
        assert.lengthOf(ended, 2)
        assert.isTrue(yield* hears(queues[0] ?? assert.fail(), "20 seconds"))
        assert.isTrue(yield* hears(queues[1] ?? assert.fail()))
        assert.isFalse(yield* hears(queues[0] ?? assert.fail(), "300 millis"))
        yield* another.events.publish({ runId: "run_1" })
        assert.isTrue(yield* hears(queues[0] ?? assert.fail()))
        yield* logged(lines, "INFO Events of runs come from PostgreSQL again (channel effect_lume_run_events).")
        assert.isFalse(yield* hears(queues[0] ?? assert.fail(), "1 second"))
        assert.lengthOf(
          lines.filter((line) => line.startsWith("INFO")),
          1
        )
      }).pipe(Effect.provide(layer))
      const warnings = lines.filter((line) => line.startsWith("WARN"))
      assert.lengthOf(warnings, 2, "one of each of the two")
      assert.match(warnings[0] ?? "", /the connection was closed/)
    })
  )

  it.scoped("wakes its own process while no connection listens, and once where one does", () =>
    Effect.gen(function* () {
      const { layer, lines } = yield* collected
      yield* Effect.gen(function* () {
        const url = yield* database
        const postgres = yield* Postgres
        const between = yield* proxy(postgres.port)
        const { events, sql } = yield* build(url.replace(`:${postgres.port}`, `:${between.port}`))
        const queue = yield* events.subscribe("run_1")
        yield* events.publish({ runId: "run_1" })
        assert.isTrue(yield* hears(queue))
        assert.isFalse(yield* hears(queue, "300 millis"), "heard twice")

        // the pool keeps its connection
        yield* between.refuse(true)
        yield* sql`select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and query like 'LISTEN%'`
        yield* logged(lines, "WARN No events of runs come from PostgreSQL")
        yield* events.publish({ runId: "run_1" })
        assert.isTrue(yield* hears(queue, "300 millis"))
      }).pipe(Effect.provide(layer))
    })
  )

  it.scoped("warns once where each connection is closed as soon as it listens, until one is kept", () =>
    Effect.gen(function* () {
      const { layer, lines } = yield* collected
      yield* Effect.gen(function* () {
        const { events, sql } = yield* build(yield* database, { heartbeat: "2 seconds" })
        const queue = yield* events.subscribe("run_1")
        const end = sql`select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and query like 'LISTEN%'`
        for (let times = 0; times < 3; times++) {
          yield* end
          assert.isTrue(yield* hears(queue, "20 seconds"), "it listens again")
        }
        yield* logged(lines, "INFO Events of runs come from PostgreSQL again")
      }).pipe(Effect.provide(layer))
      assert.lengthOf(
        lines.filter((line) => line.startsWith("WARN")),
        1
      )
    })
  )

  it.effect("refuses a channel and a heartbeat that can't be right", () =>
    Effect.gen(function* () {
      const url = yield* database
      const refusals = yield* Effect.forEach(
        [
          { channel: "" },
          { channel: "ä".repeat(32) },
          { channel: "a\0b" },
          { channel: 5 },
          { heartbeat: 0 },
          { heartbeat: "1 hours ago" }
        ],
        (options) =>
          // what TypeScript refuses too
          Layer.build(PgRunEvents.layer(options as PgRunEvents.Options)).pipe(
            Effect.scoped,
            Effect.provide(client(url)),
            Effect.flip
          )
      )
      assert.deepStrictEqual(
        refusals.map((error) => [error._tag, /channel|heartbeat/.exec(error.message)?.[0]]),
        [...Array<string>(4).fill("channel"), "heartbeat", "heartbeat"].map((name) => ["InvalidRequestError", name])
      )
    })
  )

  it.scoped("notices a connection that died without a word, and listens on another one", () =>
    Effect.gen(function* () {
      const { layer, lines } = yield* collected
      const url = yield* database
      const postgres = yield* Postgres
      const between = yield* proxy(postgres.port)
      yield* Effect.gen(function* () {
        const direct = yield* build(url)
        const sockets: Array<Socket> = []
        const options = { heartbeat: "500 millis" } as const
        const { events } = yield* build(url.replace(`:${postgres.port}`, `:${between.port}`), options, sockets)
        const queue = yield* events.subscribe("run_1")
        const [pool, ...dead] = sockets.filter((socket) => !socket.destroyed)
        yield* between.goSilent
        yield* direct.events.publish({ runId: "run_1" })
        assert.isTrue(yield* hears(queue, "20 seconds"))
        assert.isAbove(dead.length, 1)
        assert.isTrue(
          dead.every((socket) => socket.destroyed),
          "they would not end by themselves"
        )
        assert.isFalse(pool?.destroyed)
        yield* direct.events.publish({ runId: "run_1" })
        assert.isTrue(yield* hears(queue))
      }).pipe(Effect.provide(layer))
      const warnings = lines.filter((line) => line.startsWith("WARN"))
      assert.lengthOf(warnings, 1)
      assert.include(warnings[0], "a notification to itself did not come back")
    })
  )

  it.scoped("goes on after a restart of the database, and says nothing twice", () =>
    Effect.gen(function* () {
      const { layer, lines } = yield* collected
      yield* Effect.gen(function* () {
        const postgres = yield* Postgres
        const { events } = yield* build(yield* database)
        const queue = yield* events.subscribe("run_1")
        yield* postgres.restart
        assert.isTrue(yield* hears(queue, "20 seconds"))
        yield* events.publish({ runId: "run_1" })
        assert.isTrue(yield* hears(queue))
      }).pipe(Effect.provide(layer))
      assert.lengthOf(
        lines.filter((line) => line.startsWith("WARN")),
        1
      )
    })
  )

  it.scoped("leaves no connection behind when its layer is closed", () =>
    Effect.gen(function* () {
      const url = yield* database
      const watching = yield* build(url, { channel: "other" })
      yield* Effect.scoped(build(url))
      const listening = watching.sql`select 1 from pg_stat_activity
        where datname = current_database() and query like 'LISTEN%'`
      const left = yield* Effect.repeat(Effect.delay(listening, "50 millis"), {
        until: (rows) => rows.length === 1,
        times: 40
      })
      assert.lengthOf(left, 1)
    })
  )
})
