// Schemas of `effect/Schema` in an application that is still on `@effect/schema`.
import * as OldParseResult from "@effect/schema/ParseResult"
import * as OldSchema from "@effect/schema/Schema"
import * as Effect from "effect/Effect"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"

/** A schema of `effect/Schema` as one of `@effect/schema`, with the same type and the same encoding. */
export const bridge = <A, I>(schema: Schema.Schema<A, I>): OldSchema.Schema<A, I> => {
  const issue = (ast: OldParseResult.Type["ast"], value: unknown) => (error: ParseResult.ParseError) =>
    new OldParseResult.Type(ast, value, ParseResult.TreeFormatter.formatErrorSync(error))
  return OldSchema.transformOrFail(
    // whether a value is right is for the schema itself to say
    OldSchema.make<I>(OldSchema.Unknown.ast),
    OldSchema.declare(Schema.is(schema)),
    {
      strict: true,
      decode: (encoded, _, ast) => Effect.mapError(Schema.decode(schema)(encoded), issue(ast, encoded)),
      encode: (value, _, ast) => Effect.mapError(Schema.encode(schema)(value), issue(ast, value))
    }
  )
}
