/**
 * The command as somebody meets it who has nothing but npm: by `npx`, in an empty folder.
 */
import * as Command from "@effect/platform/Command"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Stream from "effect/Stream"
import type { Check } from "./checks.js"
import type { Line } from "./lines.js"
import { run, type Words } from "./run.js"

/** The command did not end as it should. */
export class EndedOtherwise extends Data.TaggedError("EndedOtherwise")<{
  readonly command: string
  readonly expected: number
  readonly code: number
  readonly output: string
}> {
  override get message(): string {
    return `${this.command} ended with ${this.code} in place of ${this.expected}:\n${this.output}`
  }
}

const files = {
  "good.csv": "name,joined,amount\nAda,2026-01-12,1\n",
  "messy.csv": "name,joined,amount\nAda,2026-01-12,1\nGrace,2026-02-30,2\n",
  "other.csv": "title,price\nA,1\n"
}

/** Each outcome of a run on a file of one's own, by its exit code, in this order. */
const outcomes: ReadonlyArray<readonly [string, number, ReadonlyArray<string>, string]> = [
  ["succeeds", 0, ["--source-path", "good.csv", "--wait"], "SUCCEEDED"],
  ["partially fails", 3, ["--source-path", "messy.csv", "--wait"], "PARTIAL_FAILED"],
  ["fails", 4, ["--source-path", "other.csv", "--wait"], "FAILED"],
  ["is already processed", 1, ["--source-path", "good.csv", "--wait"], "already processed"],
  ["is not named", 2, ["--wait"], "--source-path"]
]

/**
 * Makes the checks with the tarball that would be published: of each outcome, or, where the program has been tried already
 * from another tarball, that it is there and runs.
 */
export const checkCommand = (check: Check, { name: line, tarball }: Line, which: "all" | "first") =>
  Effect.gen(function* () {
    const fileSystem = yield* FileSystem.FileSystem
    const folder = yield* fileSystem.makeTempDirectoryScoped()
    const npx = (...rest: ReadonlyArray<string>): Words => ["npx", "--yes", "-p", tarball, ...rest]

    /** Runs the command to its end, and gives all that it printed. */
    const ends = (words: Words, expected: number, environment = {}) =>
      Effect.gen(function* () {
        const ended = yield* Effect.either(run(folder, words, environment))
        const { code, output } = Either.match(ended, {
          onLeft: (error) =>
            error._tag === "CommandFailed"
              ? { code: error.exitCode, output: error.output }
              : { code: -1, output: error.message },
          onRight: (output) => ({ code: 0, output })
        })
        if (code !== expected) yield* new EndedOtherwise({ command: words.join(" "), expected, code, output })
        return output
      })

    const says = (words: Words, expected: number, part: string, environment = {}) =>
      Effect.flatMap(ends(words, expected, environment), (output) =>
        output.includes(part)
          ? Effect.void
          : new EndedOtherwise({ command: `${words.join(" ")}, without "${part}",`, expected, code: expected, output })
      )

    const printsVersion = Effect.gen(function* () {
      const manifest = yield* run(folder, ["tar", "-xOf", tarball, "package/package.json"])
      const expected: { readonly version: string } = JSON.parse(manifest)
      const words = npx("lume", "--version")
      const output = yield* ends(words, 0)
      if (output !== expected.version) {
        const command = `${words.join(" ")}, not of ${expected.version},`
        yield* new EndedOtherwise({ command, expected: 0, code: 0, output })
      }
    })
    yield* check(`npx: lume --version is that of ${line}`, printsVersion)

    const needed = "Start it so: npx -p effect-lume -p @duckdb/node-api lume local"
    yield* check(`npx: lume local of ${line} says that it needs DuckDB`, says(npx("lume", "local"), 1, needed))

    const [name, ...args] = npx("-p", "@duckdb/node-api", "lume", "local", "--init", "--port", "0")
    const starting = Effect.gen(function* () {
      const local = yield* Command.start(Command.make(name, ...args).pipe(Command.workingDirectory(folder)))
      const lines = Stream.splitLines(Stream.decodeText(local.stdout))
      const line = yield* Effect.flatten(Stream.runHead(Stream.filter(lines, (line) => line.startsWith("export "))))
      yield* Effect.forEach(Object.entries(files), ([file, text]) =>
        fileSystem.writeFileString(`${folder}/sources/${file}`, text)
      )
      return Object.fromEntries(Array.from(line.matchAll(/(\w+)=(\S+)/g), ([, key = "", value = ""]) => [key, value]))
    })
    const environment = yield* check(`npx: lume local --init of ${line} starts in an empty folder`, starting)
    for (const [what, code, options, part] of which === "all" ? outcomes : outcomes.slice(0, 1)) {
      const words = npx("lume", "run", "--flow-version", "people:v1", ...options)
      yield* check(
        `npx: lume run of ${line} ends with ${code} where a source ${what}`,
        says(words, code, part, environment)
      )
    }
  }).pipe(Effect.scoped)
