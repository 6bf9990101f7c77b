/**
 * `lume wait`: until the last of some runs has ended.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as LumeClient from "../LumeClient.js"
import type { WaitError } from "../LumeError.js"
import type * as LumeRun from "../LumeRun.js"
import { execute } from "./command.js"
import * as environment from "./environment.js"
import { clock, type Shown } from "./frame.js"
import { judge, type Standard, worst } from "./judgement.js"
import * as liveView from "./liveView.js"
import type { Output } from "./output.js"
import { word } from "./shell.js"
import * as signals from "./signals.js"

/** How to wait, in milliseconds, and how to judge what has ended. */
export interface Waiting extends Standard {
  readonly timeout: number | undefined
  readonly pollInterval: number | undefined
}

/** What is known of a run while it is awaited. */
interface Progress {
  readonly id: string
  status: string | null | undefined
  endedAt: number | undefined
}

/** How to wait again for runs that go on. */
export const reattach = (ids: ReadonlyArray<string>): string => `Re-attach with: lume wait ${ids.map(word).join(" ")}`

/** Whether the run may be going on, for all that is known. */
const mayGoOn = (error: WaitError): boolean => error._tag !== "RunNotFoundError" && error._tag !== "InvalidRequestError"

/** A line a minute that says what goes on: CI services end what is silent for ten. */
const signsOfLife = (out: Output, progress: ReadonlyArray<Progress>, startedAt: number) =>
  Effect.gen(function* () {
    const minutes = Math.round(((yield* Clock.currentTimeMillis) - startedAt) / 60_000)
    yield* Effect.forEach(
      progress.filter(({ endedAt }) => endedAt === undefined),
      ({ id, status }) =>
        out.status(
          id,
          status ?? null,
          status === undefined ? `${id} no answer yet, ${minutes} min` : `${id} still ${status}, ${minutes} min`
        ),
      { discard: true }
    )
  }).pipe(Effect.delay("1 minute"), Effect.repeat(Schedule.forever))

const shown = (progress: ReadonlyArray<Progress>, startedAt: number): ReadonlyArray<Shown> => {
  const now = Date.now()
  return progress.map(({ endedAt, id, status }) => ({
    id,
    status,
    elapsed: (endedAt ?? now) - startedAt,
    hasEnded: endedAt !== undefined
  }))
}

type Awaited = Either.Either<LumeRun.TerminalRun, WaitError>

/** Waits for one run, and writes what becomes of it. */
const awaitOne = (
  run: LumeRun.LumeRun | string,
  own: Progress,
  { pollInterval, timeout }: Waiting,
  out: Output,
  startedAt: number,
  live: boolean
) =>
  Effect.gen(function* () {
    const lume = yield* LumeClient.LumeClient
    const onStatus = (read: LumeRun.LumeRun) =>
      Effect.gen(function* () {
        own.status = read.status
        const elapsed = clock((yield* Clock.currentTimeMillis) - startedAt)
        if (!live) yield* out.status(own.id, read.status, `${own.id} ${read.status} ${elapsed}`)
      })
    const ended: Awaited = yield* Effect.either(lume.wait(run, { timeout, pollInterval, onStatus }))
    own.endedAt = yield* Clock.currentTimeMillis
    yield* Either.match(ended, { onLeft: out.error, onRight: out.run })
    return ended
  })

/** Waits for all of them, with one deadline, showing how they come along. */
const awaitAll = (
  runs: ReadonlyArray<LumeRun.LumeRun | string>,
  progress: ReadonlyArray<Progress>,
  waiting: Waiting,
  out: Output
) =>
  Effect.gen(function* () {
    const startedAt = yield* Clock.currentTimeMillis
    const live = !out.json && liveView.canDraw()
    yield* live
      ? liveView.show(out, () => shown(progress, startedAt))
      : Effect.forkScoped(signsOfLife(out, progress, startedAt))
    return yield* Effect.forEach(
      runs,
      (run, index) => {
        const own = progress[index]
        return own === undefined
          ? Effect.dieMessage("a run without progress")
          : awaitOne(run, own, waiting, out, startedAt, live)
      },
      { concurrency: "unbounded" }
    )
  }).pipe(Effect.scoped)

const summarize = (ended: ReadonlyArray<LumeRun.TerminalRun>, standard: Standard, out: Output) =>
  Effect.forEach(ended, (run) =>
    Effect.gen(function* () {
      const { code, error, lines } = yield* judge(run, standard)
      if (out.json) yield* Effect.forEach(Option.toArray(error), out.error)
      else yield* Effect.forEach(lines, out.say)
      return code
    })
  )

/**
 * Waits until the last run has ended, and gives the exit code. `lost` is the code of a run whose outcome could not be
 * seen: 1, or 6 if the run was submitted by the same command.
 */
export const waitFor = (
  runs: ReadonlyArray<LumeRun.LumeRun | string>,
  waiting: Waiting,
  out: Output,
  lost: 1 | 6
): Effect.Effect<number, never, LumeClient.LumeClient> =>
  Effect.gen(function* () {
    const progress = runs.map((run): Progress => ({
      id: typeof run === "string" ? run : run.id,
      status: undefined,
      endedAt: undefined
    }))
    const first = yield* Effect.raceFirst(
      Effect.map(awaitAll(runs, progress, waiting, out), Either.right),
      Effect.map(signals.first, Either.left)
    )
    if (Either.isLeft(first)) {
      const going = progress.filter(({ endedAt }) => endedAt === undefined).map(({ id }) => id)
      yield* out.say(`Stopped waiting; the runs go on. ${reattach(going)}`)
      return signals.codeOf(first.left)
    }
    const results = first.right
    const ended = results.flatMap((result) => (Either.isRight(result) ? [result.right] : []))
    const errors = results.flatMap((result) => (Either.isLeft(result) ? [result.left] : []))
    const codes = yield* summarize(ended, waiting, out)
    const going = progress.filter((_, index) =>
      Option.exists(Option.fromNullable(results[index]), (result) => Either.isLeft(result) && mayGoOn(result.left))
    )
    if (going.length > 0) yield* out.say(reattach(going.map(({ id }) => id)))
    return worst([...codes, ...errors.map((error) => (error._tag === "TimeoutError" ? 5 : lost))])
  })

/** `lume wait`. */
export const command = (ids: ReadonlyArray<string>, waiting: Waiting, json: boolean): Promise<void> =>
  execute(json, (out) => Effect.provide(waitFor(ids, waiting, out, 1), environment.layer))
