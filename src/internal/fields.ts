/**
 * Fields of structs: those that may be absent or null, and those that have Lume's key on the encoded side.
 *
 * The one place that knows how Effect names and leaves out fields.
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Nothing } from "./leaf.js"

/** A struct whose fields may be made by what is below. */
export const struct = Schema.Struct

/** A field that may be absent or null. */
export const absent = <A, I>(schema: Schema.Schema<A, I>) =>
  Schema.optionalWith(Schema.Union(schema, Nothing), { exact: true })

/**
 * A field that may be absent or null: `None`, which is written as null.
 *
 * A struct with such a field knows its type side from the beginning. One whose fields merely have an encoded side of
 * their own, as `Schema.OptionFromNullOr` has, derives it anew for each error that is made: that takes twice as long.
 */
export const nullable = <A, I>(schema: Schema.Schema<A, I>) =>
  Schema.optionalToRequired(
    Schema.Union(schema, Nothing),
    Schema.OptionFromSelf(Schema.typeSchema(schema)).annotations({ description: "may be absent or null" }),
    {
      decode: (value) => Option.flatMap(value, Option.fromNullable),
      encode: (value) => Option.some(Option.getOrNull(value))
    }
  )

/** A field that may be absent or null, and is empty then. */
export const orEmpty = <A, I>(schema: Schema.Schema<A, I>, empty: () => A) =>
  Schema.transform(Schema.Union(schema, Nothing), Schema.typeSchema(schema), {
    strict: true,
    decode: (value) => value ?? empty(),
    encode: (value) => value
  })

/** A list that may be absent or null. */
export const list = <A, I>(item: Schema.Schema<A, I>) => orEmpty(Schema.Array(item), () => [])

/** A field that must be there, with Lume's key. */
export const required = <A, I, K extends string>(key: K, schema: Schema.Schema<A, I>) =>
  Schema.propertySignature(schema).pipe(Schema.fromKey(key))

/** A field that may be absent or null, with Lume's key: `None`, which is written as null. */
export const optional = <A, I, K extends string>(key: K, schema: Schema.Schema<A, I>) =>
  nullable(schema).pipe(Schema.fromKey(key))
