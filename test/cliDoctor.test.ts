/**
 * What the `lume` command takes from its environment, and what `lume doctor` finds there.
 */
import { assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as command from "./support/lume.js"
import { answer, type Handler, serve } from "./support/server.js"

beforeAll(() => Effect.runPromise(command.build))

/** Runs `lume` over a Lume. */
const run = (
  args: ReadonlyArray<string>,
  env: Readonly<Record<string, string>> = {},
  handler: Handler = command.handler()
) =>
  Effect.flatMap(serve(handler), ({ requests, url }) =>
    Effect.map(command.lume(args, { LUME_API_KEY: "a-key", LUME_BASE_URL: url, ...env }).ended, (ended) => ({
      ...ended,
      requests
    }))
  )

describe.concurrent("the environment", () => {
  it.scopedLive("without a key gives a sentence", () =>
    Effect.gen(function* () {
      const { code, stderr } = yield* run(["wait", "ok"], { LUME_API_KEY: "" })
      assert.strictEqual(code, 1)
      assert.match(stderr, /^LUME_API_KEY is not set\..*\n$/)
      assert.include((yield* run(["wait", "ok", "--json"], { LUME_API_KEY: "" })).stderr, '{"message":"LUME_API_KEY')
    })
  )

  it.scopedLive("says which variable can't be read", () =>
    Effect.gen(function* () {
      const { code, stderr } = yield* run(["wait", "ok"], { LUME_REQUEST_TIMEOUT: "soon" })
      assert.strictEqual(code, 1)
      assert.match(stderr, /^LUME_REQUEST_TIMEOUT: Expected .* received "soon"\.\n$/)
    })
  )

  /** A proxy that refuses, and says so. */
  const proxy = Effect.gen(function* () {
    const server = yield* serve((_, response) => response.destroy())
    server.intercept((socket) => socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n"))
    return server
  })

  it.scopedLive("names a proxy, which is used, but not for this machine", () =>
    Effect.gen(function* () {
      const { url } = yield* proxy
      const env = { HTTPS_PROXY: url, HTTP_PROXY: url, LUME_REQUEST_TIMEOUT: "5" }
      assert.strictEqual((yield* run(["wait", "ok"], env)).code, 0)
      const elsewhere = yield* run(["status", "ok"], { ...env, LUME_BASE_URL: "https://lume.invalid" })
      assert.strictEqual(elsewhere.code, 1)
      assert.include(elsewhere.stderr, "Proxy response")
    })
  )

  it.scopedLive("names addresses that are no business of the proxy's", () =>
    Effect.gen(function* () {
      const env = { HTTPS_PROXY: (yield* proxy).url, LUME_BASE_URL: "https://lume.invalid", NO_PROXY: "lume.invalid" }
      const { code, stderr } = yield* run(["status", "ok"], env)
      assert.strictEqual(code, 1)
      assert.include(stderr, "lume.invalid")
      assert.notInclude(stderr, "Proxy response")
    })
  )

  it.scopedLive("names a proxy of the other scheme, which is not asked, and doctor says so", () =>
    Effect.gen(function* () {
      let asked = 0
      const logging = yield* serve((_, response) => response.destroy())
      logging.intercept((socket) => {
        asked++
        socket.destroy()
      })
      const env = { HTTP_PROXY: logging.url, LUME_BASE_URL: "https://lume.invalid" }
      const { stdout } = yield* run(["doctor"], env)
      assert.include(stdout, "ok  No proxy: HTTP_PROXY is not for https.\n")
      assert.strictEqual(asked, 0)
    })
  )

  const exceptions = [
    ["lume.invalid", true],
    ["other.invalid, .INVALID:443", true],
    ["*", true],
    ["lume.invalid:80 ume.invalid", false]
  ] as const

  it.scopedLive.each(exceptions)("names addresses in NO_PROXY: %s", ([NO_PROXY, isDirect]) =>
    Effect.gen(function* () {
      const env = { HTTPS_PROXY: (yield* proxy).url, LUME_BASE_URL: "https://lume.invalid", NO_PROXY }
      const { stdout } = yield* run(["doctor"], env)
      assert.strictEqual(stdout.includes("ok  No proxy: NO_PROXY names the base URL's host.\n"), isDirect)
      assert.strictEqual(stdout.includes("502"), !isDirect)
    })
  )

  it.scopedLive("names a proxy that drops what it is asked, which is a client error after few trials", () =>
    Effect.gen(function* () {
      let asked = 0
      const dropping = yield* serve((_, response) => response.destroy())
      dropping.intercept((socket) => {
        asked++
        socket.destroy()
      })
      const env = { HTTPS_PROXY: dropping.url, LUME_BASE_URL: "https://lume.invalid", LUME_REQUEST_TIMEOUT: "20" }
      const { code, stderr } = yield* run(["run", "-f", "a:v1", "-s", "b"], env)
      assert.strictEqual(code, 1)
      assert.include(stderr, "the proxy opens no tunnel")
      assert.isAtMost(asked, 4)
    })
  )

  it.scopedLive.each(["3", "2.001"])(
    "names a proxy that opens no tunnel, which is a client error if a request may take %s s",
    (seconds) =>
      Effect.gen(function* () {
        const silent = yield* serve((_, response) => response.destroy())
        silent.intercept(() => {})
        const env = { HTTPS_PROXY: silent.url, LUME_BASE_URL: "https://lume.invalid", LUME_REQUEST_TIMEOUT: seconds }
        const { code, stderr } = yield* run(["run", "-f", "a:v1", "-s", "b"], env)
        assert.strictEqual(code, 1, stderr)
        assert.include(stderr, "the proxy opens no tunnel")
      })
  )

  it.scopedLive("has empty variables, which count as not set", () =>
    Effect.gen(function* () {
      const empty = { LUME_REQUEST_TIMEOUT: "", HTTPS_PROXY: "", HTTP_PROXY: "", NO_PROXY: "", NO_COLOR: "", CI: "" }
      assert.strictEqual((yield* run(["wait", "ok"], empty)).code, 0)
      const { stderr } = yield* run(["status", "ok"], { LUME_BASE_URL: "", HTTPS_PROXY: (yield* proxy).url })
      assert.include(stderr, "Proxy response")
    })
  )

  it.scopedLive("can name no proxy that is not of HTTP", () =>
    Effect.gen(function* () {
      const env = { https_proxy: "socks5://127.0.0.1:1080", LUME_BASE_URL: "https://lume.invalid" }
      const { code, stderr } = yield* run(["status", "ok"], env)
      assert.deepStrictEqual({ code, stderr }, { code: 1, stderr: "https_proxy must be an http or https URL.\n" })
    })
  )
})

describe.concurrent("lume doctor", () => {
  it.scopedLive("is content with a Lume, says where each setting comes from, and submits nothing", () =>
    Effect.gen(function* () {
      const { code, requests, stderr, stdout } = yield* run(["doctor"], { LUME_REQUEST_TIMEOUT: "7" })
      assert.strictEqual(code, 0, stdout)
      assert.strictEqual(stderr, "")
      const lines = stdout.trim().split("\n")
      assert.lengthOf(lines, 6)
      assert.isTrue(lines.every((line) => line.startsWith("ok  ")))
      for (const part of [
        process.versions.node,
        "LUME_API_KEY",
        "LUME_BASE_URL",
        "timeout 7 s, from LUME_REQUEST_TIMEOUT",
        "takes the key",
        "No proxy"
      ]) {
        assert.include(stdout, part)
      }
      assert.notInclude(stdout, "a-key")
      assert.deepStrictEqual(
        requests.map(({ method }) => method),
        ["GET"]
      )
    })
  )

  it.scopedLive("names the proxy's variable, without the password in it", () =>
    Effect.gen(function* () {
      const env = { https_proxy: "http://me:a-password@127.0.0.1:9/", LUME_BASE_URL: "https://lume.invalid" }
      const { stdout } = yield* run(["doctor"], { ...env, NO_PROXY: "else.invalid" })
      assert.include(stdout, "Proxy http://…@127.0.0.1:9/, from https_proxy; not for else.invalid, from NO_PROXY.")
      assert.notInclude(stdout, "a-password")
    })
  )

  it.scopedLive("shows no password of a variable that is no URL either", () =>
    Effect.gen(function* () {
      for (const value of [
        "me:a-password@proxy:3128",
        "http://me:a-p@ss/a-password@proxy:3128",
        "//a-password@proxy"
      ]) {
        for (const env of [{ https_proxy: value, LUME_BASE_URL: "https://lume.invalid" }, { LUME_BASE_URL: value }]) {
          const { code, stderr, stdout } = yield* run(["doctor"], env)
          assert.strictEqual(code, 1)
          assert.include(stdout, "…@proxy")
          assert.notInclude(stdout + stderr, "a-password")
        }
      }
    })
  )

  const runs = [
    ["ok", 0, "Run ok is SUCCEEDED, and its metadata is as documented."],
    ["running", 0, "Run running is TRANSFORMING."],
    ["bad", 1, "metadata.results"],
    ["strange", 1, "which this SDK does not know"],
    ["unknown", 1, "Lume knows no run unknown"],
    ["lost", 1, "403"],
    ["broken", 1, "set the option paths"]
  ] as const

  it.scopedLive.each(runs)("reads the run %s", ([id, code, part]) =>
    Effect.gen(function* () {
      const ended = yield* run(["doctor", id])
      assert.strictEqual(ended.code, code)
      assert.include(ended.stdout.trim().split("\n").at(-1), part)
    })
  )

  const html: Handler = (_, response) =>
    void response.writeHead(404, { "content-type": "text/html" }).end("<h1>404 Not Found</h1>")
  const page: Handler = (_, response) => void response.writeHead(200, { "content-type": "text/html" }).end("<html>")
  const others: ReadonlyArray<readonly [string, Handler, ReadonlyArray<string>]> = [
    ["a page that says 404", html, ["!!  ", "does not know the path", "paths", "LUME_BASE_URL"]],
    ["a path that FastAPI does not know", (_, response) => answer(response, { detail: "Not Found" }, 404), ["paths"]],
    ["a page in place of a run", page, ["!!  ", "paths", "LUME_BASE_URL"]],
    ["a refused key", (_, response) => answer(response, { detail: "no" }, 401), ["!!  ", "Check LUME_API_KEY."]],
    [
      "another address",
      (_, response) => void response.writeHead(308, { location: "https://lume.invalid/" }).end(),
      ["!!  ", "set LUME_BASE_URL to where Lume really is"]
    ]
  ]

  it.scopedLive.each(others)("says what to do about %s", ([, handler, parts]) =>
    Effect.gen(function* () {
      const { code, stdout } = yield* run(["doctor"], {}, handler)
      assert.strictEqual(code, 1)
      for (const part of parts) assert.include(stdout.trim().split("\n").at(-1), part)
    })
  )

  /** The lines of a report: what is right, and what is wrong. */
  const read = (stdout: string) => {
    const lines = stdout.trimEnd().split("\n")
    return {
      right: lines.filter((line) => line.startsWith("ok  ")),
      wrong: lines.filter((line) => line.startsWith("!!  "))
    }
  }

  const refusedUrls = ["lume.example", "ftp://lume.example", "https://lume.example/?a-token", "https://a-token@lume"]

  it.scopedLive.each(refusedUrls)("says on its line that the base URL %s is none, and asks nobody", (LUME_BASE_URL) =>
    Effect.gen(function* () {
      const { code, requests, stderr, stdout } = yield* run(["doctor"], { LUME_BASE_URL })
      const { right, wrong } = read(stdout)
      assert.deepInclude({ code, stderr }, { code: 1, stderr: "" })
      assert.lengthOf(wrong, 1)
      assert.match(wrong[0] ?? "", /^!! {2}Base URL .*: LUME_BASE_URL must be an http or https URL without credentials/)
      assert.notInclude(stdout, "a-token")
      assert.lengthOf(right, 4)
      assert.lengthOf(requests, 0)
    })
  )

  const refusedSettings = [
    ["no key", { LUME_API_KEY: "" }, "!!  No API key: set LUME_API_KEY."],
    ["a key that can't be one", { LUME_API_KEY: "a-secret key" }, "copy it again."],
    ["no time for a request", { LUME_REQUEST_TIMEOUT: "soon" }, "!!  LUME_REQUEST_TIMEOUT: Expected"],
    ["a negative time for a request", { LUME_REQUEST_TIMEOUT: "-1" }, "!!  LUME_REQUEST_TIMEOUT: Expected"]
  ] as const

  it.scopedLive.each(refusedSettings)(
    "says on its line that there is %s, and asks Lume all the same",
    ([, env, part]) =>
      Effect.gen(function* () {
        const { code, requests, stdout } = yield* run(["doctor"], env)
        const { right, wrong } = read(stdout)
        assert.strictEqual(code, 1)
        assert.lengthOf(wrong, 1)
        assert.include(wrong[0], part)
        assert.lengthOf(right, 5)
        assert.match(right.at(-1) ?? "", /^ok {2}Lume answers/)
        assert.notInclude(stdout, "a-secret")
        assert.deepStrictEqual(
          requests.map(({ headers }) => headers["lume-api-key"]),
          ["LUME_API_KEY" in env ? undefined : "a-key"]
        )
      })
  )

  it.scopedLive("takes a refusal of a request without a key as an answer", () =>
    Effect.gen(function* () {
      const { stdout } = yield* run(["doctor"], { LUME_API_KEY: "" })
      assert.include(stdout, "ok  Lume answers: a request without a key is refused (status 401), as it should be.\n")
    })
  )

  it.scopedLive("says without a key too that nobody answers", () =>
    Effect.gen(function* () {
      const closed = yield* Effect.scoped(Effect.map(serve(command.handler()), ({ url }) => url))
      const { code, stdout } = yield* run(["doctor"], { LUME_API_KEY: "", LUME_BASE_URL: closed })
      assert.strictEqual(code, 1)
      assert.match(read(stdout).wrong.at(-1) ?? "", /ECONNREFUSED/)
    })
  )

  it.scopedLive("says what is wrong with a proxy's password", () =>
    Effect.gen(function* () {
      const env = { https_proxy: "http://me:100%@127.0.0.1:9", LUME_BASE_URL: "https://lume.invalid" }
      const { stdout } = yield* run(["doctor"], env)
      assert.deepStrictEqual(read(stdout).wrong, [
        "!!  Proxy http://…@127.0.0.1:9: https_proxy must have a % of its name or password written as %25."
      ])
      const { code, stderr } = yield* run(["status", "ok"], env)
      assert.deepStrictEqual(
        { code, stderr },
        { code: 1, stderr: "https_proxy must have a % of its name or password written as %25.\n" }
      )
    })
  )
})
