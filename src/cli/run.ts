/**
 * `lume run`: submits a run, and waits for it if asked to.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as LumeClient from "../LumeClient.js"
import type * as LumeRun from "../LumeRun.js"
import type { Input } from "../RunRequest.js"
import { execute } from "./command.js"
import * as environment from "./environment.js"
import type { Output } from "./output.js"
import * as signals from "./signals.js"
import * as standing from "./standing.js"
import { reattach, waitFor, type Waiting } from "./wait.js"

/** How long a signal waits for the answer to a submit. */
const patience = "2 seconds"

const doubt = "The run may have been submitted; don't start it again unseen."

/** What is said, and the exit code, where nobody has seen the answer to a submit. */
const unseen = (out: Output): Effect.Effect<number> => Effect.as(out.say(doubt), 6)

const submitted = (run: LumeRun.LumeRun, out: Output): Effect.Effect<void> =>
  Effect.suspend(() => {
    standing.set({ code: 6, advice: reattach([run.id]) })
    return out.json ? out.run(run) : out.data(run.id)
  })

/** What has been submitted: its id, and its end if that is asked for. */
const known = (run: LumeRun.LumeRun, waiting: Waiting | undefined, out: Output) =>
  Effect.zipRight(submitted(run, out), waiting === undefined ? Effect.succeed(0) : waitFor([run], waiting, out, 6))

/** Submits. A signal before that ends the command; one meanwhile is kept until the answer is there, for some time. */
const submit = (request: Input, waiting: Waiting | undefined, out: Output) =>
  Effect.gen(function* () {
    const lume = yield* LumeClient.LumeClient
    const early = yield* signals.early
    if (Option.isSome(early)) return signals.codeOf(early.value)
    standing.set({ code: 6, advice: doubt })
    const submitting = yield* Effect.fork(lume.run(request))
    const signal = yield* Effect.raceFirst(
      Effect.as(Fiber.await(submitting), Option.none<signals.Signal>()),
      Effect.asSome(signals.first)
    )
    if (Option.isNone(signal)) return yield* known(yield* Fiber.join(submitting), waiting, out)
    yield* signals.onSecond(() => Effect.runSync(unseen(out)))
    const answer = yield* Effect.timeoutOption(Fiber.await(submitting), patience)
    if (Option.isNone(answer)) {
      yield* Effect.forkDaemon(Fiber.interrupt(submitting))
      return yield* unseen(out)
    }
    if (Exit.isFailure(answer.value)) return yield* Effect.failCause(answer.value.cause)
    const run = answer.value.value
    yield* submitted(run, out)
    yield* out.say(`Stopped waiting; the runs go on. ${reattach([run.id])}`)
    return signals.codeOf(signal.value)
  })

/** `lume run`. */
export const command = (request: Input, waiting: Waiting | undefined, json: boolean): Promise<void> =>
  execute(json, (out) => Effect.provide(submit(request, waiting, out), environment.layer))
