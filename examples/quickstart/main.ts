/**
 * Sends two real, messy files through a run each, on a Lume on this machine: `npm run quickstart`.
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { LumeClient, LumeRun } from "effect-lume"
import * as LocalLume from "effect-lume/local/LocalLume"
import { mkdtempSync } from "node:fs"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { describe } from "./report.js"

const local = LocalLume.layer({
  flows: fileURLToPath(new URL("flows", import.meta.url)),
  sources: join(dirname(createRequire(import.meta.url).resolve("vega-datasets")), "../data"),
  targets: mkdtempSync(join(tmpdir(), "lume-quickstart-"))
})

const client = Layer.unwrapEffect(
  Effect.map(LocalLume.LocalLume, ({ apiKey, url }) => LumeClient.layer({ apiKey, baseUrl: url }))
).pipe(Layer.provide(FetchHttpClient.layer), Layer.provide(local))

const submitAndWatch = (flowVersion: string, sourcePath: string) =>
  Effect.gen(function* () {
    const lume = yield* LumeClient.LumeClient
    yield* Console.log(`\n${flowVersion} on ${sourcePath}`)
    const finished = yield* lume.runAndWait(
      { flowVersion, sourcePath },
      { timeout: "1 minute", pollInterval: "5 millis", onStatus: ({ status }) => Console.log(`  ${status}`) }
    )
    yield* Console.log(yield* describe(yield* LumeRun.orFail(finished)))
  })

const forTheRealService = `
The same against Lume's own service, with a flow of yours and LUME_API_KEY set:

  const lume = yield* LumeClient.LumeClient
  const run = yield* lume.run({ flowVersion: "your_flow:v1", sourcePath: "s3://acme/movies.json" })
  const finished = yield* lume.wait(run)
  const metadata = yield* (yield* LumeRun.orFail(finished)).metadata
  // …provided with LumeClient.layerConfig() and FetchHttpClient.layer
`

const program = Effect.gen(function* () {
  yield* submitAndWatch("movies:v1", "movies.json")
  yield* submitAndWatch("birdstrikes:v1", "birdstrikes.csv")
  yield* Console.log(forTheRealService)
})

program.pipe(Effect.provide(client), NodeRuntime.runMain)
