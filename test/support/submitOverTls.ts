/**
 * Submits once to each URL that is given, on each of the platform's clients, and prints the errors. A process of its own,
 * because the authority of the tests is trusted by `NODE_EXTRA_CA_CERTS`, which is read at start.
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as LumeClient from "../../src/LumeClient.js"

const clients = [
  ["Fetch", FetchHttpClient.layer],
  ["Undici", NodeHttpClient.layerUndici],
  ["Node", NodeHttpClient.layer]
] as const

const submit = (baseUrl: string) =>
  Effect.gen(function* () {
    const lume = yield* LumeClient.make({ apiKey: Redacted.make("lume-key"), baseUrl, retry: { times: 0 } })
    return yield* Effect.flip(lume.run({ flowVersion: "a:v1", sourcePath: "b" }))
  })

const errors = Effect.forEach(process.argv.slice(2), (url) =>
  Effect.forEach(clients, ([client, layer]) =>
    Effect.map(Effect.provide(submit(url), layer), ({ _tag, message }) => ({ url, client, _tag, message }))
  )
)

const found = await Effect.runPromise(errors)
process.stdout.write(JSON.stringify(found.flat()))
