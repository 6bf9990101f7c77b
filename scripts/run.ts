/**
 * Commands, each run to its end.
 */
import * as Command from "@effect/platform/Command"
import type * as CommandExecutor from "@effect/platform/CommandExecutor"
import type * as PlatformError from "@effect/platform/Error"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as String from "effect/String"

/** A command that did not end well, with all that it printed. */
export class CommandFailed extends Data.TaggedError("CommandFailed")<{
  readonly command: string
  readonly directory: string
  readonly exitCode: number
  readonly output: string
}> {
  override get message(): string {
    return `${this.command}\nin ${this.directory} ended with ${this.exitCode}:\n${this.output}`
  }
}

/** A command, its name first. */
export type Words = readonly [string, ...ReadonlyArray<string>]

/** Runs a command and gives what it printed to its standard output, without white space at the ends. */
export const run = (
  directory: string,
  [name, ...args]: Words,
  environment: Readonly<Record<string, string>> = {}
): Effect.Effect<string, CommandFailed | PlatformError.PlatformError, CommandExecutor.CommandExecutor> =>
  Effect.scoped(
    Effect.gen(function* () {
      const command = Command.make(name, ...args).pipe(Command.workingDirectory(directory), Command.env(environment))
      const process = yield* Command.start(command)
      const [output, errors, exitCode] = yield* Effect.all(
        [
          Stream.runFold(Stream.decodeText(process.stdout), "", String.concat),
          Stream.runFold(Stream.decodeText(process.stderr), "", String.concat),
          process.exitCode
        ],
        { concurrency: "unbounded" }
      )
      if (exitCode === 0) return output.trim()
      const failed = { command: [name, ...args].join(" "), directory, exitCode, output: `${output}\n${errors}`.trim() }
      return yield* new CommandFailed(failed)
    })
  )

/** Runs a command that prints as it goes. */
export const runAloud = (
  directory: string,
  [name, ...args]: Words
): Effect.Effect<void, CommandFailed | PlatformError.PlatformError, CommandExecutor.CommandExecutor> =>
  Effect.gen(function* () {
    const command = Command.make(name, ...args).pipe(
      Command.workingDirectory(directory),
      Command.stdout("inherit"),
      Command.stderr("inherit")
    )
    const exitCode = yield* Command.exitCode(command)
    if (exitCode !== 0) {
      return yield* new CommandFailed({ command: [name, ...args].join(" "), directory, exitCode, output: "" })
    }
  })
