/**
 * What the tests on a real PostgreSQL share: one cluster for a file's tests, a database for each, a proxy that can go
 * silent.
 */
import { layer, type Vitest } from "@effect/vitest"
import * as PgClient from "@effect/sql-pg/PgClient"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { connect, createServer, type AddressInfo, Socket } from "node:net"
import { describe, it } from "vitest"
import * as postgres from "../../scripts/postgres.js"

/** A running cluster. */
export class Postgres extends Context.Tag("test/Postgres")<Postgres, postgres.Postgres>() {}

const Running = Layer.scoped(Postgres, postgres.start)

/** Tests on a cluster. Where there is none they are skipped, and say so; CI has to have one. */
export const onPostgres = (name: string, tests: (it: Vitest.MethodsNonLive<Postgres, true>) => void) => {
  if (postgres.folder() !== undefined || process.env["REQUIRE_POSTGRES"] !== undefined) {
    return describe(name, () => layer(Running, { excludeTestServices: true, timeout: "1 minute" })(tests))
  }
  return describe(name, () => {
    it.skip("PostgreSQL is not installed: `apt-get install -y postgresql` has it", () => {})
  })
}

let databases = 0

/** A new database, by its URL. */
export const database = Effect.flatMap(Postgres, (postgres) => {
  databases++
  return postgres.database(`test_${databases}`)
})

/** A client of a database. Its sockets are added to the list, if one is given. */
export const client = (url: string, sockets?: Array<Socket>) => {
  const stream = () => {
    const socket = new Socket()
    sockets?.push(socket)
    return socket
  }
  return PgClient.layer({ url: Redacted.make(url), ...(sockets === undefined ? {} : { stream }) })
}

/** A way to a port that can fail. */
export interface Proxy {
  readonly port: number
  /** Connections take bytes and pass none on, in either direction, without a word, not even an end. New ones are fine. */
  readonly goSilent: Effect.Effect<void>
  /** Whether new connections are closed at once. */
  readonly refuse: (refuses: boolean) => Effect.Effect<void>
  /** Closes all connections. */
  readonly closeAll: Effect.Effect<void>
}

/** Passes bytes on to `port`. */
export const proxy = (port: number) =>
  Effect.acquireRelease(
    Effect.async<{ readonly proxy: Proxy; readonly close: () => void }>((resume) => {
      const pairs = new Set<readonly [Socket, Socket]>()
      let isRefusing = false
      const server = createServer({ allowHalfOpen: true }, (near) => {
        if (isRefusing) return near.destroy()
        const far = connect({ port, host: "127.0.0.1", allowHalfOpen: true })
        pairs.add([near, far])
        near.pipe(far)
        far.pipe(near)
        near.on("error", () => far.destroy())
        far.on("error", () => near.destroy())
        return undefined
      })
      const destroyAll = () => {
        for (const pair of pairs) pair.forEach((socket) => socket.destroy())
      }
      const goSilent = Effect.sync(() => {
        for (const [near, far] of pairs) {
          near.unpipe(far)
          far.unpipe(near)
          // they are read, and nothing comes of it
          near.resume()
          far.resume()
        }
      })
      const refuse = (refuses: boolean) => Effect.sync(() => void (isRefusing = refuses))
      server.listen(0, "127.0.0.1", () => {
        // it listens on TCP
        const { port } = server.address() as AddressInfo
        const close = () => {
          destroyAll()
          server.close()
        }
        resume(Effect.succeed({ proxy: { port, goSilent, refuse, closeAll: Effect.sync(destroyAll) }, close }))
      })
    }),
    ({ close }) => Effect.sync(close)
  ).pipe(Effect.map(({ proxy }) => proxy))
