/**
 * The wait: reads a run again and again until it has ended, time is up, or an error comes that waiting can't cure.
 *
 * It knows no HTTP: it is given "read this run, within this time". `wait` and `watch` are the same loop, taken to its
 * end or step by step. The loop is an object, because a wait then takes half the memory that it takes when it is built
 * of `Effect.repeat` and `Effect.timeout`.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import type * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as LumeError from "../LumeError.js"
import * as LumeRun from "../LumeRun.js"
import type * as RunEvents from "../RunEvents.js"
import * as pace from "./pace.js"
import * as retry from "./retry.js"
import { longestSleep, sleep } from "./sleep.js"
import * as telemetry from "./telemetry.js"
import { timeoutDisconnected } from "./timeLimit.js"

/** How to wait; all times in milliseconds. */
export interface Plan {
  /** What wakes the wait between two polls; none if nothing does. */
  readonly events: RunEvents.Service | undefined
  readonly timeout: number
  readonly pace: Schedule.Schedule<unknown, Option.Option<LumeRun.LumeRun>>
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
const lastReadTime = 1_000

/** How long a run that is known to exist may be unknown to Lume's readers. */
const appearanceTime = 10_000

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
  private readonly events: Queue.Dequeue<void> | undefined
  private readonly clock: Clock.Clock
  private readonly seen: telemetry.WaitTelemetry
  private readonly startedAt: bigint
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

  constructor(
    awaited: AwaitedRun,
    plan: Plan,
    andThen: AndThen<A>,
    fiber: Fiber.RuntimeFiber<unknown, unknown>,
    events: Queue.Dequeue<void> | undefined
  ) {
    this.awaited = awaited
    this.plan = plan
    this.andThen = andThen
    this.events = events
    this.clock = Context.get(fiber.currentDefaultServices, Clock.Clock)
    this.seen = new telemetry.WaitTelemetry(fiber, this.clock)
    this.startedAt = this.clock.unsafeCurrentTimeNanos()
    this.paceState = pace.initial(plan.pace)
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
    const left = this.plan.timeout - this.elapsed()
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

  /** Tells `onStatus`, until the deadline at most. What a run has ended with stands, whatever becomes of that. */
  private report(run: LumeRun.LumeRun): Effect.Effect<void, LumeError.TimeoutError> {
    if (this.plan.onStatus === undefined || this.reported === run.status) return Effect.void
    this.reported = run.status
    const left = this.plan.timeout - this.elapsed()
    return LumeRun.isTerminal(run)
      ? reportEnded(run, this.plan, left)
      : within(this.plan.onStatus, run, left, () => this.timedOut())
  }

  private failed(error: LumeError.StatusError): Effect.Effect<A, LumeError.WaitError> {
    const now = this.elapsed()
    if (!this.lastReadMade && isRequestTimeout(error) && now > this.plan.timeout - timerError) {
      // The deadline cut the read short. If it has long passed, as after a laptop's sleep, the read says nothing.
      return now < this.plan.timeout + lastReadTime ? this.timedOut() : this.poll(true)
    }
    if (!isTolerated(error) && !this.mayNotHaveAppeared(error)) return Effect.fail(error)
    const { since, times } = this.failing ?? { since: now, times: 0 }
    this.failing = { times: times + 1, since, last: error }
    if (this.lastReadMade) return this.timedOut()
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
    const now = this.clock.unsafeCurrentTimeMillis()
    return pace.next(this.plan.pace, this.paceState, now, this.lastRun, (delay, state) => {
      this.paceState = state
      if (delay === undefined) return this.timedOut()
      if (this.failing !== undefined) return this.pollAfterFailure(delay, this.failing)
      return this.events === undefined ? this.pollAfter(delay) : this.pollAfterOrWhenWoken(delay, this.events)
    })
  }

  /** Polls when it is due, or at the deadline if that comes first. */
  private pollAfter(due: number): Effect.Effect<A, LumeError.WaitError> {
    const left = this.plan.timeout - this.elapsed()
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
    const event = timeoutDisconnected(Effect.as(Queue.take(events), true), {
      millis: wholeMillis(pause),
      onTimeout: () => Effect.succeed(false)
    })
    return Effect.flatMap(event, (hasCome) => {
      if (!hasCome) return this.poll(pause >= left)
      this.quickerUntil = this.elapsed() + timeAfterEvent
      return Effect.flatMap(sleep(this.clock, shortestPause), () => this.poll(false))
    })
  }
}

/** Whole milliseconds, because `TestClock` can't hold fractions. */
const wholeMillis = (millis: number): number => Math.max(shortestPause, Math.ceil(millis))

/** Begins to listen, if there are events, before the first read, so that nothing is missed. */
const listen = ({ events }: Plan, { id }: AwaitedRun) =>
  events === undefined ? Effect.succeed(undefined) : events.subscribe(id)

const within = <E>(
  onStatus: NonNullable<Plan["onStatus"]>,
  run: LumeRun.LumeRun,
  left: number,
  onTimeout: () => Effect.Effect<void, E>
): Effect.Effect<void, E> =>
  timeoutDisconnected(
    Effect.suspend(() => onStatus(run)),
    { millis: Math.min(Math.max(0, Math.ceil(left)), longestSleep), onTimeout }
  )

/** Tells `onStatus` of a run that has ended, for `left` milliseconds at most, or as long as a last read may take. */
export const reportEnded = (
  run: LumeRun.TerminalRun,
  { onStatus, timeout }: Plan,
  left = timeout
): Effect.Effect<void> =>
  onStatus === undefined ? Effect.void : within(onStatus, run, Math.max(left, lastReadTime), () => Effect.void)

const untilEnded: AndThen<LumeRun.TerminalRun> = (run, polling) =>
  LumeRun.isTerminal(run) ? Effect.succeed(run) : polling.next()

const begin = <E>(
  awaited: AwaitedRun,
  plan: Plan,
  take: (polling: Polling<LumeRun.TerminalRun>) => Effect.Effect<LumeRun.TerminalRun, E>
): Effect.Effect<LumeRun.TerminalRun, E> => {
  const start = (events?: Queue.Dequeue<void>) =>
    Effect.withFiberRuntime<LumeRun.TerminalRun, E>((fiber) => {
      const polling = new Polling(awaited, plan, untilEnded, fiber, events)
      // not `take(polling)`, which would keep the first read as long as the wait
      return Effect.onExit(
        Effect.suspend(() => take(polling)),
        (exit) => polling.ended(exit)
      )
    })
  // a scope, which only events need, would take as much memory as half of a wait without
  return plan.events === undefined ? start() : Effect.scoped(Effect.flatMap(listen(plan, awaited), start))
}

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
    Effect.flatMap(listen(plan, awaited), (events) =>
      Effect.withFiberRuntime<Stream.Stream<LumeRun.LumeRun, LumeError.WaitError>, never, Scope.Scope>((fiber) => {
        const polling = new Polling(awaited, plan, oneByOne, fiber, events)
        const next = Effect.suspend(() => polling.next())
        return Effect.as(
          Effect.addFinalizer((exit) => polling.ended(exit)),
          Stream.repeatEffect(next)
        )
      })
    )
  ).pipe(
    Stream.takeUntil(LumeRun.isTerminal),
    Stream.changesWith((before, after) => before.status === after.status)
  )

/** Whether the wait goes on for `tolerance` while reads fail so: the failure says nothing of the run. */
const isTolerated = (error: LumeError.StatusError): boolean =>
  error._tag === "DecodeError" || LumeError.isTransient(error)

const isRequestTimeout = (error: LumeError.StatusError): boolean =>
  error._tag === "TransportError" && error.reason === "RequestTimeout"
