/**
 * A local Lume's endpoints as an `HttpApi`: Lume's two, with FastAPI's error bodies, and the document that describes them.
 */
import * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiMiddleware from "@effect/platform/HttpApiMiddleware"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as HttpApiSecurity from "@effect/platform/HttpApiSecurity"
import * as OpenApi from "@effect/platform/OpenApi"
import * as Data from "effect/Data"
import * as Schema from "effect/Schema"
import { CreatedRun, Request, Run } from "./runJson.js"

// ---------------------------------------------------------------------------------------------------------------------
// Errors

/** FastAPI's body of a refusal: a sentence. */
const Refusal = Schema.Struct({
  detail: Schema.String.annotations({ description: "What is wrong." })
}).annotations({ identifier: "Refusal" })

/** FastAPI's body of a refused request: what is wrong, and where. */
const Problems = Schema.Struct({
  detail: Schema.NonEmptyArray(
    Schema.Struct({
      loc: Schema.Array(Schema.String).annotations({ description: "Where, such as body, source_path." }),
      msg: Schema.String.annotations({ description: "What is wrong there." }),
      type: Schema.String.annotations({ description: "A code for programs." })
    })
  ).annotations({ description: "What is wrong with the request." })
}).annotations({ identifier: "Problems" })

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

/** 401. */
export class Unauthorized extends Data.TaggedError("Unauthorized")<typeof Refusal.Type> {}
/** 404. */
export class NotFound extends Data.TaggedError("NotFound")<typeof Refusal.Type> {}
/** 409. */
export class AlreadyProcessed extends Data.TaggedError("AlreadyProcessed")<typeof Refusal.Type> {}
/** 413. */
export class TooLarge extends Data.TaggedError("TooLarge")<typeof Refusal.Type> {}
/** 422. */
export class Unprocessable extends Data.TaggedError("Unprocessable")<typeof Problems.Type> {}
/** 429. */
export class TooMany extends Data.TaggedError("TooMany")<typeof Refusal.Type> {}
/** 503. */
export class Unavailable extends Data.TaggedError("Unavailable")<typeof Refusal.Type> {}

// ---------------------------------------------------------------------------------------------------------------------
// Endpoints

/** Lets only requests with the right key through. */
export class KeyCheck extends HttpApiMiddleware.Tag<KeyCheck>()("effect-lume/local/KeyCheck", {
  failure: answered(Refusal, Unauthorized, 401, "The key is missing or wrong."),
  security: { key: HttpApiSecurity.apiKey({ key: "lume-api-key" }) }
}) {}

const unprocessable = answered(
  Problems,
  Unprocessable,
  422,
  "The request is wrong, or asks for a fault that there is not."
)

const runs = HttpApiGroup.make("runs")
  .add(
    HttpApiEndpoint.post("submit", "/runs")
      .setPayload(Request)
      .addSuccess(CreatedRun.annotations({ description: "The run was accepted, and is on disk." }), { status: 201 })
      .addError(answered(Refusal, NotFound, 404, "There is no such flow version."))
      .addError(answered(Refusal, AlreadyProcessed, 409, "The flow version has already succeeded on the source path."))
      .addError(answered(Refusal, TooLarge, 413, "The body is too large."))
      .addError(answered(Refusal, TooMany, 429, "Too many runs are waiting."))
      .addError(answered(Refusal, Unavailable, 503, "The run can't be written down: it may have been accepted or not."))
      .annotateContext(OpenApi.annotations({ summary: "Starts a run." }))
  )
  .add(
    HttpApiEndpoint.get("status", "/runs/:id")
      .setPath(Schema.Struct({ id: Schema.String.annotations({ description: "The run's id." }) }))
      .addSuccess(Run.annotations({ description: "The run as it is now." }))
      .addError(answered(Refusal, NotFound, 404, "There is no such run."))
      .annotateContext(OpenApi.annotations({ summary: "Reads a run." }))
  )
  .addError(unprocessable)
  .middleware(KeyCheck)
  .annotateContext(OpenApi.annotations({ description: "Lume's own endpoints." }))

const documents = HttpApiGroup.make("document", { topLevel: true })
  .add(
    HttpApiEndpoint.get("openapi", "/openapi.json")
      .addSuccess(
        Schema.Object.annotations({ description: "An OpenAPI 3.1 document.", jsonSchema: { type: "object" } })
      )
      .annotateContext(OpenApi.annotations({ summary: "This document." }))
  )
  .addError(unprocessable)
  .annotateContext(OpenApi.annotations({ description: "About this server." }))

/** The endpoints. */
export const api = HttpApi.make("lume").add(runs).add(documents)
