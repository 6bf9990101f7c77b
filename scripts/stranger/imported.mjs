// A run against a server that is not there: prints what `isTransient` is, and the error's tag.
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { LumeClient } from "effect-lume"
import * as LumeError from "effect-lume/LumeError"

const program = Effect.gen(function* () {
  const lume = yield* LumeClient.LumeClient
  return yield* lume.runAndWait({ flowVersion: "invoice_cleaner:v4", sourcePath: "s3://acme/batch-001.csv" })
}).pipe(
  Effect.catchTag("TransportError", ({ _tag }) => Effect.succeed(_tag)),
  Effect.provide(
    LumeClient.layer({ apiKey: Redacted.make("a-key"), baseUrl: "http://127.0.0.1:59999", retry: { times: 0 } })
  ),
  Effect.provide(FetchHttpClient.layer)
)

console.log(typeof LumeError.isTransient, await Effect.runPromise(program))
