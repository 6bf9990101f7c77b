/**
 * Lume's webhook: tells a URL, signed, that a run has ended, and tries again until it is told that this was heard.
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import { withoutSecrets } from "../../internal/text.js"
import * as LumeWebhook from "../../LumeWebhook.js"
import type { Event } from "./ledger.js"

/** Where deliveries go, and what they are signed with. */
export interface Webhook {
  readonly url: string
  readonly secret: Redacted.Redacted
}

/** 200 milliseconds, doubling up to 30 seconds, for about ten minutes. */
const patience = Schedule.intersect(
  Schedule.either(Schedule.exponential("200 millis"), Schedule.spaced("30 seconds")),
  Schedule.recurs(25)
)

const bodyOf = ({ flowVersion, runId, runMetadata, sourcePath, status }: Event): string =>
  JSON.stringify({
    run_id: runId,
    status,
    flow_version: flowVersion,
    source_path: sourcePath,
    run_metadata: runMetadata ?? {}
  })

/** How many deliveries are on their way at a time. */
const atOnce = 8

/** Tells of the end of a run; whether that was heard. A delivery that nobody heard is logged. */
export type Deliver = (event: Event) => Effect.Effect<boolean>

/** Deliveries to a webhook. */
export const make = ({ secret, url }: Webhook): Effect.Effect<Deliver> =>
  Effect.gen(function* () {
    const shown = withoutSecrets(url)
    const slots = yield* Effect.makeSemaphore(atOnce)
    const client = (yield* HttpClient.HttpClient).pipe(
      HttpClient.withTracerDisabledWhen(() => true),
      HttpClient.filterStatusOk
    )

    const send = (event: Event) =>
      Effect.gen(function* () {
        const body = bodyOf(event)
        const post = HttpClientRequest.post(url).pipe(
          HttpClientRequest.setHeader(LumeWebhook.signatureHeader, yield* LumeWebhook.sign({ secret, body })),
          HttpClientRequest.bodyText(body, "application/json")
        )
        yield* Effect.timeout(Effect.scoped(HttpClient.withScope(client).execute(post)), "30 seconds")
      }).pipe(
        // A redirect is an answer, and not a 2xx: what followed it would show the signature to somebody else.
        Effect.provideService(FetchHttpClient.RequestInit, { redirect: "manual" }),
        slots.withPermits(1)
      )

    const warn = ({ runId }: Event, what: string, { message }: { readonly message: string }) =>
      // the platform's messages name the URL as it is
      Effect.logWarning(`The webhook of run ${runId} ${what} ${shown}. ${message.replaceAll(url, shown)}`)

    return (event: Event) => {
      // whoever writes a handler is to see at once what becomes of a delivery
      let isTold = false
      const tellOnce = (error: { readonly message: string }) => {
        if (isTold) return Effect.void
        isTold = true
        return warn(event, "is sent again, because it was not heard at", error)
      }
      return Effect.matchEffect(Effect.retry(Effect.tapError(send(event), tellOnce), patience), {
        onSuccess: () => Effect.succeed(true),
        onFailure: (error) => Effect.as(warn(event, "was not heard at", error), false)
      })
    }
  }).pipe(Effect.provide(FetchHttpClient.layer))
