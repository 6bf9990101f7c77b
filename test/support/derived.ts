/**
 * What Effect derives from a schema. The one place that knows how tests ask for it.
 */
import * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as OpenApi from "@effect/platform/OpenApi"
import * as Arbitrary from "effect/Arbitrary"
import * as JSONSchema from "effect/JSONSchema"
import * as Pretty from "effect/Pretty"
import * as Schema from "effect/Schema"

/** Any schema. */
export type AnySchema = Schema.Schema<unknown, unknown>

/** Arbitrary values. */
export const valuesOf = <A, I>(schema: Schema.Schema<A, I>) => Arbitrary.make(schema)

/** How a value is shown. */
export const textOf = <A, I>(schema: Schema.Schema<A, I>, value: A): string => Pretty.make(schema)(value)

/** The JSON Schema, its components by their names beside it. */
export const jsonSchemaOf = <A, I>(
  schema: Schema.Schema<A, I>
): { readonly schema: object; readonly components: Readonly<Record<string, object>> } => {
  const { $defs = {}, ...jsonSchema } = JSONSchema.make(schema)
  // titles such as "minLength(1)" are Effect's own, and differ by its version
  const components = JSON.parse(JSON.stringify($defs, (key, value: unknown) => (key === "title" ? undefined : value)))
  return { schema: jsonSchema, components }
}

/** The names of the components of an API's OpenAPI document: an endpoint that takes all of these and gives or fails with one. */
export const openApiNames = <A, I, E, IE>(
  payload: ReadonlyMap<string, AnySchema>,
  success: Schema.Schema<A, I>,
  error: Schema.Schema<E, IE>
): ReadonlyArray<string> => {
  const endpoint = HttpApiEndpoint.post("submit", "/runs")
    .setPayload(Schema.Struct(Object.fromEntries(payload)))
    .addSuccess(success)
    .addError(error)
  const { components } = OpenApi.fromApi(HttpApi.make("api").add(HttpApiGroup.make("runs").add(endpoint)))
  return Object.keys(components.schemas)
}

/** The name of the component that is the JSON of an error, or of an event. */
export const componentOf = (tag: string): string => `Lume${tag}`
