/**
 * Arbitraries as tests take them.
 */
import * as Arbitraries from "effect/Arbitrary"
import type * as derive from "../internal/derive.js"
import { generators } from "../internal/generators.js"

/** An arbitrary of Effect, for `it.prop` of `@effect/vitest` and `Arbitrary.checkEffect`. */
export type Arbitrary<A> = Arbitraries.Arbitrary<A>

/** The arbitrary whose values are made so. */
export const toArbitrary = <A>(make: derive.Arbitrary<A>): Arbitrary<A> => {
  const { read, schema } = make(generators)
  return Arbitraries.map(Arbitraries.schema(schema), read)
}
