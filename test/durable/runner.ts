/**
 * A process that runs durable workflows, to be killed. What it is given stands in its environment:
 *
 * - `DATABASE`: the URL of a PostgreSQL, or a file for SQLite
 * - `LUME`: the URL of a Lume
 * - `RUNNER_PORT`: where other runners reach this one (PostgreSQL)
 * - `START`: how many workflows to start; each is started once, however many processes start it
 * - `POLL`: milliseconds between two reads of a run
 * - `CONCURRENCY`: how many submits and waits one workflow has at a time
 */
import type * as ShardingConfig from "@effect/cluster/ShardingConfig"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Workflow from "@effect/workflow/Workflow"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { postgres, sqlite } from "../../examples/durable/storage.js"
import * as LumeClient from "../../src/LumeClient.js"
import type * as LumeError from "../../src/LumeError.js"
import * as LumeWorkflow from "../../src/workflow/LumeWorkflow.js"

const { CONCURRENCY = "1", DATABASE = "", LUME = "", POLL = "100", RUNNER_PORT = "0", START = "0" } = process.env

const Batch = Workflow.make({
  name: "Batch",
  payload: { number: Schema.Number },
  idempotencyKey: ({ number }) => String(number),
  // one status, or the tag of an error, for each of its runs
  success: Schema.Array(Schema.String)
})

const batch = Batch.toLayer(({ number }) =>
  Effect.forEach(
    Array.from({ length: Number(CONCURRENCY) }, (_, index) => index),
    (index) =>
      Effect.match(
        Effect.tapError(
          LumeWorkflow.runAndWait({
            name: `run ${index}`,
            request: { flowVersion: "a:v1", sourcePath: `${number}/${index}` },
            pollInterval: Number(POLL)
          }),
          // why a test's workflow came to something else than it should
          ({ message }) => Console.error(message)
        ),
        { onSuccess: (run) => run.status, onFailure: (error: LumeError.LumeError) => error._tag }
      ),
    { concurrency: "unbounded" }
  )
)

const config: Partial<ShardingConfig.ShardingConfig["Type"]> = {
  entityMessagePollInterval: "500 millis",
  refreshAssignmentsInterval: "500 millis",
  runnerHealthCheckInterval: "2 seconds",
  shardLockExpiration: "5 seconds",
  shardLockRefreshInterval: "1 second",
  shardsPerGroup: 30
}

const storage = DATABASE.startsWith("postgres:")
  ? postgres(Redacted.make(DATABASE), Number(RUNNER_PORT), config)
  : sqlite(DATABASE, config)

const lume = LumeClient.layer({ apiKey: Redacted.make("a-key"), baseUrl: LUME }).pipe(
  Layer.provide(FetchHttpClient.layer)
)

const engine = batch.pipe(Layer.provideMerge(storage), Layer.provide(lume))

const program = Effect.gen(function* () {
  yield* Effect.forEach(
    Array.from({ length: Number(START) }, (_, number) => number),
    (number) => Batch.execute({ number }, { discard: true }),
    { concurrency: 10 }
  )
  yield* Console.log("started")
  return yield* Effect.never
})

program.pipe(Effect.provide(engine), NodeRuntime.runMain)
