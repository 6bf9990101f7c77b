/**
 * Lume's webhook: tells a URL, signed, that a run has ended, and tries again until it is told that this was heard.
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import type { TerminalRun } from "../../LumeRun.js"
import * as LumeWebhook from "../../LumeWebhook.js"
import type { RunRequest } from "../../RunRequest.js"

/** Where deliveries go, and what they are signed with. */
export interface Webhook {
  /** The URL that receives deliveries by `POST`. */
  readonly url: string
  /** The secret that they are signed with. */
  readonly secret: Redacted.Redacted
}

/** 200 milliseconds, doubling up to 30 seconds, for about ten minutes. */
const patience = Schedule.exponential("200 millis").pipe(
  Schedule.either(Schedule.spaced("30 seconds")),
  Schedule.intersect(Schedule.recurs(25))
)

const bodyOf = (run: TerminalRun, { flowVersion, sourcePath }: RunRequest): string =>
  JSON.stringify({
    run_id: run.id,
    status: run.status,
    flow_version: flowVersion,
    source_path: sourcePath,
    run_metadata: run.runMetadata
  })

/** Delivers the end of a run. That nobody hears it is logged; the run is what it is. */
export const deliver = ({ secret, url }: Webhook, run: TerminalRun, request: RunRequest): Effect.Effect<void> =>
  Effect.gen(function* () {
    const client = HttpClient.filterStatusOk(yield* HttpClient.HttpClient)
    const body = bodyOf(run, request)
    const signature = yield* LumeWebhook.sign({ secret, body })
    const post = HttpClientRequest.post(url).pipe(
      HttpClientRequest.setHeader(LumeWebhook.signatureHeader, signature),
      HttpClientRequest.bodyText(body, "application/json")
    )
    yield* Effect.scoped(HttpClient.withScope(client).execute(post)).pipe(
      Effect.timeout("30 seconds"),
      Effect.retry(patience)
    )
  }).pipe(
    Effect.provide(FetchHttpClient.layer),
    Effect.catchAll((error) =>
      Effect.logWarning(`The webhook of run ${run.id} was not heard at ${url}. ${error.message}`)
    )
  )
