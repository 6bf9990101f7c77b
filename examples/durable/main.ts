/**
 * Runs the nightly batch: `npm run durable`. Kill it as you like, with Ctrl+C or `kill -9`, and start it again: it goes on
 * where it was. Its workflows are in a file of SQLite, or in the PostgreSQL at `DATABASE_URL`, which several of these
 * processes can share (each with another `RUNNER_PORT`).
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Config from "effect/Config"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import { LumeClient } from "effect-lume"
import { spawn } from "node:child_process"
import { mkdirSync, readdirSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as nightly from "./nightly.js"
import * as storage from "./storage.js"

const settings = Config.all({
  folder: Config.withDefault(Config.string("FOLDER"), join(tmpdir(), "lume-durable")),
  database: Config.option(Config.redacted("DATABASE_URL")),
  lumePort: Config.withDefault(Config.integer("LUME_PORT"), 4390),
  runnerPort: Config.withDefault(Config.integer("RUNNER_PORT"), 4391)
})

const files = Array.from({ length: 20 }, (_, index) => `orders-${String(index + 1).padStart(2, "0")}.csv`)

/** Orders, of which the fourth file has too many without a total. */
const writeSources = (folder: string) => {
  mkdirSync(`${folder}/sources`, { recursive: true })
  for (const [index, file] of files.entries()) {
    const rows = Array.from({ length: 100 }, (_, row) => `${index}-${row},${index === 3 && row < 10 ? "?" : row}.50`)
    writeFileSync(`${folder}/sources/${file}`, ["Order,Total", ...rows].join("\n"))
  }
}

/** Starts the Lume where it is not there, and leaves it there. */
const startLume = (folder: string, url: string, port: number) =>
  Effect.gen(function* () {
    const isThere = Effect.scoped(HttpClient.get(url))
    if (yield* Effect.isSuccess(isThere)) return
    writeSources(folder)
    const program = [fileURLToPath(new URL("lume.ts", import.meta.url)), folder, String(port)]
    spawn(process.execPath, ["--import", "tsx", ...program], { detached: true, stdio: "ignore" }).unref()
    yield* Effect.retry(isThere, { schedule: Schedule.spaced("200 millis"), times: 300 })
  }).pipe(Effect.provide(FetchHttpClient.layer))

const program = Effect.gen(function* () {
  const { database, folder, lumePort, runnerPort } = yield* settings
  const url = `http://127.0.0.1:${lumePort}`
  yield* startLume(folder, url, lumePort)

  const lume = LumeClient.layer({ apiKey: Redacted.make("local-key"), baseUrl: url })
  const kept = Option.match(database, {
    onNone: () => Layer.orDie(storage.sqlite(`${folder}/workflows.db`)),
    onSome: (url) => Layer.orDie(storage.postgres(url, runnerPort))
  })
  const batch = nightly.layer.pipe(Layer.provideMerge(kept), Layer.provide(lume), Layer.provide(FetchHttpClient.layer))

  const outcomes = yield* Effect.provide(nightly.Nightly.execute({ day: "2026-11-26", files }), batch)
  const mapped = outcomes.filter(({ problem }) => problem === "")
  yield* Console.log(
    `\n${mapped.length} of ${outcomes.length} files passed, ${mapped.reduce((rows, one) => rows + one.mappedRows, 0)} rows in all. ` +
      `Lume has run ${readdirSync(`${folder}/targets`).filter((name) => name.startsWith("run_")).length} times.\n` +
      `To begin anew, end the Lume and remove its folder: kill $(cat ${folder}/lume.pid); rm -r ${folder}`
  )
})

NodeRuntime.runMain(program)
