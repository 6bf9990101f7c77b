/**
 * What Effect derives from a schema and can't from a predicate: JSON Schema, arbitrary values, a text, an equivalence.
 * The one place that knows the names of these annotations.
 */
import type * as Equivalence from "effect/Equivalence"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import type { Generator, Generators } from "./generators.js"
import { generators } from "./generators.js"

/** Makes arbitrary values. */
export type Arbitrary<A> = (fc: Generators) => Generator<A>

/** What is not given is derived as Effect does it. */
export interface Derivation<A> {
  /** Only values that JSON can hold. */
  readonly arbitrary?: Arbitrary<A>
  readonly pretty?: (value: A) => string
  readonly equivalence?: Equivalence.Equivalence<A>
  readonly jsonSchema?: object
}

/** The annotations of a schema that say so. */
export const derive = <A>({
  arbitrary,
  equivalence,
  jsonSchema,
  pretty
}: Derivation<A>): Schema.Annotations.Declaration<A> => ({
  ...(arbitrary && {
    toCodecArbitrary: () => {
      const { read, schema } = arbitrary(generators)
      return Schema.link<A>()(schema, { decode: SchemaGetter.transform(read), encode: SchemaGetter.forbiddenEncoding })
    }
  }),
  ...(pretty && { toFormatter: () => pretty }),
  ...(equivalence && { toEquivalence: () => equivalence }),
  ...(jsonSchema && {
    toCodecJson: () =>
      Schema.link<A>()(
        Schema.Unknown.check(Schema.makeFilter(() => true, { toJsonSchema: () => ({ ...jsonSchema }) })),
        {
          // it is JSON already
          decode: SchemaGetter.passthrough<A, unknown>({ strict: false }),
          encode: SchemaGetter.passthrough<unknown, A>({ strict: false })
        }
      )
  })
})
