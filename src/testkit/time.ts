/**
 * Time for `LumeTest.waitFor`: whenever nothing is left to do but sleep, the test's own clock is set to the end of the
 * next sleep.
 */
import * as Chunk from "effect/Chunk"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberStatus from "effect/FiberStatus"
import * as Order from "effect/Order"
import * as Predicate from "effect/Predicate"
import * as Supervisor from "effect/Supervisor"
import type * as TestClock from "effect/TestClock"
import * as eventLoop from "../client/eventLoop.js"

/** Whether a clock is a `TestClock`. effect gives no other way to ask. */
export const isTestClock = (clock: Clock.Clock): clock is TestClock.TestClock =>
  Predicate.hasProperty(clock, "setTime") && Predicate.hasProperty(clock, "sleeps")

/** When a fake Lume begins, in milliseconds since 1970. Effect 4's clock hides its sleeps: it is watched from here on. */
export const startTime: Effect.Effect<number> = Clock.currentTimeMillis

/**
 * The test's clock, as the effect sees it: what the effect does to it is noted. Sleeps are whole milliseconds, because
 * `Clock.currentTimeNanos` dies if a test's clock stands at a fraction of a nanosecond.
 */
const watch = (testClock: TestClock.TestClock) => {
  let adjustments = 0
  const sleeping = new Set<AnyFiber>()
  let interrupted: Array<number> = []
  const counted = (adjustment: Effect.Effect<void>) =>
    Effect.suspend(() => {
      adjustments++
      return Effect.ensuring(
        adjustment,
        Effect.sync(() => adjustments--)
      )
    })
  const overrides: Pick<TestClock.TestClock, "adjust" | "setTime" | "sleep"> = {
    // by `this`, so that a clock that was made from this one keeps what it overrides
    adjust(duration) {
      return counted(testClock.adjust.call(this, duration))
    },
    setTime(instant) {
      return counted(testClock.setTime.call(this, instant))
    },
    sleep(duration) {
      return Effect.withFiberRuntime<void>((fiber) => {
        const millis = Math.ceil(Duration.toMillis(duration))
        const end = testClock.unsafeCurrentTimeMillis() + millis
        sleeping.add(fiber)
        return Effect.onExit(testClock.sleep(Duration.millis(millis)), (exit) =>
          Effect.sync(() => {
            sleeping.delete(fiber)
            if (Exit.isInterrupted(exit)) interrupted.push(end)
          })
        )
      })
    }
  }
  const clock: TestClock.TestClock = Object.assign(Object.create(testClock), overrides)
  return {
    clock,
    /** Those that sleep, which need not be asked what they do: there can be hundreds, at each step. */
    sleeping: sleeping as ReadonlySet<AnyFiber>,
    /** Whether the effect adjusts the clock itself just now. */
    isBeingAdjusted: () => adjustments > 0,
    /** When the next sleep ends; `Infinity` if nobody sleeps. */
    nextEnd: Effect.map(testClock.sleeps, (sleeps) => {
      // interrupted sleeps stay on the clock until their end
      interrupted = interrupted.filter((end) => end > testClock.unsafeCurrentTimeMillis()).toSorted(Order.number)
      const ends = [...Chunk.sort(sleeps, Order.number)]
      return ends.find((end, index) => end !== interrupted[index]) ?? Infinity
    })
  }
}

/**
 * The test's clock, without its pauses. It pauses for some milliseconds of real time before it ends a sleep, so that an
 * hour of polls would take seconds. effect's types hide `awaitSuspended`; if it is renamed, the pauses are back.
 */
const withoutPauses = (clock: TestClock.TestClock): TestClock.TestClock =>
  Object.create(clock, { awaitSuspended: { value: () => Effect.void } })

// ---------------------------------------------------------------------------------------------------------------------
// Driving it

type AnyFiber = Fiber.RuntimeFiber<unknown, unknown>

/** Of these fibers, those that neither sleep nor wait for a fiber: they wait for real I/O, or still run. */
const waitingForIo = (fibers: ReadonlyArray<AnyFiber>): Effect.Effect<ReadonlyArray<AnyFiber>> =>
  Effect.filter(fibers, (fiber) =>
    Effect.map(
      fiber.status,
      (status) =>
        FiberStatus.isRunning(status) || (FiberStatus.isSuspended(status) && status.blockingOn._tag === "None")
    )
  )

const realMillisecond = Clock.make().sleep(Duration.millis(1))

/** How many real milliseconds a fiber that waits for I/O gets, once, before time goes on without it. */
const ioTime = 20

/** How many real milliseconds an effect gets in which nobody sleeps, before it dies. */
const lastIoTime = 1_000

const neverEnds = (what: string) => Effect.dieMessage(`LumeTest.waitFor: the effect ${what}.`)

/** Sets the clock to the end of each sleep in turn, until the fiber is done. Dies if it does not come to an end. */
const drive = (
  fiber: AnyFiber,
  forked: Effect.Effect<ReadonlyArray<AnyFiber>>,
  clock: TestClock.TestClock,
  watched: ReturnType<typeof watch>,
  limit: Duration.Duration
): Effect.Effect<void> =>
  Effect.gen(function* () {
    const latest = clock.unsafeCurrentTimeMillis() + Duration.toMillis(limit)
    let hadTheirTime = new Set<AnyFiber>()
    let given = 0
    while (true) {
      yield* eventLoop.turns
      if (fiber.unsafePoll() !== null) return
      const waiting = yield* waitingForIo([fiber, ...(yield* forked)].filter((fiber) => !watched.sleeping.has(fiber)))
      if (watched.isBeingAdjusted()) continue
      const next = yield* watched.nextEnd
      const isNew = waiting.some((fiber) => !hadTheirTime.has(fiber))
      if (given < (next === Infinity ? lastIoTime : isNew ? ioTime : 0)) {
        given++
        yield* realMillisecond
      } else if (next === Infinity) {
        return yield* neverEnds(
          "does not end: nothing in it sleeps, and nothing wakes it. Provide what it waits for; real I/O may take a second"
        )
      } else if (next > latest) {
        return yield* neverEnds(
          `had not ended after ${Duration.format(limit)} of virtual time. If it should take longer, raise the option limit`
        )
      } else {
        given = 0
        hadTheirTime = new Set(waiting)
        yield* clock.setTime(next)
      }
    }
  })

/** Runs an effect on the test's clock to its end. Fibers forked before, and those it leaves behind, stay on that clock. */
export const runToEnd = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  testClock: TestClock.TestClock,
  limit: Duration.Duration
): Effect.Effect<A, E, R> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const quick = withoutPauses(testClock)
      const watched = watch(testClock)
      // A clock that was never adjusted forks a fiber at the first sleep, to warn of it.
      yield* quick.adjust(0)
      // not by `Fiber.children`: what runs under `concurrency` is nobody's child
      const forked = yield* Supervisor.track
      const fiber = yield* Effect.fork(restore(Effect.supervised(Effect.withClock(effect, watched.clock), forked)))
      const driven = drive(fiber, forked.value, quick, watched, limit)
      return yield* restore(Effect.zipRight(driven, Fiber.join(fiber))).pipe(
        // its finalizers may sleep too
        Effect.ensuring(Effect.zipRight(Fiber.interruptFork(fiber), driven))
      )
    })
  )
