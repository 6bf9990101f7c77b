/**
 * What the endpoints do.
 */
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import type * as HttpApp from "@effect/platform/HttpApp"
import type * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as HttpTraceContext from "@effect/platform/HttpTraceContext"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { createHash, timingSafeEqual } from "node:crypto"
import type { LocalFlow } from "../LocalFlow.js"
import * as Api from "./api.js"
import { document } from "./document.js"
import * as request from "./request.js"
import type { Runs } from "./runs.js"

const notFound = (detail: string) => Effect.fail(new Api.NotFound({ detail }))

/** Answers are exactly what the document says, so nothing is left to be encoded. */
const answer = (json: unknown, status: number, headers: { readonly [name: string]: string } = {}) =>
  HttpServerResponse.unsafeJson(json, { status, headers })

const runs = (flows: ReadonlyMap<string, LocalFlow>, runs: Runs) =>
  HttpApiBuilder.group(Api.api, "runs", (handlers) =>
    handlers
      .handleRaw("submit", ({ request: received }) =>
        Effect.gen(function* () {
          const submitted = yield* request.read(received)
          const { flowVersion, sourcePath } = submitted
          if (!flows.has(flowVersion)) {
            const versions = [...flows.keys()].join(", ")
            return yield* notFound(`Unknown flow version ${flowVersion}. There are: ${versions}`)
          }
          if (submitted.forceRerun !== true && (yield* runs.isProcessed(submitted))) {
            const detail = `${sourcePath} has already been processed successfully by ${flowVersion}`
            return yield* Effect.fail(new Api.AlreadyProcessed({ detail }))
          }
          return answer(yield* runs.submit(submitted, HttpTraceContext.fromHeaders(received.headers)), 201)
        }).pipe(
          Effect.catchTags({
            QueueFull: ({ most }) =>
              Effect.succeed(
                answer({ detail: `${most} runs are waiting: try again later` }, 429, { "retry-after": "1" })
              ),
            JournalError: ({ message }) => Effect.fail(new Api.Unavailable({ detail: message }))
          })
        )
      )
      .handleRaw("status", ({ path: { id } }) =>
        Effect.flatMap(
          runs.get(id),
          Option.match({ onNone: () => notFound("Run not found"), onSome: (run) => Effect.succeed(answer(run, 200)) })
        )
      )
  )

const documents = HttpApiBuilder.group(Api.api, "document", (handlers) =>
  handlers.handleRaw("openapi", () => Effect.succeed(answer(document, 200)))
)

const digest = (text: string) => createHash("sha256").update(text).digest()

const keyCheck = (apiKey: Redacted.Redacted) => {
  const expected = digest(Redacted.value(apiKey))
  return Layer.succeed(Api.KeyCheck, {
    key: (given) =>
      timingSafeEqual(digest(Redacted.value(given)), expected)
        ? Effect.void
        : Effect.fail(new Api.Unauthorized({ detail: "Invalid API key" }))
  })
}

/** The endpoints over these runs, for those who have the key. */
export const make = (options: {
  readonly flows: ReadonlyMap<string, LocalFlow>
  readonly runs: Runs
  readonly apiKey: Redacted.Redacted
}): Effect.Effect<HttpApp.Default, never, HttpRouter.HttpRouter.DefaultServices> => {
  const endpoints = HttpApiBuilder.api(Api.api).pipe(
    Layer.provide(runs(options.flows, options.runs)),
    Layer.provide(documents),
    Layer.provide(keyCheck(options.apiKey))
  )
  return Effect.gen(function* () {
    const services = yield* Effect.context<HttpRouter.HttpRouter.DefaultServices>()
    return Effect.provide(yield* HttpApiBuilder.httpApp, services)
  }).pipe(Effect.provide([endpoints, HttpApiBuilder.Router.Live, HttpApiBuilder.Middleware.layer]))
}
