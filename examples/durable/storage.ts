/**
 * Where workflows are kept, and who runs them: a file of SQLite and this process, or a PostgreSQL and every process that
 * is given it.
 */
import * as ClusterWorkflowEngine from "@effect/cluster/ClusterWorkflowEngine"
import * as RunnerAddress from "@effect/cluster/RunnerAddress"
import type * as ShardingConfig from "@effect/cluster/ShardingConfig"
import * as SingleRunner from "@effect/cluster/SingleRunner"
import * as NodeClusterSocket from "@effect/platform-node/NodeClusterSocket"
import * as LibsqlClient from "@effect/sql-libsql/LibsqlClient"
import * as PgClient from "@effect/sql-pg/PgClient"
import { type Client, createClient, type TransactionMode } from "@libsql/client"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"

type Settings = Partial<ShardingConfig.ShardingConfig["Type"]>

const settings: Settings = {
  // how long work that goes on may hold up the end of the process (the engine's default: 15 seconds)
  entityTerminationTimeout: "1 second",
  // how soon work of another process, or of this one before it was killed, is found (default: 10 seconds)
  entityMessagePollInterval: "1 second"
}

/**
 * A client of a file that waits for others who read it, or back it up. The driver has a connection for each transaction, and
 * each of them is to wait.
 */
const waiting = async (file: string): Promise<Client> => {
  const client = createClient({ url: `file:${file}`, intMode: "bigint" })
  await client.executeMultiple("pragma journal_mode = wal; pragma busy_timeout = 1000")
  const begin = client.transaction.bind(client)
  return Object.assign(client, {
    transaction: async (mode: TransactionMode = "write") => {
      const transaction = await begin(mode)
      await client.execute("pragma busy_timeout = 1000")
      return transaction
    }
  })
}

/** Such a client, as a layer. */
export const SqliteClient = (file: string) =>
  Layer.unwrapScoped(
    Effect.map(
      Effect.acquireRelease(
        Effect.promise(() => waiting(file)),
        (client) => Effect.sync(() => client.close())
      ),
      (liveClient) => LibsqlClient.layer({ liveClient })
    )
  )

/** Workflows in a file of this machine's disk, which only this process opens for writing. */
export const sqlite = (file: string, more: Settings = {}) =>
  ClusterWorkflowEngine.layer.pipe(
    Layer.provideMerge(SingleRunner.layer({ runnerStorage: "memory", shardingConfig: { ...settings, ...more } })),
    Layer.provideMerge(SqliteClient(file))
  )

/** Workflows in a PostgreSQL, run by every process with this; the others reach this one at `port`. */
export const postgres = (url: Redacted.Redacted, port: number, more: Settings = {}) =>
  ClusterWorkflowEngine.layer.pipe(
    Layer.provideMerge(
      NodeClusterSocket.layer({
        storage: "sql",
        shardingConfig: { ...settings, ...more, runnerAddress: Option.some(RunnerAddress.make("127.0.0.1", port)) }
      })
    ),
    Layer.provideMerge(PgClient.layer({ url }))
  )
