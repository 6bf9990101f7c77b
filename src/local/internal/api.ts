/**
 * Lume's two endpoints as an `HttpApi`, with the SDK's own schemas and FastAPI's error bodies.
 */
import * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiMiddleware from "@effect/platform/HttpApiMiddleware"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as HttpApiSecurity from "@effect/platform/HttpApiSecurity"
import * as Data from "effect/Data"
import * as Schema from "effect/Schema"
import * as LumeRun from "../../LumeRun.js"

/** A body of FastAPI: a sentence, or a list of what is wrong with the request's body. */
const Detail = Schema.Union(
  Schema.String,
  Schema.Array(Schema.Struct({ loc: Schema.Array(Schema.String), msg: Schema.String, type: Schema.String }))
)

interface Refused {
  readonly detail: typeof Detail.Type
}

/** 401: the key is missing or wrong. */
export class Unauthorized extends Data.TaggedError("Unauthorized")<Refused> {}

/** 404: no such flow version, or no such run. */
export class NotFound extends Data.TaggedError("NotFound")<Refused> {}

/** 409: this flow version has already processed this source path successfully. */
export class AlreadyProcessed extends Data.TaggedError("AlreadyProcessed")<Refused> {}

/** 422: the body is not a request. */
export class Unprocessable extends Data.TaggedError("Unprocessable")<Refused> {}

/** The bodies are all alike, so it is the class that tells which status goes with an error. */
const refusal = <E extends Refused>(Refusal: new (fields: Refused) => E, status: number) =>
  Schema.transform(Schema.Struct({ detail: Detail }), Schema.instanceOf(Refusal), {
    strict: true,
    decode: (fields) => new Refusal(fields),
    encode: ({ detail }) => ({ detail })
  }).annotations(HttpApiSchema.annotations({ status }))

/** Lets only requests with the right key through. */
export class KeyCheck extends HttpApiMiddleware.Tag<KeyCheck>()("effect-lume/local/KeyCheck", {
  failure: refusal(Unauthorized, 401),
  security: { key: HttpApiSecurity.apiKey({ key: "lume-api-key" }) }
}) {}

/** `POST /runs` and `GET /runs/{id}`. */
export const api = HttpApi.make("lume").add(
  HttpApiGroup.make("runs")
    .add(
      HttpApiEndpoint.post("submit", "/runs")
        .addSuccess(LumeRun.LumeRun, { status: 201 })
        .addError(refusal(NotFound, 404))
        .addError(refusal(AlreadyProcessed, 409))
        .addError(refusal(Unprocessable, 422))
    )
    .add(
      HttpApiEndpoint.get("status", "/runs/:id")
        .setPath(Schema.Struct({ id: Schema.String }))
        .addSuccess(LumeRun.LumeRun)
        .addError(refusal(NotFound, 404))
    )
    .middleware(KeyCheck)
)
