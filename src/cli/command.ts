/**
 * A command as the process: its exit code, its log, and what is said of a defect.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import process from "node:process"
import type * as LumeError from "../LumeError.js"
import type { Refused } from "./environment.js"
import * as output from "./output.js"
import * as signals from "./signals.js"
import * as standing from "./standing.js"

/** Runs a command, which gives its exit code, to its end. */
export const execute = (
  json: boolean,
  command: (out: output.Output) => Effect.Effect<number, Refused | LumeError.LumeError>
): Promise<void> => {
  const out = output.make(json)
  return command(out).pipe(
    Effect.catchAll((error) =>
      Effect.as(error._tag === "Refused" ? out.say(error.message) : out.error(error), codeOf(error))
    ),
    Effect.catchAllCause((cause) =>
      Effect.as(
        out.say(standing.withAdvice(`This is a defect of lume, please report it: ${Cause.pretty(cause)}.`)),
        standing.get().code
      )
    ),
    Effect.provide(output.logger(out)),
    Effect.tap(() => {
      const reason = signals.reason()
      return reason === undefined ? Effect.void : out.say(reason)
    }),
    Effect.map((code) => {
      process.exitCode = code
      signals.leave(code)
    }),
    Effect.runPromise
  )
}

/** 6 if a run may have been submitted: it is never to be submitted again automatically. */
const codeOf = (error: Refused | LumeError.LumeError): number => {
  switch (error._tag) {
    case "SubmitOutcomeUnknownError":
    case "WaitFailedError":
      return 6
    case "TimeoutError":
      return 5
    default:
      return 1
  }
}
