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
import {
  type Client,
  createClient,
  type InStatement,
  LibsqlError,
  type Transaction,
  type TransactionMode
} from "@libsql/client"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import { setTimeout as pause } from "node:timers/promises"

type Settings = Partial<ShardingConfig.ShardingConfig["Type"]>

const settings: Settings = {
  // how long work that goes on may hold up the end of the process (the engine's default: 15 seconds)
  entityTerminationTimeout: "1 second",
  // how soon work of another process, or of this one before it was killed, is found (default: 10 seconds)
  entityMessagePollInterval: "1 second"
}

/** What the driver throws where something else locks the file for longer than it waits. */
const isBusy = (error: unknown): boolean => error instanceof LibsqlError && error.code.startsWith("SQLITE_BUSY")

/** A client of a file that waits for others who read it, or back it up. */
const waiting = async (file: string): Promise<Client> => {
  const open = () => createClient({ url: `file:${file}`, intMode: "bigint" })
  const wait = () => client.execute("pragma busy_timeout = 1000")

  let client = open()
  await client.execute("pragma journal_mode = wal")
  await wait()

  // a statement that was told so stays open in its connection, which then commits nothing: another one is needed
  const renewed = async <A>(use: () => Promise<A>): Promise<A> => {
    try {
      return await use()
    } catch (error) {
      if (isBusy(error)) {
        client.close()
        client = open()
        await wait()
      }
      throw error
    }
  }

  // until it begins: the layer below never gives a permit back whose transaction did not begin
  const transaction = async (mode: TransactionMode = "write"): Promise<Transaction> => {
    try {
      const begun = await renewed(() => client.transaction(mode))
      // the driver has a connection for each transaction, and the next one is to wait, too
      await wait()
      return begun
    } catch (error) {
      if (!isBusy(error)) throw error
      // so that everything else goes on: the driver's own waiting stops the event loop
      await pause(100)
      return transaction(mode)
    }
  }

  // for the methods that the layer does not call
  const rest = open()
  rest.close()
  return Object.assign(rest, {
    close: () => client.close(),
    execute: (statement: InStatement) => renewed(() => client.execute(statement)),
    transaction
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
