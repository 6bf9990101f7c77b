/**
 * The `lume` command as a process: exit codes, what is on stdout and stderr, signals, pipes.
 */
import { assert, beforeAll, describe, it, vi } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { spawnSync } from "node:child_process"
import { randomUUID } from "node:crypto"
import { existsSync } from "node:fs"
import { createServer } from "node:http"
import * as command from "./support/lume.js"
import { serve, until } from "./support/server.js"

// A process takes its time where other tests compute.
vi.setConfig({ testTimeout: 60_000 })

beforeAll(() => Effect.runPromise(command.build), 60_000)

/** Runs `lume` over a Lume whose runs end as their ids say. */
const run = (args: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}) =>
  Effect.flatMap(
    serve(command.handler()),
    ({ url }) => command.lume(args, { LUME_API_KEY: "a-key", LUME_BASE_URL: url, ...env }).ended
  )

const submit = (flow: string) => ["run", "-f", `${flow}:v1`, "-s", "s3://acme/a.csv"]
const quick = ["--poll-interval", "20ms"]

interface Expected {
  readonly code: number
  readonly stdout?: string
  readonly stderr?: ReadonlyArray<string>
}

const cases = (table: ReadonlyArray<readonly [string, ReadonlyArray<string>, Expected]>) =>
  it.scopedLive.each(table)("%s", ([, args, { code, stderr = [], stdout = "" }]) =>
    Effect.gen(function* () {
      const ended = yield* run(args)
      assert.strictEqual(ended.code, code, ended.stderr)
      assert.strictEqual(ended.stdout, stdout)
      for (const part of stderr) assert.include(ended.stderr, part)
    })
  )

describe.concurrent("lume wait", () => {
  cases([
    ["0: succeeded", ["wait", "ok"], { code: 0, stdout: "ok\tSUCCEEDED\n", stderr: ["1000 rows in"] }],
    [
      "3: partially failed, with its top errors",
      ["wait", "partial"],
      { code: 3, stdout: "partial\tPARTIAL_FAILED\n", stderr: ["20 rejected", "INVALID_DATE on invoice_date: 20"] }
    ],
    [
      "0: partially failed, where that is accepted",
      ["wait", "partial", "--accept-partial"],
      { code: 0, stdout: "partial\tPARTIAL_FAILED\n" }
    ],
    [
      "0: partially failed, where the gate is passed",
      ["wait", "partial", "--max-rejected-share", "0.02"],
      {
        code: 0,
        stdout: "partial\tPARTIAL_FAILED\n",
        stderr: ["the share of rejected rows: 0.02 (limit 0.02), passed"]
      }
    ],
    [
      "4: a gate breached, shown with digits enough",
      ["wait", "partial", "--accept-partial", "--max-rejected-share", "0.0199999"],
      { code: 4, stdout: "partial\tPARTIAL_FAILED\n", stderr: ["0.02 (limit 0.0199999), breached"] }
    ],
    [
      "4: a gate that can't be measured",
      ["wait", "bad", "--max-error-rate", "1"],
      { code: 4, stdout: "bad\tPARTIAL_FAILED\n", stderr: ["metadata.results"] }
    ],
    ["3: metadata that can't be read, without a gate", ["wait", "bad"], { code: 3, stdout: "bad\tPARTIAL_FAILED\n" }],
    [
      "4: failed, with control characters written out",
      ["wait", "failed"],
      { code: 4, stdout: "failed\tFAILED\n", stderr: ["in SYNC_SOURCE, GONE: no file \\u001b[31mthere"] }
    ],
    ["4: crashed", ["wait", "crashed"], { code: 4, stdout: "crashed\tCRASHED\n" }],
    [
      "5: timeout, with how to go on",
      ["wait", "running", "--timeout", "0.2", ...quick],
      { code: 5, stderr: ["Re-attach with: lume wait running\n"] }
    ],
    ["1: an unknown run", ["wait", "unknown"], { code: 1, stderr: ["Lume knows no run unknown"] }],
    [
      "0: a run that ends later, with a line a change",
      ["wait", "soon", ...quick],
      { code: 0, stdout: "soon\tSUCCEEDED\n", stderr: ["soon TRANSFORMING 0:00\n", "soon SUCCEEDED 0:00\n"] }
    ],
    ["0: the same id twice is one run", ["wait", "ok", "ok"], { code: 0, stdout: "ok\tSUCCEEDED\n" }]
  ])

  it.scopedLive("writes whole JSON with --json, and only JSON on stderr", () =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* run(["wait", "soon", "unknown", "failed", ...quick, "--json"], {
        FORCE_COLOR: "3"
      })
      assert.strictEqual(code, 1)
      const [failed, soon, ...rest] = stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line))
      assert.lengthOf(rest, 0)
      assert.strictEqual(failed.status, "FAILED")
      assert.strictEqual(soon.metadata.results.input_rows, 1000)
      assert.notInclude(stdout + stderr, "\u001b")
      const lines = stderr
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line))
      assert.deepInclude(lines, { id: "soon", status: "TRANSFORMING" })
      assert.isTrue(lines.some(({ _tag, runId }) => _tag === "RunNotFoundError" && runId === "unknown"))
    })
  )
})

describe.concurrent("lume run", () => {
  cases([
    ["0: prints the id alone", submit("ok"), { code: 0, stdout: "ok\n" }],
    ["0: waits, and prints the id first", [...submit("ok"), "--wait"], { code: 0, stdout: "ok\nok\tSUCCEEDED\n" }],
    [
      "3: waits for what partially fails",
      [...submit("partial"), "--wait"],
      { code: 3, stdout: "partial\npartial\tPARTIAL_FAILED\n" }
    ],
    ["1: a source path that is already processed", submit("taken"), { code: 1, stderr: ["already processed"] }],
    [
      "6: an answer that says nothing of the run",
      submit("broken"),
      { code: 6, stderr: ["whether the run started is unknown"] }
    ],
    [
      "6: the key is refused after the submit",
      [...submit("lost"), "--wait"],
      { code: 6, stdout: "lost\n", stderr: ["Re-attach with: lume wait lost\n"] }
    ],
    [
      "5: a timeout after the submit",
      [...submit("running"), "--wait", "--timeout", "200ms", ...quick],
      { code: 5, stdout: "running\n", stderr: ["Re-attach with: lume wait running\n"] }
    ]
  ])

  it.scopedLive("prints the submitted run and the ended one with --json", () =>
    Effect.gen(function* () {
      const { stdout } = yield* run([...submit("ok"), "-m", "empty=", "a=b=c", "--wait", "--json"])
      const [submitted, ended] = stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line))
      assert.deepStrictEqual(submitted.run_metadata, { empty: "", a: "b=c" })
      assert.strictEqual(ended.status, "SUCCEEDED")
    })
  )
})

describe.concurrent("lume status", () => {
  cases([
    ["0: a run that goes on", ["status", "running"], { code: 0, stdout: "running\tTRANSFORMING\n" }],
    ["3: a run that has partially failed", ["status", "partial"], { code: 3, stdout: "partial\tPARTIAL_FAILED\n" }],
    ["4: a run that has failed", ["status", "failed"], { code: 4, stdout: "failed\tFAILED\n" }],
    ["1: an unknown run", ["status", "unknown"], { code: 1 }]
  ])
})

describe.concurrent("usage", () => {
  cases([
    ["no command", [], { code: 2, stderr: ["Usage: lume"] }],
    ["no such command", ["wit", "r1"], { code: 2, stderr: ["Did you mean wait?"] }],
    ["help of no such command", ["nonsense", "--help"], { code: 2, stderr: ["unknown command"] }],
    ["no id", ["wait"], { code: 2, stderr: ["missing required argument"] }],
    ["an empty id", ["wait", ""], { code: 2, stderr: ["not empty"] }],
    ["an id with a dash", ["wait", "--", "-ok"], { code: 2, stderr: ["Did you mean ok?"] }],
    ["an option as another's value", ["run", "-f", "a:v1", "-s", "-x"], { code: 2, stderr: ["begins with a dash"] }],
    ["a percentage", ["wait", "ok", "--max-error-rate", "5%"], { code: 2, stderr: ["Did you mean 0.05?"] }],
    ["a ratio above 1", ["wait", "ok", "--max-rejected-share", "5"], { code: 2, stderr: ["Did you mean 0.05?"] }],
    ["a negative ratio", ["wait", "ok", "--max-error-rate=-1"], { code: 2 }],
    ["NaN", ["wait", "ok", "--max-error-rate", "NaN"], { code: 2 }],
    ["no duration", ["wait", "ok", "--timeout", "soon"], { code: 2, stderr: ["90s, 10m, 1h"] }],
    [
      "options of a wait without it",
      ["run", "-f", "a:v1", "-s", "b", "--timeout", "5"],
      { code: 2, stderr: ["need --wait"] }
    ],
    ["a pair without its sign", ["run", "-f", "a:v1", "-s", "b", "-m", "k"], { code: 2, stderr: ["key=value"] }],
    ["as JSON", ["wait", "--json"], { code: 2, stderr: ['{"message":"error: missing required argument'] }]
  ])

  it.scopedLive("help and version are on stdout", () =>
    Effect.gen(function* () {
      for (const args of [["--help"], ["wait", "--help"], ["webhook", "send", "--help"]]) {
        const help = yield* command.lume(args).ended
        assert.strictEqual(help.code, 0)
        assert.match(help.stdout, /^Usage: lume/)
        assert.strictEqual(help.stderr, "")
        assert.notInclude(help.stdout, "\u001b")
      }
      assert.match((yield* command.lume(["--version"]).ended).stdout, /^\d+\.\d+\.\d+\n$/)
    })
  )
})

describe.concurrent("the environment", () => {
  it.scopedLive("without a key gives a sentence", () =>
    Effect.gen(function* () {
      const { code, stderr } = yield* run(["wait", "ok"], { LUME_API_KEY: "" })
      assert.strictEqual(code, 1)
      assert.match(stderr, /^LUME_API_KEY is not set\..*\n$/)
      assert.include((yield* run(["wait", "ok", "--json"], { LUME_API_KEY: "" })).stderr, '{"message":"LUME_API_KEY')
    })
  )

  it.scopedLive("names a proxy, which is used, but not for this machine", () =>
    Effect.gen(function* () {
      const proxy = yield* serve((_, response) => response.destroy())
      proxy.intercept((socket) => socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n"))
      const env = { HTTPS_PROXY: proxy.url, LUME_REQUEST_TIMEOUT: "5" }
      assert.strictEqual((yield* run(["wait", "ok"], env)).code, 0)
      const elsewhere = yield* run(["status", "ok"], { ...env, LUME_BASE_URL: "https://lume.invalid" })
      assert.strictEqual(elsewhere.code, 1)
      assert.include(elsewhere.stderr, "Proxy response")
    })
  )
})

describe.concurrent("signals", () => {
  const running = (args: ReadonlyArray<string>) =>
    Effect.map(serve(command.handler()), ({ requests, url }) => ({
      requests,
      ...command.lume(args, { LUME_API_KEY: "a-key", LUME_BASE_URL: url })
    }))

  const signals = [
    ["SIGINT", 130],
    ["SIGTERM", 143]
  ] as const

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

  it.scopedLive("one that npm keeps to itself ends the command too", () =>
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
        "Stopped waiting; the runs go on. Re-attach with: lume wait running\n"
      )
    })
  )

  it.scopedLive("one while a submit is in flight says that the run may have been submitted", () =>
    Effect.gen(function* () {
      const { ended, process, requests } = yield* running(submit("silent"))
      yield* until(() => requests.length === 1)
      process.kill("SIGINT")
      const { code, stderr, stdout } = yield* ended
      assert.strictEqual(code, 6)
      assert.strictEqual(stdout, "")
      assert.include(stderr, "The run may have been submitted; don't start it again unseen")
    })
  )

  it.scopedLive("one reaches a process that is the first of its container", () =>
    Effect.gen(function* () {
      const { url } = yield* serve(command.handler())
      const env = { LUME_API_KEY: "a-key", LUME_BASE_URL: url }
      const args = [
        "--user",
        "--map-root-user",
        "--pid",
        "--fork",
        "--kill-child",
        process.execPath,
        command.bin,
        "wait",
        "running"
      ]
      const first = command.start("unshare", args, env)
      yield* until(() => first.stderr().includes("TRANSFORMING") || first.process.exitCode !== null)
      // the machine may not allow it
      if (first.process.exitCode !== null) return
      const child = command.start("pgrep", ["-P", String(first.process.pid)])
      const pid = Number((yield* child.ended).stdout)
      process.kill(pid, "SIGTERM")
      assert.include((yield* first.ended).stderr, "Stopped waiting")
    })
  )
})

describe.concurrent("pipes", () => {
  it.scopedLive("that are closed leave the exit code as it is", () =>
    Effect.gen(function* () {
      const { url } = yield* serve(command.handler())
      const script = `"$0" "$1" wait ok_1 ok_2 soon --poll-interval 0.3 | head -1; exit "\${PIPESTATUS[0]}"`
      const env = { LUME_API_KEY: "a-key", LUME_BASE_URL: url }
      const ended = yield* command.start("bash", ["-c", script, process.execPath, command.bin], env).ended
      assert.strictEqual(ended.code, 0)
      assert.notInclude(ended.stderr, "EPIPE")
    })
  )
})

describe.concurrent("a full disk", () => {
  it.scopedLive.skipIf(!existsSync("/dev/full"))("is no success", () =>
    Effect.gen(function* () {
      const { url } = yield* serve(command.handler())
      const env = { LUME_API_KEY: "a-key", LUME_BASE_URL: url }
      const script = `"$0" "$1" wait ok > /dev/full`
      const ended = yield* command.start("bash", ["-c", script, process.execPath, command.bin], env).ended
      assert.strictEqual(ended.code, 1)
    })
  )
})

describe.concurrent("lume webhook", () => {
  it.scopedLive("sends what it verifies", () =>
    Effect.gen(function* () {
      const received: Array<{ readonly body: string; readonly signature: string; readonly url: string | undefined }> =
        []
      const secret = { LUME_WEBHOOK_SECRET: "a-secret" }
      const server = createServer((request, response) => {
        let body = ""
        request.on("data", (chunk) => (body += String(chunk)))
        request.on("end", () => {
          received.push({ body, signature: String(request.headers["x-lume-signature-256"]), url: request.url })
          response.writeHead(received.length === 1 ? 204 : 500).end()
        })
      })
      yield* Effect.addFinalizer(() => Effect.sync(() => server.close()))
      yield* Effect.async<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void)))
      const address = server.address()
      const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}/hook?a=%20b`
      const sent = yield* command.lume(["webhook", "send", url, "--run-id", "run_7", "--status", "FAILED"], secret)
        .ended
      assert.strictEqual(sent.code, 0, sent.stderr)
      const [{ body, signature, url: path } = { body: "", signature: "", url: "" }] = received
      assert.strictEqual(path, "/hook?a=%20b")
      assert.deepInclude(JSON.parse(body), { run_id: "run_7", status: "FAILED" })
      const verify = (text: string) => {
        const verifying = command.lume(["webhook", "verify", "--signature", signature], secret)
        verifying.process.stdin?.end(text)
        return verifying.ended
      }
      assert.strictEqual((yield* verify(body)).code, 0)
      assert.strictEqual((yield* verify(`${body} `)).code, 1)
      const refused = yield* command.lume(["webhook", "send", url], secret).ended
      assert.strictEqual(refused.code, 1)
      assert.include(refused.stderr, "answered 500")
    })
  )

  it.scopedLive("names the address that refuses", () =>
    Effect.gen(function* () {
      const { code, stderr } = yield* command.lume(["webhook", "send", "http://127.0.0.1:1/"], {
        LUME_WEBHOOK_SECRET: "s"
      }).ended
      assert.strictEqual(code, 1)
      assert.include(stderr, "127.0.0.1:1")
    })
  )
})

const hasTmux = spawnSync("tmux", ["-V"]).status === 0

describe.concurrent("a terminal", () => {
  /** A terminal of 80 columns and 8 rows, with a shell in it. */
  const terminal = (env: Readonly<Record<string, string>>) =>
    Effect.acquireRelease(
      Effect.sync(() => {
        const name = `lume-${randomUUID()}`
        const tmux = (...args: ReadonlyArray<string>) =>
          spawnSync("tmux", ["-u", "-L", name, "-f", "/dev/null", ...args], { encoding: "utf8" }).stdout
        const settings = Object.entries(env).map(([key, value]) => `${key}=${value}`)
        const shell = ["env", "-u", "CI", "LANG=C.UTF-8", "PS1=$ ", ...settings, "sh"]
        tmux("new-session", "-d", "-x", "80", "-y", "8", ...shell)
        return {
          type: (line: string) => tmux("send-keys", line, "Enter"),
          press: (key: string) => tmux("send-keys", key),
          resize: (columns: number) => tmux("resize-window", "-x", String(columns)),
          lines: () => tmux("capture-pane", "-p").trimEnd().split("\n"),
          hasCursor: () => tmux("display", "-p", "#{cursor_flag}").trim() === "1",
          end: () => tmux("kill-server")
        }
      }),
      ({ end }) => Effect.sync(end)
    )

  /** Without the times, which differ. */
  const withoutTime = (lines: ReadonlyArray<string>) => lines.map((line) => line.replace(/\d+:\d\d/, "0:00"))

  const wait = (ids: string) => `clear; ${process.execPath} ${command.bin} wait ${ids} --poll-interval 0.1`

  it.scopedLive.skipIf(!hasTmux)("shows lines that are cut to it, and is left as it was", () =>
    Effect.gen(function* () {
      const { url } = yield* serve(command.handler())
      const { hasCursor, lines, press, resize, type } = yield* terminal({ LUME_API_KEY: "a-key", LUME_BASE_URL: url })
      type(wait("running_1 running_22"))
      yield* until(() => lines().some((line) => line.startsWith("running_22  TRANSFORMING")))
      assert.deepStrictEqual(withoutTime(lines().slice(-2)), [
        "running_1   TRANSFORMING    0:00  ████░░░░",
        "running_22  TRANSFORMING    0:00  ████░░░░"
      ])
      assert.isFalse(hasCursor())
      resize(20)
      yield* until(() => lines().at(-1) === "running_22  TRANSFO")
      assert.deepStrictEqual(lines().slice(-2), ["running_1   TRANSFO", "running_22  TRANSFO"])
      resize(80)
      yield* until(() => lines().at(-1)?.includes("████") === true)
      press("C-c")
      yield* until(() => lines().some((line) => line.startsWith("Stopped waiting")))
      yield* until(hasCursor)
      assert.notInclude(lines().join("\n"), "████")
    })
  )

  it.scopedLive.skipIf(!hasTmux)("shows what has not ended, where not all fit", () =>
    Effect.gen(function* () {
      const { url } = yield* serve(command.handler())
      const { lines, type } = yield* terminal({ LUME_API_KEY: "a-key", LUME_BASE_URL: url, LC_ALL: "C" })
      const ids = ["ok_1", "ok_2", "ok_3", ...Array.from({ length: 8 }, (_, index) => `running_${index}`)]
      type(wait(ids.join(" ")))
      yield* until(() => lines().some((line) => line === "... 5 more"))
      yield* until(() => lines().filter((line) => /^running_\d  TRANSFORMING .*####----$/.test(line)).length === 6)
    })
  )
})

describe.concurrent("lume doctor", () => {
  it.scopedLive("is content with a Lume", () =>
    Effect.gen(function* () {
      const { code, stdout } = yield* run(["doctor"])
      assert.strictEqual(code, 0, stdout)
      assert.include(stdout, "from LUME_BASE_URL")
      assert.notInclude(stdout, "a-key")
    })
  )

  it.scopedLive("says which option to set where something else answers", () =>
    Effect.gen(function* () {
      const { url } = yield* serve(
        (_, response) => void response.writeHead(404, { "content-type": "text/html" }).end("<h1>404 Not Found</h1>")
      )
      const { code, stdout } = yield* command.lume(["doctor"], { LUME_API_KEY: "a-key", LUME_BASE_URL: url }).ended
      assert.strictEqual(code, 1)
      assert.include(stdout, "paths")
    })
  )
})
