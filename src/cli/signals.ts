/**
 * Signals that end the command: the first one asks it to, the second one ends it at once.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import process from "node:process"
import { setImmediate as nextTurn } from "node:timers/promises"

const codes = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const

/** A signal that ends the command. */
export type Signal = keyof typeof codes

/** The exit code that goes with a signal. */
export const codeOf = (signal: Signal): number => codes[signal]

// In milliseconds. One key press comes twice through npx: from the terminal, and passed on by npm.
const samePress = 300

/** What has asked the command to end, if anything has. */
let ending: Signal | undefined = undefined

let firstAt: number | undefined = undefined

let atSecond = (signal: Signal): number => codes[signal]

/** Lets this say what there is to say at a second signal, and give the exit code. */
export const onSecond = (say: () => number): Effect.Effect<void> =>
  Effect.sync(() => {
    atSecond = say
  })

const received = new Promise<Signal>((resolve) => {
  const on = (signal: Signal) => {
    const now = performance.now()
    if (firstAt === undefined) {
      firstAt = now
      ending = signal
      resolve(signal)
    } else if (now - firstAt > samePress) {
      process.exit(atSecond(signal))
    }
  }
  process.on("SIGHUP", on)
  process.on("SIGINT", on)
  process.on("SIGTERM", on)
})

const parent = process.ppid

/** npm passes a SIGTERM on to its shell, which ends and leaves the command behind. A script that ends with & does so as well. */
const leftBehind: Effect.Effect<Signal> = Effect.repeat(
  Effect.sync(() => process.ppid),
  { until: (now) => now !== parent, schedule: Schedule.spaced("250 millis") }
).pipe(Effect.map((): Signal => (ending = "SIGTERM")))

/** A sentence on why the command ends, where no signal has come. */
export const reason = (): string | undefined =>
  ending === undefined || firstAt !== undefined
    ? undefined
    : "The shell in which npm has started this has ended, so this ends too."

// in milliseconds
const longestLeave = 500

/**
 * To be called when the command is done, with its exit code. What a signal has ended does not wait for a query that
 * DuckDB goes on with, as `process.exit` does: the signal itself ends the process then, but for the first one of a
 * container.
 */
export const leave = (code: number): void => {
  const signal = ending
  // any other code says more than the signal's
  if (signal === undefined || code !== codes[signal]) return
  // oxlint-disable-next-line no-restricted-globals -- a fiber that sleeps would keep the process
  setTimeout(() => {
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
    process.exit()
  }, longestLeave).unref()
}

/** The first signal. */
export const first: Effect.Effect<Signal> = Effect.suspend(() =>
  process.env["npm_command"] === undefined
    ? Effect.promise(() => received)
    : Effect.raceFirst(
        Effect.promise(() => received),
        leftBehind
      )
)

/**
 * The first signal, if there is one by now. Node hands on what has arrived between two turns of its loop; by the second
 * turn from here, that is all that came before.
 */
export const early: Effect.Effect<Option.Option<Signal>> = Effect.promise(async () => {
  await nextTurn()
  await nextTurn()
  return firstAt === undefined ? Option.none() : Option.some(await received)
})

/** A command that has nothing to say when a signal ends it. */
export const orSignal = <E, R>(command: Effect.Effect<number, E, R>): Effect.Effect<number, E, R> =>
  Effect.raceFirst(command, Effect.map(first, codeOf))
