/**
 * Recordings of the command, as they stand in Markdown: blocks of `console`. Their lines after `$ ` are typed on a terminal,
 * one after the other, in a folder that is empty at first and has a local Lume; the other lines are what it shows then.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import type * as PlatformError from "@effect/platform/Error"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { join } from "node:path"

/** Whether this machine has what makes a terminal here. */
export const hasTerminal = /util-linux/.test(spawnSync("script", ["--version"], { encoding: "utf8" }).stdout ?? "")

/** The pages that hold recordings. */
export const pages = ["README.md", "docs/cli.md"]

const prompt = "$ "

/** What a terminal shows in the end; of its sequences those that the command sends. */
export const screen = (sent: string): string => {
  const rows = [""]
  let row = 0
  for (const [part = ""] of sent.matchAll(/\p{Cc}\[[?\d]*[A-Za-z]|\r?\n|\r|[\t\P{Cc}]+/gu)) {
    if (part.endsWith("\n")) row += 1
    else if (part.startsWith("\u001b") && part.endsWith("A")) row -= Number(part.slice(2, -1))
    else if (part === "\u001b[J") rows.length = row
    else if (part !== "\r" && !part.startsWith("\u001b")) rows[row] += part
    rows[row] ??= ""
  }
  return rows.join("\n").trimEnd()
}

interface Typed {
  readonly process: ChildProcess
  readonly shown: () => string
  readonly ended: Promise<number>
}

const type = (line: string, cwd: string, env: NodeJS.ProcessEnv): Typed => {
  const child = spawn("script", ["-qec", line, "/dev/null"], { cwd, env, stdio: ["ignore", "pipe", "ignore"] })
  let sent = ""
  child.stdout.setEncoding("utf8").on("data", (text: string) => (sent += text))
  const ended = new Promise<number>((resolve) => child.once("close", (code) => resolve(code ?? 1)))
  return { process: child, shown: () => screen(sent), ended }
}

/** Types `lume local`, and gives it when it has said all that it says. */
const typeLocal = (line: string, cwd: string, env: NodeJS.ProcessEnv): Effect.Effect<Typed, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const local = type(`${line} --port 0`, cwd, env)
      const isReady = () => local.shown().includes(line.includes("--init") ? "In another terminal" : "export ")
      await new Promise<void>((resolve, reject) => {
        const look = () => (isReady() ? resolve() : undefined)
        local.process.stdout?.on("data", look).once("close", () => reject(new Error(local.shown())))
      })
      return local
    }),
    ({ ended, process }) => Effect.promise(() => (process.kill(), ended))
  )

const exported = (shown: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    [...(/^export (.*)$/m.exec(shown)?.[1]?.matchAll(/(\w+)=(\S+)/g) ?? [])].map(([, name, value]) => [name, value])
  )

/** The names by which the command is called, here by its first file. */
const shims = (bin: string) => ({
  lume: `#!/bin/sh\nexec "${process.execPath}" "${bin}" "$@"\n`,
  npx: `#!/bin/sh
while [ "$1" = -p ]; do shift 2; done
shift
npm_command=exec exec "${process.execPath}" "${bin}" "$@"
`
})

/** Gives the page with its blocks recorded anew, by the command whose first file this is. */
export const record = (
  page: string,
  bin: string
): Effect.Effect<string, PlatformError.PlatformError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const fileSystem = yield* FileSystem.FileSystem
    const names = yield* fileSystem.makeTempDirectoryScoped()
    yield* Effect.forEach(Object.entries(shims(bin)), ([name, text]) =>
      fileSystem.writeFileString(join(names, name), text, { mode: 0o755 })
    )
    const cwd = yield* fileSystem.makeTempDirectoryScoped()
    const usual = { PATH: `${names}:${process.env["PATH"]}`, LANG: "C.UTF-8", TERM: "xterm" }
    let lume: Readonly<Record<string, string>> | undefined = undefined
    let code = 0

    const run = (line: string) =>
      Effect.gen(function* () {
        if (line.includes("lume local")) {
          const local = yield* typeLocal(line, cwd, usual)
          lume = exported(local.shown())
          return local.shown()
        }
        lume ??= exported((yield* typeLocal("lume local --init", cwd, usual)).shown())
        const { ended, shown } = type(`(exit ${code}); ${line}`, cwd, { ...usual, ...lume })
        code = yield* Effect.promise(() => ended)
        return shown()
      })

    const recorded = (block: string) =>
      Effect.gen(function* () {
        const lines = block.split("\n").filter((line) => line.startsWith(prompt))
        const parts = yield* Effect.forEach(lines, (line) =>
          Effect.map(run(line.slice(prompt.length)), (shown) => (shown === "" ? line : `${line}\n${shown}`))
        )
        // the port that it has where that is free
        return parts.join("\n").replaceAll(/(?<=127\.0\.0\.1:)\d+/g, "4747")
      })

    let written = page
    for (const [, block = ""] of page.matchAll(/^```console\n(.*?)\n```$/gms)) {
      const fresh = yield* recorded(block)
      if (alike(fresh) !== alike(block)) written = written.replace(block, () => fresh)
    }
    return written
  }).pipe(Effect.scoped)

/** A recording without what differs each time: ids, keys, times. */
const alike = (recording: string): string =>
  recording
    .replaceAll(/run_[0-9A-Z]{26}/g, "run_ID")
    .replaceAll(/local-[\w-]+/g, "local-KEY")
    .replaceAll(/\b\d+(\.\d+)? s\b/g, "TIME")
