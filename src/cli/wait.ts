/**
 * `lume wait`: until the last of some runs has ended.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import process from "node:process"
import * as LumeClient from "../LumeClient.js"
import type { WaitError } from "../LumeError.js"
import type * as LumeRun from "../LumeRun.js"
import { execute } from "./command.js"
import * as environment from "./environment.js"
import { clock, type Shown } from "./frame.js"
import { judge, type Standard, worst } from "./judgement.js"
import * as liveView from "./liveView.js"
import type { Output } from "./output.js"
import { word } from "../internal/shell.js"
import { statusWord } from "../internal/text.js"
import { sentence } from "./sentence.js"
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
  /** When the wait for it was over. */
  endedAt: number | undefined
  /** Whether it may be going on, for all that is known. */
  goesOn: boolean
  /** Whether the wait for it has failed. */
  failed: boolean
}

/** How to wait again for runs that go on. */
export const reattach = (ids: ReadonlyArray<string>): string => `Re-attach with: lume wait ${ids.map(word).join(" ")}`

/** Whether a run whose wait has failed so may be going on. */
const mayGoOn = (error: WaitError): boolean => error._tag !== "RunNotFoundError" && error._tag !== "InvalidRequestError"

/** The sentence that ends a command without all outcomes; nothing where there is nothing to go on with. */
const sayReattach = (progress: ReadonlyArray<Progress>, out: Output, before = ""): Effect.Effect<void> => {
  const ids = progress.filter(({ goesOn }) => goesOn).map(({ id }) => id)
  return ids.length === 0 ? Effect.void : out.say(`${before}${reattach(ids)}`)
}

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
          status === undefined
            ? `${id} no answer yet, ${minutes} min`
            : `${id} still ${statusWord(status)}, ${minutes} min`
        ),
      { discard: true }
    )
  }).pipe(Effect.delay("1 minute"), Effect.repeat(Schedule.forever))

const shown = (progress: ReadonlyArray<Progress>, startedAt: number): ReadonlyArray<Shown> => {
  const now = Date.now()
  return progress.map(({ endedAt, failed, id, status }) => ({
    id,
    status: failed ? "NO OUTCOME" : status,
    elapsed: (endedAt ?? now) - startedAt,
    hasEnded: endedAt !== undefined
  }))
}

/** Says why a run has not been read after some seconds: the wait itself goes on for minutes, and may be right to. */
const sayWhyNotRead = (own: Progress, out: Output) =>
  Effect.gen(function* () {
    const lume = yield* LumeClient.LumeClient
    const isRead = () => own.status !== undefined || own.endedAt !== undefined
    yield* Effect.sleep("2 seconds")
    if (isRead()) return
    const read = yield* Effect.either(lume.runStatus(own.id))
    if (Either.isLeft(read) && !isRead()) yield* out.say(`${own.id} has not been read yet. ${sentence(read.left)}`)
  })

type Awaited = Either.Either<LumeRun.TerminalRun, WaitError>

/** A line that says what a run has become. */
const changeLine = (out: Output, startedAt: number, { id }: Progress, status: string | null) =>
  Effect.flatMap(Clock.currentTimeMillis, (now) =>
    out.status(id, status, `${id} ${statusWord(status)} ${clock(now - startedAt)}`)
  )

/** Waits for one run, and writes what becomes of it. */
const awaitOne = (
  run: LumeRun.LumeRun | string,
  own: Progress,
  { pollInterval, timeout }: Waiting,
  out: Output,
  onChange: (own: Progress, status: string | null) => Effect.Effect<void>
) =>
  Effect.gen(function* () {
    const lume = yield* LumeClient.LumeClient
    const onStatus = ({ status }: LumeRun.LumeRun) =>
      Effect.suspend(() => {
        own.status = status
        return onChange(own, status)
      })
    const ended: Awaited = yield* Effect.either(lume.wait(run, { timeout, pollInterval, onStatus }))
    own.endedAt = yield* Clock.currentTimeMillis
    own.failed = Either.isLeft(ended)
    // a run that was just submitted is there, whatever is said of it
    own.goesOn = Either.isLeft(ended) && (typeof run !== "string" || mayGoOn(ended.left))
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
    const isLive = !out.json && liveView.canDraw()
    const redraw = isLive ? yield* liveView.show(out, () => shown(progress, startedAt)) : Effect.void
    if (!isLive) yield* Effect.forkScoped(signsOfLife(out, progress, startedAt))
    yield* Effect.forEach(progress, (own) => Effect.forkScoped(sayWhyNotRead(own, out)))
    const onChange = (own: Progress, status: string | null) =>
      isLive ? redraw : changeLine(out, startedAt, own, status)
    return yield* Effect.forEach(
      runs,
      (run, index) => {
        const own = progress[index]
        return own === undefined
          ? Effect.dieMessage("a run without progress")
          : awaitOne(run, own, waiting, out, onChange)
      },
      { concurrency: "unbounded" }
    )
  }).pipe(Effect.scoped)

/** Of each run. On a terminal that shows stdout too, the line of a single run is there already. */
const summarize = (ended: ReadonlyArray<LumeRun.TerminalRun>, standard: Standard, out: Output) => {
  const isShown = ended.length === 1 && process.stdout.isTTY && process.stderr.isTTY
  return Effect.forEach(ended, (run) =>
    Effect.gen(function* () {
      const { code, error, headline, lines } = yield* judge(run, standard)
      if (out.json) yield* Effect.forEach(Option.toArray(error), out.error)
      else yield* Effect.forEach(isShown ? lines : [headline, ...lines], out.say)
      return code
    })
  )
}

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
      endedAt: undefined,
      goesOn: true,
      failed: false
    }))
    const first = yield* Effect.raceFirst(
      Effect.map(awaitAll(runs, progress, waiting, out), Either.right),
      Effect.map(signals.first, Either.left)
    )
    if (Either.isLeft(first)) {
      yield* sayReattach(progress, out, "Stopped waiting; the runs go on. ")
      return signals.codeOf(first.left)
    }
    const results = first.right
    const ended = results.flatMap((result) => (Either.isRight(result) ? [result.right] : []))
    const errors = results.flatMap((result) => (Either.isLeft(result) ? [result.left] : []))
    const codes = yield* summarize(ended, waiting, out)
    yield* sayReattach(progress, out)
    return worst([...codes, ...errors.map((error) => (error._tag === "TimeoutError" ? 5 : lost))])
  })

/** `lume wait`. */
export const command = (ids: ReadonlyArray<string>, waiting: Waiting, json: boolean): Promise<void> =>
  execute(json, (out) => Effect.provide(waitFor(ids, waiting, out, 1), environment.layer))
