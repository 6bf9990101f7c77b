/**
 * More submits and waits at once than the engine takes of one workflow.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Workflow from "@effect/workflow/Workflow"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { join } from "node:path"
import { sqlite } from "../../examples/durable/storage.js"
import * as LumeClient from "../../src/LumeClient.js"
import * as LumeTest from "../../src/LumeTest.js"
import * as LumeWorkflow from "../../src/workflow/LumeWorkflow.js"
import { folder } from "./support.js"

const capacity = 10

const Batch = Workflow.make({
  name: "Batch",
  payload: {},
  idempotencyKey: () => "",
  success: Schema.Array(Schema.String)
})

const batch = Batch.toLayer(() =>
  Effect.forEach(
    Array.from({ length: capacity + 2 }, (_, index) => `run ${index}`),
    (name) => LumeWorkflow.runAndWait({ name, request: { flowVersion: "a:v1", sourcePath: name } }),
    { concurrency: "unbounded" }
  ).pipe(
    Effect.map((runs) => runs.map(({ status }) => status)),
    Effect.orDie
  )
)

const client = Layer.mock(LumeClient.LumeClient, {
  run: () => Effect.succeed(LumeTest.run("Created")),
  wait: () => Effect.succeed(LumeTest.run("Succeeded"))
})

describe("on SQLite", () => {
  it.scopedLive("a workflow with more submits at once than the engine's mailbox holds ends", () =>
    Effect.gen(function* () {
      const engine = sqlite(join(yield* folder, "workflows.db"), {
        entityMailboxCapacity: capacity,
        entityMessagePollInterval: "200 millis",
        sendRetryInterval: "50 millis"
      })
      const statuses = yield* Batch.execute().pipe(
        Effect.provide(Layer.provideMerge(batch, engine)),
        Effect.provide(client),
        Effect.disconnect,
        Effect.timeout("30 seconds")
      )
      assert.deepStrictEqual(statuses, Array<string>(capacity + 2).fill("SUCCEEDED"))
    })
  )
})
