// A program whose errors are handled in part: its type says which are left.
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { LumeClient, type LumeError } from "effect-lume"
import type * as LumeRun from "effect-lume/LumeRun"

const program = Effect.gen(function* () {
  const lume = yield* LumeClient.LumeClient
  const run = yield* lume.run({ flowVersion: "invoice_cleaner:v4", sourcePath: "s3://acme/batch-001.csv" })
  const ended = yield* lume.wait(run, { timeout: "10 minutes", pollInterval: "10 seconds" })
  switch (ended._tag) {
    case "Succeeded":
    case "PartialFailed": {
      const metadata = yield* ended.metadata
      return metadata.results.mappedRows
    }
    case "Failed":
    case "Crashed":
      return 0
  }
}).pipe(Effect.catchTag("TransportError", () => Effect.succeed(-1)))

const layer = LumeClient.layer({ apiKey: Redacted.make("a-key"), baseUrl: "http://127.0.0.1:59999" })

export const runnable: Effect.Effect<
  number,
  Exclude<LumeError.LumeError, LumeError.TransportError | LumeError.RunFailedError>
> = program.pipe(Effect.provide(layer), Effect.provide(FetchHttpClient.layer))

export const id = (run: LumeRun.LumeRun): string => run.id
