/**
 * How long to wait before something is tried again.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import type * as Schedule from "effect/Schedule"
import * as pace from "./pace.js"
import { countRetry } from "./telemetry.js"

/** Exponential backoff in milliseconds: `base` doubling up to `cap`, at most `times` repetitions. */
export interface Backoff {
  readonly times: number
  readonly base: number
  readonly cap: number
}

/** No answer can make a client wait longer than this, in milliseconds. */
const longestRetryAfter = 120_000

const httpDate = /^[a-z]{3,9}, .+ GMT$/i

/**
 * What a `Retry-After` header asks for: seconds or an HTTP date, from zero to two minutes; `None` where it can't be
 * read. `now` is in milliseconds since 1970.
 */
export const retryAfter = (header: string | undefined, now: number): Option.Option<Duration.Duration> => {
  const text = header?.trim() ?? ""
  const asked = /^\d+$/.test(text) ? Number(text) * 1000 : httpDate.test(text) ? Date.parse(text) - now : Number.NaN
  return Number.isNaN(asked)
    ? Option.none()
    : Option.some(Duration.millis(Math.min(Math.max(asked, 0), longestRetryAfter)))
}

/**
 * The delay after the given number of failures in a row, in milliseconds; `random` is from 0 to 1. Whole ones:
 * `TestClock` can't hold fractions.
 */
export const delay = ({ base, cap }: Backoff, failures: number, random: number): number =>
  Math.ceil(Math.min(cap, base * 2 ** (failures - 1) * (0.8 + 0.4 * random)))

/** The same as a schedule for `Effect.retry`, where what the error asks for (`Retry-After`) goes before the backoff. */
export const schedule = <E>(
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
