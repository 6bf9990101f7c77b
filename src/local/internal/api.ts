/**
 * A local Lume's endpoints as an `HttpApi`: what is declared of them, from which their document comes, and the app that they
 * make.
 */
import * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiMiddleware from "@effect/platform/HttpApiMiddleware"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as HttpApiSecurity from "@effect/platform/HttpApiSecurity"
import type * as HttpApp from "@effect/platform/HttpApp"
import type * as HttpRouter from "@effect/platform/HttpRouter"
import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import type * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as OpenApi from "@effect/platform/OpenApi"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as refusals from "./refusals.js"
import { CreatedRun, Document, Request, Run } from "./runJson.js"

/** The bodies are alike, so it is the class that tells which status goes with an error. */
const answered = <A extends object, I, E extends A>(
  body: Schema.Schema<A, I>,
  Failure: new (fields: A) => E,
  status: number,
  description: string
) =>
  Schema.transform(body, Schema.instanceOf(Failure), {
    strict: true,
    decode: (fields) => new Failure(fields),
    encode: (failure): A => failure
  }).annotations({ ...HttpApiSchema.annotations({ status }), description })

const refused = <E extends typeof refusals.Refusal.Type>(
  Failure: new (fields: typeof refusals.Refusal.Type) => E,
  status: number,
  description: string
) => answered(refusals.Refusal, Failure, status, description)

const unprocessable = answered(
  refusals.Problems,
  refusals.Unprocessable,
  422,
  "The request is wrong, or asks for a fault that there is not."
)

/** Lets only requests with the right key through. */
class KeyCheck extends HttpApiMiddleware.Tag<KeyCheck>()("effect-lume/local/KeyCheck", {
  failure: refused(refusals.Unauthorized, 401, "The key is missing or wrong."),
  security: { key: HttpApiSecurity.apiKey({ key: "lume-api-key" }) }
}) {}

const runs = HttpApiGroup.make("runs")
  .add(
    HttpApiEndpoint.post("submit", "/runs")
      .setPayload(Request)
      .addSuccess(CreatedRun.annotations({ description: "The run was accepted, and is on disk." }), { status: 201 })
      .addError(refused(refusals.NotFound, 404, "There is no such flow version."))
      .addError(refused(refusals.AlreadyProcessed, 409, "The flow version has already succeeded on the source path."))
      .addError(refused(refusals.TooLarge, 413, "The body is too large."))
      .addError(refused(refusals.TooMany, 429, "Too many runs are waiting."))
      .addError(refused(refusals.Unavailable, 503, "The run can't be written down: it may have been accepted or not."))
      .annotateContext(OpenApi.annotations({ summary: "Starts a run." }))
  )
  .add(
    HttpApiEndpoint.get("status", "/runs/:id")
      .setPath(Schema.Struct({ id: Schema.String.annotations({ description: "The run's id." }) }))
      .addSuccess(Run.annotations({ description: "The run as it is now." }))
      .addError(refused(refusals.NotFound, 404, "There is no such run."))
      .annotateContext(OpenApi.annotations({ summary: "Reads a run." }))
  )
  .addError(unprocessable)
  .middleware(KeyCheck)
  .annotateContext(OpenApi.annotations({ description: "Lume's own endpoints." }))

const documents = HttpApiGroup.make("document", { topLevel: true })
  .add(
    HttpApiEndpoint.get("openapi", "/openapi.json")
      .addSuccess(Document)
      .annotateContext(OpenApi.annotations({ summary: "This document." }))
  )
  .addError(unprocessable)
  .annotateContext(OpenApi.annotations({ description: "About this server." }))

const api = HttpApi.make("lume").add(runs).add(documents)

/** What `HttpApi` tells of the endpoints. */
export const spec = OpenApi.fromApi(api)

/** What the endpoints do. Their answers are exactly what is declared, so nothing is left to be encoded. */
export interface Handlers {
  /** Lets a key through, or not. */
  readonly key: (given: Redacted.Redacted) => Effect.Effect<void, refusals.Unauthorized>
  readonly submit: (
    request: HttpServerRequest.HttpServerRequest
  ) => Effect.Effect<
    HttpServerResponse.HttpServerResponse,
    | refusals.NotFound
    | refusals.AlreadyProcessed
    | refusals.TooLarge
    | refusals.TooMany
    | refusals.Unprocessable
    | refusals.Unavailable
  >
  readonly status: (id: string) => Effect.Effect<HttpServerResponse.HttpServerResponse, refusals.NotFound>
  readonly openapi: Effect.Effect<HttpServerResponse.HttpServerResponse>
}

/** The endpoints that do so. */
export const app = ({
  key,
  openapi,
  status,
  submit
}: Handlers): Effect.Effect<HttpApp.Default, never, HttpRouter.HttpRouter.DefaultServices | Scope.Scope> => {
  const endpoints = HttpApiBuilder.api(api).pipe(
    Layer.provide(
      HttpApiBuilder.group(api, "runs", (handlers) =>
        handlers
          .handleRaw("submit", ({ request }) => submit(request))
          .handleRaw("status", ({ path: { id } }) => status(id))
      )
    ),
    Layer.provide(HttpApiBuilder.group(api, "document", (handlers) => handlers.handleRaw("openapi", () => openapi))),
    Layer.provide(Layer.succeed(KeyCheck, { key }))
  )
  return Effect.gen(function* () {
    const services = yield* Effect.context<HttpRouter.HttpRouter.DefaultServices>()
    return Effect.provide(yield* HttpApiBuilder.httpApp, services)
  }).pipe(Effect.provide([endpoints, HttpApiBuilder.Router.Live, HttpApiBuilder.Middleware.layer]))
}
