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
  /** What a message says was expected; in the JSON Schema too. */
  readonly description?: string
  /** Only values that JSON can hold. */
  readonly arbitrary?: Arbitrary<A>
  readonly pretty?: (value: A) => string
  readonly equivalence?: Equivalence.Equivalence<A>
  readonly jsonSchema?: object
}

/** The annotations of a schema that say so. */
export const derive = <A>({
  arbitrary,
  description,
  equivalence,
  jsonSchema,
  pretty
}: Derivation<A>): Schema.Annotations.Declaration<A> => ({
  // Effect's own messages say `expected`
  ...(description !== undefined && { description, expected: description }),
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
        Schema.Any.check(
          Schema.makeFilter(() => true, {
            toJsonSchema: () => ({ ...jsonSchema, ...(description !== undefined && { description }) })
          })
        ),
        {
          // it is JSON already
          decode: SchemaGetter.passthrough<A, unknown>({ strict: false }),
          encode: SchemaGetter.passthrough<unknown, A>({ strict: false })
        }
      )
  })
})

/** A text of this pattern. Its arbitrary values are of a simpler one: no generator makes what every pattern asks for. */
export const text = (pattern: RegExp, arbitrary: RegExp) =>
  Schema.String.check(
    Schema.makeFilter((text) => pattern.test(text), {
      arbitraryConstraint: { patterns: [{ source: arbitrary.source, flags: arbitrary.flags }] },
      toJsonSchema: () => ({ pattern: pattern.source })
    })
  )
