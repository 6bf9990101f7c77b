/**
 * What is sent again, and after how long.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import type * as Schedule from "effect/Schedule"
import * as LumeError from "../LumeError.js"
import type { SubmitFailure } from "./endpoints.js"
import * as pace from "./pace.js"
import { countRetry } from "./telemetry.js"

/** Exponential backoff in milliseconds: `base` doubling up to `cap`, at most `times` repetitions. */
export interface Backoff {
  readonly times: number
  readonly base: number
  readonly cap: number
}

/** How long the failed answer asked to wait before the next request (`Retry-After`). */
export const askedDelay = (error: LumeError.LumeError): Option.Option<Duration.Duration> =>
  "retryAfter" in error ? error.retryAfter : Option.none()

/**
 * The delay after the given number of failures in a row, in milliseconds; `random` is from 0 to 1. Whole ones:
 * `TestClock` can't hold fractions.
 */
export const delay = ({ base, cap }: Backoff, failures: number, random: number): number =>
  Math.ceil(Math.min(cap, base * 2 ** (failures - 1) * (0.8 + 0.4 * random)))

/** The backoff as a schedule, where what the error asks for (`Retry-After`) goes before it. */
const schedule = <E>(
  backoff: Backoff,
  asked: (error: E) => Option.Option<Duration.Duration>
): Schedule.Schedule<unknown, E> =>
  pace.repeats(backoff.times, (repetition, error: E) =>
    Effect.zipRight(
      countRetry,
      Option.match(asked(error), {
        onSome: (duration) => Effect.succeed(Duration.toMillis(duration)),
        onNone: () => Effect.map(Random.next, (random) => delay(backoff, repetition + 1, random))
      })
    )
  )

/** Reads again after failures that may pass. */
export const read = <A>(
  reading: Effect.Effect<A, LumeError.StatusError>,
  backoff: Backoff
): Effect.Effect<A, LumeError.StatusError> =>
  Effect.retry(reading, { schedule: schedule(backoff, askedDelay), while: LumeError.isTransient })

/** Submits again only where it is certain that Lume took nothing. */
export const submit = <A>(
  submitting: Effect.Effect<A, SubmitFailure>,
  backoff: Backoff
): Effect.Effect<A, LumeError.SubmitError> =>
  Effect.mapError(
    Effect.retry(submitting, {
      schedule: schedule(backoff, ({ error }: SubmitFailure) => askedDelay(error)),
      while: ({ repeatable }) => repeatable
    }),
    ({ error }) => error
  )
