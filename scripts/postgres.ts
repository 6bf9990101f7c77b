/**
 * A PostgreSQL to throw away: a cluster of its own in a temporary folder, on loopback, as a user that is not root.
 */
import * as Reactivity from "@effect/experimental/Reactivity"
import * as PgClient from "@effect/sql-pg/PgClient"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process"
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs"
import { createServer, type AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"

/** PostgreSQL could not be started. */
export class PostgresError extends Data.TaggedError("PostgresError")<{ readonly message: string }> {}

/** A running cluster. */
export interface Postgres {
  readonly port: number
  /** Makes a database of this name, and gives its URL. */
  readonly database: (name: string) => Effect.Effect<string, PostgresError>
  /** Stops it at once, as a crash of the machine would, and starts it again. */
  readonly restart: Effect.Effect<void, PostgresError>
}

const debian = "/usr/lib/postgresql"

/** The folder of PostgreSQL's programs; none where it is not installed. */
export const folder = (): string | undefined => {
  const versions = existsSync(debian) ? readdirSync(debian).toSorted((a, b) => Number(b) - Number(a)) : []
  const folders = [
    ...versions.map((version) => join(debian, version, "bin")),
    ...(process.env["PATH"] ?? "").split(delimiter)
  ]
  return folders.find((bin) => ["postgres", "initdb"].every((program) => existsSync(join(bin, program))))
}

/** Who PostgreSQL runs as: it refuses root. */
const user = (): { readonly uid?: number; readonly gid?: number } => {
  if (process.getuid?.() !== 0) return {}
  const id = (flag: string) => Number(execFileSync("id", [flag, "nobody"], { encoding: "utf8" }))
  return { uid: id("-u"), gid: id("-g") }
}

const freePort = Effect.async<number>((resume) => {
  const server = createServer()
  server.listen(0, "127.0.0.1", () => {
    // it listens on TCP
    const { port } = server.address() as AddressInfo
    server.close(() => resume(Effect.succeed(port)))
  })
})

const settings = (port: number) => [
  "listen_addresses=127.0.0.1",
  `port=${port}`,
  "unix_socket_directories=",
  "log_min_messages=fatal",
  // Nothing here outlives the machine. A restart outlives the server, so what is committed is written at once.
  "fsync=off",
  "full_page_writes=off"
]

/** Starts a cluster; it is stopped and removed with the scope. */
export const start: Effect.Effect<Postgres, PostgresError, Scope.Scope> = Effect.gen(function* () {
  const bin = folder()
  if (bin === undefined) return yield* new PostgresError({ message: "PostgreSQL is not installed" })
  const as = user()
  const data = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "postgres-"))),
    (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
  )
  if (as.uid !== undefined && as.gid !== undefined) chownSync(data, as.uid, as.gid)
  const made = spawnSync(
    join(bin, "initdb"),
    ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"],
    {
      ...as,
      cwd: data,
      encoding: "utf8"
    }
  )
  if (made.status !== 0) return yield* new PostgresError({ message: made.stderr })
  const port = yield* freePort
  const url = (database: string) => `postgres://postgres@127.0.0.1:${port}/${database}`

  let server: ChildProcess | undefined
  const launch = Effect.sync(() => {
    const options = settings(port).flatMap((setting) => ["-c", setting])
    server = spawn(join(bin, "postgres"), ["-D", data, ...options], { ...as, cwd: data, stdio: "ignore" })
  })
  // at once: who is connected is cut off
  const stop = Effect.async<void>((resume) => {
    if (server === undefined || server.exitCode !== null) return resume(Effect.void)
    server.once("exit", () => resume(Effect.void))
    server.kill("SIGQUIT")
  })
  const query = (statement: string) =>
    Effect.scoped(
      Effect.flatMap(PgClient.make({ url: Redacted.make(url("postgres")), maxConnections: 1 }), (sql) =>
        sql.unsafe(statement)
      )
    ).pipe(
      Effect.provide(Reactivity.layer),
      Effect.mapError((error) => new PostgresError({ message: `port ${port}: ${String(error.cause)}` }))
    )
  const isUp = Effect.retry(query("select 1"), { times: 100, schedule: Schedule.spaced("100 millis") })

  yield* Effect.acquireRelease(launch, () => stop)
  yield* isUp
  return {
    port,
    database: (name) => Effect.as(query(`create database "${name}"`), url(name)),
    restart: Effect.zipRight(Effect.zipRight(stop, launch), Effect.asVoid(isUp))
  }
})
