/**
 * What this process has sent. An engine may run an Activity again in the same process, when it was interrupted or when
 * its result could not be written down: what was sent is not sent again, and what it came to is not forgotten.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"

/** A request that is about to be sent: by which process, and which one of those of that process. */
export interface Intent {
  readonly incarnation: string
  readonly number: number
}

/** This process, from its first intent on: no other has the same. */
let incarnation: string | undefined
let intents = 0

/** What became of requests: only how often one that is on its way, or was interrupted, was sent. */
const begun = new Map<string, Exit.Exit<unknown, unknown> | "once" | "again">()

const keyOf = (intent: Intent): string => `${intent.incarnation}/${intent.number}`

/** A new intent of this process. */
export const begin = (): Intent => {
  incarnation ??= globalThis.crypto.randomUUID()
  intents++
  return { incarnation, number: intents }
}

/** How to send, and what to do where it may have been sent before. */
export interface Sending<A, E, R> {
  readonly send: Effect.Effect<A, E, R>
  /** Whether to send again, once in this process, where it is unknown what became of it. */
  readonly mayRepeat: boolean
  /** Whether an error of `send` leaves that unknown. */
  readonly isUnknown: (error: E) => boolean
  /** The error that says so. */
  readonly unknown: () => E
  /** The error of both, where that of the second time is this one. */
  readonly ofBoth: (error: E) => E
}

/** Sends, unless that has been begun before. What it came to in this process is given again. */
export const once = <A, E, R>(
  intent: Intent,
  { isUnknown, mayRepeat, ofBoth, send, unknown }: Sending<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.suspend(() => {
    const key = keyOf(intent)
    const known = begun.get(key)
    // an intent's results are those of its own `send`
    if (Exit.isExit(known)) return known as Exit.Exit<A, E>

    const sent = (times: "once" | "again") =>
      Effect.suspend(() => {
        begun.set(key, times)
        return send
      })
    const again = mayRepeat && known !== "again" ? Effect.mapError(sent("again"), ofBoth) : Effect.fail(unknown())
    const isFirst = intent.incarnation === incarnation && known === undefined
    const sending = isFirst
      ? Effect.catchAll(sent("once"), (error) => (mayRepeat && isUnknown(error) ? again : Effect.fail(error)))
      : again

    return Effect.onExit(sending, (exit) =>
      Effect.sync(() => {
        if (!Exit.isInterrupted(exit)) begun.set(key, exit)
      })
    )
  })

/** The engine has written the result down, and asks for it no more. */
export const forget = (intent: Intent): void => void begun.delete(keyOf(intent))
