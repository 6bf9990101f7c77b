/**
 * What a job asks for, checked before anything is done: TypeScript checks only some callers.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { duration } from "../../client/options.js"
import { preview } from "../../internal/text.js"
import { type LocalFlow, numberedField } from "../LocalFlow.js"
import { StageFailure } from "./failure.js"

/** What is checked of a job. */
export interface Given {
  readonly runId: string
  readonly flow: LocalFlow
  readonly memoryLimit?: FileSystem.SizeInput | undefined
  readonly runTimeout?: Duration.DurationInput | undefined
}

/** The limits of a run. */
export interface Limits {
  /** In bytes; the engine's default where it is `undefined`. */
  readonly memory: bigint | undefined
  readonly time: Duration.Duration
}

const refuse = (why: string): StageFailure => new StageFailure({ errorCode: "JOB_INVALID", message: why })

const fitsMemory = (given: unknown): given is bigint | number =>
  typeof given === "bigint" ? given > 0n : Number.isSafeInteger(given) && Number(given) > 0

// A folder of this name is made, and a hidden one beside it; file systems allow a name 255 bytes.
const fileName = /^(?!\.)[^/\\\p{Cc}\p{Cs}]{1,60}$/u

/** Refuses a run id under which there can be no folder. */
const checkRunId = (runId: string): Effect.Effect<void, StageFailure> =>
  fileName.test(runId)
    ? Effect.void
    : refuse(
        `The run id ${preview(runId)} is no file name. Use 1 to 60 characters without slashes, the first of them no dot.`
      )

const checkFields = (flow: LocalFlow): Effect.Effect<void, StageFailure> => {
  const name = numberedField(flow)
  return name === undefined
    ? Effect.void
    : refuse(
        `The field ${JSON.stringify(name)} has a whole number for a name, so that its place is lost: add a letter.`
      )
}

/** The limits of a run, with their defaults. */
export const limitsOf = ({
  memoryLimit,
  runTimeout = "1 hour"
}: {
  readonly memoryLimit?: unknown
  readonly runTimeout?: unknown
}): Effect.Effect<Limits, StageFailure> => {
  if (memoryLimit !== undefined && !fitsMemory(memoryLimit)) {
    return refuse(`memoryLimit must be a positive number of bytes, but is ${preview(memoryLimit)}.`)
  }
  const time = Option.filter(duration(runTimeout), Duration.greaterThan(Duration.zero))
  return Option.isNone(time)
    ? refuse(`runTimeout must be a positive duration, such as "10 minutes", but is ${preview(runTimeout)}.`)
    : Effect.succeed({
        memory: memoryLimit === undefined ? undefined : FileSystem.Size(memoryLimit),
        time: time.value
      })
}

/** Refuses a job that can't be run, and gives its limits, with their defaults. */
export const check = (given: Given): Effect.Effect<Limits, StageFailure> =>
  Effect.zipRight(Effect.zipRight(checkRunId(given.runId), checkFields(given.flow)), limitsOf(given))
