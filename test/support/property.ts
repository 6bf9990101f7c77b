/**
 * Properties: what holds for all values of some arbitraries. A test checks many, and names the smallest that fail.
 *
 * The one place that knows how a test takes arbitraries, which differs by Effect's major.
 */
import { it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"

/** What `LumeTest.arbitrary` holds. */
export type Arbitrary<A> = FastCheck.Arbitrary<A>

/** Checks at once, as an effect on the test's clock, or as an effect on the live clock. */
export const property = { all: it.prop, effect: it.effect.prop, live: it.live.prop }

/** Some values, always the same. */
export const someOf = <A>(arbitrary: Arbitrary<A>, count: number): ReadonlyArray<A> =>
  FastCheck.sample(arbitrary, { seed: 1, numRuns: count })
