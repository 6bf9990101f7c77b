/**
 * A time limit that holds: unlike `Effect.timeout`, it does not wait until what it interrupts has given in.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Runtime from "effect/Runtime"

/**
 * Runs an effect, on a fiber of its own whose refs `updateRefs` may change, for at most the given milliseconds. Then it
 * is interrupted, and the failure is there at once, even where the effect does not let itself be interrupted. An
 * interruption from outside waits for it, as everywhere.
 */
export const within = <A, E, E2>(
  effect: Effect.Effect<A, E>,
  millis: number,
  onTimeout: () => E2,
  updateRefs?: Runtime.RunForkOptions["updateRefs"]
): Effect.Effect<A, E | E2> =>
  Effect.withFiberRuntime((fiber) => {
    // A fiber that begins at once, with refs that are set as it is made, costs less than `Effect.fork` and `locally`. By
    // the default flags it can be interrupted even where this fiber can't, so that a time limit closes the socket.
    const fork = Runtime.runFork(
      Runtime.make({
        context: fiber.currentContext,
        fiberRefs: fiber.getFiberRefs(),
        runtimeFlags: Runtime.defaultRuntimeFlags
      })
    )
    return Effect.async<A, E | E2>((resume) => {
      // as an exit, because a fiber that fails is logged, with its failure
      const work = fork(Effect.exit(effect), updateRefs && { updateRefs })
      const cancel = after(Context.get(fiber.currentDefaultServices, Clock.Clock), millis, () => {
        work.unsafeInterruptAsFork(work.id())
        resume(Effect.fail(onTimeout()))
      })
      work.addObserver((exit) => {
        cancel()
        resume(Exit.flatten(exit))
      })
      return Effect.zipRight(Effect.sync(cancel), Fiber.interrupt(work))
    })
  })

const liveClock = Context.get(DefaultServices.liveServices, Clock.Clock)

/** Calls back when the time has passed, unless it is cancelled before. */
const after = (clock: Clock.Clock, millis: number, callback: () => void): (() => void) => {
  // What the live clock does, without a fiber to sleep on, which would cost a tenth of a poll.
  if (clock === liveClock) {
    // oxlint-disable-next-line no-restricted-globals -- it is the live clock
    const timer = setTimeout(callback, millis)
    return () => clearTimeout(timer)
  }
  const sleeper = Effect.runFork(clock.sleep(Duration.millis(millis)))
  sleeper.addObserver((exit) => {
    if (Exit.isSuccess(exit)) callback()
  })
  return () => sleeper.unsafeInterruptAsFork(sleeper.id())
}
