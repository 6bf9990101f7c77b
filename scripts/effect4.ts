/**
 * `npm run effect-4`: generates the Effect 4 line into `effect-4/build`, compiles and packs it. The last line that it prints
 * is the path of the tarball. `npm run effect-4 -- test` generates it, checks it, and runs its tests.
 */
import type * as CommandExecutor from "@effect/platform/CommandExecutor"
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { join } from "node:path"
import { rules } from "../effect-4/rules.js"
import * as tree from "../effect-4/tree.js"
import { type Check, main } from "./checks.js"
import { repository } from "./repository.js"
import { run, runAloud } from "./run.js"

const source = repository.replace(/\/$/, "")
const line = join(source, "effect-4")
const build = join(line, "build")

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
  const problems = yield* Effect.try(() => tree.write({ source, line, tree: build }, rules))
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

/** Effect 4's packages for Node, and vitest, want a later Node than the package itself. */
const node = join(line, "node_modules/node/bin/node")

const checked = (check: Check) =>
  Effect.gen(function* () {
    yield* check("Effect 4 is installed", installed)
    yield* check("the tree is generated: every rule is used, and no import of Effect 3 is left", generated)
    yield* check("it has no type error", run(build, [bin("tsc")]))
    yield* check("its types are what they must be", run(build, [bin("tstyche")]))
    yield* check("it has no lint", run(build, [bin("oxlint"), "--deny-warnings", ...code]))
    const tarball = yield* check("it is compiled and packed", packed)
    yield* Console.log(tarball)
    yield* runAloud(build, [node, join(line, "node_modules/vitest/vitest.mjs"), "run"])
  })

const tarball: Effect.Effect<void, unknown, CommandExecutor.CommandExecutor | FileSystem.FileSystem> = Effect.gen(
  function* () {
    yield* installed
    yield* generated
    yield* Console.log(yield* packed)
  }
)

if (process.argv[2] === "test") main(checked)
else NodeRuntime.runMain(Effect.provide(tarball, NodeContext.layer))
