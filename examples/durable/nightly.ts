/**
 * A nightly batch as a workflow: many files, five at a time, each with a gate, and a summary. Whatever becomes of the
 * process, the batch goes on where it was, and submits nothing twice.
 */
import * as Activity from "@effect/workflow/Activity"
import * as DurableClock from "@effect/workflow/DurableClock"
import * as Workflow from "@effect/workflow/Workflow"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { LumeError, LumeRun } from "effect-lume"
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

/** What says nothing of the file, and can be cured: Lume can't be reached, or the key is wrong. */
const isCurable = (error: LumeError.LumeError) => LumeError.isTransient(error) || error._tag === "AuthenticationError"

/** Tries again, each minute, for as long as a failure can be cured. */
const untilCured = <A, E extends LumeError.LumeError, R>(name: string, step: Effect.Effect<A, E, R>) =>
  step.pipe(
    Effect.tapError((error) =>
      Effect.gen(function* () {
        if (!isCurable(error)) return
        yield* Console.log(`${name}: ${error.message}`)
        // with the attempt in its name: a sleep that is over is over for good
        const attempt = yield* Activity.CurrentAttempt
        yield* DurableClock.sleep({ name: `${name}/pause/${attempt}`, duration: "1 minute" })
      })
    ),
    // an Activity that failed is kept and never made again; each attempt here is one of its own
    Activity.retry({ while: isCurable })
  )

const ingest = (file: string) =>
  Effect.gen(function* () {
    // a name for each file: it is how the workflow finds its run again
    const request = { flowVersion: "orders:v1", sourcePath: file }
    const run = yield* untilCured(file, LumeWorkflow.submit({ name: file, request }))
    const wait = LumeWorkflow.wait({ name: file, run, timeout: "6 hours", pollInterval: "200 millis" })
    const ended = yield* untilCured(`${file}/wait`, wait)
    const { results } = yield* LumeRun.gate(ended, { maxRejectedShare: 0.05, minInputRows: 1 })
    return { file, mappedRows: results.mappedRows, problem: "" }
  }).pipe(
    // one file that fails stops no other; each error says what to do
    Effect.catchAll(({ message }) => Effect.succeed({ file, mappedRows: 0, problem: message })),
    Effect.tap(({ mappedRows, problem }) => Console.log(`${file}: ${problem === "" ? `${mappedRows} rows` : problem}`))
  )

/** What the batch does. */
export const layer = Nightly.toLayer(({ files }) => Effect.forEach(files, ingest, { concurrency: 5 }))
