/**
 * Time for `LumeTest.waitFor`: a clock beside the test's own that, whenever nothing is left to do but sleep, goes to the
 * end of the next sleep.
 *
 * The test's own clock does the same when it is adjusted, but waits some milliseconds of real time before each step,
 * so that an hour of polls takes it seconds.
 */
import * as Chunk from "effect/Chunk"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as FiberStatus from "effect/FiberStatus"
import * as Predicate from "effect/Predicate"
import type * as TestClock from "effect/TestClock"

/** The next turn of the event loop, by when everything has run that can run in memory. */
const nextTurn: (task: () => void) => void =
  typeof globalThis.setImmediate === "function"
    ? globalThis.setImmediate
    : (task) => {
        const { port1, port2 } = new MessageChannel()
        port1.addEventListener("message", () => {
          port1.close()
          task()
        })
        port1.start()
        port2.postMessage(undefined)
      }

const settled = Effect.async<void>((resume) => {
  nextTurn(() => nextTurn(() => resume(Effect.void)))
})

/** What sleeping fibers are said to wait for, which tells them from fibers that wait for the outside world. */
const nextEvent = FiberId.make(-1, 0)

interface Sleeper {
  readonly wakesAt: number
  readonly wake: () => void
}

/** The clock; all times in milliseconds. Once it has ended, it is the test's own. */
class NextEventClock implements TestClock.TestClock {
  readonly [Clock.ClockTypeId]: Clock.ClockTypeId = Clock.ClockTypeId
  private readonly outer: TestClock.TestClock
  private readonly sleepers = new Set<Sleeper>()
  private now: number
  private adjustments = 0
  private hasEnded = false

  constructor(outer: TestClock.TestClock) {
    this.outer = outer
    this.now = outer.unsafeCurrentTimeMillis()
  }

  unsafeCurrentTimeMillis(): number {
    return this.hasEnded ? this.outer.unsafeCurrentTimeMillis() : this.now
  }

  unsafeCurrentTimeNanos(): bigint {
    return BigInt(Math.floor(this.unsafeCurrentTimeMillis() * 1e6))
  }

  readonly currentTimeMillis = Effect.sync(() => this.unsafeCurrentTimeMillis())
  readonly currentTimeNanos = Effect.sync(() => this.unsafeCurrentTimeNanos())

  sleep(duration: Duration.Duration): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (this.hasEnded) return this.outer.sleep(duration)
      // whole milliseconds, because the test's own clock can't hold fractions
      const millis = Math.ceil(Duration.toMillis(duration))
      return millis <= 0 ? Effect.void : this.sleepUntil(this.now + millis)
    })
  }

  private sleepUntil(wakesAt: number): Effect.Effect<void> {
    return Effect.async<void>((resume) => {
      const sleeper = { wakesAt, wake: () => resume(Effect.void) }
      this.sleepers.add(sleeper)
      return Effect.sync(() => this.sleepers.delete(sleeper))
    }, nextEvent)
  }

  // ---------------------------------------------------------------------------------------------------- for its driver

  /** When the next sleep ends, on this clock or the test's own; `Infinity` where nobody sleeps. */
  readonly next: Effect.Effect<number> = Effect.map(
    Effect.suspend(() => this.outer.sleeps),
    (theirs) => Chunk.reduce(theirs, this.nextHere(), (earliest, wakesAt) => Math.min(earliest, wakesAt))
  )

  /** Whether somebody else is adjusting the time just now. */
  isBeingAdjusted(): boolean {
    return this.adjustments > 0
  }

  /** Lets the test's own clock catch up; it gives the outside world some milliseconds for that. */
  readonly catchUp: Effect.Effect<void> = Effect.suspend(() =>
    this.outer.setTime(Math.max(this.now, this.outer.unsafeCurrentTimeMillis()))
  )

  /** Goes to the end of the next sleep, as given by `next`. */
  goTo(instant: number): Effect.Effect<void> {
    const wake = Effect.sync(() => this.wake(instant))
    return instant < this.nextHere() ? Effect.zipRight(this.outer.setTime(instant), wake) : wake
  }

  /** From now on this clock is the test's own: whoever still sleeps goes on sleeping there. */
  readonly end: Effect.Effect<void> = Effect.flatMap(this.catchUp, () => {
    this.hasEnded = true
    return Effect.forEach(
      this.sleepers,
      ({ wakesAt, wake }) => Effect.forkDaemon(Effect.map(this.outer.sleep(Duration.millis(wakesAt - this.now)), wake)),
      { discard: true }
    )
  })

  private nextHere(): number {
    let earliest = Infinity
    for (const { wakesAt } of this.sleepers) if (wakesAt < earliest) earliest = wakesAt
    return earliest
  }

  private wake(instant: number): void {
    this.now = Math.max(this.now, instant)
    for (const sleeper of this.sleepers) {
      if (sleeper.wakesAt > this.now) continue
      this.sleepers.delete(sleeper)
      sleeper.wake()
    }
  }

  // -------------------------------------------------------------- TestClock, for those who adjust time while it skips

  adjust(duration: Duration.DurationInput): Effect.Effect<void> {
    return Effect.suspend(() => this.setTime(this.unsafeCurrentTimeMillis() + Duration.toMillis(duration)))
  }

  adjustWith(duration: Duration.DurationInput) {
    return <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
      Effect.zipLeft(effect, this.adjust(duration), { concurrent: true })
  }

  setTime(instant: number): Effect.Effect<void> {
    const steps: Effect.Effect<void> = Effect.flatMap(settled, () => {
      const next = this.nextHere()
      this.wake(Math.min(next, instant))
      return next < instant ? steps : settled
    })
    return Effect.suspend(() => {
      if (this.hasEnded) return this.outer.setTime(instant)
      this.adjustments++
      return Effect.ensuring(
        steps,
        Effect.sync(() => this.adjustments--)
      )
    })
  }

  readonly save = Effect.sync(() => {
    const saved = this.now
    return Effect.sync(() => {
      this.now = saved
    })
  })

  readonly sleeps = Effect.sync(() => Chunk.fromIterable([...this.sleepers].map(({ wakesAt }) => wakesAt)))
}

// ---------------------------------------------------------------------------------------------------------------------
// Driving it

type AnyFiber = Fiber.RuntimeFiber<unknown, unknown>

/** Of a fiber and those that it has forked, the ones that wait for something that is neither a sleep nor a fiber. */
const waitingOutside = (fiber: AnyFiber): Effect.Effect<ReadonlyArray<AnyFiber>> =>
  Effect.flatMap(fiber.status, (status) =>
    FiberStatus.isSuspended(status) && status.blockingOn._tag === "None"
      ? Effect.succeed([fiber])
      : Effect.map(
          Effect.flatMap(fiber.children, (children) => Effect.forEach(children, waitingOutside)),
          (waiting) => waiting.flat()
        )
  )

const realTime = Clock.make()

/** How often an effect that neither ends nor sleeps is looked at again, and how long after: a real second in all. */
const looks = 100
const betweenLooks = Duration.millis(10)

/** How often the outside world is given a few milliseconds to answer a fiber, before time goes on without it. */
const patience = 10

/**
 * Lets everything run that can, and gives the outside world time to answer who waits for it, but not those for whom
 * that has been in vain before. Who still waits is the result.
 */
const settle = (
  fiber: AnyFiber,
  clock: NextEventClock,
  inVain: ReadonlyArray<AnyFiber>
): Effect.Effect<ReadonlyArray<AnyFiber>> =>
  Effect.gen(function* () {
    yield* settled
    let waiting = yield* waitingOutside(fiber)
    for (let tries = 0; tries < patience && waiting.some((fiber) => !inVain.includes(fiber)); tries++) {
      yield* clock.catchUp
      waiting = yield* waitingOutside(fiber)
    }
    return waiting
  })

const neverEnds = (what: string) => Effect.dieMessage(`LumeTest.waitFor: the effect ${what}.`)

/** Drives the clock until the fiber is done; dies where that can't be. */
const drive = (fiber: AnyFiber, clock: NextEventClock, limit: Duration.Duration): Effect.Effect<void> =>
  Effect.gen(function* () {
    const latest = clock.unsafeCurrentTimeMillis() + Duration.toMillis(limit)
    let inVain: ReadonlyArray<AnyFiber> = []
    let looked = 0
    while (true) {
      inVain = yield* settle(fiber, clock, inVain)
      if (fiber.unsafePoll() !== null) return
      if (clock.isBeingAdjusted()) continue
      const next = yield* clock.next
      if (next === Infinity) {
        if (looked++ === looks) return yield* neverEnds("does not end, and does not sleep either: nothing wakes it")
        yield* realTime.sleep(betweenLooks)
      } else if (next > latest) {
        return yield* neverEnds(
          `had not ended after ${Duration.format(limit)} of virtual time. Where that is right, raise the limit option`
        )
      } else {
        looked = 0
        yield* clock.goTo(next)
      }
    }
  })

/**
 * Runs an effect on a clock of this kind, to its end. The test's own clock is moved to that time; fibers that sleep on
 * it are woken as time passes.
 */
export const runToEnd = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  outer: TestClock.TestClock,
  limit: Duration.Duration
): Effect.Effect<A, E, R> =>
  Effect.acquireUseRelease(
    Effect.sync(() => new NextEventClock(outer)),
    (clock) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.flatMap(Effect.fork(restore(Effect.withClock(effect, clock))), (fiber) =>
          restore(Effect.zipRight(drive(fiber, clock, limit), Fiber.join(fiber))).pipe(
            // its finalizers may sleep too
            Effect.ensuring(Effect.zipRight(Fiber.interruptFork(fiber), drive(fiber, clock, limit)))
          )
        )
      ),
    (clock) => clock.end
  )

/** To be run before anything sleeps that `runToEnd` is to know of. */
export const prepare: Effect.Effect<void> = Effect.void

/** Whether a clock is a `TestClock`, whose type effect gives no other way to ask for. */
export const isTestClock = (clock: Clock.Clock): clock is TestClock.TestClock =>
  Predicate.hasProperty(clock, "setTime") && Predicate.hasProperty(clock, "sleeps")
