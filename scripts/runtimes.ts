/**
 * `npm run runtimes`: the same thirty checks of both lines of the package, as they are packed, on every runtime that the
 * README promises. A runtime that can't be had is a check that fails.
 */
import type * as CommandExecutor from "@effect/platform/CommandExecutor"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as esbuild from "esbuild"
import { join } from "node:path"
import { launch } from "./browser.js"
import { type Check, hindersNoOther, main } from "./checks.js"
import { commandsOf, fetched } from "./fetched.js"
import * as lines from "./lines.js"
import { repository } from "./repository.js"
import { run } from "./run.js"
import { serveLumes } from "./runtimes/server.js"

const sources = join(repository, "scripts/runtimes")

/** The checks, with a line of the package. */
interface Checks {
  readonly line: lines.Line
  /** A project that has them beside the package. */
  readonly project: string
  /** All of it in one script, for runtimes without packages: `checks.report`. */
  readonly script: string
}

/** A runtime that is there. */
interface Runtime {
  readonly version: string
  /** Makes the checks with the Lumes at a URL, and gives what `report` gives, as JSON. */
  readonly make: (checks: Checks, url: string) => Effect.Effect<string, unknown, CommandExecutor.CommandExecutor>
}

type Getting = Effect.Effect<Runtime, unknown, CommandExecutor.CommandExecutor | FileSystem.FileSystem | Scope.Scope>

/** A runtime that is a command, of a package of npm. It finds packages in the project. */
const command = (name: string, packageName: string, ...words: ReadonlyArray<string>): Getting =>
  Effect.gen(function* () {
    const program = `${yield* commandsOf(packageName)}/${name}`
    const version = yield* run("/", [program, "--version"])
    return {
      version: /\d+\.\d+\.\d+/.exec(version)?.[0] ?? version,
      make: ({ project }, url) => run(project, [program, ...words, "program.mjs", url])
    }
  })

/** A runtime that is a library of Node's, of a package of npm. A program beside it runs the script in it. */
const library = (name: string, version: string, program: string): Getting =>
  Effect.gen(function* () {
    const fileSystem = yield* FileSystem.FileSystem
    const folder = yield* fetched(`${name}@${version}`)
    yield* fileSystem.copyFile(join(sources, program), join(folder, program))
    return { version, make: ({ script }, url) => run(folder, ["node", program, script, url]) }
  })

const chromium: Getting = Effect.map(launch, (browser) => ({
  version: browser.version(),
  make: ({ script }, url) =>
    Effect.tryPromise(async () => {
      const page = await browser.newPage()
      await page.goto(new URL("/", url).href)
      await page.addScriptTag({ path: script })
      const report: unknown = await page.evaluate(`checks.report(${JSON.stringify(url)})`)
      await page.close()
      return JSON.stringify(report)
    })
}))

const runtimes: Readonly<Record<string, Getting>> = {
  "the oldest Node": command("node", "node@20.19"),
  "the newest Node": command("node", "node@latest"),
  Bun: command("bun", "bun@latest"),
  // its permissions are no matter of these checks
  Deno: command("deno", "deno@latest", "run", "--allow-all", "--node-modules-dir=manual"),
  // the last that Node 20 runs
  "workerd, by Miniflare": library("miniflare", "4.20260415.0", "workerd.mjs"),
  "an edge runtime": library("@edge-runtime/vm", "5.0.0", "edge.mjs"),
  Chromium: chromium
}

class Unmet extends Data.TaggedError("Unmet")<{ readonly problems: ReadonlyArray<readonly [string, string]> }> {
  override get message(): string {
    return this.problems.map(([name, problem]) => `${name}:\n${problem}`).join("\n")
  }
}

class TooFew extends Data.TaggedError("TooFew")<{ readonly count: number }> {
  override get message(): string {
    return `${this.count} checks were made`
  }
}

const made = (runtime: Runtime, checks: Checks, url: string) =>
  Effect.gen(function* () {
    const text = yield* Effect.timeout(runtime.make(checks, url), "3 minutes")
    // before it come the logs of the client
    const report: Readonly<Record<string, string | null>> = JSON.parse(text.split("\n").at(-1) ?? "")
    const all = Object.entries(report)
    if (all.length !== 30) return yield* new TooFew({ count: all.length })
    const problems = all.flatMap(([name, problem]) => (problem === null ? [] : [[name, problem] as const]))
    if (problems.length > 0) return yield* new Unmet({ problems })
  })

/** The checks with a line, installed and bundled. */
const prepared = (line: lines.Line) =>
  Effect.gen(function* () {
    const project = yield* lines.project(line, sources)
    yield* run(project, [...lines.npmInstall, ...line.packages])
    const script = join(project, "checks.js")
    yield* Effect.tryPromise(() =>
      esbuild.build({
        entryPoints: [join(project, "checks.mjs")],
        outfile: script,
        bundle: true,
        format: "iife",
        globalName: "checks",
        platform: "browser",
        target: "es2022"
      })
    )
    return { line, project, script }
  })

/** A runtime with both lines. */
const withBoth = (check: Check, name: string, getting: Getting, both: ReadonlyArray<Checks>, url: string) =>
  Effect.gen(function* () {
    const runtime = yield* check(`${name} is there`, getting)
    for (const checks of both) {
      const session = `${name}-${checks.line.name}`.replaceAll(/\W/g, "-")
      const what = `the thirty checks of ${checks.line.name} pass on ${name} (${runtime.version})`
      yield* hindersNoOther(check(what, made(runtime, checks, `${url}/${session}`)))
    }
  })

main((check) =>
  Effect.gen(function* () {
    const url = yield* serveLumes
    const { one, two } = yield* lines.packed(check)
    const both = yield* Effect.forEach([one, two], (line) =>
      check(`${line.name} is installed, and bundled for browsers`, prepared(line))
    )
    yield* Effect.forEach(
      Object.entries(runtimes),
      ([name, getting]) => hindersNoOther(withBoth(check, name, getting, both, url)),
      { concurrency: 2 }
    )
  })
)
