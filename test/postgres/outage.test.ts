/**
 * A PostgreSQL that is away for a moment, with the engine's own settings, of which the lock of a shard outlives it.
 */
import { assert } from "@effect/vitest"
import * as Workflow from "@effect/workflow/Workflow"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { postgres } from "../../examples/durable/storage.js"
import * as LumeClient from "../../src/LumeClient.js"
import * as LumeTest from "../../src/LumeTest.js"
import * as LumeWorkflow from "../../src/workflow/LumeWorkflow.js"
import { freePort } from "../durable/support.js"
import { database, onPostgres, Postgres, proxy } from "./support.js"

const Two = Workflow.make({
  name: "Two",
  payload: {},
  idempotencyKey: () => "",
  success: Schema.Array(Schema.String)
})

const two = Two.toLayer(() =>
  Effect.all(
    [
      LumeWorkflow.submit({ name: "orders", request: { flowVersion: "a:v1", sourcePath: "b" } }),
      LumeWorkflow.wait({ name: "orders", run: "run_1" })
    ],
    { concurrency: "unbounded" }
  ).pipe(
    Effect.map((runs) => runs.map(({ status }) => String(status))),
    Effect.orDie
  )
)

onPostgres("an outage of 3 seconds", (it) => {
  it.scoped("while results are written ends no submit and no wait, and nothing is sent twice", () =>
    Effect.gen(function* () {
      const cluster = yield* Postgres
      const between = yield* proxy(cluster.port)
      const url = (yield* database).replace(`:${cluster.port}`, `:${between.port}`)
      let submits = 0
      let waits = 0
      const outage = Effect.whenEffect(
        Effect.all([
          between.refuse(true),
          between.closeAll,
          Effect.forkDaemon(Effect.delay(between.refuse(false), "3 seconds"))
        ]),
        Effect.sync(() => submits === 1 && waits === 1)
      )
      const client = Layer.mock(LumeClient.LumeClient, {
        run: () =>
          Effect.suspend(() => {
            submits++
            return Effect.as(outage, LumeTest.run("Created"))
          }),
        wait: () =>
          Effect.suspend(() => {
            waits++
            return Effect.as(outage, LumeTest.run("Succeeded"))
          })
      })
      const engine = postgres(Redacted.make(url), yield* freePort)
      const statuses = yield* Two.execute().pipe(
        Effect.provide(Layer.provideMerge(two, engine)),
        Effect.provide(client),
        Effect.disconnect,
        Effect.timeout("40 seconds")
      )
      assert.deepStrictEqual(statuses, ["CREATED", "SUCCEEDED"])
      assert.strictEqual(submits, 1)
    })
  )
})
