/**
 * The project of somebody who knows only what the README says. Its programs are in `stranger/`.
 */
import type * as CommandExecutor from "@effect/platform/CommandExecutor"
import type * as PlatformError from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { type InstallLine, installLines } from "./installLines.js"
import { repository } from "./repository.js"
import { type CommandFailed, run, type Words } from "./run.js"

const readme = Effect.flatMap(FileSystem.FileSystem, (fileSystem) =>
  fileSystem.readFileString(`${repository}/README.md`)
)

/** The README's install lines. */
export const readmeLines: Effect.Effect<
  ReadonlyArray<InstallLine>,
  PlatformError.PlatformError,
  FileSystem.FileSystem
> = Effect.map(readme, installLines)

/** What projects differ in. */
export interface Options {
  /** Files that it has besides, by name. */
  readonly files?: Readonly<Record<string, string>>
  /** What becomes of each program. */
  readonly turn?: (program: string) => string
}

/** Makes the project in a temporary folder. */
export const make = ({ files = {}, turn = (program) => program }: Options = {}) =>
  Effect.gen(function* () {
    const fileSystem = yield* FileSystem.FileSystem
    const project = yield* fileSystem.makeTempDirectoryScoped()
    const programs = `${repository}/scripts/stranger`
    for (const name of yield* fileSystem.readDirectory(programs)) {
      const text = yield* fileSystem.readFileString(`${programs}/${name}`)
      yield* fileSystem.writeFileString(`${project}/${name}`, name.endsWith("s") ? turn(text) : text)
    }
    const [, firstProgram = ""] = /```ts\n(.*?)\n```/s.exec(yield* readme) ?? []
    const all = {
      "package.json": JSON.stringify({ name: "a-strangers-project", private: true, type: "module" }),
      "readme.ts": turn(firstProgram),
      ...files
    }
    yield* Effect.forEach(Object.entries(all), ([name, text]) => fileSystem.writeFileString(`${project}/${name}`, text))
    return project
  })

/** A program that ended well, but did not print what it should. */
export class Unexpected extends Data.TaggedError("Unexpected")<{
  readonly program: string
  readonly expected: string
  readonly printed: string
}> {
  override get message(): string {
    return `${this.program} printed "${this.printed}" in place of "${this.expected}"`
  }
}

/** Runs one of the programs, by the words that run Node, and compares what it prints. */
const prints =
  (program: string, expected: string) =>
  (
    project: string,
    node: Words,
    environment?: Readonly<Record<string, string>>
  ): Effect.Effect<void, CommandFailed | PlatformError.PlatformError | Unexpected, CommandExecutor.CommandExecutor> =>
    Effect.gen(function* () {
      const printed = yield* run(project, [...node, program], environment)
      if (printed !== expected) yield* new Unexpected({ program, expected, printed })
    })

/** Imports the package, and makes requests with it. */
export const imports = prints("imported.mjs", "function TransportError")

/** Requires the package from CommonJS. */
export const requires = prints("required.cjs", "function true")

/** Imports what is for durable workflows. */
export const importsWorkflow = prints("workflow.mjs", "function function")

/** Makes a run on the local Lume. */
export const runsLocally = prints("localRun.mjs", "2 mapped, 1 rejected")

/** Runs the README's first program against a local Lume, on a Node that runs TypeScript. */
export const runsReadme = prints("readmeRun.mjs", "2 of 3 rows mapped")

/** What type checks differ in. */
export interface TypeCheck {
  readonly skipLibCheck?: boolean
  /** How modules are found. Default: as Node finds them. */
  readonly moduleResolution?: "nodenext" | "bundler"
  /** Files that are checked besides the README's first program and `program.ts`. */
  readonly files?: ReadonlyArray<string>
}

/** Type-checks the README's first program and others, by the words that run TypeScript. */
export const typeChecks = (
  project: string,
  tsc: Words,
  { files = [], moduleResolution = "nodenext", skipLibCheck = false }: TypeCheck = {}
) =>
  Effect.gen(function* () {
    const fileSystem = yield* FileSystem.FileSystem
    const compilerOptions = {
      strict: true,
      module: moduleResolution === "nodenext" ? "nodenext" : "esnext",
      moduleResolution,
      target: "ES2022",
      noEmit: true,
      types: [],
      skipLibCheck
    }
    const paths = ["readme.ts", "program.ts", ...files].map((name) => `${project}/${name}`)
    const settings = JSON.stringify({ compilerOptions, files: paths })
    const file = yield* fileSystem.makeTempFile({ directory: project, suffix: ".json" })
    yield* fileSystem.writeFileString(file, settings)
    yield* run(project, [...tsc, "-p", file])
  })
