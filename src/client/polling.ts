/**
 * The wait: reads a run again and again until it has ended, time is up, or an error comes that waiting can't cure.
 *
 * It knows no HTTP: it is given "read this run, within this time". `wait` and `watch` are the same loop, taken to its
 * end or step by step. The loop is an object, because a wait then takes half the memory that it takes when it is built
 * of `Effect.repeat` and `Effect.timeout`.
 */
import type * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import type * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as LumeError from "../LumeError.js"
import * as LumeRun from "../LumeRun.js"
import type * as RunEvents from "../RunEvents.js"
import * as pace from "./pace.js"
import * as retry from "./retry.js"
import { longestSleep, sleep } from "./sleep.js"
import * as telemetry from "./telemetry.js"
import { timeoutDisconnected } from "./timeLimit.js"

/** When to read the run. */
export interface Pace {
  readonly schedule: Schedule.Schedule<unknown, Option.Option<LumeRun.LumeRun>>
  /** Whether the schedule is the caller's, whose steps can take any time. */
  readonly isGiven: boolean
}

/** How to wait; all times in milliseconds. */
export interface Plan {
  /** What wakes the wait between two polls; none if nothing does. */
  readonly events: RunEvents.Service | undefined
  readonly timeout: number
  readonly pace: Pace
  readonly tolerance: number
  readonly backoff: retry.Backoff
  /** Is told every change of status. */
  readonly onStatus: ((run: LumeRun.LumeRun) => Effect.Effect<void>) | undefined
}

/** The run to wait for. */
export interface AwaitedRun {
  readonly id: LumeRun.RunId
  /** Whether the run is known to exist: a run was given, not just an id. */
  readonly known: boolean
  /** Reads the run once, giving up after `limit` milliseconds. */
  readonly read: (limit: number) => Effect.Effect<LumeRun.LumeRun, LumeError.StatusError>
  /** The run as it was submitted, if that has just been done: `onStatus` is told of it first. */
  readonly submitted?: LumeRun.LumeRun
}

/** How long the last read, made at the deadline, may take. */
export const lastReadTime = 1_000

/** How long a run that is known to exist may be unknown to Lume's readers. */
const appearanceTime = 10_000

/** How long `RunEvents` may take until it listens: an event is but a hint, and the wait goes on without. */
const subscribeTime = 5_000

const shortestPause = 1

/** The live clock's timers can be early by a fraction of a millisecond. */
const timerError = 1

/** An event may come before Lume's readers know what it tells of: so the run is read at this pace, for this long. */
const paceAfterEvent = 5_000
const timeAfterEvent = 60_000

/** What is made of a run that has been read: a result, or another read. */
type AndThen<A> = (run: LumeRun.LumeRun, polling: Polling<A>) => Effect.Effect<A, LumeError.WaitError>

/** Reads that have failed one after another, and are tolerated. */
interface Failing {
  readonly times: number
  /** When the first of them failed, in milliseconds since the wait began. */
  readonly since: number
  readonly last: LumeError.StatusError
}

/** A wait on its way. */
class Polling<A> {
  private readonly awaited: AwaitedRun
  private readonly plan: Plan
  private readonly andThen: AndThen<A>
  private readonly clock: Clock.Clock
  private readonly seen: telemetry.WaitTelemetry
  private readonly startedAt: bigint
  private events: Queue.Dequeue<void> | undefined = undefined
  private paceState: pace.State
  private polls = 0
  /** The run as last read. */
  lastRun = Option.none<LumeRun.LumeRun>()
  private failing: Failing | undefined = undefined
  /** Until when an event that has come makes the pace quicker, in milliseconds since the wait began. */
  private quickerUntil = 0
  /** What `onStatus` was told last. */
  private reported: string | null | undefined = undefined
  /** Whether the read at the deadline has been made: no other follows it. */
  private lastReadMade = false

  constructor(awaited: AwaitedRun, plan: Plan, andThen: AndThen<A>, fiber: Fiber.RuntimeFiber<unknown, unknown>) {
    this.awaited = awaited
    this.plan = plan
    this.andThen = andThen
    this.clock = Context.get(fiber.currentDefaultServices, Clock.Clock)
    this.seen = new telemetry.WaitTelemetry(fiber, this.clock)
    this.startedAt = this.clock.unsafeCurrentTimeNanos()
    this.paceState = pace.initial(plan.pace.schedule)
  }

  /** Begins to listen, before the first read, so that nothing is missed. */
  listen(events: RunEvents.Service): Effect.Effect<void, never, Scope.Scope> {
    const { id } = this.awaited
    const brokeOff = (cause: Cause.Cause<never>) => telemetry.listeningBrokeOff(id, cause)
    // in a scope of its own: what becomes of leaving is no matter for the wait
    const leave = (scope: Scope.CloseableScope, exit: Exit.Exit<unknown, unknown>) =>
      Effect.catchAllCause(within(Scope.close(scope, exit), lastReadTime, undefined), brokeOff)
    return Effect.flatMap(Effect.acquireRelease(Scope.make(), leave), (scope) => {
      const subscribe = Scope.extend(
        Effect.suspend(() => events.subscribe(id)),
        scope
      )
      const listening = within(Effect.exit(subscribe), Math.min(subscribeTime, this.left()), undefined)
      return Effect.flatMap(listening, (exit) => {
        if (exit === undefined) return telemetry.listensTooLate(id)
        // whoever interrupts the wait itself does not come through here
        if (Exit.isFailure(exit)) return brokeOff(exit.cause)
        this.events = exit.value
        return Effect.void
      })
    })
  }

  /** Reads the run, after a pause unless it is the first time. Not to be called after a terminal run. */
  next(): Effect.Effect<A, LumeError.WaitError> {
    if (this.polls > 0) return this.pause()
    const { submitted } = this.awaited
    return submitted === undefined ? this.poll(false) : Effect.flatMap(this.report(submitted), () => this.poll(false))
  }

  /** To be run when it is over, however it ended. */
  ended(exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> {
    return this.seen.ended(exit, { polls: this.polls, took: this.elapsed(), lastRun: this.lastRun })
  }

  /** Milliseconds since the wait began, on the monotonic clock. */
  private elapsed(): number {
    return Number(this.clock.unsafeCurrentTimeNanos() - this.startedAt) / 1e6
  }

  /** Milliseconds until the deadline. */
  private left(): number {
    return this.plan.timeout - this.elapsed()
  }

  private timedOut(): Effect.Effect<never, LumeError.TimeoutError> {
    return Effect.fail(
      new LumeError.TimeoutError({
        runId: this.awaited.id,
        timeout: Duration.millis(this.plan.timeout),
        polls: this.polls,
        lastRun: this.lastRun,
        lastFailure: Option.map(Option.fromNullable(this.failing), ({ last }) => last)
      })
    )
  }

  // ------------------------------------------------------------------------------------------------------------- reads

  private poll(atDeadline: boolean): Effect.Effect<A, LumeError.WaitError> {
    this.polls++
    const left = this.left()
    this.lastReadMade = atDeadline || left <= 0
    return Effect.matchEffect(this.awaited.read(this.lastReadMade ? lastReadTime : left), {
      onSuccess: (run) => this.succeeded(run),
      onFailure: (error) => this.failed(error)
    })
  }

  private succeeded(run: LumeRun.LumeRun): Effect.Effect<A, LumeError.WaitError> {
    const unchanged = Option.isSome(this.lastRun) && this.lastRun.value.status === run.status
    this.lastRun = Option.some(run)
    this.failing = undefined
    return unchanged
      ? this.andThen(run, this)
      : Effect.flatMap(Effect.zipRight(this.seen.statusChanged(run), this.report(run)), () => this.andThen(run, this))
  }

  /** Tells `onStatus`, until the deadline at most. */
  private report(run: LumeRun.LumeRun): Effect.Effect<void> {
    const { onStatus } = this.plan
    if (onStatus === undefined || this.reported === run.status) return Effect.void
    this.reported = run.status
    return LumeRun.isTerminal(run) ? reportEnded(run, this.plan, this.left()) : tell(run, onStatus, this.left())
  }

  private failed(error: LumeError.StatusError): Effect.Effect<A, LumeError.WaitError> {
    if (!isTolerated(error) && !this.mayNotHaveAppeared(error)) return Effect.fail(error)
    const now = this.elapsed()
    const { since, times } = this.failing ?? { since: now, times: 0 }
    this.failing = { times: times + 1, since, last: error }
    if (this.lastReadMade) return this.timedOut()
    if (isRequestTimeout(error) && now > this.plan.timeout - timerError) {
      // The deadline cut the read short. If it has long passed, as after a laptop's sleep, the read says nothing.
      return now < this.plan.timeout + lastReadTime ? this.timedOut() : this.poll(true)
    }
    if (isTolerated(error) && times > 0 && now - since >= this.plan.tolerance) return Effect.fail(error)
    return Effect.flatMap(this.seen.readFailed(this.awaited.id, error), () => this.pause())
  }

  private mayNotHaveAppeared(error: LumeError.StatusError): boolean {
    return (
      error._tag === "RunNotFoundError" &&
      error.status === 404 &&
      (this.awaited.known || Option.isSome(this.lastRun)) &&
      this.elapsed() < appearanceTime
    )
  }

  // ------------------------------------------------------------------------------------------------------------ pauses

  /** Pauses and polls. */
  private pause(): Effect.Effect<A, LumeError.WaitError> {
    if (this.lastReadMade) return this.timedOut()
    if (!this.plan.pace.isGiven) return this.step((delay) => this.pollWhenDue(delay))
    // at the deadline, a step that takes longer makes way for the last read
    return Effect.flatMap(within(this.step(Effect.succeed), this.left(), 0), (delay) => this.pollWhenDue(delay))
  }

  /** Steps the pace, then goes on with the delay in milliseconds, `undefined` if the pace is done. */
  private step<B, E>(then: (delay: number | undefined) => Effect.Effect<B, E>): Effect.Effect<B, E> {
    const now = this.clock.unsafeCurrentTimeMillis()
    return pace.next(this.plan.pace.schedule, this.paceState, now, this.lastRun, (delay, state) => {
      this.paceState = state
      return then(delay)
    })
  }

  private pollWhenDue(due: number | undefined): Effect.Effect<A, LumeError.WaitError> {
    if (due === undefined) return this.timedOut()
    if (this.failing !== undefined) return this.pollAfterFailure(due, this.failing)
    return this.events === undefined ? this.pollAfter(due) : this.pollAfterOrWhenWoken(due, this.events)
  }

  /** Polls when it is due, or at the deadline if that comes first. */
  private pollAfter(due: number): Effect.Effect<A, LumeError.WaitError> {
    const left = this.left()
    return Effect.flatMap(sleep(this.clock, wholeMillis(Math.min(due, left))), () => this.poll(due >= left))
  }

  private pollAfterFailure(due: number, { last, times }: Failing): Effect.Effect<A, LumeError.WaitError> {
    return Effect.flatMap(retry.delayAfter(last, this.plan.backoff, times, due), (delay) => this.pollAfter(delay))
  }

  /** Polls when it is due, or shortly after an event. */
  private pollAfterOrWhenWoken(due: number, events: Queue.Dequeue<void>): Effect.Effect<A, LumeError.WaitError> {
    const now = this.elapsed()
    const left = this.plan.timeout - now
    const pause = Math.min(now < this.quickerUntil ? Math.min(due, paceAfterEvent) : due, left, longestSleep)
    return Effect.flatMap(within(Effect.exit(Queue.take(events)), wholeMillis(pause), undefined), (event) => {
      if (event === undefined) return this.poll(pause >= left)
      if (Exit.isFailure(event)) {
        // the queue was shut down: no other event will come
        this.events = undefined
        return this.pollAfter(due - (this.elapsed() - now))
      }
      this.quickerUntil = this.elapsed() + timeAfterEvent
      return Effect.flatMap(sleep(this.clock, shortestPause), () => this.poll(false))
    })
  }
}

/** Whole milliseconds, because `TestClock` can't hold fractions. */
const wholeMillis = (millis: number): number => Math.max(shortestPause, Math.ceil(millis))

/** What a caller gave, for so many milliseconds at most; then `otherwise`. */
const within = <A, B>(effect: Effect.Effect<A>, millis: number, otherwise: B): Effect.Effect<A | B> =>
  timeoutDisconnected(effect, {
    millis: Math.min(Math.max(0, Math.ceil(millis)), longestSleep),
    onTimeout: () => Effect.succeed(otherwise)
  })

/**
 * Tells `onStatus`, for so many milliseconds at most. The wait goes on, and what a run has ended with stands, whatever
 * becomes of that: of a run that was just submitted, only the wait knows the id.
 */
const tell = (
  run: LumeRun.LumeRun,
  onStatus: (run: LumeRun.LumeRun) => Effect.Effect<void>,
  millis: number
): Effect.Effect<void> =>
  Effect.catchAllCause(
    within(
      Effect.suspend(() => onStatus(run)),
      millis,
      undefined
    ),
    // whoever interrupts the wait itself does not come through here
    (cause) => telemetry.onStatusBrokeOff(run.id, cause)
  )

/** Tells `onStatus` of a run that has ended, for `left` milliseconds at most, or as long as a last read may take. */
export const reportEnded = (
  run: LumeRun.TerminalRun,
  { onStatus, timeout }: Plan,
  left = timeout
): Effect.Effect<void> => (onStatus === undefined ? Effect.void : tell(run, onStatus, Math.max(left, lastReadTime)))

const untilEnded: AndThen<LumeRun.TerminalRun> = (run, polling) =>
  LumeRun.isTerminal(run) ? Effect.succeed(run) : polling.next()

const begin = <E>(
  awaited: AwaitedRun,
  plan: Plan,
  take: (polling: Polling<LumeRun.TerminalRun>) => Effect.Effect<LumeRun.TerminalRun, E>
): Effect.Effect<LumeRun.TerminalRun, E> =>
  Effect.withFiberRuntime<LumeRun.TerminalRun, E>((fiber) => {
    const polling = new Polling(awaited, plan, untilEnded, fiber)
    // not `take(polling)`, which would keep the first read as long as the wait
    const taken = Effect.suspend(() => take(polling))
    return Effect.onExit(
      // a scope, which only events need, would take as much memory as half of a wait without
      plan.events === undefined ? taken : Effect.scoped(Effect.zipRight(polling.listen(plan.events), taken)),
      (exit) => polling.ended(exit)
    )
  })

const toEnd = (polling: Polling<LumeRun.TerminalRun>) => polling.next()

/** Waits until the run has ended. */
export const wait = (awaited: AwaitedRun, plan: Plan): Effect.Effect<LumeRun.TerminalRun, LumeError.WaitError> =>
  begin(awaited, plan, toEnd)

/** Waits until a run that has just been submitted has ended. */
export const waitForSubmitted = (
  submitted: LumeRun.LumeRun,
  awaited: AwaitedRun,
  plan: Plan
): Effect.Effect<LumeRun.TerminalRun, LumeError.TimeoutError | LumeError.WaitFailedError> =>
  begin({ ...awaited, submitted }, plan, (polling) =>
    Effect.mapError(polling.next(), (error) =>
      error._tag === "TimeoutError"
        ? error
        : waitFailed(
            error,
            Option.getOrElse(polling.lastRun, () => submitted)
          )
    )
  )

/** A wait after a submit has failed: the run goes on. */
export const waitFailed = (failure: LumeError.StatusError, lastRun: LumeRun.LumeRun): LumeError.WaitFailedError =>
  new LumeError.WaitFailedError({ runId: lastRun.id, lastRun, failure })

const oneByOne: AndThen<LumeRun.LumeRun> = Effect.succeed

/** The run as first read, then at every change of its status, to its end. */
export const watch = (awaited: AwaitedRun, plan: Plan): Stream.Stream<LumeRun.LumeRun, LumeError.WaitError> =>
  Stream.unwrapScoped(
    Effect.withFiberRuntime<Stream.Stream<LumeRun.LumeRun, LumeError.WaitError>, never, Scope.Scope>((fiber) => {
      const polling = new Polling(awaited, plan, oneByOne, fiber)
      // what the stream's reader fails with is no failure of the wait
      let last: Exit.Exit<unknown, unknown> = Exit.void
      const next = Effect.onExit(
        Effect.suspend(() => polling.next()),
        (exit) => Effect.sync(() => void (last = exit))
      )
      return Effect.addFinalizer((exit) => polling.ended(Exit.isInterrupted(exit) ? exit : last)).pipe(
        Effect.zipRight(plan.events === undefined ? Effect.void : polling.listen(plan.events)),
        Effect.as(Stream.repeatEffect(next))
      )
    })
  ).pipe(
    Stream.takeUntil(LumeRun.isTerminal),
    Stream.changesWith((before, after) => before.status === after.status)
  )

/** Whether the wait goes on for `tolerance` while reads fail so: the failure says nothing of the run. */
const isTolerated = (error: LumeError.StatusError): boolean =>
  error._tag === "DecodeError" || LumeError.isTransient(error)

const isRequestTimeout = (error: LumeError.StatusError): boolean =>
  error._tag === "TransportError" && error.reason === "RequestTimeout"
