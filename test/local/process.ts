/**
 * Local Lumes in processes of their own.
 */
import { build } from "esbuild"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import type * as LocalLume from "../../src/local/LocalLume.js"

const repository = fileURLToPath(new URL("../..", import.meta.url))

/** The program as one script, which starts five times as fast as its modules would. */
const program = Effect.runSync(
  Effect.cached(
    Effect.promise(async () => {
      const { outputFiles } = await build({
        absWorkingDir: repository,
        entryPoints: ["test/local/kills/server.ts"],
        bundle: true,
        platform: "node",
        // A script from standard input shares its variables with everything else.
        format: "iife",
        // and has no name, from where packages could be found
        banner: { js: 'var __filename = process.cwd() + "/server.js";' },
        external: ["@duckdb/node-api"],
        write: false
      })
      return outputFiles.map(({ text }) => text).join("")
    })
  )
)

const Line = Schema.parseJson(
  Schema.Struct({
    url: Schema.optional(Schema.String),
    apiKey: Schema.optional(Schema.String),
    webhookSecret: Schema.optional(Schema.String),
    error: Schema.optional(Schema.String),
    closed: Schema.optional(Schema.Boolean)
  })
)

const decodeLine = Schema.decodeUnknownSync(Line)

/** What a process prints: how to reach its server, why there is none, or that it has closed. */
export type Line = typeof Line.Type

export interface Process {
  /** What it prints next; an empty line once it has ended. */
  readonly next: Effect.Effect<Line>
  readonly signal: (signal: "SIGKILL" | "SIGTERM") => Effect.Effect<void>
  /** Until it has ended. */
  readonly ended: Effect.Effect<void>
}

/** What crosses to another process. */
export type Options = Pick<
  LocalLume.Options,
  "flows" | "sources" | "targets" | "port" | "concurrency" | "store" | "keepRuns"
> & { readonly webhook?: { readonly url: string } }

const start = (script: string, options: Options): Process => {
  const child = spawn(process.execPath, ["-", JSON.stringify(options)], {
    // from where the script's packages are found
    cwd: repository,
    stdio: ["pipe", "pipe", process.env["SHOW_LOGS"] === undefined ? "ignore" : "inherit"]
  })
  // one that is killed reads no further
  child.stdin.on("error", () => {})
  child.stdin.end(script)
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()))
  return {
    // The program logs to the same stream; what it prints itself is JSON.
    next: Effect.promise(async () => {
      for (;;) {
        const { done, value } = await lines.next()
        if (done === true) return {}
        if (value.startsWith("{")) return decodeLine(value)
      }
    }),
    signal: (signal) => Effect.sync(() => void child.kill(signal)),
    ended: Effect.promise(() => ended)
  }
}

/** Starts a local Lume in a process, which is killed when the scope closes. */
export const serve = (options: Options): Effect.Effect<Process, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.map(program, (script) => start(script, options)),
    ({ ended, signal }) => Effect.zipRight(signal("SIGKILL"), ended)
  )
