/**
 * The server, through the real client; and with bare `fetch` and literal JSON, so that the two can't be wrong together.
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as FileSystem from "@effect/platform/FileSystem"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as path from "node:path"
import type * as LocalLume from "../../src/local/LocalLume.js"
import * as LumeClient from "../../src/LumeClient.js"
import { recorder } from "../support/observed.js"
import { clean, live, quickly, refusal, serve, slowFlow, start } from "./lume.js"
import { flow, folders, people } from "./support.js"

const wiped = Redacted.make("local-key")
Redacted.unsafeWipe(wiped)

describe("through the client", () => {
  live("a run goes from submit to its metadata", () =>
    Effect.gen(function* () {
      const { lume } = yield* start()
      const runMetadata = { by: "nightly", parts: [1, 2] }
      const run = yield* lume.run({ flowVersion: "people:v1", sourcePath: "people.csv", runMetadata })
      assert.match(run.id, /^run_[0-9A-HJKMNP-TV-Z]{26}$/)
      assert.strictEqual(run._tag, "Created")
      assert.deepStrictEqual(run.runMetadata, runMetadata)
      const finished = yield* lume.wait(run, quickly)
      assert(finished._tag === "PartialFailed")
      assert.deepStrictEqual(finished.runMetadata, runMetadata)
      const metadata = yield* finished.metadata
      assert.strictEqual(metadata.run.runId, run.id)
      assert.strictEqual(metadata.results.rejectedRows, 2)
    })
  )

  live("a source path that has succeeded is refused, unless the caller forces a rerun", () =>
    Effect.gen(function* () {
      const { lume } = yield* start()
      const request = { flowVersion: "people:v1", sourcePath: "clean.csv" }
      yield* lume.runAndWait(request, quickly)
      const error = yield* Effect.flip(lume.run(request))
      assert(error._tag === "AlreadyProcessedError")
      assert.include(error.message, "clean.csv")
      const again = yield* lume.runAndWait({ ...request, forceRerun: true }, quickly)
      assert.strictEqual(again._tag, "Succeeded")

      const failing = { flowVersion: "people:v1", sourcePath: "nowhere.csv" }
      assert.strictEqual((yield* lume.runAndWait(failing, quickly))._tag, "Failed")
      assert.strictEqual((yield* lume.runAndWait(failing, quickly))._tag, "Failed")
    })
  )

  live("refuses a wrong key, an unknown flow version and an unknown run", () =>
    Effect.gen(function* () {
      const { lume, url } = yield* start()
      const stranger = yield* LumeClient.make({ apiKey: Redacted.make("wrong"), baseUrl: url }).pipe(
        Effect.provide(FetchHttpClient.layer)
      )
      assert.strictEqual((yield* Effect.flip(stranger.runStatus("run_1")))._tag, "AuthenticationError")
      assert.strictEqual((yield* Effect.flip(lume.runStatus("run_1")))._tag, "RunNotFoundError")
      const unknown = yield* Effect.flip(lume.run({ flowVersion: "people:v2", sourcePath: "people.csv" }))
      assert.strictEqual(unknown._tag, "InvalidRequestError")
      assert.include(unknown.message, "people:v1")
    })
  )

  live("makes a bounded number of runs at a time, two if nothing else is said; the rest wait as CREATED", () =>
    Effect.forEach([{ concurrency: 1 }, {}], (options) =>
      Effect.gen(function* () {
        const { lume } = yield* start(options)
        const submit = lume.run({ flowVersion: "slow:v1", sourcePath: "clean.csv" })
        const slow = yield* Effect.all(Array.from({ length: options.concurrency ?? 2 }, () => submit))
        const isTransforming = Effect.forEach(slow, (run) =>
          Effect.repeat(lume.refresh(run), { until: (run) => run._tag === "Transforming" })
        )
        yield* isTransforming
        const waiting = yield* lume.run({ flowVersion: "people:v1", sourcePath: "clean.csv" })
        assert.strictEqual((yield* lume.refresh(waiting))._tag, "Created")
        yield* isTransforming
        assert.strictEqual((yield* lume.refresh(waiting))._tag, "Created")
      })
    )
  )

  live("closes promptly while a run goes on, and leaves nothing half done", () =>
    Effect.gen(function* () {
      const places = yield* folders({ "clean.csv": clean })
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { lume } = yield* serve({ flows: [slowFlow], ...places })
          const run = yield* lume.run({ flowVersion: "slow:v1", sourcePath: "clean.csv" })
          yield* Effect.fork(lume.wait(run, quickly))
          yield* Effect.repeat(lume.refresh(run), { until: (run) => run._tag === "Transforming" })
        })
      )
      const files = yield* FileSystem.FileSystem
      assert.deepStrictEqual(yield* files.readDirectory(places.targets), [".lume"])
    })
  )

  live("keeps the flows as they were when they were read", () =>
    Effect.gen(function* () {
      const places = yield* folders({ "clean.csv": clean })
      const fields: Record<string, string> = { ...flow.fields }
      const { lume } = yield* serve({ flows: [{ ...flow, fields }], ...places })
      for (const name of Object.keys(fields)) fields[name] = "no SQL, and never checked"
      const run = yield* lume.runAndWait({ flowVersion: "people:v1", sourcePath: "clean.csv" }, quickly)
      assert.strictEqual(run._tag, "Succeeded")
    })
  )

  live("holds runs to the limits that it was given", () =>
    Effect.gen(function* () {
      const errorOf = (options: Partial<LocalLume.Options>, flowVersion: string) =>
        Effect.gen(function* () {
          const { lume } = yield* start(options)
          const run = yield* lume.runAndWait({ flowVersion, sourcePath: "clean.csv" }, quickly)
          assert(run._tag === "Failed", run._tag)
          return (yield* run.metadata).errors[0]?.errorCode
        })
      assert.strictEqual(yield* errorOf({ runTimeout: "1 second" }, "slow:v1"), "RUN_TIMEOUT")
      assert.strictEqual(yield* errorOf({ memoryLimit: 1 }, "people:v1"), "OUT_OF_MEMORY")
      const files = yield* FileSystem.FileSystem
      const spillFolder = path.join(yield* files.makeTempDirectoryScoped(), "a", "spill")
      const { lume } = yield* start({ spillFolder })
      yield* lume.runAndWait({ flowVersion: "people:v1", sourcePath: "people.csv" }, quickly)
      assert.deepStrictEqual(yield* files.readDirectory(spillFolder), [])
    })
  )

  live("output is its owner's alone", () =>
    Effect.gen(function* () {
      const { lume, places } = yield* start()
      const { id } = yield* lume.runAndWait({ flowVersion: "people:v1", sourcePath: "people.csv" }, quickly)
      const files = yield* FileSystem.FileSystem
      const modeOf = (name: string) =>
        Effect.map(files.stat(path.join(places.targets, name)), ({ mode }) => (mode & 0o777).toString(8))
      assert.strictEqual(yield* modeOf("."), "700")
      assert.strictEqual(yield* modeOf(id), "700")
      assert.strictEqual(yield* modeOf(`${id}/mapped.csv`), "600")
      assert.strictEqual(yield* modeOf(`${id}/rejects.csv`), "600")
      assert.strictEqual(yield* modeOf(".lume"), "700")
      assert.strictEqual(yield* modeOf(".lume/journal.jsonl"), "600")
      assert.strictEqual(yield* modeOf(".lume/keys.json"), "600")
    })
  )
})

const Loose = Schema.Record({ key: Schema.String, value: Schema.Unknown })

const decodeCreated = Schema.decodeUnknownSync(Schema.Struct({ id: Schema.String }, Loose))

const decodeEnded = Schema.decodeUnknownSync(
  Schema.Struct({
    status: Schema.String,
    metadata: Schema.Struct(
      {
        pipeline: Schema.optional(
          Schema.Struct({
            created_at: Schema.String,
            completed_at: Schema.String,
            duration_seconds: Schema.Number,
            stages: Schema.Record({ key: Schema.String, value: Schema.Number })
          })
        )
      },
      Loose
    )
  })
)

describe("on the wire", () => {
  live("speaks Lume's JSON", () =>
    Effect.gen(function* () {
      const { places, send } = yield* start({ apiKey: Redacted.make("local-key") })
      const headers = { "lume-api-key": "local-key", "content-type": "application/json" }
      const created = yield* send("/runs", {
        method: "POST",
        headers,
        body: '{"flow_version": "people:v1", "source_path": "people.csv", "run_metadata": {"by": "me"}, "force_rerun": null}'
      })
      assert.strictEqual(created.status, 201)
      const { id, ...rest } = decodeCreated(created.body)
      assert.deepStrictEqual<unknown>(rest, { status: "CREATED", metadata: {}, run_metadata: { by: "me" } })

      const read = Effect.map(send(`/runs/${id}`), ({ body }) => decodeEnded(body))
      const ended = yield* Effect.repeat(read, { until: ({ status }) => status === "PARTIAL_FAILED" })
      const { pipeline, ...metadata } = ended.metadata
      assert(pipeline !== undefined)
      assert.deepStrictEqual<unknown>(metadata, {
        run: { run_id: id, flow_version: "people:v1", source_path: "people.csv", status: "PARTIAL_FAILED" },
        results: {
          input_rows: 5,
          mapped_rows: 3,
          rejected_rows: 2,
          target_locations: {
            mapped: `file://${path.join(places.targets, id, "mapped.csv")}`,
            rejects: `file://${path.join(places.targets, id, "rejects.csv")}`
          }
        },
        validation: {
          tests_executed: 15,
          tests_failed: 4,
          error_rate: 4 / 15,
          top_errors: [
            { error_code: "DATE_INVALID", field: "born_on", count: 2 },
            { error_code: "ID_INVALID", field: "id", count: 1 },
            { error_code: "NAME_MISSING", field: "name", count: 1 }
          ]
        },
        errors: []
      })
      assert.match(pipeline.created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
      assert.match(pipeline.completed_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
      assert.deepStrictEqual(Object.keys(pipeline.stages), [
        "sync_source_seconds",
        "transform_seconds",
        "sync_target_seconds"
      ])
      assert.isAbove(pipeline.duration_seconds, pipeline.stages["transform_seconds"] ?? Infinity)
    })
  )

  live("refuses as FastAPI does", () =>
    Effect.gen(function* () {
      const { send } = yield* start({ apiKey: Redacted.make("local-key") })
      const refusal = (place: string, init?: RequestInit) =>
        Effect.map(send(place, init), ({ body, status }) => ({ body, status }))
      const post = (body: string) => refusal("/runs", { method: "POST", body })
      const unauthorized = { status: 401, body: { detail: "Invalid API key" } }
      assert.deepStrictEqual(yield* refusal("/runs/run_1", { headers: { "lume-api-key": "" } }), unauthorized)
      assert.deepStrictEqual(yield* refusal("/runs/run_1", { headers: { "lume-api-key": "other" } }), unauthorized)
      assert.deepStrictEqual(
        yield* refusal("/runs", { method: "POST", body: "{}", headers: { "lume-api-key": "local-key-" } }),
        unauthorized
      )
      assert.deepStrictEqual(yield* refusal("/runs/run_1"), { status: 404, body: { detail: "Run not found" } })
      assert.deepStrictEqual(yield* post('{"flow_version": "people:v1"}'), {
        status: 422,
        body: { detail: [{ loc: ["body", "source_path"], msg: "Field required", type: "missing" }] }
      })
      assert.strictEqual((yield* post("not json")).status, 422)
      assert.deepStrictEqual(yield* post('{"flow_version": "people:v1", "source_path": ""}'), {
        status: 422,
        body: {
          detail: [
            {
              loc: ["body", "source_path"],
              msg: 'Expected a non-empty text without half surrogate pairs, which nobody can receive, got ""',
              type: "value_error"
            }
          ]
        }
      })
      const half = yield* post('{"flow_version": "people:v1", "source_path": "a", "run_metadata": { "b": "\\ud800" }}')
      assert.deepStrictEqual(half, {
        status: 422,
        body: {
          detail: [
            {
              loc: ["body", "run_metadata", "b"],
              msg: 'Expected a text without half surrogate pairs, which nobody can receive, got "\\ud800"',
              type: "value_error"
            }
          ]
        }
      })
      const nested = yield* post(
        `{"flow_version": "people:v1", "source_path": "a", "run_metadata": {"a": ${"[".repeat(200)}${"]".repeat(200)}}}`
      )
      assert.strictEqual(nested.status, 422)
      assert.isBelow(JSON.stringify(nested.body).length, 1000)
      const malformed = yield* post('{"flow_version": "people", "source_path": "a"}')
      assert.strictEqual(malformed.status, 422)
      assert.deepNestedInclude(malformed.body, { "detail[0].loc": ["body", "flow_version"] })
      assert.deepStrictEqual(yield* refusal("/flows"), { status: 404, body: { detail: "Not Found" } })
      assert.strictEqual((yield* post('{"flow_version": "people:v9", "source_path": "a"}')).status, 404)
    })
  )
})

describe("spans", () => {
  live("a run leaves one, as a part of what submitted it, and reads of its status leave none", () =>
    Effect.gen(function* () {
      const { layer, spans } = recorder()
      yield* Effect.gen(function* () {
        const { lume, submit } = yield* start()
        const before = spans.length
        const traceId = "0af7651916cd43dd8448eb211c80319c"
        const request = { flow_version: "people:v1", source_path: "clean.csv" }
        const { body } = yield* submit(request, { traceparent: `00-${traceId}-b7ad6b7169203331-01` })
        const { id } = decodeCreated(body)
        yield* lume.wait(id, quickly)
        const made = spans.filter(({ name }) => name.startsWith("LocalLume"))
        assert.deepStrictEqual(
          made.map(({ attributes, name }) => [name, ...attributes]),
          [
            [
              "LocalLume.run",
              ["lume.run_id", id],
              ["lume.flow_version", "people:v1"],
              ["lume.source_path", "clean.csv"],
              ["lume.status", "SUCCEEDED"]
            ]
          ]
        )
        assert.strictEqual(made[0]?.traceId, traceId)
        const names = new Set(spans.slice(before).map(({ kind, name }) => `${kind} ${name}`))
        assert.isEmpty([...names].filter((name) => name.startsWith("server")))
        assert.notInclude(JSON.stringify(spans.map(({ attributes }) => [...attributes])), "local-")
      }).pipe(Effect.provide(layer))
    })
  )
})

describe("what it does not start with", () => {
  const refused = (options: (places: { sources: string; targets: string; root: string }) => object, files = {}) =>
    Effect.flatMap(folders({ "people.csv": people, ...files }), (places) =>
      refusal({ flows: [flow], ...places, ...options(places) })
    )

  live("a sources folder that is not there", () =>
    Effect.gen(function* () {
      assert.include(yield* refused(({ root }) => ({ sources: path.join(root, "nowhere") })), "nowhere")
    })
  )

  live("a flow version that is there twice", () =>
    Effect.gen(function* () {
      assert.include(yield* refused(() => ({ flows: [flow, flow] })), "people:v1")
    })
  )

  live("a flow of which something would be left out", () =>
    Effect.gen(function* () {
      const files = { "flows/a.json": JSON.stringify({ ...flow, encodng: "windows-1252" }) }
      const misspelt = yield* refused(({ sources }) => ({ flows: path.join(sources, "flows") }), files)
      assert.include(misspelt, "at encodng, expected no such field")
    })
  )

  live("a flow file that is none", () =>
    Effect.gen(function* () {
      const files = {
        "flows/a.json": JSON.stringify(flow),
        "flows/b.json": '{"name": "b", "version": "v1", "fields": {}, "tests": []}'
      }
      const message = yield* refused(({ sources }) => ({ flows: path.join(sources, "flows") }), files)
      assert.include(message, "b.json")
      assert.include(message, "at least one field")
      assert.include(yield* refused(({ sources }) => ({ flows: path.join(sources, "none") })), "none")
    })
  )

  live("a flow file of which JSON.parse would leave something out", () =>
    Effect.gen(function* () {
      const twice = (part: string) =>
        refused(({ sources }) => ({ flows: path.join(sources, "flows") }), {
          "flows/a.json": `{"name": "a", "version": "v1", "fields": {"a": "{\\"a\\": 1}"}, "tests": []${part}}`
        })
      assert.include(yield* twice(', "tests" : []'), 'a.json is no flow: it has the key "tests" twice')
      assert.include(yield* twice(', "n\\u0061me": "b"'), 'it has the key "name" twice')
      // longer than what a regular expression has room for, step by step
      assert.include(yield* twice(`, "note": "${"x".repeat(10_000_000)}"`), "a.json is no flow: at note, expected")
    })
  )

  live("no flow at all, or one that is no JSON", () =>
    Effect.gen(function* () {
      assert.include(yield* refused(() => ({ flows: [] })), "no flows")
      // as macOS leaves behind
      const hidden = refused(({ sources }) => ({ flows: path.join(sources, "flows") }), { "flows/._a.json": "\0" })
      assert.include(yield* hidden, "no *.json file")
      const files = { "flows/a.json": '{ "name": people }' }
      const message = yield* refused(({ sources }) => ({ flows: path.join(sources, "flows") }), files)
      assert.match(message, /a\.json is no JSON: Unexpected token .*people.*\. Correct it/)
    })
  )

  live("a folder to spill to that can't be one", () =>
    Effect.gen(function* () {
      assert.include(yield* refused(({ targets }) => ({ spillFolder: targets })), "another folder than targets")
      const file = ({ sources }: { sources: string }) => ({ spillFolder: path.join(sources, "people.csv") })
      assert.match(yield* refused(file), /The spill folder .*people.csv can't be made: /)
    })
  )

  live("a port that is taken", () =>
    Effect.gen(function* () {
      const { url } = yield* start()
      const port = Number(new URL(url).port)
      assert.include(yield* refused(() => ({ port })), String(port))
    })
  )

  live("folders that are none", () =>
    Effect.gen(function* () {
      const file = (sources: string) => path.join(sources, "people.csv")
      assert.include(yield* refused(({ sources }) => ({ sources: file(sources) })), "sources folder")
      assert.match(yield* refused(() => ({ flows: "./nope" })), /^The flows folder .*nope does not exist/)
      assert.include(yield* refused(({ sources }) => ({ targets: file(sources) })), "targets folder")
    })
  )

  live.each([
    ["a port that is none", { port: 70_000 }, "port must be an integer from 0 to 65535, but is 70000."],
    ["no place for a run", { concurrency: 0 }, "concurrency must be an integer of at least 1, but is 0."],
    ["a key that is none", { apiKey: "key" }, "apiKey must be a Redacted text"],
    ["a key that every request without one would match", { apiKey: Redacted.make("") }, "apiKey must be a text of"],
    ["a key that was wiped", { apiKey: wiped }, "apiKey must be a text of visible ASCII characters."],
    ["a key that is no header", { apiKey: Redacted.make("kéy") }, "apiKey must be a text of visible ASCII characters."],
    ["a host that others can reach, and no key of one's own", { host: "0.0.0.0" }, "needs an apiKey of your own"],
    ["null, which is not nothing", { concurrency: null }, "concurrency must be an integer of at least 1, but is null."],
    ["null as a store", { store: null }, 'store must be "disk" or "memory", but is null.'],
    ["null as a time to keep runs", { keepFor: null }, "keepFor must be a positive duration"],
    ["null as a number of runs to keep", { keepRuns: null }, "keepRuns must be an integer of at least 1, but is null."],
    ["a host that is none", { host: "" }, 'host must be a name or an address, but is "".'],
    ["a webhook without a URL", { webhook: {} }, "webhook.url must be an http or https URL"],
    ["a webhook that is no HTTP", { webhook: { url: "ftp://a" } }, 'but is "ftp://a".'],
    [
      "a webhook of another scheme, whose query is not shown",
      { webhook: { url: "ftp://a?token" } },
      'but is "ftp://a?…".'
    ],
    ["a webhook with credentials", { webhook: { url: "http://a:b@c" } }, "webhook.url must not hold credentials."],
    [
      "a webhook's secret with which anybody could sign",
      { webhook: { url: "http://a", secret: Redacted.make("") } },
      "webhook.secret must be a text of one character at least."
    ],
    ["a store that is none", { store: "tape" }, 'store must be "disk" or "memory", but is "tape".'],
    ["a time to keep runs that is none", { keepFor: Number.NaN }, "keepFor must be a positive duration"],
    ["no time to keep runs", { keepFor: 0 }, "keepFor must be a positive duration"],
    ["no run to keep", { keepRuns: 0.5 }, "keepRuns must be an integer of at least 1, but is 0.5."],
    ["no memory", { memoryLimit: 0 }, "memoryLimit must be a positive number of bytes, but is 0."],
    ["no time for a run", { runTimeout: "-1 seconds" }, 'runTimeout must be a positive duration, such as "10 minutes"'],
    ["a spill folder that is none", { spillFolder: 1 }, "spillFolder must be the path of a folder, but is 1."],
    ["a fault that there is not", { fault: "429, explode" }, 'fault: "429, explode" is no list of faults']
  ] as const)("%s", ([, options, message]) =>
    Effect.gen(function* () {
      assert.include(yield* refused(() => options), message)
    })
  )
})
