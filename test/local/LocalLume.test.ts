/**
 * The server, through the real client; and with bare `fetch` and literal JSON, so that the two can't be wrong together.
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Tracer from "effect/Tracer"
import * as path from "node:path"
import * as LocalLume from "../../src/local/LocalLume.js"
import * as LumeClient from "../../src/LumeClient.js"
import { flow, folders, people } from "./support.js"

const clean = "Id,Born,Name\n1,1815-12-10,Ada\n"
const slowFlow = {
  ...flow,
  name: "slow",
  fields: {
    ...flow.fields,
    id: "(SELECT count(*) FROM range(100000000) AS a, range(1000) AS b WHERE a.range + b.range + Id::INT < 0)"
  }
}

/** A local Lume in the test's scope, and a client of it. */
const start = (options: Partial<LocalLume.Options> = {}) =>
  Effect.gen(function* () {
    const places = yield* folders({ "people.csv": people, "clean.csv": clean })
    const context = yield* Layer.build(LocalLume.layer({ flows: [flow, slowFlow], ...places, ...options }))
    const { apiKey, url } = Context.get(context, LocalLume.LocalLume)
    const lume = yield* LumeClient.make({ apiKey, baseUrl: url }).pipe(Effect.provide(FetchHttpClient.layer))
    return { apiKey, lume, places, url }
  })

const live = <A, E>(name: string, effect: () => Effect.Effect<A, E, FileSystem.FileSystem | Scope.Scope>) =>
  it.scopedLive(name, () => Effect.provide(effect(), NodeFileSystem.layer), 30_000)

const quickly = { pollInterval: "5 millis", timeout: "20 seconds" } as const

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

  live("makes a bounded number of runs at a time; the rest wait as CREATED", () =>
    Effect.gen(function* () {
      const { lume } = yield* start({ concurrency: 1 })
      const slow = yield* lume.run({ flowVersion: "slow:v1", sourcePath: "clean.csv" })
      const isTransforming = Effect.repeat(lume.refresh(slow), { until: (run) => run._tag === "Transforming" })
      yield* isTransforming
      const waiting = yield* lume.run({ flowVersion: "people:v1", sourcePath: "clean.csv" })
      assert.strictEqual((yield* lume.refresh(waiting))._tag, "Created")
      assert.strictEqual((yield* isTransforming)._tag, "Transforming")
      assert.strictEqual((yield* lume.refresh(waiting))._tag, "Created")
    })
  )

  it.live("closes promptly while a run goes on, and leaves nothing half done", () =>
    Effect.gen(function* () {
      const places = yield* folders({ "clean.csv": clean })
      yield* Effect.scoped(
        Effect.gen(function* () {
          const context = yield* Layer.build(LocalLume.layer({ flows: [slowFlow], ...places }))
          const { apiKey, url } = Context.get(context, LocalLume.LocalLume)
          const lume = yield* LumeClient.make({ apiKey, baseUrl: url }).pipe(Effect.provide(FetchHttpClient.layer))
          const run = yield* lume.run({ flowVersion: "slow:v1", sourcePath: "clean.csv" })
          yield* Effect.fork(lume.wait(run, quickly))
          yield* Effect.repeat(lume.refresh(run), { until: (run) => run._tag === "Transforming" })
        })
      )
      const files = yield* FileSystem.FileSystem
      assert.deepStrictEqual(yield* files.readDirectory(places.targets), [])
    }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer), Effect.timeout("10 seconds"))
  )
})

const Loose = Schema.Record({ key: Schema.String, value: Schema.Unknown })

const decodeCreated = Schema.decodeUnknownSync(Schema.Struct({ id: Schema.String }, Loose))

const decodeEnded = Schema.decodeUnknownSync(
  Schema.Struct({
    status: Schema.String,
    metadata: Schema.Struct(
      {
        pipeline: Schema.optionalWith(
          Schema.Struct({
            created_at: Schema.String,
            completed_at: Schema.String,
            duration_seconds: Schema.Number,
            stages: Schema.Record({ key: Schema.String, value: Schema.Number })
          }),
          { default: () => ({ created_at: "", completed_at: "", duration_seconds: 0, stages: {} }) }
        )
      },
      Loose
    )
  })
)

describe("on the wire", () => {
  const send = (url: string, init: RequestInit) =>
    Effect.promise(async () => {
      const response = await fetch(url, init)
      return { status: response.status, body: (await response.json()) as unknown }
    })

  live("speaks Lume's JSON", () =>
    Effect.gen(function* () {
      const { places, url } = yield* start({ apiKey: Redacted.make("local-key") })
      const headers = { "lume-api-key": "local-key", "content-type": "application/json" }
      const created = yield* send(`${url}/runs`, {
        method: "POST",
        headers,
        body: '{"flow_version": "people:v1", "source_path": "people.csv", "run_metadata": {"by": "me"}, "force_rerun": null}'
      })
      assert.strictEqual(created.status, 201)
      const { id, ...rest } = decodeCreated(created.body)
      assert.deepStrictEqual<unknown>(rest, { status: "CREATED", metadata: {}, run_metadata: { by: "me" } })

      const read = Effect.map(send(`${url}/runs/${id}`, { headers }), ({ body }) => decodeEnded(body))
      const ended = yield* Effect.repeat(read, { until: ({ status }) => status === "PARTIAL_FAILED" })
      const { pipeline, ...metadata } = ended.metadata
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
      const { url } = yield* start({ apiKey: Redacted.make("local-key") })
      const headers = { "lume-api-key": "local-key", "content-type": "application/json" }
      const post = (body: string) => send(`${url}/runs`, { method: "POST", headers, body })
      const unauthorized = { status: 401, body: { detail: "Invalid API key" } }
      assert.deepStrictEqual(yield* send(`${url}/runs/run_1`, {}), unauthorized)
      assert.deepStrictEqual(yield* send(`${url}/runs/run_1`, { headers: { "lume-api-key": "other" } }), unauthorized)
      assert.deepStrictEqual(yield* send(`${url}/runs`, { method: "POST", body: "{}" }), unauthorized)
      assert.deepStrictEqual(yield* send(`${url}/runs/run_1`, { headers }), {
        status: 404,
        body: { detail: "Run not found" }
      })
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
      const malformed = yield* post('{"flow_version": "people", "source_path": "a"}')
      assert.strictEqual(malformed.status, 422)
      assert.deepNestedInclude(malformed.body, { "detail[0].loc": ["body", "flow_version"] })
      assert.deepStrictEqual(yield* send(`${url}/flows`, { headers }), { status: 404, body: { detail: "Not Found" } })
      assert.strictEqual((yield* post('{"flow_version": "people:v9", "source_path": "a"}')).status, 404)
    })
  )
})

describe("the key", () => {
  live("is in no span of the server", () =>
    Effect.gen(function* () {
      const spans: Array<Tracer.Span> = []
      const native = yield* Effect.tracer
      const tracer = Tracer.make({
        span: (...options) => {
          const span = native.span(...options)
          spans.push(span)
          return span
        },
        context: (run, fiber) => native.context(run, fiber)
      })
      const apiKey = Redacted.make("local-key")
      const { lume } = yield* Effect.withTracer(start({ apiKey }), tracer)
      yield* lume.runAndWait({ flowVersion: "people:v1", sourcePath: "clean.csv" }, quickly)
      const served = spans.filter(({ kind }) => kind === "server")
      assert.isAbove(served.length, 1)
      for (const { attributes } of served) {
        assert.strictEqual(attributes.get("http.request.header.lume-api-key"), "<redacted>")
        assert.notInclude(JSON.stringify([...attributes]), Redacted.value(apiKey))
      }
    })
  )
})

describe("what it does not start with", () => {
  const refused = (
    options: (places: { sources: string; targets: string; root: string }) => Partial<LocalLume.Options>,
    files = {}
  ) =>
    Effect.gen(function* () {
      const places = yield* folders({ "people.csv": people, ...files })
      const error = yield* Effect.flip(Layer.build(LocalLume.layer({ flows: [flow], ...places, ...options(places) })))
      assert.strictEqual(error._tag, "LocalLumeError")
      return error.message
    })

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

  live("no flow at all, or one that is no JSON", () =>
    Effect.gen(function* () {
      assert.include(yield* refused(() => ({ flows: [] })), "no flows")
      const files = { "flows/a.json": "{" }
      assert.include(
        yield* refused(({ sources }) => ({ flows: path.join(sources, "flows") }), files),
        "a.json is no JSON"
      )
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
      assert.include(yield* refused(({ sources }) => ({ targets: file(sources) })), "targets folder")
    })
  )

  live("a port that is none, and a key that every request without one would match", () =>
    Effect.gen(function* () {
      assert.include(yield* refused(() => ({ port: 70_000 })), "70000")
      assert.include(yield* refused(() => ({ apiKey: Redacted.make("") })), "apiKey")
    })
  )

  live("no place for a run", () =>
    Effect.gen(function* () {
      assert.include(yield* refused(() => ({ concurrency: 0 })), "concurrency")
    })
  )
})
