/**
 * Properties: what holds for all values of some arbitraries. A test checks many, and names the smallest that fail.
 *
 * The one place that knows how a test takes arbitraries, which differs by Effect's major.
 */
import { it } from "@effect/vitest"
import * as Arbitraries from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as FastCheck from "fast-check"

/** What `LumeTest.arbitrary` holds. */
export type Arbitrary<A> = Arbitraries.Arbitrary<A>

/** `it.prop` takes no arbitraries of fast-check: this takes both. */
type Given<A extends ReadonlyArray<unknown>> = {
  readonly [K in keyof A]: FastCheck.Arbitrary<A[K]> | Arbitraries.Arbitrary<A[K]>
}

interface Options {
  readonly fastCheck?: { readonly numRuns?: number }
  readonly timeout?: number
}

const toFastCheck = <A>(
  given: FastCheck.Arbitrary<A> | Arbitraries.Arbitrary<A>,
  count: number
): FastCheck.Arbitrary<A> =>
  Arbitraries.isArbitrary(given)
    ? FastCheck.constantFrom(...Effect.runSync(Arbitraries.sampleEffect(given, { count })))
    : given

const check =
  <Result>(run: (result: Result) => unknown) =>
  <const A extends ReadonlyArray<unknown>>(
    title: string,
    given: Given<A>,
    holds: (values: A) => Result,
    { fastCheck: { numRuns = 100 } = {}, timeout }: Options = {}
  ): void =>
    it(
      title,
      () =>
        FastCheck.assert(
          FastCheck.asyncProperty(
            // as many arbitraries as values
            FastCheck.tuple(
              ...given.map((one) => toFastCheck(one, numRuns))
            ) as FastCheck.Arbitrary<unknown> as FastCheck.Arbitrary<A>,
            // one that gives false has failed
            async (values) => (await run(holds(values))) !== false
          ),
          { numRuns }
        ),
      timeout
    )

type Checked = Effect.Effect<unknown, unknown, Scope.Scope>

/** Checks at once, as an effect on the test's clock, or as an effect on the live clock. */
export const property = {
  all: check<unknown>((result) => result),
  effect: check<Checked>((result) => Effect.runPromise(Effect.scoped(Effect.provide(result, TestClock.layer())))),
  live: check<Checked>((result) => Effect.runPromise(Effect.scoped(result)))
}

/** Some values, always the same. */
export const someOf = <A>(arbitrary: Arbitrary<A>, count: number): ReadonlyArray<A> =>
  Effect.runSync(Arbitraries.sampleEffect(arbitrary, { seed: 1, count }))
