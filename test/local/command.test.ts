/**
 * `lume local` as a process: its example, its lines, its port, its end.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as LumeWebhook from "../../src/LumeWebhook.js"
import type { ChildProcess } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { mkdir, writeFile } from "node:fs/promises"
import { createServer } from "node:net"
import * as command from "../support/lume.js"
import { serve, until } from "../support/server.js"
import { distance } from "./support.js"

beforeAll(() => Effect.runPromise(command.build))

const folder = Effect.flatMap(FileSystem.FileSystem, (files) => files.makeTempDirectoryScoped()).pipe(
  Effect.provide(NodeContext.layer)
)

const isLinux = existsSync("/proc/self")

/** The CPU time that a process has taken so far: Linux tells it in hundredths of a second. */
const cpuMillis = ({ pid }: ChildProcess): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /s, "")
    .split(" ")
  return (Number(fields[11]) + Number(fields[12])) * 10
}

describe("lume local", () => {
  it.scopedLive("runs its example, by lines that a shell evaluates", () =>
    Effect.gen(function* () {
      const cwd = yield* folder
      const local = command.lume(["local", "--init", "--port", "0", "--memory"], { LUME_API_KEY: "another" }, cwd)
      yield* Effect.addFinalizer(() => Effect.sync(() => local.process.kill("SIGKILL")))
      yield* until(() => local.stderr().includes("In another terminal"))
      assert.match(
        local.stdout(),
        /^Lume is at http:\/\/127\.0\.0\.1:\d+\nIts key is \S+\nexport LUME_BASE_URL=\S+ LUME_API_KEY=\S+\n$/
      )
      const [, line = ""] = /(lume run .*)/.exec(local.stderr()) ?? []
      const script = `eval "$0"; ${line.replace("lume run", `"$1" "$2" run`)} --poll-interval 0.1`
      const exported =
        local
          .stdout()
          .split("\n")
          .find((text) => text.startsWith("export")) ?? ""
      const ended = yield* command.start("bash", ["-c", script, exported, process.execPath, command.bin], {}, cwd).ended
      assert.strictEqual(ended.code, 3, ended.stderr)
      assert.include(ended.stderr, "4 rows in, 2 mapped, 2 rejected")

      const again = command.lume(
        ["local", "--init", "--port", new URL(/http\S+/.exec(local.stdout())?.[0] ?? "").port],
        {},
        cwd
      )
      const refused = yield* again.ended
      assert.strictEqual(refused.code, 1)
      assert.include(refused.stderr, "is there already; it stays as it is")
      assert.match(
        refused.stderr,
        /^Can't listen on 127\.0\.0\.1:\d+, because the port is in use\. Leave the port out to get a free one\.$/m
      )

      local.process.kill("SIGTERM")
      assert.strictEqual((yield* local.ended).code, 143)
    })
  )

  it.scopedLive("has a key of its own, which stays, and takes another port only where none was asked for", () =>
    Effect.gen(function* () {
      const cwd = yield* folder
      const keys: Array<string | undefined> = []
      for (let start = 0; start < 2; start++) {
        const local = command.lume(["local", "--init", "--port", "0"], { LUME_API_KEY: "another" }, cwd)
        yield* until(() => local.stderr().includes("In another terminal") || local.process.exitCode !== null)
        keys.push(/LUME_API_KEY=(\S+)/.exec(local.stdout())?.[1])
        local.process.kill("SIGINT")
        assert.strictEqual((yield* local.ended).code, 130)
      }
      assert.match(keys[0] ?? "", /^local-/)
      assert.strictEqual(keys[0], keys[1])

      // taken by this server, or by whoever has it already
      const usual = createServer().on("error", () => {})
      yield* Effect.addFinalizer(() => Effect.sync(() => usual.close()))
      yield* Effect.async<void>((resume) => {
        usual.once("listening", () => resume(Effect.void)).once("error", () => resume(Effect.void))
        usual.listen(4747, "127.0.0.1")
      })
      const local = command.lume(["local"], {}, cwd)
      yield* Effect.addFinalizer(() => Effect.sync(() => local.process.kill("SIGKILL")))
      yield* until(() => local.stdout().includes("export"))
      assert.include(local.stderr(), "Port 4747 is taken, so another one is used.\n")
    })
  )

  it.scopedLive.skipIf(!isLinux)("is ended by its signal where DuckDB goes on computing", () =>
    Effect.gen(function* () {
      const cwd = yield* folder
      const slow = {
        name: "slow",
        version: "v1",
        fields: { a: distance("Id", 200_000) }
      }
      yield* Effect.promise(() => mkdir(`${cwd}/flows`).then(() => mkdir(`${cwd}/sources`)))
      yield* Effect.promise(() => writeFile(`${cwd}/flows/a.json`, JSON.stringify({ ...slow, tests: [] })))
      yield* Effect.promise(() => writeFile(`${cwd}/sources/a.csv`, "Id\n1\n"))
      const local = command.lume(["local", "--port", "0", "--memory"], {}, cwd)
      yield* Effect.addFinalizer(() => Effect.sync(() => local.process.kill("SIGKILL")))
      yield* until(() => local.stdout().includes("export"))
      const [, url = "", key = ""] = /LUME_BASE_URL=(\S+) LUME_API_KEY=(\S+)/.exec(local.stdout()) ?? []
      const env = { LUME_BASE_URL: url, LUME_API_KEY: key }
      const waiting = command.lume(["run", "-f", "slow:v1", "-s", "a.csv", "--wait", "--poll-interval", "0.1"], env)
      yield* Effect.addFinalizer(() => Effect.sync(() => waiting.process.kill("SIGKILL")))
      yield* until(() => waiting.stderr().includes("TRANSFORMING"))
      // what it is told to compute it may not have begun yet
      const before = cpuMillis(local.process)
      yield* until(() => cpuMillis(local.process) > before + 1000)
      local.process.kill("SIGTERM")
      // process.exit would have waited for DuckDB, and given 143
      assert.strictEqual((yield* local.ended).code, "SIGTERM")
    })
  )

  it.scopedLive("says that its targets are of another version", () =>
    Effect.gen(function* () {
      const cwd = yield* folder
      yield* Effect.promise(() => mkdir(`${cwd}/targets/.lume`, { recursive: true }))
      yield* Effect.promise(() => writeFile(`${cwd}/targets/.lume/journal.jsonl`, '{"effect_lume":99}\n'))
      const { code, stderr } = yield* command.lume(["local", "--init", "--port", "0"], {}, cwd).ended
      assert.strictEqual(code, 1)
      assert.match(stderr, /was written by another version of effect-lume: .*\n$/)
    })
  )

  // there Linux says of a folder that is there that it is missing, where something is to be made in it
  const unmakeable = [
    ["--flows", "/proc/effect-lume"],
    ["--sources", "/proc/effect-lume/sources"],
    ["--targets", "/proc/effect-lume/a/b"],
    ["--targets", "/proc"]
  ] as const

  it.scopedLive.each(isLinux ? unmakeable : [])("says that a folder can't be made: %s %s", ([option, folderThere]) =>
    Effect.gen(function* () {
      const args = ["local", "--init", "--port", "0", option, folderThere]
      const { code, stderr } = yield* command.lume(args, {}, yield* folder).ended
      assert.strictEqual(code, 1)
      assert.include(stderr, folderThere)
      assert.match(stderr, /can't be (made|used): .*\n$/)
    })
  )

  it.scopedLive("makes folders in folders that are missing", () =>
    Effect.gen(function* () {
      const cwd = yield* folder
      const places = ["--flows", "a/b/flows", "--sources", "a/b/c/sources", "--targets", "a/d/e/targets"]
      const local = command.lume(["local", "--init", "--port", "0", ...places], {}, cwd)
      yield* Effect.addFinalizer(() => Effect.sync(() => local.process.kill("SIGKILL")))
      yield* until(() => local.stderr().includes("In another terminal"))
      assert.isTrue(existsSync(`${cwd}/a/d/e/targets/.lume`))
    })
  )

  it.scopedLive("says that there are no flows", () =>
    Effect.gen(function* () {
      const { code, stderr } = yield* command.lume(["local"], {}, yield* folder).ended
      assert.strictEqual(code, 1)
      assert.include(stderr, "There are no flows: there is no folder ./flows.")
    })
  )

  it.scopedLive.each(["two\nlines", "bell\u0007", "Schlüssel", ""])(
    "refuses a kept secret that can't stand in a line: %j",
    (webhookSecret) =>
      Effect.gen(function* () {
        const cwd = yield* folder
        yield* Effect.promise(async () => {
          await mkdir(`${cwd}/targets/.lume`, { recursive: true })
          await writeFile(`${cwd}/targets/.lume/keys.json`, JSON.stringify({ apiKey: "local-key", webhookSecret }))
        })
        const local = command.lume(["local", "--init", "--port", "0"], {}, cwd)
        yield* Effect.addFinalizer(() => Effect.sync(() => local.process.kill("SIGKILL")))
        yield* until(() => local.process.exitCode !== null || local.stdout().includes("export"))
        assert.strictEqual(local.process.exitCode, 1)
        assert.match((yield* local.ended).stderr, /keys\.json can't be read\. Remove it to get new keys\.\n$/)
      })
  )

  const secrets = [
    ["its own, which the export line holds", undefined],
    ["that of the environment, which is not shown", "my secret"],
    ["that of the environment, however it is spelled", "my 'secret' \"$of\" `two`\nlines\\\n"]
  ] as const

  it.scopedLive.each(secrets)("signs for a webhook with a secret: %s", ([, given]) =>
    Effect.gen(function* () {
      const cwd = yield* folder
      let delivered: LumeWebhook.Delivery | undefined = undefined
      const hook = yield* serve((request, response) => {
        const chunks: Array<Uint8Array> = []
        request
          .on("data", (chunk: Uint8Array) => chunks.push(chunk))
          .once("end", () => {
            response.writeHead(204).end()
            const secret = given ?? /LUME_WEBHOOK_SECRET=(\S+)\n/.exec(local.stdout())?.[1] ?? "none"
            const signature = String(request.headers[LumeWebhook.signatureHeader])
            delivered = { body: Buffer.concat(chunks), signature, secrets: [Redacted.make(secret)] }
          })
      })
      const args = ["local", "--init", "--port", "0", "--webhook", `${hook.url}/hook`]
      const env = given === undefined ? {} : { LUME_WEBHOOK_SECRET: given }
      const local = command.lume(args, env, cwd)
      yield* Effect.addFinalizer(() => Effect.sync(() => local.process.kill("SIGKILL")))
      yield* until(() => local.stderr().includes("In another terminal") && /export .*\n/.test(local.stdout()))
      const line = /^export .*$/ms.exec(local.stdout())?.[0] ?? ""
      assert.strictEqual(line.includes("LUME_WEBHOOK_SECRET="), given === undefined)
      assert.notInclude(local.stdout() + local.stderr(), given ?? "my secret")

      const script = `eval "$0"; "$1" "$2" run -f people:v1 -s people.csv`
      const submitted = yield* command.start("sh", ["-c", script, line, process.execPath, command.bin], env, cwd).ended
      assert.strictEqual(submitted.code, 0, submitted.stderr)
      yield* until(() => delivered !== undefined)
      if (delivered !== undefined) yield* LumeWebhook.verify(delivered)
    })
  )
})
