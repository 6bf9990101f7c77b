/**
 * Closing while a run goes on that does not heed its interruption.
 */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { make } from "./kills/client.js"
import { clean, live, serve } from "./lume.js"
import * as processes from "./process.js"
import { flow, folders } from "./support.js"

/** DuckDB looks for an interruption between values, and this one takes it some minutes. */
const deafFlow = {
  ...flow,
  name: "deaf",
  fields: { ...flow.fields, id: "levenshtein(repeat('a', 1000000), repeat(Name, 1000000)) + Id::INT" }
}

describe("closing", () => {
  live("does not wait for it; the run is CRASHED after the next start", () =>
    Effect.gen(function* () {
      const places = yield* folders({ "clean.csv": clean })
      const options = { flows: [deafFlow], ...places }
      const first = yield* processes.serve(options)
      const { apiKey = "", url = "" } = yield* first.next
      const lume = make(url, apiKey)
      const { body: run } = yield* lume.submit({ flow_version: "deaf:v1", source_path: "clean.csv" })
      yield* Effect.repeat(lume.read(run.id), { until: ({ body }) => body.status === "TRANSFORMING" })
      // some time for it to go deaf; without it, less would be tested
      yield* Effect.repeatN(lume.read(run.id), 200)
      yield* first.signal("SIGTERM")
      // five seconds, and what a busy machine adds
      const closed = yield* Effect.timeoutFail(first.next, {
        duration: "30 seconds",
        onTimeout: () => "it does not close"
      })
      assert.deepStrictEqual(closed, { closed: true })
      yield* first.signal("SIGKILL")

      yield* first.ended
      const { lume: next } = yield* serve(options)
      assert.strictEqual((yield* next.runStatus(run.id))._tag, "Crashed")
    })
  )
})
