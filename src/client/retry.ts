/**
 * What is sent again, and after how long.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as LumeError from "../LumeError.js"
import type { SubmitFailure } from "./endpoints.js"
import { sleep } from "./sleep.js"
import { countRetry } from "./telemetry.js"

/** Exponential backoff in milliseconds: `base` doubling up to `cap`, at most `times` repetitions. */
export interface Backoff {
  readonly times: number
  readonly base: number
  readonly cap: number
}

/** How long the failed answer asked to wait before the next request (`Retry-After`). */
const askedDelay = (error: LumeError.LumeError): Option.Option<Duration.Duration> =>
  "retryAfter" in error ? error.retryAfter : Option.none()

/**
 * The delay after the given number of failures in a row, in milliseconds; `random` is from 0 to 1. Whole ones:
 * `TestClock` can't hold fractions.
 */
const delay = ({ base, cap }: Backoff, failures: number, random: number): number =>
  Math.ceil(Math.min(cap, base * 2 ** (failures - 1) * (0.8 + 0.4 * random)))

/** The delay before the next request, in milliseconds: by the backoff, and not before what an answer asks for. */
export const delayAfter = (
  error: LumeError.LumeError,
  backoff: Backoff,
  failures: number,
  longest: number = Infinity
): Effect.Effect<number> =>
  Effect.map(Random.next, (random) => {
    const asked = Option.match(askedDelay(error), { onNone: () => 0, onSome: Duration.toMillis })
    return Math.max(Math.min(delay(backoff, failures, random), longest), asked)
  })

/** Tries again while `errorOf` gives the error of a failure: it says when. */
const retryWhile = <A, E>(
  effect: Effect.Effect<A, E>,
  backoff: Backoff,
  errorOf: (failure: E) => LumeError.LumeError | undefined,
  failures: number = 1
): Effect.Effect<A, E> =>
  Effect.catchAll(effect, (failure) => {
    const error = failures > backoff.times ? undefined : errorOf(failure)
    return error === undefined
      ? Effect.fail(failure)
      : Effect.zipRight(
          Effect.zipRight(
            countRetry,
            Effect.flatMap(delayAfter(error, backoff, failures), (millis) =>
              Effect.clockWith((clock) => sleep(clock, millis))
            )
          ),
          retryWhile(effect, backoff, errorOf, failures + 1)
        )
  })

/** Reads again after transient failures. */
export const read = <A>(
  reading: Effect.Effect<A, LumeError.StatusError>,
  backoff: Backoff
): Effect.Effect<A, LumeError.StatusError> =>
  retryWhile(reading, backoff, (error) => (LumeError.isTransient(error) ? error : undefined))

/** Submits again only if it is certain that Lume took nothing. */
export const submit = <A>(
  submitting: Effect.Effect<A, SubmitFailure>,
  backoff: Backoff
): Effect.Effect<A, LumeError.SubmitError> =>
  Effect.mapError(
    retryWhile(submitting, backoff, ({ error, repeatable }) => (repeatable ? error : undefined)),
    ({ error }) => error
  )
