/**
 * The errors of this package: plain data whose JSON says what they say, and whose schema has a name of its own among the
 * components of an API.
 */
import type * as Cause from "effect/Cause"
import * as Schema from "effect/Schema"

/** Errors of this class are named by their tag, and what `JSON.stringify` writes of them has the message. */
const readable = <C extends { readonly prototype: Error }>(errorClass: C): C => {
  Object.defineProperty(errorClass.prototype, "name", {
    configurable: true,
    get(this: { readonly _tag: string }) {
      return this._tag
    }
  })
  Object.defineProperty(errorClass.prototype, "toJSON", {
    configurable: true,
    writable: true,
    value(this: Error) {
      return { message: this.message, ...Object.fromEntries(Object.entries(this)) }
    }
  })
  return errorClass
}

/** The class of an error with this tag: a `Schema.TaggedError`, told apart from other packages' errors of that tag. */
export const TaggedError =
  <Self>() =>
  <Tag extends string, const Fields extends Schema.Struct.Fields>(tag: Tag, fields: Fields) =>
    readable(
      // TypeScript does not see that a class's own type is never left out
      Schema.TaggedError<Self>(`effect-lume/${tag}`)(tag, fields, { identifier: `Lume${tag}` }) as Schema.Class<
        Self,
        Schema.TaggedStruct<Tag, Fields>,
        Cause.YieldableError
      >
    )
