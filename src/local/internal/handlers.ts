/**
 * What the endpoints do.
 */
import type * as HttpApp from "@effect/platform/HttpApp"
import type * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as HttpTraceContext from "@effect/platform/HttpTraceContext"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { createHash, timingSafeEqual } from "node:crypto"
import type { LocalFlow } from "../LocalFlow.js"
import * as api from "./api.js"
import { document } from "./document.js"
import * as refusals from "./refusals.js"
import * as request from "./request.js"
import type { Runs } from "./runs.js"

/** The flows and runs that the endpoints are about, and the key that they ask for. */
export interface Options {
  readonly flows: ReadonlyMap<string, LocalFlow>
  readonly runs: Runs
  readonly apiKey: Redacted.Redacted
}

const notFound = (detail: string) => Effect.fail(new refusals.NotFound({ detail }))

const answer = (json: unknown, status: number, headers: { readonly [name: string]: string } = {}) =>
  HttpServerResponse.unsafeJson(json, { status, headers })

const submit =
  ({ flows, runs }: Options): api.Handlers["submit"] =>
  (received) =>
    Effect.gen(function* () {
      const submitted = yield* request.read(received)
      const { flowVersion } = submitted
      if (!flows.has(flowVersion)) {
        const versions = [...flows.keys()].join(", ")
        return yield* notFound(
          `Unknown flow version ${flowVersion}. Flows are read when the local Lume starts. There are: ${versions}`
        )
      }
      if (submitted.forceRerun !== true && (yield* runs.isProcessed(submitted))) {
        const detail = "this source path is processed again only with force_rerun"
        return yield* Effect.fail(new refusals.AlreadyProcessed({ detail }))
      }
      return answer(yield* runs.submit(submitted, HttpTraceContext.fromHeaders(received.headers)), 201)
    }).pipe(
      Effect.catchTags({
        QueueFull: ({ most }) =>
          Effect.succeed(answer({ detail: `${most} runs are waiting: try again later` }, 429, { "retry-after": "1" })),
        JournalError: ({ message }) => Effect.fail(new refusals.Unavailable({ detail: message }))
      })
    )

const status =
  ({ runs }: Options): api.Handlers["status"] =>
  (id) =>
    Effect.flatMap(
      runs.get(id),
      Option.match({ onNone: () => notFound("Run not found"), onSome: (run) => Effect.succeed(answer(run, 200)) })
    )

const digest = (text: string) => createHash("sha256").update(text).digest()

const keyCheck = ({ apiKey }: Options): api.Handlers["key"] => {
  const expected = digest(Redacted.value(apiKey))
  return (given) =>
    timingSafeEqual(digest(Redacted.value(given)), expected)
      ? Effect.void
      : Effect.fail(new refusals.Unauthorized({ detail: "Invalid API key" }))
}

/** The endpoints over these runs, for those who have the key. */
export const make = (
  options: Options
): Effect.Effect<HttpApp.Default, never, HttpRouter.HttpRouter.DefaultServices | Scope.Scope> =>
  api.app({
    key: keyCheck(options),
    submit: submit(options),
    status: status(options),
    openapi: Effect.succeed(answer(document, 200))
  })
