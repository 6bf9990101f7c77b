/**
 * The `lume` command as a process: exit codes, what is on stdout and stderr, pipes.
 */
import { assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { existsSync } from "node:fs"
import { createServer } from "node:http"
import * as command from "./support/lume.js"
import { answer, serve } from "./support/server.js"

beforeAll(() => Effect.runPromise(command.build))

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
      {
        code: 4,
        stdout: "bad\tPARTIAL_FAILED\n",
        stderr: ["metadata.results", "With --json you see", "failed tests: can't be measured (limit 1), breached"]
      }
    ],
    [
      "4: failed, so that no limit can be measured",
      ["wait", "failed", "--max-rejected-share", "0.1"],
      { code: 4, stdout: "failed\tFAILED\n", stderr: ["rejected rows: can't be measured (limit 0.1), breached"] }
    ],
    ["3: metadata that can't be read, without a gate", ["wait", "bad"], { code: 3, stdout: "bad\tPARTIAL_FAILED\n" }],
    [
      "4: failed, with control characters written out",
      ["wait", "failed"],
      { code: 4, stdout: "failed\tFAILED\n", stderr: ["in SYNC_SOURCE, GONE: no file \\u001b[31mthere"] }
    ],
    [
      "0: a status that is no word, in one line",
      ["status", "strange"],
      { code: 0, stdout: "strange\tQUEUED\\u001b[2J\\u009b\\u202e\n" }
    ],
    [
      "5: the log is not data",
      ["wait", "strange", "--timeout", "3", ...quick],
      { code: 5, stdout: "", stderr: ["has the status QUEUED [2J"] }
    ],
    [
      "5: one deadline for all of them",
      ["wait", "running_1", "running_2", "ok", "--timeout", "3", ...quick],
      { code: 5, stdout: "ok\tSUCCEEDED\n", stderr: ["Re-attach with: lume wait running_1 running_2\n"] }
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
      { code: 0, stdout: "soon\tSUCCEEDED\n", stderr: ["soon TRANSFORMING 0:", "soon SUCCEEDED 0:"] }
    ],
    ["0: the same id twice is one run", ["wait", "ok", "ok"], { code: 0, stdout: "ok\tSUCCEEDED\n" }]
  ])

  it.scopedLive("writes whole JSON with --json, and only JSON on stderr", () =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* run(["wait", "soon", "unknown", "failed", ...quick, "--json"], {
        FORCE_COLOR: "3"
      })
      assert.strictEqual(code, 1)
      const ended = stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line))
      // in the order in which they are read as ended, which a busy machine may change
      const [failed, soon, ...rest] = ended.toSorted((one, other) => one.id.localeCompare(other.id))
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
    [
      "1: a source path that is already processed",
      submit("taken"),
      { code: 1, stderr: ["already processed", "--force-rerun"] }
    ],
    [
      "1: a source path that is called as an option of the SDK",
      ["run", "-f", "taken:v1", "-s", "sourcePath.csv"],
      { code: 1, stderr: ["taken:v1 has already processed sourcePath.csv successfully", "Submit with --force-rerun"] }
    ],
    [
      "1: a flow version that is called so",
      ["run", "-f", "apiKey", "-s", "a.csv"],
      { code: 1, stderr: ["Nothing was sent to Lume: --flow-version must be", '"apiKey"'] }
    ],
    [
      "1: a flow version that is none",
      ["run", "-f", "clean", "-s", "a.csv"],
      { code: 1, stderr: ["Nothing was sent", "--flow-version must be"] }
    ],
    ["0: an id in one line", submit("odd"), { code: 0, stdout: "odd\\u001b[2J\\u009b\\u202e\n" }],
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

describe.concurrent("what lume run sends", () => {
  const submitted = (args: ReadonlyArray<string>) =>
    Effect.gen(function* () {
      let body = ""
      const { requests, url } = yield* serve((request, response) => {
        request.setEncoding("utf8").on("data", (text: string) => (body += text))
        request.once("end", () => answer(response, { id: "r1", status: "CREATED", metadata: null }, 201))
      })
      const { code } = yield* command.lume(args, { LUME_API_KEY: "a-key", LUME_BASE_URL: url }).ended
      assert.strictEqual(code, 0)
      assert.lengthOf(requests, 1)
      return JSON.parse(body)
    })

  it.scopedLive("is what was asked for, in either spelling of an option", () =>
    Effect.gen(function* () {
      const long = ["run", "--source-path", "a b.csv", "--flow-version", "clean:v4", "--run-metadata", "k=v", "l="]
      assert.deepInclude(yield* submitted([...long, "--force-rerun"]), {
        flow_version: "clean:v4",
        source_path: "a b.csv",
        force_rerun: true,
        run_metadata: { k: "v", l: "" }
      })
      const short = yield* submitted(["run", "-s", "a.csv", "-m", "k=v", "-m", "__proto__=w=x", "-f", "clean:v4"])
      assert.deepStrictEqual(Object.entries(short.run_metadata), [
        ["k", "v"],
        ["__proto__", "w=x"]
      ])
      assert.notStrictEqual(short.force_rerun, true)
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
    ["an empty id", ["wait", ""], { code: 2, stderr: ["must not be empty"] }],
    ["an id with a dash", ["wait", "-ok"], { code: 2, stderr: ["Did you mean ok?"] }],
    ["an id with a dash, to status", ["status", "--run_1"], { code: 2, stderr: ["Did you mean run_1?"] }],
    [
      "an option that is none",
      ["wait", "ok", "--tries", "5"],
      { code: 2, stderr: ["'--tries'\nSee lume wait --help"] }
    ],
    ["an id with a dash, after --", ["wait", "--", "-ok"], { code: 2, stderr: ["Did you mean ok?"] }],
    [
      "help of a misspelt command",
      ["help", "rnu"],
      { code: 2, stderr: ["unknown command 'rnu'\n(Did you mean run?)\nSee lume --help.\n"] }
    ],
    [
      "help of a misspelt command of webhook",
      ["help", "webhook", "sned"],
      { code: 2, stderr: ["unknown command 'sned'\n(Did you mean send?)\nSee lume webhook --help.\n"] }
    ],
    [
      "JSON of a command that has none",
      ["doctor", "--json"],
      { code: 2, stderr: ["(--json is an option of lume run, lume status and lume wait.)"] }
    ],
    [
      "an option before the command",
      ["--json", "status", "ok"],
      { code: 2, stderr: ["(--json is an option of lume run, lume status and lume wait.)"] }
    ],
    [
      "an option of other commands, with its value",
      ["status", "ok", "--timeout=5"],
      { code: 2, stderr: ["(--timeout is an option of lume run and lume wait.)\nSee lume status --help.\n"] }
    ],
    ["an option with a typo", ["wait", "ok", "--timout", "5"], { code: 2, stderr: ["Did you mean --timeout?"] }],
    ["no command of webhook", ["webhook"], { code: 2, stderr: ["Usage: lume webhook"] }],
    ["no URL", ["webhook", "send", "localhost:80"], { code: 2, stderr: ["Did you mean http://localhost:80?"] }],
    ["no port", ["local", "--port", "65536"], { code: 2, stderr: ["from 0 to 65535"] }],
    [
      "a typo that would drive a terminal",
      ["wait", "-\u001b[2J"],
      { code: 2, stderr: ["unknown option '-\\u001b[2J'"] }
    ],
    ["an option as another's value", ["run", "-f", "a:v1", "-s", "-x"], { code: 2, stderr: ["begins with a dash"] }],
    [
      "a short option's value after =",
      ["run", "-f", "a:v1", "-s=s3://a"],
      { code: 2, stderr: ["'=s3://a' is invalid. It begins with =, as after a short option: write a space"] }
    ],
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
    [
      "a key that is given twice",
      ["run", "-f", "a:v1", "-s", "b", "-m", "k=1", "-m", "k=2"],
      { code: 2, stderr: ["The key k is given twice."] }
    ],
    ["as JSON", ["wait", "--json"], { code: 2, stderr: ['{"message":"error: missing required argument'] }]
  ])

  it.scopedLive("help and version are on stdout", () =>
    Effect.gen(function* () {
      for (const args of [
        ["--help"],
        ["wait", "--help"],
        ["webhook", "send", "--help"],
        ["help"],
        ["help", "wait"],
        ["webhook", "help", "send"]
      ]) {
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

describe.concurrent("pipes", () => {
  it.scopedLive("that are read slowly get all of a large run", () =>
    Effect.gen(function* () {
      const { url } = yield* serve(command.handler())
      const script = `"$0" "$1" status large --json | (sleep 0.5; wc -c)`
      const env = { LUME_API_KEY: "a-key", LUME_BASE_URL: url }
      const { stdout } = yield* command.start("bash", ["-c", script, process.execPath, command.bin], env).ended
      assert.isAbove(Number(stdout), 4e6)
    })
  )

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

describe.concurrent("an old Node", () => {
  it.scopedLive.each(["0.10.48", "12.22.12", "20.18.3", "22.11.0"])("%s is refused with a sentence", (version) =>
    Effect.gen(function* () {
      const script = `Object.defineProperty(process.versions, "node", { value: "${version}" }); require(process.argv[1])`
      const { code, stderr } = yield* command.start(process.execPath, ["-e", script, command.bin]).ended
      assert.strictEqual(code, 1)
      assert.match(stderr, new RegExp(`^lume needs Node .*; this is Node ${version}\\.\n$`))
    })
  )
})

describe.concurrent("a defect", () => {
  /** Breaks the command where it writes this to a stream. */
  const breaking = (stream: "stdout" | "stderr", text: string, args: ReadonlyArray<string>) =>
    Effect.gen(function* () {
      const { url } = yield* serve(command.handler())
      const script = `
        const write = process.${stream}.write
        process.${stream}.write = function (text, ...rest) {
          if (text.includes("${text}")) throw new Error("broken")
          return write.call(this, text, ...rest)
        }
        require(process.argv[1])`
      const env = { LUME_API_KEY: "a-key", LUME_BASE_URL: url }
      return yield* command.start(process.execPath, ["-e", script, command.bin, ...args], env).ended
    })

  it.scopedLive("before a submit is a client error", () =>
    Effect.gen(function* () {
      const { code, stderr } = yield* breaking("stdout", "SUCCEEDED", ["status", "ok"])
      assert.strictEqual(code, 1)
      assert.match(stderr, /^This is a defect of lume, please report it: /)
    })
  )

  it.scopedLive("after a submit leaves the run known", () =>
    Effect.gen(function* () {
      const id = yield* breaking("stdout", "ok", [...submit("ok"), "--json"])
      assert.strictEqual(id.code, 6)
      assert.match(JSON.parse(id.stderr).message, /please report it: .* Re-attach with: lume wait ok$/s)
      const waiting = yield* breaking("stdout", "SUCCEEDED", [...submit("soon"), "--wait", ...quick])
      assert.deepInclude(waiting, { code: 6, stdout: "soon\n" })
      assert.match(waiting.stderr, /please report it: .* Re-attach with: lume wait soon\n$/s)
      // what is told of a run on its way is not what it has come to
      const told = yield* breaking("stderr", "TRANSFORMING", [...submit("soon"), "--wait", ...quick])
      assert.strictEqual(told.code, 0)
      assert.include(told.stderr, "The onStatus of the wait for run soon broke off. The wait goes on.")
    })
  )
})

describe.skipIf(!existsSync("/dev/full")).concurrent("a full disk", () => {
  const full = (args: ReadonlyArray<string>) =>
    Effect.gen(function* () {
      const { url } = yield* serve(command.handler())
      const env = { LUME_API_KEY: "a-key", LUME_BASE_URL: url }
      const script = `"$0" "$@" > /dev/full`
      return yield* command.start("bash", ["-c", script, process.execPath, command.bin, ...args], env).ended
    })

  const cases: ReadonlyArray<readonly [string, ReadonlyArray<string>, number, string]> = [
    ["is no success", ["wait", "ok"], 1, "stdout could not be written: "],
    ["leaves a submitted run known", submit("ok"), 6, " Re-attach with: lume wait ok\n"],
    [
      "leaves a run known whose end is accepted",
      [...submit("partial"), "--wait", "--accept-partial"],
      6,
      " Re-attach with: lume wait partial\n"
    ],
    ["is told in JSON", [...submit("ok"), "--json"], 6, ' Re-attach with: lume wait ok"}\n'],
    ["leaves what the run has come to", [...submit("failed"), "--wait"], 4, " Re-attach with: lume wait failed\n"]
  ]

  it.scopedLive.each(cases)("%s", ([, args, code, part]) =>
    Effect.gen(function* () {
      const ended = yield* full(args)
      assert.strictEqual(ended.code, code)
      assert.include(ended.stderr, part)
      assert.lengthOf(ended.stderr.match(/could not be written/g) ?? [], 1)
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
          const answers = [[204], [500], [401, { "content-type": "text/plain" }]] as const
          const [status, headers] = answers[received.length - 1] ?? [500]
          response.writeHead(status, headers).end("It has no signature.\n")
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
      const other = yield* verify(`${body} \n`)
      assert.strictEqual(other.code, 1)
      assert.notInclude(other.stderr, "newline")
      for (const end of ["\n", "\r\n"]) {
        const echoed = yield* verify(body + end)
        assert.strictEqual(echoed.code, 1)
        assert.include(echoed.stderr, "but for the newline at the body's end")
      }
      const refused = yield* command.lume(["webhook", "send", url], secret).ended
      assert.strictEqual(refused.code, 1)
      assert.include(refused.stderr, "answered 500 Internal Server Error. Lume would send the event again.\n")
      const told = yield* command.lume(["webhook", "send", url], secret).ended
      assert.include(told.stderr, "answered 401 Unauthorized: It has no signature. That asks for no other delivery.\n")
    })
  )

  it.scopedLive("names the address that refuses, without a password in it", () =>
    Effect.gen(function* () {
      const { code, stderr } = yield* command.lume(["webhook", "send", "http://me:a-password@127.0.0.1:1/a@b"], {
        LUME_WEBHOOK_SECRET: "s"
      }).ended
      assert.strictEqual(code, 1)
      assert.include(stderr, "127.0.0.1:1")
      assert.notInclude(stderr, "a-password")
    })
  )

  const secretive: ReadonlyArray<readonly [string, ReadonlyArray<string>, number]> = [
    ["nobody hears", ["send", "http://127.0.0.1:1/hook?token=a-token#a-token"], 1],
    ["is of another scheme", ["send", "ftp://127.0.0.1/hook?token=a-token"], 2],
    ["has no scheme", ["send", "127.0.0.1:80/hook?token=a-token"], 2],
    ["stands where a command should", ["http://127.0.0.1:1/hook?token=a-token"], 2]
  ]

  it.scopedLive.each(secretive)("shows a URL that %s without its query", ([, args, code]) =>
    Effect.gen(function* () {
      const ended = yield* command.lume(["webhook", ...args], { LUME_WEBHOOK_SECRET: "s" }).ended
      assert.strictEqual(ended.code, code, ended.stderr)
      assert.include(ended.stderr, "/hook?…")
      assert.notInclude(ended.stderr, "a-token")
    })
  )

  it.scopedLive("waits for no end of what answers", () =>
    Effect.gen(function* () {
      const { url } = yield* serve((_, response) => void response.writeHead(200).write("and so on"))
      const { code, stderr } = yield* command.lume(["webhook", "send", url], { LUME_WEBHOOK_SECRET: "s" }).ended
      assert.strictEqual(stderr, `${url} answered 200 OK.\n`)
      assert.strictEqual(code, 0)
    })
  )

  it.scopedLive("shows what answers without its query", () =>
    Effect.gen(function* () {
      const { url } = yield* serve((_, response) => void response.writeHead(410).end())
      const { stderr } = yield* command.lume(["webhook", "send", `${url}/hook?token=a-token`], {
        LUME_WEBHOOK_SECRET: "s"
      }).ended
      assert.strictEqual(stderr, `${url}/hook?… answered 410 Gone. That asks for no other delivery.\n`)
    })
  )
})
