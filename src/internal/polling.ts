/**
 * The wait: reads a run again and again until it has ended, time is up, or an error that waiting can't cure.
 *
 * It knows no HTTP: it is given "read this run, within this time". `wait` and `watch` are the same loop, taken to its
 * end or step by step.
 */
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Random from "effect/Random"
import type * as Schedule from "effect/Schedule"
import * as ScheduleDecision from "effect/ScheduleDecision"
import * as ScheduleIntervals from "effect/ScheduleIntervals"
import * as Stream from "effect/Stream"
import * as LumeError from "../LumeError.js"
import * as LumeRun from "../LumeRun.js"
import type * as RunEvents from "../RunEvents.js"
import * as retry from "./retry.js"
import { sleep } from "./sleep.js"
import * as telemetry from "./telemetry.js"

/** How to wait; all times in milliseconds. */
export interface Plan {
  /** What wakes the wait between two polls; none where nothing does. */
  readonly events: RunEvents.Service | undefined
  readonly timeout: number
  readonly pace: Schedule.Schedule<unknown, Option.Option<LumeRun.LumeRun>>
  readonly tolerance: number
  readonly backoff: retry.Backoff
}

/** What to wait for. */
export interface Subject {
  readonly id: LumeRun.RunId
  /** Whether the run is known to exist: a run was given, not just an id. */
  readonly known: boolean
  /** Reads the run once, giving up after `limit` milliseconds. */
  readonly read: (limit: number) => Effect.Effect<LumeRun.LumeRun, LumeError.StatusError>
}

/** How long the last read, made at the deadline, may take. */
const lastReadTime = 1_000

/** How long a run that is known to exist may be unknown to Lume's readers. */
const appearanceTime = 10_000

const shortestPause = 1

/** An event may come before Lume's readers know what it tells of: so it is read at this pace, for this long. */
const paceAfterEvent = 5_000
const timeAfterEvent = 60_000

/** A wait on its way. */
class Polling {
  private readonly subject: Subject
  private readonly plan: Plan
  private readonly clock: Clock.Clock
  private readonly observer: telemetry.Observer
  private readonly events: Queue.Dequeue<void> | undefined
  private readonly startedAt: bigint
  private paceState: unknown
  private polls = 0
  private atDeadline = false
  private lastRun = Option.none<LumeRun.LumeRun>()
  private lastFailure = Option.none<LumeError.StatusError>()
  private failures = 0
  private failingSince = 0
  private hasWarned = false
  private alertUntil = 0

  constructor(
    subject: Subject,
    plan: Plan,
    clock: Clock.Clock,
    observer: telemetry.Observer,
    events: Queue.Dequeue<void> | undefined
  ) {
    this.subject = subject
    this.plan = plan
    this.clock = clock
    this.observer = observer
    this.events = events
    this.startedAt = clock.unsafeCurrentTimeNanos()
    this.paceState = plan.pace.initial
  }

  /** The run as next read, after a pause unless it is the first. Not to be taken after a terminal run. */
  readonly next: Effect.Effect<LumeRun.LumeRun, LumeError.WaitError> = Effect.suspend(() =>
    this.polls === 0 ? this.poll() : Effect.flatMap(this.pause(), () => this.poll())
  )

  /** Milliseconds since the wait began, on the monotonic clock. */
  private elapsed(): number {
    return Number(this.clock.unsafeCurrentTimeNanos() - this.startedAt) / 1e6
  }

  private timedOut(): Effect.Effect<never, LumeError.TimeoutError> {
    const { lastFailure, lastRun, plan, polls, subject } = this
    const timeout = Duration.millis(plan.timeout)
    return Effect.fail(new LumeError.TimeoutError({ runId: subject.id, timeout, polls, lastRun, lastFailure }))
  }

  // ------------------------------------------------------------------------------------------------------------- reads

  private poll(): Effect.Effect<LumeRun.LumeRun, LumeError.WaitError> {
    this.polls++
    this.observer.polled()
    const readAt = this.elapsed()
    const left = this.plan.timeout - readAt
    if (left <= 0) this.atDeadline = true
    return Effect.matchEffect(this.subject.read(this.atDeadline ? lastReadTime : left), {
      onSuccess: (run) => this.succeeded(run),
      onFailure: (error) => this.failed(error, readAt)
    })
  }

  private succeeded(run: LumeRun.LumeRun): Effect.Effect<LumeRun.LumeRun> {
    const unchanged = Option.isSome(this.lastRun) && this.lastRun.value.status === run.status
    this.lastRun = Option.some(run)
    this.lastFailure = Option.none()
    this.failures = 0
    return unchanged ? Effect.succeed(run) : Effect.as(this.changed(run), run)
  }

  private changed(run: LumeRun.LumeRun): Effect.Effect<void> {
    if (run._tag !== "Unrecognized" || this.hasWarned) return this.observer.changed(run)
    this.hasWarned = true
    return Effect.zipRight(this.observer.changed(run), warnUnrecognized(run))
  }

  private failed(error: LumeError.StatusError, readAt: number): Effect.Effect<LumeRun.LumeRun, LumeError.WaitError> {
    // The deadline cut the read short. The live clock's timers can be early by a fraction of a millisecond.
    if (!this.atDeadline && isRequestTimeout(error) && this.plan.timeout - this.elapsed() < 1) return this.timedOut()
    if (!isNoNews(error) && !this.mayNotHaveAppeared(error)) return Effect.fail(error)
    if (this.failures === 0) this.failingSince = readAt
    this.failures++
    this.lastFailure = Option.some(error)
    if (this.atDeadline) return this.timedOut()
    if (this.elapsed() - this.failingSince >= this.plan.tolerance) return Effect.fail(error)
    return Effect.zipRight(this.observer.failed(error), this.next)
  }

  private mayNotHaveAppeared(error: LumeError.StatusError): boolean {
    return (
      error._tag === "RunNotFoundError" &&
      this.subject.known &&
      Option.isNone(this.lastRun) &&
      this.elapsed() < appearanceTime
    )
  }

  // ------------------------------------------------------------------------------------------------------------ pauses

  /** The one place where a schedule is stepped. */
  private pause(): Effect.Effect<void, LumeError.TimeoutError> {
    if (this.atDeadline) return this.timedOut()
    const now = this.clock.unsafeCurrentTimeMillis()
    return Effect.flatMap(this.plan.pace.step(now, this.lastRun, this.paceState), ([state, , decision]) => {
      if (ScheduleDecision.isDone(decision)) return this.timedOut()
      this.paceState = state
      const interval = ScheduleIntervals.start(decision.intervals) - now
      if (this.failures > 0) return this.pauseAfterFailure(interval)
      return this.events === undefined ? this.sleep(interval) : this.sleepOrWake(interval, this.events)
    })
  }

  private pauseAfterFailure(interval: number): Effect.Effect<void> {
    return Effect.flatMap(Random.next, (random) => {
      const backoff = retry.delay(this.plan.backoff, this.failures, random)
      return this.sleep(Math.max(Math.min(interval, backoff), askedFor(this.lastFailure)))
    })
  }

  /** Until the next poll is due, or until the deadline where that comes first. */
  private sleep(due: number): Effect.Effect<void> {
    const left = this.plan.timeout - this.elapsed()
    if (due >= left) this.atDeadline = true
    return sleep(Math.max(shortestPause, Math.ceil(Math.min(due, left))))
  }

  /** The same, unless an event comes before. */
  private sleepOrWake(due: number, events: Queue.Dequeue<void>): Effect.Effect<void> {
    const woken = Effect.flatMap(Queue.take(events), () => {
      this.atDeadline = false
      this.alertUntil = this.elapsed() + timeAfterEvent
      return sleep(shortestPause)
    })
    const isAlert = this.elapsed() < this.alertUntil
    return Effect.raceFirst(this.sleep(isAlert ? Math.min(due, paceAfterEvent) : due), woken)
  }
}

/** Begins to listen, where there are events, and then to observe: before the first read, so that nothing is missed. */
const begin = (subject: Subject, plan: Plan) =>
  Effect.gen(function* () {
    const events = plan.events === undefined ? undefined : yield* plan.events.subscribe(subject.id)
    const observer = yield* telemetry.observe(subject.id)
    const clock = yield* Effect.clock
    return { observer, next: new Polling(subject, plan, clock, observer, events).next }
  })

/** Waits until the run has ended. */
export const wait = (subject: Subject, plan: Plan): Effect.Effect<LumeRun.TerminalRun, LumeError.WaitError> =>
  Effect.scoped(
    Effect.flatMap(begin(subject, plan), ({ next, observer }) => {
      const untilTerminal: Effect.Effect<LumeRun.TerminalRun, LumeError.WaitError> = Effect.flatMap(next, (run) =>
        LumeRun.isTerminal(run) ? Effect.succeed(run) : untilTerminal
      )
      return Effect.onExit(untilTerminal, observer.ended)
    })
  )

/** The run as first read, then at every change of its status, to its end. */
export const watch = (subject: Subject, plan: Plan): Stream.Stream<LumeRun.LumeRun, LumeError.WaitError> =>
  Stream.unwrapScoped(
    Effect.flatMap(begin(subject, plan), ({ next, observer }) =>
      Effect.as(Effect.addFinalizer(observer.ended), Stream.repeatEffect(next))
    )
  ).pipe(
    Stream.takeUntil(LumeRun.isTerminal),
    Stream.changesWith((before, after) => before.status === after.status)
  )

// ---------------------------------------------------------------------------------------------------------------------
// What a poll's outcome means to a wait

/** A failure that says nothing of the run and may pass: a wait goes on. */
const isNoNews = (error: LumeError.StatusError): boolean => error._tag === "DecodeError" || LumeError.isTransient(error)

const isRequestTimeout = (error: LumeError.StatusError): boolean =>
  error._tag === "TransportError" && error.reason === "RequestTimeout"

/** How long the last failure asks to wait, in milliseconds. */
const askedFor = (failure: Option.Option<LumeError.StatusError>): number =>
  failure.pipe(Option.flatMap(LumeError.retryAfter), Option.match({ onNone: () => 0, onSome: Duration.toMillis }))

const warnUnrecognized = (run: LumeRun.Unrecognized): Effect.Effect<void> =>
  Effect.logWarning(
    `Run ${run.id} has the status ${run.status}, which this version of effect-lume does not know. The wait goes on.`
  )
