/**
 * Time for `LumeTest.waitFor`: the test's own clock is set to the end of the next sleep whenever nothing is left to do but
 * sleep. For that it has to remember who sleeps on it, which effect's does not tell.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Predicate from "effect/Predicate"
import type * as TestClock from "effect/testing/TestClock"
import * as eventLoop from "../client/eventLoop.js"

/** What is going on on a test's clock. Times in milliseconds. */
interface Activity {
  readonly sleeps: Set<{ readonly endsAt: number }>
  adjustments: number
  /** The clock's own `setTime`, which does not count as an adjustment. */
  readonly setTime: TestClock.TestClock["setTime"]
}

const watched = new WeakMap<Clock.Clock, Activity>()

/** Watches a test's clock from now on; again, it does nothing. */
const watch = (clock: TestClock.TestClock): Activity => {
  const known = watched.get(clock)
  if (known !== undefined) return known
  const { adjust, setTime, sleep } = clock
  const activity: Activity = { sleeps: new Set(), adjustments: 0, setTime }
  watched.set(clock, activity)
  const counted = (effect: Effect.Effect<void>) =>
    Effect.suspend(() => {
      activity.adjustments++
      return Effect.ensuring(
        effect,
        Effect.sync(() => activity.adjustments--)
      )
    })
  Object.assign(clock, {
    adjust: (duration: Duration.Input) => counted(adjust(duration)),
    setTime: (instant: number) => counted(setTime(instant)),
    sleep: (duration: Duration.Duration) =>
      Effect.suspend(() => {
        // whole milliseconds, as the test's clock has always had them
        const millis = Math.ceil(Duration.toMillis(duration))
        const entry = { endsAt: clock.currentTimeMillisUnsafe() + millis }
        activity.sleeps.add(entry)
        return Effect.ensuring(
          sleep(Duration.millis(millis)),
          Effect.sync(() => activity.sleeps.delete(entry))
        )
      })
  })
  return activity
}

const nextEnd = ({ sleeps }: Activity): number => {
  let next = Infinity
  for (const { endsAt } of sleeps) if (endsAt < next) next = endsAt
  return next
}

const realTime = Context.get(Context.empty(), Clock.Clock)

/** How often an effect that neither ends nor sleeps is looked at again, and how long after: a real second in all. */
const looks = 200
const betweenLooks = Duration.millis(5)

/** For how many real milliseconds in all real I/O gets, before time goes on without it. */
const patience = 20

const neverEnds = (what: string) => Effect.die(new Error(`LumeTest.waitFor: the effect ${what}.`))

/** Sets the clock to the end of each sleep in turn, until the fiber is done. Dies where it does not come to an end. */
const drive = (
  fiber: Fiber.Fiber<unknown, unknown>,
  clock: TestClock.TestClock,
  limit: Duration.Duration
): Effect.Effect<void> =>
  Effect.gen(function* () {
    const activity = watch(clock)
    const latest = clock.currentTimeMillisUnsafe() + Duration.toMillis(limit)
    let looked = 0
    let waited = 0
    while (true) {
      yield* eventLoop.turns
      if (fiber.pollUnsafe() !== undefined) return
      const next = nextEnd(activity)
      if (activity.adjustments > 0) continue
      if (next === Infinity) {
        if (looked++ === looks)
          return yield* neverEnds(
            "does not end: nothing in it sleeps, and nothing wakes it. Provide what it waits for; real I/O may take a second"
          )
        yield* realTime.sleep(betweenLooks)
      } else if (waited < patience) {
        const before = realTime.currentTimeMillisUnsafe()
        yield* realTime.sleep(betweenLooks)
        waited += Math.max(1, realTime.currentTimeMillisUnsafe() - before)
      } else if (next > latest) {
        return yield* neverEnds(
          `had not ended after ${Duration.format(limit)} of virtual time. If it should take longer, raise the option limit`
        )
      } else {
        looked = 0
        yield* activity.setTime(Math.max(next, clock.currentTimeMillisUnsafe()))
      }
    }
  })

/** Runs an effect on the test's clock to its end. Fibers forked before, and those it leaves behind, stay on that clock. */
export const runToEnd = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  clock: TestClock.TestClock,
  limit: Duration.Duration
): Effect.Effect<A, E, R> =>
  Effect.uninterruptibleMask((restore) =>
    // Set once, effect's clock does not warn of sleeps any more. To warn, it would end the first sleep of a finalizer of what
    // was interrupted.
    Effect.flatMap(watch(clock).setTime(clock.currentTimeMillisUnsafe()), () =>
      Effect.flatMap(Effect.forkChild(restore(effect), { startImmediately: true }), (fiber) =>
        restore(Effect.andThen(drive(fiber, clock, limit), Fiber.join(fiber))).pipe(
          // its finalizers may sleep too
          Effect.ensuring(
            Effect.andThen(
              Effect.sync(() => fiber.interruptUnsafe()),
              drive(fiber, clock, limit)
            )
          )
        )
      )
    )
  )

/** When a fake Lume begins, in milliseconds since 1970. What sleeps on a test's clock from here on is known. */
export const startTime: Effect.Effect<number> = Clock.clockWith((clock) =>
  Effect.sync(() => {
    if (isTestClock(clock)) watch(clock)
    return clock.currentTimeMillisUnsafe()
  })
)

/** Whether a clock is a `TestClock`, whose type effect gives no other way to ask for. */
export const isTestClock = (clock: Clock.Clock): clock is TestClock.TestClock =>
  Predicate.hasProperty(clock, "setTime") && Predicate.hasProperty(clock, "adjust")
