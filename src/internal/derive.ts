/**
 * What Effect derives from a schema and can't from a predicate: JSON Schema, arbitrary values, a text, an equivalence.
 * The one place that knows the names of these annotations.
 */
import type * as Arbitraries from "effect/Arbitrary"
import type * as Equivalence from "effect/Equivalence"
import * as Schema from "effect/Schema"

/** Makes arbitrary values. It is given fast-check, which nothing outside the test kit imports. */
export type Arbitrary<A> = Arbitraries.LazyArbitrary<A>

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
}: Derivation<A>): Schema.Annotations.Schema<A> => ({
  ...(description !== undefined && { description }),
  ...(arbitrary && { arbitrary: () => arbitrary }),
  ...(pretty && { pretty: () => pretty }),
  ...(equivalence && { equivalence: () => equivalence }),
  ...(jsonSchema && { jsonSchema })
})

/** A text of this pattern. Its arbitrary values are of a simpler one: no generator makes what every pattern asks for. */
export const text = (pattern: RegExp, arbitrary: RegExp) =>
  Schema.String.pipe(Schema.pattern(pattern)).annotations(derive({ arbitrary: (fc) => fc.stringMatching(arbitrary) }))
