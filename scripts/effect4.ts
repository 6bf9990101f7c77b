/**
 * `npm run effect-4`: generates the Effect 4 line into `effect-4/build`, compiles and packs it. The last line that it prints
 * is the path of the tarball. `npm run effect-4 -- test` generates it, checks it, and runs its tests.
 */
import type * as CommandExecutor from "@effect/platform/CommandExecutor"
import type * as PlatformError from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { isNonEmpty } from "effect/String"
import { join } from "node:path"
import { rules } from "../effect-4/rules.js"
import * as tree from "../effect-4/tree.js"
import { type Check, hindersNoOther, main } from "./checks.js"
import { copy, repository } from "./repository.js"
import { run, runAloud } from "./run.js"

const source = repository.replace(/\/$/, "")
const line = join(source, "effect-4")
const build = join(line, "build")

/** Another process makes the line in this folder. */
class InUse extends Data.TaggedError("InUse")<{ readonly pid: string }> {
  override get message(): string {
    return `Process ${this.pid} is making ${build}: start again when it has ended.`
  }
}

const lock = join(line, "build.lock")

/** All is made in one folder, by one process at a time. A process that was killed has left its lock behind. */
const alone: Effect.Effect<void, InUse | PlatformError.PlatformError, FileSystem.FileSystem | Scope.Scope> = Effect.gen(
  function* () {
    const fileSystem = yield* FileSystem.FileSystem
    const taken = yield* Effect.acquireRelease(
      Effect.option(fileSystem.writeFileString(lock, String(process.pid), { flag: "wx" })),
      (taken) => (Option.isSome(taken) ? Effect.ignore(fileSystem.remove(lock)) : Effect.void)
    )
    if (Option.isSome(taken)) return
    const read = fileSystem.readFileString(lock)
    // whoever has just made it is about to write its number
    const pid = yield* Effect.filterOrElse(read, isNonEmpty, () => Effect.delay(read, "1 second"))
    // a process of a container has the number of another, often: its own too
    const isAnother = pid !== "" && pid !== String(process.pid)
    const isRunning = Effect.isSuccess(Effect.try(() => process.kill(Number(pid), 0)))
    if (isAnother && (yield* isRunning)) return yield* new InUse({ pid })
    yield* fileSystem.remove(lock)
    yield* alone
  }
)

/** What is wrong with the generated tree. */
class Rotten extends Data.TaggedError("Rotten")<{ readonly problems: ReadonlyArray<string> }> {
  override get message(): string {
    return this.problems.join("\n")
  }
}

const code = ["src", "test", "examples"]

const bin = (name: string): string => join(source, "node_modules/.bin", name)

/** Effect 4, as its lock file says. */
const installed = Effect.gen(function* () {
  const fileSystem = yield* FileSystem.FileSystem
  const lock = join(line, "package-lock.json")
  const has = join(line, "node_modules/.package-lock.json")
  const isThere = yield* fileSystem.exists(has)
  const age = (path: string) => Effect.map(fileSystem.stat(path), ({ mtime }) => mtime)
  if (isThere && String(yield* age(lock)) <= String(yield* age(has))) return
  yield* run(line, ["npm", "ci", "--no-audit", "--no-fund"])
})

const generated = Effect.gen(function* () {
  const { unused, wrong } = yield* Effect.try(() => tree.write({ source, line, tree: build }, rules))
  const problems = [...unused, ...wrong]
  if (problems.length > 0) return yield* new Rotten({ problems })
  yield* run(build, [bin("oxfmt"), ...code])
})

const packed = Effect.gen(function* () {
  yield* run(build, [bin("tsc"), "-p", "tsconfig.build.json"])
  // the command is the same program in both lines
  yield* run(source, ["node", "scripts/buildCli.mjs", "effect-4/build/dist/cli"])
  const printed = yield* run(build, ["npm", "pack", "--silent", "--ignore-scripts"])
  return join(build, printed.split("\n").at(-1) ?? "")
})

/** What a copy of the source gets: file, what stands there, what comes before it. */
const growth = [
  [
    "src/LumeMetadata.ts",
    'status: optional("status", Schema.String)',
    '/** New. */\n      attempt: optional("attempt_number", Count),\n      '
  ],
  [
    "src/LumeError.ts",
    "/**\n * Schema of every error of this package.",
    '/** New. */\nexport class NewError extends TaggedError<NewError>()("NewError", { runId: askedRun, wait: optional(Millis) }) {}\n\n'
  ],
  ["src/LumeClient.ts", "/** The largest body that is read", "readonly label?: string | undefined\n  "]
] as const

/** Uses what is new. */
const newcomer = `import * as Schema from "effect/Schema"
import type * as LumeClient from "./src/LumeClient.js"
import * as LumeError from "./src/LumeError.js"
import * as LumeMetadata from "./src/LumeMetadata.js"

export const option: LumeClient.Options["label"] = "label"
const metadata = { run: { attempt_number: "2" } }
const error = { _tag: "NewError", runId: "run_1", wait: 5 }
const again = [
  Schema.encodeSync(LumeMetadata.FailedMetadata)(Schema.decodeSync(LumeMetadata.FailedMetadata)(metadata)).run?.attempt_number,
  Schema.encodeSync(LumeError.NewError)(Schema.decodeUnknownSync(LumeError.NewError)(error))
]
if (JSON.stringify(again) !== JSON.stringify([2, error])) throw new Error(JSON.stringify(again))
`

/** A copy of the source with something new, on Effect 4. */
const grown = Effect.gen(function* () {
  const fileSystem = yield* FileSystem.FileSystem
  const copied = yield* copy
  const grownTree = join(line, "build-grown")
  for (const [file, place, added] of growth) {
    const text = yield* fileSystem.readFileString(join(copied, file))
    if (!text.includes(place)) return yield* new Rotten({ problems: [`${file} has no ${place}`] })
    yield* fileSystem.writeFileString(join(copied, file), text.replace(place, added + place))
  }
  const { wrong } = yield* Effect.try(() => tree.write({ source: copied, line, tree: grownTree }, rules))
  if (wrong.length > 0) return yield* new Rotten({ problems: wrong })
  yield* fileSystem.writeFileString(join(grownTree, "newcomer.ts"), newcomer)
  // the engine makes metadata, so that it must be told of a new field, in both lines
  const only = { extends: "./tsconfig.json", include: ["src", "newcomer.ts"], exclude: ["src/local"] }
  yield* fileSystem.writeFileString(join(grownTree, "tsconfig.grown.json"), JSON.stringify(only))
  yield* run(grownTree, [bin("tsc"), "-p", "tsconfig.grown.json"])
  yield* run(grownTree, [bin("tsx"), "newcomer.ts"])
  yield* fileSystem.remove(grownTree, { recursive: true })
})

/** Effect 4's packages for Node, and vitest, want a later Node than the package itself. */
const node = join(line, "node_modules/node/bin/node")

const checked = (check: Check) =>
  Effect.gen(function* () {
    yield* alone
    yield* check("Effect 4 is installed", installed)
    yield* check("the tree is generated: every rule is used, and no import of Effect 3 is left", generated)
    const tsx = join(source, "node_modules/tsx/dist/cli.mjs")
    yield* Effect.forEach(
      [
        check("it has no type error", run(build, [bin("tsc")])),
        check("its types are what they must be", run(build, [bin("tstyche")])),
        check("it has no lint", run(build, [bin("oxlint"), "--deny-warnings", ...code])),
        check("a field, an error and an option that are new arrive on Effect 4 by themselves", grown),
        check("the quickstart runs on it", run(build, [node, tsx, "examples/quickstart/main.ts"])),
        check("it is compiled and packed", packed)
      ],
      hindersNoOther,
      { concurrency: 2 }
    )
    yield* runAloud(build, [node, join(line, "node_modules/vitest/vitest.mjs"), "run"])
  })

const tarball: Effect.Effect<void, unknown, CommandExecutor.CommandExecutor | FileSystem.FileSystem> = Effect.gen(
  function* () {
    yield* alone
    yield* installed
    yield* generated
    yield* Console.log(yield* packed)
  }
).pipe(Effect.scoped)

if (process.argv[2] === "test") main(checked)
else NodeRuntime.runMain(Effect.provide(tarball, NodeContext.layer))
