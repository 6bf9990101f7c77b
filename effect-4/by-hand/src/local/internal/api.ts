/**
 * A local Lume's endpoints as an `HttpApi`: what is declared of them, from which their document comes, and the app that they
 * make.
 */
import * as Effect from "effect/Effect"
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as HttpApiSecurity from "effect/http-api/HttpApiSecurity"
import * as OpenApi from "effect/http-api/OpenApi"
import * as HttpRouter from "effect/http/HttpRouter"
import type * as HttpServer from "effect/http/HttpServer"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import type * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import type * as Scope from "effect/Scope"
import * as refusals from "./refusals.js"
import { CreatedRun, Document, Request, Run } from "./runJson.js"

/** The bodies are alike, so it is the class that tells which status goes with an error. */
const answered = <A extends object, I, E extends A>(
  body: Schema.Codec<A, I>,
  Failure: new (fields: A) => E,
  status: number,
  description: string
) =>
  body.pipe(
    Schema.decodeTo(
      Schema.instanceOf(Failure),
      SchemaTransformation.transform({ decode: (fields) => new Failure(fields), encode: (failure): A => failure })
    ),
    HttpApiSchema.status(status),
    Schema.annotate({ description })
  )

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
class KeyCheck extends HttpApiMiddleware.Service<KeyCheck>()("effect-lume/local/KeyCheck", {
  error: refused(refusals.Unauthorized, 401, "The key is missing or wrong."),
  security: { key: HttpApiSecurity.apiKey({ key: "lume-api-key" }) }
}) {}

const runs = HttpApiGroup.make("runs")
  .add(
    HttpApiEndpoint.post("submit", "/runs", {
      payload: Request,
      success: CreatedRun.annotate({ description: "The run was accepted, and is on disk." }).pipe(
        HttpApiSchema.status(201)
      ),
      error: [
        refused(refusals.NotFound, 404, "There is no such flow version."),
        refused(refusals.AlreadyProcessed, 409, "The flow version has already succeeded on the source path."),
        refused(refusals.TooLarge, 413, "The body is too large."),
        unprocessable,
        refused(refusals.TooMany, 429, "Too many runs are waiting."),
        refused(refusals.Unavailable, 503, "The run can't be written down: it may have been accepted or not.")
      ]
    }).annotateMerge(OpenApi.annotations({ summary: "Starts a run." }))
  )
  .add(
    HttpApiEndpoint.get("status", "/runs/:id", {
      params: { id: Schema.String.annotate({ description: "The run's id." }) },
      success: Run.annotate({ description: "The run as it is now." }),
      error: [refused(refusals.NotFound, 404, "There is no such run."), unprocessable]
    }).annotateMerge(OpenApi.annotations({ summary: "Reads a run." }))
  )
  .middleware(KeyCheck)
  .annotateMerge(OpenApi.annotations({ description: "Lume's own endpoints." }))

const documents = HttpApiGroup.make("document", { topLevel: true })
  .add(
    HttpApiEndpoint.get("openapi", "/openapi.json", { success: Document, error: unprocessable }).annotateMerge(
      OpenApi.annotations({ summary: "This document." })
    )
  )
  .annotateMerge(OpenApi.annotations({ description: "About this server." }))

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

type Services = Layer.Success<typeof HttpServer.layerServices>

/** The endpoints that do so. */
export const app = ({
  key,
  openapi,
  status,
  submit
}: Handlers): Effect.Effect<
  Effect.Effect<HttpServerResponse.HttpServerResponse, never, HttpServerRequest.HttpServerRequest>,
  never,
  Services | Scope.Scope
> => {
  const endpoints = HttpApiBuilder.layer(api).pipe(
    Layer.provide(
      HttpApiBuilder.group(api, "runs", (handlers) =>
        handlers
          .handleRaw("submit", ({ request }) => submit(request))
          .handleRaw("status", ({ params: { id } }) => status(id))
      )
    ),
    Layer.provide(HttpApiBuilder.group(api, "document", (handlers) => handlers.handleRaw("openapi", () => openapi))),
    Layer.provide(
      Layer.succeed(KeyCheck, { key: (handled, { credential }) => Effect.andThen(key(credential), handled) })
    )
  )
  return Effect.gen(function* () {
    const services = yield* Effect.context<Services | Scope.Scope>()
    // an unknown path is answered where every request is
    return Effect.provide(Effect.orDie(yield* HttpRouter.toHttpEffect(endpoints)), services)
  })
}
