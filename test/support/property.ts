/**
 * Properties: what holds for all values of an arbitrary.
 */
import { it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"

/** A test that checks many values, and names the smallest one that fails. */
export const property = <A>(title: string, values: FastCheck.Arbitrary<A>, check: (value: A) => void): void => {
  it(title, () => FastCheck.assert(FastCheck.property(values, check)))
}
