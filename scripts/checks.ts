/**
 * Checks that say how they went: each one as it ends, with its time, and all of them in a last line `N passed, N failed`.
 */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Ref from "effect/Ref"
import type * as Scope from "effect/Scope"

/** A check has failed, which has been said. */
export class NotPassed extends Data.TaggedError("NotPassed")<{ readonly name: string }> {}

/** Runs an effect as a check of that name. Where it fails, that is said. */
export type Check = <A, E, R>(name: string, effect: Effect.Effect<A, E, R>) => Effect.Effect<A, NotPassed, R>

/** Hinders nothing else where a check has failed. What fails within no check still does. */
export const hindersNoOther = <A, E, R>(
  checks: Effect.Effect<A, E | NotPassed, R>
): Effect.Effect<void, Exclude<E | NotPassed, NotPassed>, R> =>
  Effect.asVoid(Effect.catchIf(checks, isNotPassed, () => Effect.void))

const isNotPassed = (error: unknown): error is NotPassed => error instanceof NotPassed

const isSaid = (cause: Cause.Cause<unknown>): boolean =>
  !Cause.isInterrupted(cause) && Chunk.isEmpty(Cause.defects(cause)) && Chunk.every(Cause.failures(cause), isNotPassed)

/** A program that makes checks. It ends with the exit code 1 where one has failed, or where no check was made. */
export const main = <E>(
  checks: (check: Check) => Effect.Effect<unknown, E, NodeContext.NodeContext | Scope.Scope>
): void =>
  Effect.gen(function* () {
    const count = yield* Ref.make({ passed: 0, failed: 0 })

    const check: Check = (name, effect) =>
      Effect.gen(function* () {
        const [duration, exit] = yield* Effect.timed(Effect.exit(effect))
        const took = `${name} (${(Duration.toMillis(duration) / 1000).toFixed(1)} s)`
        if (Exit.isSuccess(exit)) {
          yield* Ref.update(count, ({ failed, passed }) => ({ passed: passed + 1, failed }))
          yield* Console.log(`passed: ${took}`)
        } else {
          yield* Ref.update(count, ({ failed, passed }) => ({ passed, failed: failed + 1 }))
          yield* Console.error(`FAILED: ${took}\n${Cause.pretty(exit.cause)}`)
        }
        // an assertion fails as a defect
        if (Exit.isInterrupted(exit)) return yield* Effect.interrupt
        if (Exit.isFailure(exit)) return yield* new NotPassed({ name })
        return exit.value
      })

    const exit = yield* Effect.exit(Effect.scoped(checks(check)))
    const { failed, passed } = yield* Ref.get(count)
    // what failed within no check is said here
    const unsaid = Exit.isFailure(exit) && !isSaid(exit.cause)
    if (unsaid) yield* Console.error(Cause.pretty(exit.cause))
    yield* Console.log(`${passed} passed, ${failed + (unsaid ? 1 : 0)} failed`)
    if (unsaid || failed > 0 || passed === 0) yield* Effect.fail("not all checks passed")
  }).pipe(Effect.provide(NodeContext.layer), NodeRuntime.runMain({ disableErrorReporting: true }))
