/**
 * What Effect derives from a schema. The one place that knows how tests ask for it.
 */
import * as Arbitrary from "effect/Arbitrary"
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"

/** Any schema. */
export type AnySchema = Schema.Codec<unknown, unknown>

/** Arbitrary values. */
export const valuesOf = <A, I>(schema: Schema.Codec<A, I>) => Arbitrary.schema(schema)

/** How a value is shown. */
export const textOf = <A, I>(schema: Schema.Codec<A, I>, value: A): string => Schema.toFormatter(schema)(value)

/** The JSON Schema, its components by their names beside it. */
export const jsonSchemaOf = <A, I>(
  schema: Schema.Codec<A, I>
): { readonly schema: object; readonly components: Readonly<Record<string, object>> } => {
  const { definitions, schema: jsonSchema } = Schema.toJsonSchemaDocument(schema, { onExcessProperty: "error" })
  return { schema: jsonSchema, components: { ...definitions } }
}

/** The names of the components of an API's OpenAPI document: an endpoint that takes all of these and gives or fails with one. */
export const openApiNames = <A, I, E, IE>(
  payload: ReadonlyMap<string, AnySchema>,
  success: Schema.Codec<A, I>,
  error: Schema.Codec<E, IE>
): ReadonlyArray<string> => {
  const endpoint = HttpApiEndpoint.post("submit", "/runs", {
    payload: Schema.Struct(Object.fromEntries(payload)),
    success,
    error
  })
  const { components } = OpenApi.fromApi(HttpApi.make("api").add(HttpApiGroup.make("runs").add(endpoint)))
  return Object.keys(components.schemas)
}

/** The name of the component that is the JSON of an error, or of an event. */
export const componentOf = (tag: string): string => `Lume${tag}Encoded`
