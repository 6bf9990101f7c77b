/**
 * Fields of structs: those that may be absent or null, and those that have Lume's key on the encoded side.
 *
 * The one place that knows how Effect names and leaves out fields.
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import { Nothing } from "./leaf.js"

/** A field that has another key on the encoded side. */
interface Keyed<Field extends Schema.Top, Key extends string> {
  readonly field: Field
  readonly key: Key
}

type Table = { readonly [name: string]: Schema.Top | Keyed<Schema.Top, string> }

type Fields<T extends Table> = {
  readonly [Name in keyof T]: T[Name] extends Keyed<infer Field, string> ? Field : Extract<T[Name], Schema.Top>
}

type Keys<T extends Table> = {
  readonly [Name in keyof Fields<T>]: T[Name] extends Keyed<Schema.Top, infer Key> ? Key & PropertyKey : Name
}

/** A struct whose fields may be made by what is below. */
export const struct = <const T extends Table>(table: T): Schema.encodeKeys<Schema.Struct<Fields<T>>, Keys<T>> => {
  const fields: Record<string, Schema.Top> = {}
  const keys: Record<string, string> = {}
  for (const [name, field] of Object.entries(table)) {
    if ("field" in field) {
      fields[name] = field.field
      keys[name] = field.key
    } else fields[name] = field
  }
  // TypeScript can't follow a table through a loop
  return Schema.Struct(fields).pipe(Schema.encodeKeys(keys)) as unknown as Schema.encodeKeys<
    Schema.Struct<Fields<T>>,
    Keys<T>
  >
}

/** A field that may be absent or null. */
export const absent = <A, I>(schema: Schema.Codec<A, I>) => Schema.optionalKey(Schema.Union([schema, Nothing]))

/** A field that may be absent or null: `None`, which is written as null. */
export const nullable = <A, I>(schema: Schema.Codec<A, I>) =>
  absent(schema).pipe(
    Schema.decodeTo(Schema.Option(Schema.toType(schema)).annotate({ description: "may be absent or null" }), {
      decode: SchemaGetter.transformOptional((value) => Option.some(Option.flatMap(value, Option.fromNullishOr))),
      encode: SchemaGetter.transformOptional((value) => Option.some(Option.getOrNull(Option.flatten(value))))
    })
  )

/** A field that may be absent or null, and is empty then. */
export const orEmpty = <A, I>(schema: Schema.Codec<A, I>, empty: () => A) =>
  absent(schema).pipe(
    Schema.decodeTo(Schema.toType(schema), {
      decode: SchemaGetter.transformOptional((value) =>
        Option.some(Option.getOrElse(Option.flatMap(value, Option.fromNullishOr), empty))
      ),
      encode: SchemaGetter.passthroughSupertype()
    })
  )

/** A list that may be absent or null. */
export const list = <A, I>(item: Schema.Codec<A, I>) => orEmpty(Schema.Array(item), () => [])

const keyed = <Field extends Schema.Top, Key extends string>(key: Key, field: Field): Keyed<Field, Key> => ({
  field,
  key
})

/** A field that must be there, with Lume's key. */
export const required = <Field extends Schema.Top, K extends string>(key: K, schema: Field) => keyed(key, schema)

/** A field that may be absent or null, with Lume's key: `None`, which is written as null. */
export const optional = <A, I, K extends string>(key: K, schema: Schema.Codec<A, I>) => keyed(key, nullable(schema))
