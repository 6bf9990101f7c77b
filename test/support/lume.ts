/**
 * The `lume` command as a process, and a Lume for it whose runs end as their ids say.
 */
import * as Effect from "effect/Effect"
import { type ChildProcess, spawn } from "node:child_process"
import * as path from "node:path"
import { isMainThread } from "node:worker_threads"
import { finishedMetadata } from "./metadata.js"
import { answer, type Handler } from "./server.js"

const root = path.resolve(import.meta.dirname, "../..")

/**
 * A folder of this worker's own, because dist, and other workers' folders, are built anew while it runs. Processes and threads
 * are numbered each by themselves.
 */
const folder = `.build/cli-${isMainThread ? "process" : "thread"}-${process.env["VITEST_POOL_ID"] ?? 0}`
const built = path.join(root, folder)

/** The bin's first file. */
export const bin = path.join(built, "lume.cjs")

export interface Ended {
  /** The exit code, or the signal that ended the process. */
  readonly code: number | string
  readonly stdout: string
  readonly stderr: string
}

export interface Running {
  readonly process: ChildProcess
  readonly stdout: () => string
  readonly stderr: () => string
  readonly ended: Effect.Effect<Ended>
}

/** Starts a program. Its stdin is a pipe that nobody closes. */
export const start = (
  program: string,
  args: ReadonlyArray<string>,
  env: Readonly<Record<string, string>> = {},
  cwd = root
): Running => {
  const child = spawn(program, args, { cwd, env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...env } })
  const texts = { stdout: "", stderr: "" }
  child.stdout.setEncoding("utf8").on("data", (text: string) => (texts.stdout += text))
  child.stderr.setEncoding("utf8").on("data", (text: string) => (texts.stderr += text))
  const closed = new Promise<Ended>((resolve) => {
    child.once("close", (code, signal) => resolve({ code: code ?? signal ?? "", ...texts }))
  })
  return {
    process: child,
    stdout: () => texts.stdout,
    stderr: () => texts.stderr,
    ended: Effect.onInterrupt(
      Effect.promise(() => closed),
      () => Effect.sync(() => child.kill("SIGKILL"))
    )
  }
}

/** Starts `lume` with arguments. */
export const lume = (args: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}, cwd?: string): Running =>
  start(process.execPath, [bin, ...args], env, cwd)

/** Bundles the command. */
export const build: Effect.Effect<void> = Effect.gen(function* () {
  const { code, stderr } = yield* start(process.execPath, ["scripts/buildCli.mjs", folder]).ended
  if (code !== 0) yield* Effect.dieMessage(stderr)
})

const statuses: Readonly<Record<string, string>> = {
  ok: "SUCCEEDED",
  partial: "PARTIAL_FAILED",
  bad: "PARTIAL_FAILED",
  failed: "FAILED",
  crashed: "CRASHED",
  running: "TRANSFORMING",
  strange: "QUEUED\u001b[2J\u009b\u202e"
}

const runOf = (id: string, status: string) => {
  if (status === "SUCCEEDED" || status === "PARTIAL_FAILED") {
    const metadata = finishedMetadata(status, id)
    return { id, status, metadata: id.startsWith("bad") ? { ...metadata, results: null } : metadata, run_metadata: {} }
  }
  const errors = [{ stage: "SYNC_SOURCE", error_code: "GONE", message: "no file \u001b[31mthere" }]
  return { id, status, metadata: status === "FAILED" ? { errors } : null, run_metadata: {} }
}

/**
 * Answers by what a run's id begins with: `ok`, `partial`, `failed`, `crashed`, `running`, `strange` (a status that is no
 * word), `bad` (metadata that can't be read), `large` (more of it than a pipe holds), `soon` (ends with the second read),
 * `lost` (the key is refused), `broken` (an answer that is no run); others are not known. A submit gives
 * the name of its flow as the id, and is refused or not answered where that is `taken`, `broken` or `silent`.
 */
export const handler = (): Handler => {
  const reads = new Map<string, number>()
  return (request, response) => {
    if (request.headers["lume-api-key"] !== "a-key") return answer(response, { detail: "Invalid API key" }, 401)
    if (request.method === "POST") {
      let body = ""
      request.setEncoding("utf8").on("data", (text: string) => (body += text))
      request.once("end", () => {
        const [id = ""] = String(JSON.parse(body).flow_version).split(":")
        if (id === "silent") return
        if (id === "taken") return answer(response, { detail: "already processed" }, 409)
        if (id === "odd")
          return answer(response, { id: "odd\u001b[2J\u009b\u202e", status: "CREATED", metadata: null }, 201)
        if (id === "broken") return answer(response, { detail: "no" }, 503)
        answer(response, { id, status: "CREATED", metadata: null, run_metadata: JSON.parse(body).run_metadata }, 201)
      })
      return
    }
    const id = decodeURIComponent(request.url?.split("/").at(-1) ?? "")
    const read = (reads.get(id) ?? 0) + 1
    reads.set(id, read)
    const kind = /^[a-z]+/.exec(id)?.[0] ?? ""
    if (kind === "broken") return answer(response, { status: 7 })
    if (kind === "lost") return answer(response, { detail: "Invalid API key" }, 403)
    if (kind === "large")
      return answer(response, { ...runOf("ok", "SUCCEEDED"), id, run_metadata: { a: "é".repeat(2e6) } })
    if (kind === "soon") return answer(response, runOf(id, read > 1 ? "SUCCEEDED" : "TRANSFORMING"))
    const status = statuses[kind]
    return status === undefined
      ? answer(response, { detail: "Run not found" }, 404)
      : answer(response, runOf(id, status))
  }
}
