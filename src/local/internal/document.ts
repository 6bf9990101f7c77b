/**
 * The OpenAPI document of a local Lume: what `HttpApi` tells of its endpoints, and what every answer of the server has.
 */
import type * as OpenApi from "@effect/platform/OpenApi"
import * as Record from "effect/Record"
import { spec } from "./api.js"
import * as faults from "./faults.js"

const cacheControl = {
  description: "An answer is true only when it is given.",
  required: true,
  schema: { type: "string", const: "no-store" }
}

const retryAfter = {
  description: "In how many seconds to try again.",
  schema: { type: "integer", minimum: 0 }
}

/** The statuses that can say when to try again. */
const busy: ReadonlySet<string> = new Set(["429", "503", "default"])

const refusal = (description: string) => ({
  description,
  content: { "application/json": { schema: { $ref: "#/components/schemas/Refusal" } } }
})

const anywhere = {
  "421": refusal("The Host header names another server."),
  "431": refusal("The URL and the headers are too large."),
  "500": refusal("The local Lume has a defect: its log says more."),
  default: refusal(`A fault that was asked for by ${faults.header}.`)
}

const faultParameter = {
  name: faults.header,
  in: "header",
  required: false,
  description: `Faults that this request meets, separated by commas: ${faults.help}.`,
  schema: { type: "string", pattern: faults.pattern },
  example: "slow=2s, 503"
}

const operation = (endpoint: OpenApi.OpenAPISpecOperation) => {
  // HttpApi would answer with 400 if it decoded a request, which it does not here.
  const { 400: _, ...responses } = endpoint.responses
  return {
    ...endpoint,
    parameters: [...endpoint.parameters, faultParameter],
    responses: Record.map({ ...responses, ...anywhere }, (response, status) => ({
      ...response,
      headers: { "cache-control": cacheControl, ...(busy.has(status) && { "retry-after": retryAfter }) }
    }))
  }
}

const { HttpApiDecodeError: _1, Issue: _2, PropertyKey: _3, ...schemas } = spec.components.schemas

/** The document. */
export const document = {
  ...spec,
  info: {
    title: "Lume on this machine",
    version: "1",
    description: "What Lume documents of its service, done by effect-lume/local/LocalLume.",
    license: { name: "MIT", identifier: "MIT" }
  },
  servers: [{ url: "/", description: "The server that this document comes from." }],
  paths: Record.map(spec.paths, ({ get, post }) => ({
    ...(get && { get: operation(get) }),
    ...(post && { post: operation(post) })
  })),
  components: { ...spec.components, schemas }
}
