/**
 * A time limit that holds: unlike `Effect.timeout`, it does not wait until what it interrupts has given in.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"

/**
 * Runs an effect, on a fiber of its own, for at most the given milliseconds. Then it is interrupted, and the failure is there at once, even
 * where the effect does not let itself be interrupted. An interruption from outside waits for it, as everywhere.
 */
export const within = <A, E, E2>(
  effect: Effect.Effect<A, E>,
  millis: number,
  onTimeout: () => E2
): Effect.Effect<A, E | E2> =>
  Effect.uninterruptibleMask((restore) =>
    // as an exit, because a fiber that fails unobserved is logged, with its failure
    Effect.flatMap(Effect.forkDaemon(Effect.exit(restore(effect))), (work) =>
      Effect.flatMap(Effect.forkDaemon(Effect.interruptible(Effect.sleep(millis))), (timer) =>
        restore(
          Effect.async<A, E | E2>((resume) => {
            work.addObserver((exit) => {
              timer.unsafeInterruptAsFork(timer.id())
              resume(Exit.flatten(exit))
            })
            timer.addObserver((exit) => {
              if (Exit.isInterrupted(exit)) return
              work.unsafeInterruptAsFork(work.id())
              resume(Effect.fail(onTimeout()))
            })
            return Fiber.interruptAll([timer, work])
          })
        )
      )
    )
  )
