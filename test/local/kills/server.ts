/**
 * A local Lume in a process of its own, that tests can kill: `server.ts <options as JSON>`.
 *
 * It prints how to reach it, or why it does not start, as one line of JSON. It closes when it is told to end.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as LocalLume from "../../../src/local/LocalLume.js"

const options: LocalLume.Options = JSON.parse(process.argv[2] ?? "{}")

const print = (json: unknown) => Console.log(JSON.stringify(json))

const program = Effect.gen(function* () {
  const { apiKey, url, webhookSecret } = yield* LocalLume.LocalLume
  const secret = Option.getOrUndefined(Option.map(webhookSecret, Redacted.value))
  yield* print({ url, apiKey: Redacted.value(apiKey), ...(secret !== undefined && { webhookSecret: secret }) })
  return yield* Effect.never
})

program.pipe(
  Effect.provide(LocalLume.layer(options)),
  Effect.catchAll(({ message }) => print({ error: message })),
  Effect.ensuring(print({ closed: true })),
  NodeRuntime.runMain
)
