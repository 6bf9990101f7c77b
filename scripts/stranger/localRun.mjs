// A run on the local Lume: prints how many rows of people.csv were mapped, and how many rejected.
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { LumeClient } from "effect-lume"
import * as LocalLume from "effect-lume/local/LocalLume"

const people = {
  name: "people",
  version: "v1",
  fields: { name: '"Name"', age: 'try_cast("Age" AS INTEGER)' },
  tests: [{ error_code: "NO_AGE", field: "age", check: "age IS NOT NULL" }]
}

const local = LocalLume.layer({ flows: [people], sources: ".", targets: "./targets" })

const lume = Layer.unwrapEffect(
  Effect.map(LocalLume.LocalLume, ({ apiKey, url }) => LumeClient.layer({ apiKey, baseUrl: url }))
).pipe(Layer.provide(FetchHttpClient.layer), Layer.provide(local))

const program = Effect.gen(function* () {
  const client = yield* LumeClient.LumeClient
  const request = { flowVersion: "people:v1", sourcePath: "people.csv" }
  const ended = yield* client.runAndWait(request, { pollInterval: "100 millis" })
  const { results } = yield* ended.metadata
  console.log(`${results.mappedRows} mapped, ${results.rejectedRows} rejected`)
})

await program.pipe(Effect.provide(lume), Effect.runPromise)
