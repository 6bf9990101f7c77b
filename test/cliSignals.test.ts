/**
 * The `lume` command as a process that is asked to end: by its signals directly, left behind by npm, as the first process
 * of a container.
 */
import { assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import * as command from "./support/lume.js"
import { answer, serve, until } from "./support/server.js"

beforeAll(() => Effect.runPromise(command.build))

const running = (args: ReadonlyArray<string>, handler = command.handler()) =>
  Effect.map(serve(handler), ({ requests, url }) => ({
    requests,
    ...command.lume(args, { LUME_API_KEY: "a-key", LUME_BASE_URL: url })
  }))

const submit = (flow: string) => ["run", "-f", `${flow}:v1`, "-s", "s3://acme/a.csv"]

const signals = [
  ["SIGINT", 130],
  ["SIGTERM", 143]
] as const

describe.concurrent("a signal", () => {
  it.scopedLive.each(signals)("%s stops a wait, and says how to go on", ([signal, code]) =>
    Effect.gen(function* () {
      const { ended, process, stderr } = yield* running(["wait", "running_1", "running_2", "ok"])
      yield* until(() => stderr().includes("running_2 TRANSFORMING") && stderr().includes("ok SUCCEEDED"))
      process.kill(signal)
      const { code: given, stderr: said } = yield* ended
      assert.strictEqual(given, code)
      assert.include(said, "Stopped waiting; the runs go on. Re-attach with: lume wait running_1 running_2\n")
    })
  )

  it.scopedLive("names runs whose wait has failed, though they may go on", () =>
    Effect.gen(function* () {
      const { ended, process, stderr } = yield* running(["wait", "lost", "unknown", "running"])
      yield* until(() => ["running TRANSFORMING", "403", "no run unknown"].every((part) => stderr().includes(part)))
      process.kill("SIGINT")
      assert.include((yield* ended).stderr, "Re-attach with: lume wait lost running\n")
    })
  )

  it.scopedLive("after the submit of run --wait stops the wait alone", () =>
    Effect.gen(function* () {
      const { ended, process, stderr } = yield* running([...submit("running"), "--wait", "--json"])
      yield* until(() => stderr().includes("TRANSFORMING"))
      process.kill("SIGTERM")
      const { code, stderr: said, stdout } = yield* ended
      assert.strictEqual(code, 143)
      assert.strictEqual(JSON.parse(stdout).id, "running")
      const lines = said
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line))
      assert.deepStrictEqual(lines.at(-1), {
        message: "Stopped waiting; the runs go on. Re-attach with: lume wait running"
      })
    })
  )

  it.scopedLive("stops what has nothing to say", () =>
    Effect.gen(function* () {
      const { ended, process, requests } = yield* running(["status", "running"], () => {})
      yield* until(() => requests.length === 1)
      process.kill("SIGTERM")
      assert.deepInclude(yield* ended, { code: 143, stdout: "", stderr: "" })
    })
  )

  it.scopedLive("stops what reads stdin", () =>
    Effect.gen(function* () {
      const verifying = command.lume(["webhook", "verify", "--signature", "00"], { LUME_WEBHOOK_SECRET: "s" })
      // more than a pipe holds, so that it is being read
      verifying.process.stdin?.write(Buffer.alloc(2 ** 20))
      yield* until(() => verifying.process.stdin?.writableLength === 0)
      verifying.process.kill("SIGTERM")
      assert.strictEqual((yield* verifying.ended).code, 143)
    })
  )

  it.scopedLive("that npm keeps to itself ends the command too", () =>
    Effect.gen(function* () {
      const { url } = yield* serve(command.handler())
      const env = { LUME_API_KEY: "a-key", LUME_BASE_URL: url, npm_command: "exec" }
      // the shell between npm and the command, which ends alone
      const script = `"$0" "$1" wait running & echo "$!"; wait`
      const shell = command.start("bash", ["-c", script, process.execPath, command.bin], env)
      yield* until(() => shell.stderr().includes("TRANSFORMING"))
      shell.process.kill("SIGTERM")
      // its streams are closed when the command has ended
      assert.include(
        (yield* shell.ended).stderr,
        "Stopped waiting; the runs go on. Re-attach with: lume wait running\n" +
          "The shell in which npm has started this has ended, so this ends too.\n"
      )
    })
  )
})

describe.concurrent("a signal before the submit", () => {
  it.scopedLive("sends nothing", () =>
    Effect.gen(function* () {
      const { requests, url } = yield* serve(command.handler())
      // a signal that is there as soon as the command listens to signals
      const script = `
        const on = process.on
        process.on = function (name, listener) {
          on.call(process, name, listener)
          if (name === "SIGTERM") process.kill(process.pid, "SIGINT")
          return process
        }
        require(process.argv[1])`
      const args = ["-e", script, command.bin, ...submit("ok")]
      const env = { LUME_API_KEY: "a-key", LUME_BASE_URL: url }
      const ended = yield* command.start(process.execPath, args, env).ended
      assert.deepStrictEqual(ended, { code: 130, stdout: "", stderr: "" })
      assert.lengthOf(requests, 0)
    })
  )
})

describe.concurrent("a signal while a submit is in flight", () => {
  const warning = "The run may have been submitted; don't start it again unseen.\n"

  it.scopedLive("says that the run may have been submitted", () =>
    Effect.gen(function* () {
      const { ended, process, requests } = yield* running(submit("silent"))
      yield* until(() => requests.length === 1)
      process.kill("SIGINT")
      assert.deepInclude(yield* ended, { code: 6, stdout: "", stderr: warning })
    })
  )

  it.scopedLive("says so by its exit code, whatever keeps the process", () =>
    Effect.gen(function* () {
      const { requests, url } = yield* serve(command.handler())
      // longer than what a signal has ended may take
      const held = "--import=data:text/javascript,setTimeout(()=>{},4000)"
      const env = { LUME_API_KEY: "a-key", LUME_BASE_URL: url, NODE_OPTIONS: held }
      const { ended, process } = command.lume(submit("silent"), env)
      yield* until(() => requests.length === 1)
      process.kill("SIGTERM")
      assert.deepInclude(yield* ended, { code: 6, stderr: warning })
    })
  )

  it.scopedLive("waits for the answer, and writes the id", () =>
    Effect.gen(function* () {
      let submitted = () => {}
      const { ended, process, requests } = yield* running([...submit("any"), "--wait"], (_, response) => {
        submitted = () => answer(response, { id: "run_1", status: "CREATED", metadata: null }, 201)
      })
      yield* until(() => requests.length === 1)
      process.kill("SIGTERM")
      // that it has arrived can't be seen
      yield* Effect.sleep("200 millis")
      submitted()
      assert.deepInclude(yield* ended, {
        code: 143,
        stdout: "run_1\n",
        stderr: "Stopped waiting; the runs go on. Re-attach with: lume wait run_1\n"
      })
    })
  )

  it.scopedLive("and another one end it at once, and it is known that nothing is known", () =>
    Effect.gen(function* () {
      let submitted = () => {}
      const { ended, process, requests } = yield* running(submit("any"), (_, response) => {
        submitted = () => answer(response, { id: "run_1", status: "CREATED", metadata: null }, 201)
      })
      yield* until(() => requests.length === 1)
      process.kill("SIGINT")
      // one key press comes twice through npx, so that a second one counts only after some time
      yield* Effect.sleep("500 millis")
      process.kill("SIGINT")
      yield* Effect.sleep("200 millis")
      // which the first signal alone would have waited for
      submitted()
      assert.deepInclude(yield* ended, { code: 6, stdout: "", stderr: warning })
    })
  )
})

/** How this machine lets a process be the first of its own. */
const namespaces = [
  ["--pid", "--fork", "--kill-child"],
  ["--user", "--map-root-user", "--pid", "--fork", "--kill-child"]
].find((options) => spawnSync("unshare", [...options, "true"]).status === 0)

describe.skipIf(namespaces === undefined)("the first process of a container", () => {
  const childOf = (pid: number | undefined) => Number(readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8"))

  it.scopedLive.each(signals)("is reached by %s", ([signal, code]) =>
    Effect.gen(function* () {
      const { url } = yield* serve(command.handler())
      const env = { LUME_API_KEY: "a-key", LUME_BASE_URL: url }
      const args = [...(namespaces ?? []), process.execPath, command.bin, "wait", "running"]
      const first = command.start("unshare", args, env)
      yield* until(() => first.stderr().includes("TRANSFORMING"))
      process.kill(childOf(first.process.pid), signal)
      const ended = yield* first.ended
      assert.strictEqual(ended.code, code)
      assert.include(ended.stderr, "Re-attach with: lume wait running\n")
    })
  )
})
