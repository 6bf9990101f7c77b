// An application in a browser, bundled: a run that its own server answers, and a delivery that is verified. The page's
// title is what came of them.
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { LumeClient, LumeWebhook } from "effect-lume"

const secret = Redacted.make("whsec-of-the-consumer")
const body = '{"run_id":"run_1"}'

const program = Effect.gen(function* () {
  const run = yield* LumeClient.wait("run_1")
  const signature = yield* LumeWebhook.sign({ secret, body })
  const { runId } = yield* LumeWebhook.unwrap({ secrets: [secret], body, signature })
  return `${runId} ${run._tag}`
}).pipe(
  Effect.provide(LumeClient.layer({ apiKey: Redacted.make("a-key"), baseUrl: location.origin, retry: { times: 0 } })),
  Effect.provide(FetchHttpClient.layer)
)

void Effect.runPromise(program).then(
  (title) => {
    document.title = title
  },
  (error) => {
    document.title = String(error)
  }
)
