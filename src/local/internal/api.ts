/**
 * Lume's two endpoints as an `HttpApi`, with the SDK's own schemas and FastAPI's error bodies.
 */
import * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiMiddleware from "@effect/platform/HttpApiMiddleware"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as HttpApiSecurity from "@effect/platform/HttpApiSecurity"
import * as Schema from "effect/Schema"
import * as LumeRun from "../../LumeRun.js"

/** 401: the key is missing or wrong. */
export class Unauthorized extends Schema.Class<Unauthorized>("Unauthorized")(
  { detail: Schema.String },
  HttpApiSchema.annotations({ status: 401 })
) {}

/** 404: no such flow version, or no such run. */
export class NotFound extends Schema.Class<NotFound>("NotFound")(
  { detail: Schema.String },
  HttpApiSchema.annotations({ status: 404 })
) {}

/** 409: this flow version has already processed this source path successfully. */
export class AlreadyProcessed extends Schema.Class<AlreadyProcessed>("AlreadyProcessed")(
  { detail: Schema.String },
  HttpApiSchema.annotations({ status: 409 })
) {}

/** 422: the body is not a request. */
export class Unprocessable extends Schema.Class<Unprocessable>("Unprocessable")(
  {
    detail: Schema.Array(Schema.Struct({ loc: Schema.Array(Schema.String), msg: Schema.String, type: Schema.String }))
  },
  HttpApiSchema.annotations({ status: 422 })
) {}

/** Lets only requests with the right key through. */
export class KeyCheck extends HttpApiMiddleware.Tag<KeyCheck>()("effect-lume/local/KeyCheck", {
  failure: Unauthorized,
  security: { key: HttpApiSecurity.apiKey({ key: "lume-api-key" }) }
}) {}

/** `POST /runs` and `GET /runs/{id}`. */
export const api = HttpApi.make("lume").add(
  HttpApiGroup.make("runs")
    .add(
      HttpApiEndpoint.post("submit", "/runs")
        .addSuccess(LumeRun.LumeRun, { status: 201 })
        .addError(NotFound)
        .addError(AlreadyProcessed)
        .addError(Unprocessable)
    )
    .add(
      HttpApiEndpoint.get("status", "/runs/:id")
        .setPath(Schema.Struct({ id: Schema.String }))
        .addSuccess(LumeRun.LumeRun)
        .addError(NotFound)
    )
    .middleware(KeyCheck)
)
