/**
 * A nightly batch as a workflow: many files, five at a time, each with a gate, and a summary. Whatever becomes of the
 * process, the batch goes on where it was, and submits nothing twice.
 */
import * as Workflow from "@effect/workflow/Workflow"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { LumeRun } from "effect-lume"
import * as LumeWorkflow from "effect-lume/workflow/LumeWorkflow"

/** What became of a file. */
export const Outcome = Schema.Struct({
  file: Schema.String,
  mappedRows: Schema.Number,
  /** Empty where all is well. */
  problem: Schema.String
})

/** The batch of a day. It is one and the same batch, however often it is started. */
export const Nightly = Workflow.make({
  name: "Nightly",
  payload: { day: Schema.String, files: Schema.Array(Schema.String) },
  idempotencyKey: ({ day }) => day,
  success: Schema.Array(Outcome)
})

const ingest = (file: string) =>
  LumeWorkflow.runAndWait({
    // a name for each file: it is how the workflow finds its run again
    name: file,
    request: { flowVersion: "orders:v1", sourcePath: file },
    timeout: "6 hours",
    pollInterval: "200 millis"
  }).pipe(
    Effect.flatMap(LumeRun.gate({ maxRejectedShare: 0.05, minInputRows: 1 })),
    Effect.map(({ results }) => ({ file, mappedRows: results.mappedRows, problem: "" })),
    // one file that fails stops no other; each error says what to do
    Effect.catchAll(({ message }) => Effect.succeed({ file, mappedRows: 0, problem: message })),
    Effect.tap(({ mappedRows, problem }) => Console.log(`${file}: ${problem === "" ? `${mappedRows} rows` : problem}`))
  )

/** What the batch does. */
export const layer = Nightly.toLayer(({ files }) => Effect.forEach(files, ingest, { concurrency: 5 }))
