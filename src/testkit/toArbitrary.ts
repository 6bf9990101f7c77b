/**
 * Arbitraries as tests take them.
 */
import * as FastCheck from "effect/FastCheck"
import type * as derive from "../internal/derive.js"

/** An arbitrary of fast-check. */
export type Arbitrary<A> = FastCheck.Arbitrary<A>

/** The arbitrary whose values are made so. */
export const toArbitrary = <A>(make: derive.Arbitrary<A>): Arbitrary<A> => make(FastCheck)
