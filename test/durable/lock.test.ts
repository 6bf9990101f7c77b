/**
 * A file of SQLite that something else locks for longer than anybody waits for it, such as a backup.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Workflow from "@effect/workflow/Workflow"
import { createClient } from "@libsql/client"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { join } from "node:path"
import { sqlite } from "../../examples/durable/storage.js"
import * as LumeClient from "../../src/LumeClient.js"
import * as LumeTest from "../../src/LumeTest.js"
import * as LumeWorkflow from "../../src/workflow/LumeWorkflow.js"
import { folder } from "./support.js"

const One = Workflow.make({
  name: "One",
  payload: { number: Schema.Number },
  idempotencyKey: ({ number }) => String(number),
  success: Schema.String
})

const one = One.toLayer(({ number }) =>
  LumeWorkflow.wait({ name: "orders", run: `run_${number}` }).pipe(
    Effect.map(({ status }) => status),
    Effect.orDie
  )
)

/** Locks a file for so long; returns when it is locked. */
const lock = (file: string) =>
  Effect.gen(function* () {
    const client = createClient({ url: `file:${file}` })
    const transaction = yield* Effect.promise(() => client.transaction("write"))
    yield* Effect.forkDaemon(
      Effect.delay(
        Effect.promise(() => transaction.rollback()),
        "3 seconds"
      )
    )
  })

describe("on SQLite", () => {
  it.scopedLive(
    "a file that is locked for 3 seconds while a result is written ends no wait, and the next one goes on",
    () =>
      Effect.gen(function* () {
        const file = join(yield* folder, "workflows.db")
        let isLocked = false
        const client = Layer.mock(LumeClient.LumeClient, {
          wait: () =>
            Effect.as(
              Effect.unless(
                Effect.zipRight(
                  Effect.sync(() => (isLocked = true)),
                  lock(file)
                ),
                () => isLocked
              ),
              LumeTest.run("Succeeded")
            )
        })
        const statuses = yield* Effect.all([One.execute({ number: 1 }), One.execute({ number: 2 })]).pipe(
          Effect.provide(Layer.provideMerge(one, sqlite(file))),
          Effect.provide(client),
          Effect.disconnect,
          Effect.timeout("60 seconds")
        )
        assert.isTrue(isLocked)
        assert.deepStrictEqual(statuses, ["SUCCEEDED", "SUCCEEDED"])
      })
  )
})
