/**
 * What a local Lume is to its neighbours: who reaches it, how much it takes, and what each of its answers says.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { connect } from "node:net"
import { networkInterfaces } from "node:os"
import * as path from "node:path"
import { raw, send } from "./http.js"
import { clean, live, quickly, serve, slowFlow, start } from "./lume.js"
import { folders } from "./support.js"

const canConnect = (host: string, port: number): Effect.Effect<boolean> =>
  Effect.async((resume) => {
    const socket = connect(port, host, () => {
      socket.destroy()
      resume(Effect.succeed(true))
    })
    socket.on("error", () => resume(Effect.succeed(false)))
  })

const otherAddresses = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .filter(({ family, internal }) => family === "IPv4" && !internal)
  .map(({ address }) => address)

describe("who reaches it", () => {
  live("nobody but this machine", () =>
    Effect.gen(function* () {
      const { url } = yield* start()
      const { hostname, port } = new URL(url)
      assert.strictEqual(hostname, "127.0.0.1")
      assert.isTrue(yield* canConnect("127.0.0.1", Number(port)))
      const others = yield* Effect.forEach(["127.0.0.2", ...otherAddresses], (host) => canConnect(host, Number(port)))
      assert.notInclude(others, true)
    })
  )

  live("others where it is asked to, with a key of one's own, by any name", () =>
    Effect.gen(function* () {
      const { lume, url } = yield* start({ host: "0.0.0.0", apiKey: Redacted.make("my-own-key") })
      assert.strictEqual(new URL(url).hostname, "0.0.0.0")
      yield* lume.runAndWait({ flowVersion: "people:v1", sourcePath: "clean.csv" }, quickly)
      const headers = { host: "lume.internal:4747", "lume-api-key": "my-own-key" }
      assert.strictEqual((yield* send(`${url}/runs/run_1`, { headers })).status, 404)
    })
  )

  live("no page of another site that has its name resolved to this machine", () =>
    Effect.gen(function* () {
      const { url } = yield* start()
      const { port } = new URL(url)
      const statusFor = (host: string) =>
        Effect.map(send(`${url}/openapi.json`, { headers: { host } }), ({ status }) => status)
      for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, "LOCALHOST", `[::1]:${port}`, "127.0.0.7"]) {
        assert.strictEqual(yield* statusFor(host), 200, host)
      }
      for (const host of [`evil.example:${port}`, "127.0.0.1.evil.example", "localhost.evil.example", "[::2]"]) {
        assert.strictEqual(yield* statusFor(host), 421, host)
      }
      const { body } = yield* send(`${url}/runs`, { method: "POST", headers: { host: "evil.example" } })
      assert.deepStrictEqual(JSON.parse(body), {
        detail: 'This server answers for this machine alone, as localhost or 127.0.0.1, not for "evil.example"'
      })
      assert.match(yield* raw(url, "GET /openapi.json HTTP/1.0\r\n\r\n"), /^HTTP\/1\.1 421 /)
    })
  )
})

describe("how much it takes", () => {
  const largest = 1024 ** 2

  live("a body of more than 1 MiB is refused before it is read", () =>
    Effect.gen(function* () {
      const { apiKey, url } = yield* start()
      const headers = { "lume-api-key": Redacted.value(apiKey) }
      const post = (extra: Record<string, string>, write: Parameters<typeof send>[2]) =>
        send(`${url}/runs`, { method: "POST", headers: { ...headers, ...extra } }, write)

      // nothing of the body is ever sent
      const announced = yield* post({ "content-length": String(largest + 1) }, (request) => request.flushHeaders())
      assert.strictEqual(announced.status, 413)
      assert.deepStrictEqual(JSON.parse(announced.body), { detail: `The body has more than ${largest} bytes` })
      const asked: Array<string> = []
      const expecting = yield* post({ "content-length": String(largest + 1), expect: "100-continue" }, (request) => {
        request.on("continue", () => asked.push("continue"))
        request.flushHeaders()
      })
      assert.strictEqual(expecting.status, 413)
      assert.deepStrictEqual(asked, [])

      const chunked = yield* post({ "transfer-encoding": "chunked" }, (request) =>
        request.end(Buffer.alloc(largest + 1))
      )
      assert.strictEqual(chunked.status, 413)
      const padded = `{"flow_version": "people:v1", "source_path": "clean.csv"}`.padEnd(largest)
      assert.strictEqual((yield* post({}, (request) => request.end(padded))).status, 201)
      const small = yield* post({ expect: "100-continue" }, (request) => request.on("continue", () => request.end("{")))
      assert.strictEqual(small.status, 422)
    })
  )

  live("a body that is a list is refused as one", () =>
    Effect.gen(function* () {
      const { body, status } = yield* (yield* start()).submit([])
      assert.strictEqual(status, 422)
      assert.include(JSON.stringify(body), "got an array of 0")
    })
  )

  live("a source path of more than 4 kB is refused", () =>
    Effect.gen(function* () {
      const { submit } = yield* start()
      const statusOf = (source_path: string) => submit({ flow_version: "people:v1", source_path })
      assert.strictEqual((yield* statusOf("é".repeat(2048))).status, 201)
      const { body, status } = yield* statusOf(`a${"é".repeat(2048)}`)
      assert.strictEqual(status, 422)
      assert.deepStrictEqual(body, {
        detail: [
          { loc: ["body", "source_path"], msg: "Expected at most 4096 bytes, got 4097", type: "string_too_long" }
        ]
      })
    })
  )

  live("10,000 runs wait, and one more is refused with the time to try again", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const places = yield* folders({ "clean.csv": clean })
      const options = { flows: [slowFlow], ...places, concurrency: 1 }
      const request = { flow_version: "slow:v1", source_path: "clean.csv" }
      const journal = path.join(places.targets, ".lume/journal.jsonl")
      const { body } = yield* Effect.scoped(Effect.flatMap(serve(options), ({ submit }) => submit(request)))
      const id = String(Reflect.get(Object(body), "id"))
      const lines = (yield* files.readFileString(journal)).split("\n")
      const accepted = lines.find((line) => line.includes("Accepted")) ?? ""
      const others = Array.from({ length: 10_000 }, (_, index) => accepted.replaceAll(id, `run_${index}`))
      yield* files.writeFileString(journal, [lines[0], ...others, ""].join("\n"))

      const { lume, submit } = yield* serve(options)
      yield* Effect.repeat(lume.runStatus("run_0"), { until: (run) => run._tag === "Transforming" })
      assert.strictEqual((yield* submit(request)).status, 201)
      const refused = yield* submit(request)
      assert.strictEqual(refused.status, 429)
      assert.strictEqual(refused.headers.get("retry-after"), "1")
      assert.deepStrictEqual(refused.body, { detail: "10000 runs are waiting: try again later" })
    })
  )
})

describe("each answer", () => {
  live("is to be stored by nobody, and leaves the connection open for 75 seconds", () =>
    Effect.gen(function* () {
      const { apiKey, lume, url } = yield* start()
      const run = yield* lume.run({ flowVersion: "people:v1", sourcePath: "clean.csv" })
      const headers = { "lume-api-key": Redacted.value(apiKey), connection: "keep-alive" }
      const answers = yield* Effect.all([
        send(`${url}/runs/${run.id}`, { headers }),
        send(`${url}/runs/${run.id}`, { headers, method: "HEAD" }),
        send(`${url}/runs/run_1`, { headers }),
        send(`${url}/runs/run_1`, { headers: { ...headers, "lume-api-key": "" } }),
        send(`${url}/runs`, { headers, method: "POST" }),
        send(`${url}/runs`, { headers: { ...headers, host: "evil.example" } }),
        send(`${url}/openapi.json`, { headers }),
        send(`${url}/nowhere`, { headers }),
        send(`${url}/nowhere`, { headers: { ...headers, "x-lume-fault": "503" } }),
        send(`${url}/nowhere`, { headers: { ...headers, "x-lume-fault": "none" } }),
        send(`${url}/nowhere`, { headers: { ...headers, expect: "the best" } })
      ])
      assert.deepStrictEqual(
        answers.map(({ status }) => status),
        [200, 200, 404, 401, 422, 421, 200, 404, 503, 422, 404]
      )
      assert.deepStrictEqual(new Set(answers.map(({ headers }) => headers["cache-control"])), new Set(["no-store"]))
      assert.deepStrictEqual(new Set(answers.map(({ headers }) => headers["keep-alive"])), new Set(["timeout=75"]))
    })
  )

  live.each([
    ["no HTTP", "NONSENSE", "400 Bad Request", "This is no HTTP request"],
    [
      "a URL of 16 KiB",
      `GET /runs/${"x".repeat(16 * 1024)} HTTP/1.1`,
      "431 Request Header Fields Too Large",
      "The URL and the headers have more than 16 KiB"
    ]
  ] as const)("to %s is JSON that is to be stored by nobody", ([, bytes, status, detail]) =>
    Effect.gen(function* () {
      const { url } = yield* start()
      const [head = "", body = ""] = (yield* raw(url, `${bytes}\r\n\r\n`)).split("\r\n\r\n")
      assert.include(head, `HTTP/1.1 ${status}\r\n`)
      assert.include(head, "cache-control: no-store")
      assert.deepStrictEqual(JSON.parse(body), { detail })
    })
  )
})

describe("a client that goes away", () => {
  live("keeps no run from being made that was accepted", () =>
    Effect.gen(function* () {
      const { apiKey, places, url } = yield* start()
      const body = JSON.stringify({ flow_version: "people:v1", source_path: "clean.csv" })
      const head = `POST /runs HTTP/1.1\r\nhost: localhost\r\nlume-api-key: ${Redacted.value(apiKey)}\r\ncontent-length: ${body.length}\r\n\r\n`
      const submitAndGo = Effect.async<void>((resume) => {
        const socket = connect(Number(new URL(url).port), "127.0.0.1", () => {
          socket.write(head + body, () => {
            socket.resetAndDestroy()
            resume(Effect.void)
          })
        })
      })
      const files = yield* FileSystem.FileSystem
      const journal = files.readFileString(path.join(places.targets, ".lume/journal.jsonl"))
      // a request can be gone before the server has seen it
      yield* Effect.repeat(Effect.zipRight(Effect.delay(submitAndGo, "50 millis"), journal), {
        until: (text) => text.includes("Accepted")
      })
      yield* Effect.repeat(files.readDirectory(places.targets), {
        until: (names) => names.some((name) => name.startsWith("run_"))
      })
    })
  )
})
