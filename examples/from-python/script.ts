/**
 * The script of Lume's Python reference, line by line.
 */
import * as Effect from "effect/Effect"
import { LumeClient } from "effect-lume"

export const script = Effect.gen(function* () {
  const lume = yield* LumeClient.LumeClient
  // run = lume.run(flow_version="invoice_cleaner:v4", source_path="s3://acme/batch-001.csv")
  const run = yield* lume.run({ flowVersion: "invoice_cleaner:v4", sourcePath: "s3://acme/batch-001.csv" })
  // run.wait(timeout=600, poll_interval=10)
  const ended = yield* lume.wait(run, { timeout: "600 seconds", pollInterval: "10 seconds" })
  // print(f"Run finished with status: {run.status}")
  yield* Effect.log(`Run finished with status: ${ended.status}`)
  // if run.status in ("SUCCEEDED", "PARTIAL_FAILED"):
  if (ended._tag === "Succeeded" || ended._tag === "PartialFailed") {
    // print(run.metadata["results"]["mapped_rows"])
    const { results } = yield* ended.metadata
    yield* Effect.log(results.mappedRows)
  }
}).pipe(
  // except TimeoutError as error: print(error)
  Effect.catchTag("TimeoutError", (error) => Effect.log(error.message))
)
