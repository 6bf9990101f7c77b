/**
 * What a job allows its run, checked before anything is done: TypeScript checks only some callers.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { duration } from "../../client/options.js"
import { preview } from "../../internal/text.js"
import { StageFailure } from "./failure.js"

/** The limits of a run, as they are given. */
export interface Given {
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

/** The limits, with their defaults. */
export const check = ({ memoryLimit, runTimeout = "1 hour" }: Given): Effect.Effect<Limits, StageFailure> => {
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

// A folder of this name is made, beside hidden ones of the engine's own; file systems allow 255 bytes.
const fileName = /^(?!\.)[^/\\\p{Cc}\p{Cs}]{1,60}$/u

/** Refuses a run id under which there can be no folder. */
export const checkRunId = (runId: string): Effect.Effect<void, StageFailure> =>
  fileName.test(runId)
    ? Effect.void
    : refuse(
        `The run id ${preview(runId)} is no file name. Use 1 to 60 characters without slashes, the first of them no dot.`
      )
