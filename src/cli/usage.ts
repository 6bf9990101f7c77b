/**
 * What is said of a command line that can't be right, beside what commander says.
 */
import type { Command } from "commander"
import process from "node:process"
import { visible, withoutSecrets } from "../internal/text.js"

/**
 * The words as commander is to get them. Help that is asked for by `help` becomes `--help`, which knows commands of
 * commands; of a command that does not exist only the name is left, which is refused, where commander would show some help.
 */
export const toWords = (program: Command, given: ReadonlyArray<string>): ReadonlyArray<string> => {
  let command = program
  let isHelp = false
  const names: Array<string> = []
  for (const word of given) {
    if (word.startsWith("-") || command.commands.length === 0) break
    if (word === "help") {
      isHelp = true
      continue
    }
    names.push(word)
    const next = command.commands.find((known) => known.name() === word)
    if (next === undefined) return names
    command = next
  }
  return isHelp ? [...names, "--help"] : given
}

/** A command by the words that call it. */
const nameOf = (command: Command): string =>
  command.parent === null ? command.name() : `${nameOf(command.parent)} ${command.name()}`

const all = (command: Command): ReadonlyArray<Command> => [command, ...command.commands.flatMap(all)]

const list = new Intl.ListFormat("en-GB", { type: "conjunction" })

/** An option that is none here, but is one of other commands. */
const withCommands = (refusal: string, program: Command): string => {
  const [, flag] = /^error: unknown option '(--[\w-]+)(?:=.*)?'\n$/s.exec(refusal) ?? []
  const names = all(program).flatMap((command) =>
    command.options.some(({ long }) => long === flag) ? [nameOf(command)] : []
  )
  return names.length === 0 ? refusal : `${refusal}(${flag} is an option of ${list.format(names)}.)\n`
}

/** A run id with a dash, or with two where it begins as Lume's do, is to commander an option that does not exist. */
const withId = (refusal: string, command: Command): string => {
  if (!command.registeredArguments.some((argument) => argument.name() === "id")) return refusal
  const [, id] = /^error: unknown option '(?:-(?!-)|-+(?=run_))(.+)'\n$/.exec(refusal) ?? []
  return id === undefined ? refusal : `${refusal}(A run id does not begin with a dash. Did you mean ${id}?)\n`
}

/** A URL in what is refused: where one is wanted, whatever it begins with, elsewhere by its beginning. */
const url =
  /(?<=^error: .*<url>' argument ').*(?=' is invalid)|(?<=^error: .* value ').*(?=' is invalid for argument 'url')|[a-z][a-z\d+.-]*:\/\/[^\s']*/gis

/** Lets a command and those below it refuse as said here: on stderr, and as JSON if that is asked for. */
export const configure = (program: Command, isJson: boolean): void => {
  for (const command of all(program)) {
    command
      .exitOverride()
      .showHelpAfterError(`See ${nameOf(command)} --help.`)
      .configureOutput({
        outputError: (refusal, write) =>
          write(withId(withCommands(refusal, program), command).replace(url, withoutSecrets)),
        writeErr: (text) => {
          const lines = text.trimEnd().split("\n").map(visible)
          process.stderr.write(
            isJson ? `${JSON.stringify({ message: lines.join("\n") })}\n` : lines.map((line) => `${line}\n`).join("")
          )
        }
      })
  }
}
