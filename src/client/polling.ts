/**
 * The wait: reads a run again and again until it has ended, time is up, or an error that waiting can't cure.
 *
 * It knows no HTTP: it is given "read this run, within this time". `wait` and `watch` are the same loop, taken to its
 * end or step by step.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Random from "effect/Random"
import type * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type * as Tracer from "effect/Tracer"
import * as LumeError from "../LumeError.js"
import * as LumeRun from "../LumeRun.js"
import type * as RunEvents from "../RunEvents.js"
import * as pace from "./pace.js"
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

/** What is made of a run that has been read: a result, or another read. */
type AndThen<A> = (run: LumeRun.LumeRun, polling: Polling<A>) => Effect.Effect<A, LumeError.WaitError>

/** A wait on its way. */
class Polling<A> {
  private readonly subject: Subject
  private readonly plan: Plan
  private readonly andThen: AndThen<A>
  private readonly events: Queue.Dequeue<void> | undefined
  private readonly clock: Clock.Clock
  private readonly span: Tracer.Span | undefined
  private readonly startedAt: bigint
  private paceState: pace.State<Option.Option<LumeRun.LumeRun>>
  private polls = 0
  private readAt = 0
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
    andThen: AndThen<A>,
    fiber: Fiber.RuntimeFiber<unknown, unknown>,
    events: Queue.Dequeue<void> | undefined
  ) {
    this.subject = subject
    this.plan = plan
    this.andThen = andThen
    this.events = events
    this.clock = Context.get(fiber.currentDefaultServices, Clock.Clock)
    this.span = fiber.currentSpan?._tag === "Span" ? fiber.currentSpan : undefined
    this.startedAt = this.clock.unsafeCurrentTimeNanos()
    this.paceState = pace.initial(plan.pace)
  }

  /** Reads the run, after a pause unless it is the first time. Not to be taken after a terminal run. */
  next(): Effect.Effect<A, LumeError.WaitError> {
    return this.polls === 0 ? this.poll() : this.pause()
  }

  /** To be run when it is over, however it ended. */
  ended(exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> {
    return telemetry.waitEnded(exit, this.span, { polls: this.polls, took: this.elapsed(), lastRun: this.lastRun })
  }

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

  private poll(): Effect.Effect<A, LumeError.WaitError> {
    this.polls++
    this.readAt = this.elapsed()
    const left = this.plan.timeout - this.readAt
    if (left <= 0) this.atDeadline = true
    return Effect.matchEffect(this.subject.read(this.atDeadline ? lastReadTime : left), {
      onSuccess: (run) => this.succeeded(run),
      onFailure: (error) => this.failed(error)
    })
  }

  private succeeded(run: LumeRun.LumeRun): Effect.Effect<A, LumeError.WaitError> {
    const unchanged = Option.isSome(this.lastRun) && this.lastRun.value.status === run.status
    this.lastRun = Option.some(run)
    this.lastFailure = Option.none()
    this.failures = 0
    return unchanged ? this.andThen(run, this) : Effect.flatMap(this.changed(run), () => this.andThen(run, this))
  }

  private changed(run: LumeRun.LumeRun): Effect.Effect<void> {
    const changed = telemetry.statusChanged(run, this.span, this.clock)
    if (run._tag !== "Unrecognized" || this.hasWarned) return changed
    this.hasWarned = true
    return Effect.zipRight(changed, warnUnrecognized(run))
  }

  private failed(error: LumeError.StatusError): Effect.Effect<A, LumeError.WaitError> {
    // The deadline cut the read short. The live clock's timers can be early by a fraction of a millisecond.
    if (!this.atDeadline && isRequestTimeout(error) && this.plan.timeout - this.elapsed() < 1) return this.timedOut()
    if (!isNoNews(error) && !this.mayNotHaveAppeared(error)) return Effect.fail(error)
    if (this.failures === 0) this.failingSince = this.readAt
    this.failures++
    this.lastFailure = Option.some(error)
    if (this.atDeadline) return this.timedOut()
    if (this.elapsed() - this.failingSince >= this.plan.tolerance) return Effect.fail(error)
    return Effect.flatMap(telemetry.readFailed(this.subject.id, error), () => this.next())
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

  /** Pauses and polls. */
  private pause(): Effect.Effect<A, LumeError.WaitError> {
    if (this.atDeadline) return this.timedOut()
    const now = this.clock.unsafeCurrentTimeMillis()
    return pace.next(this.plan.pace, this.paceState, now, this.lastRun, (delay, state) => {
      this.paceState = state
      return delay === undefined ? this.timedOut() : Effect.flatMap(this.pauseFor(delay), () => this.poll())
    })
  }

  private pauseFor(interval: number): Effect.Effect<void> {
    if (this.failures > 0) return this.pauseAfterFailure(interval)
    return this.events === undefined ? this.sleep(interval) : this.sleepOrWake(interval, this.events)
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
    return sleep(this.clock, Math.max(shortestPause, Math.ceil(Math.min(due, left))))
  }

  /** The same, unless an event comes before. */
  private sleepOrWake(due: number, events: Queue.Dequeue<void>): Effect.Effect<void> {
    const woken = Effect.flatMap(Queue.take(events), () => {
      this.atDeadline = false
      this.alertUntil = this.elapsed() + timeAfterEvent
      return sleep(this.clock, shortestPause)
    })
    const isAlert = this.elapsed() < this.alertUntil
    return Effect.raceFirst(this.sleep(isAlert ? Math.min(due, paceAfterEvent) : due), woken)
  }
}

/** Begins to listen, where there are events, before the first read, so that nothing is missed. */
const listen = ({ events }: Plan, { id }: Subject) =>
  events === undefined ? Effect.succeed(undefined) : events.subscribe(id)

const untilEnded: AndThen<LumeRun.TerminalRun> = (run, polling) =>
  LumeRun.isTerminal(run) ? Effect.succeed(run) : polling.next()

/** Waits until the run has ended. */
export const wait = (subject: Subject, plan: Plan): Effect.Effect<LumeRun.TerminalRun, LumeError.WaitError> => {
  const begin = (events?: Queue.Dequeue<void>) =>
    Effect.withFiberRuntime<LumeRun.TerminalRun, LumeError.WaitError>((fiber) => {
      const polling = new Polling(subject, plan, untilEnded, fiber, events)
      return Effect.onExit(polling.next(), (exit) => polling.ended(exit))
    })
  // a scope, which only events need, would take as much memory as half of a wait without
  return plan.events === undefined ? begin() : Effect.scoped(Effect.flatMap(listen(plan, subject), begin))
}

const oneByOne: AndThen<LumeRun.LumeRun> = Effect.succeed

/** The run as first read, then at every change of its status, to its end. */
export const watch = (subject: Subject, plan: Plan): Stream.Stream<LumeRun.LumeRun, LumeError.WaitError> =>
  Stream.unwrapScoped(
    Effect.flatMap(listen(plan, subject), (events) =>
      Effect.withFiberRuntime<Stream.Stream<LumeRun.LumeRun, LumeError.WaitError>, never, Scope.Scope>((fiber) => {
        const polling = new Polling(subject, plan, oneByOne, fiber, events)
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
