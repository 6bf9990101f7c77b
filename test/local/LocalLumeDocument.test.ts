/**
 * `/openapi.json`: a valid document, and a true one. A session with every endpoint and every answer is checked by it.
 */
import { Validator } from "@seriousme/openapi-schema-validator"
import { assert, describe } from "@effect/vitest"
import { Ajv2020 } from "ajv/dist/2020.js"
import addFormats from "ajv-formats"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { type Answer, type Init, send } from "./http.js"
import { clean, live, serve, slowFlow, start } from "./lume.js"
import { flow, folders, people } from "./support.js"

const Responses = Schema.Record({
  key: Schema.String,
  value: Schema.Struct({
    description: Schema.String,
    headers: Schema.Record({ key: Schema.String, value: Schema.Struct({ required: Schema.optional(Schema.Boolean) }) })
  })
})

const Document = Schema.Struct({
  openapi: Schema.String,
  paths: Schema.Record({
    key: Schema.String,
    value: Schema.Record({
      key: Schema.String,
      value: Schema.Struct({
        responses: Responses,
        requestBody: Schema.optional(Schema.Unknown),
        security: Schema.Array(Schema.Unknown),
        parameters: Schema.Array(Schema.Struct({ name: Schema.String, in: Schema.String }))
      })
    })
  })
})

const decodeDocument = Schema.decodeUnknownSync(Document)

const at = (json: unknown, place: ReadonlyArray<string>): unknown =>
  place.reduce<unknown>((json, key) => Reflect.get(Object(json), key), json)

/** The document of a server, and what it says of a place in it. */
const read = (url: string) =>
  Effect.map(send(`${url}/openapi.json`), ({ body, status }) => {
    assert.strictEqual(status, 200)
    const json: unknown = JSON.parse(body)
    const ajv = addFormats.default(new Ajv2020({ allErrors: true }))
    // Ajv knows schemas, not documents: those that others refer to go with each
    const parts: unknown = JSON.parse(body.replaceAll("#/components/schemas/", "#/$defs/"))
    const $defs = at(parts, ["components", "schemas"])
    /** What is wrong with a value by the schema at a place of the document. */
    const problems = (place: ReadonlyArray<string>, value: unknown): string => {
      const validate = ajv.compile({ ...Object(at(parts, place)), $defs })
      return validate(value) ? "" : ajv.errorsText(validate.errors)
    }
    return { json, document: decodeDocument(json), problems }
  })

/** What every HTTP answer has, of which a document says nothing. */
const transport = new Set(["connection", "content-length", "content-type", "date", "keep-alive", "transfer-encoding"])

interface Exchange extends Init {
  readonly path: string
  /** The path as the document has it. */
  readonly template: string
  readonly sent?: unknown
  readonly answer: Answer
}

/** A session that meets every endpoint, status and form of answer. */
const session = Effect.gen(function* () {
  const places = yield* folders({ "clean.csv": clean, "people.csv": people, "rejected.csv": "Id,Born,Name\nx,y,\n" })
  const { apiKey, lume, url } = yield* serve({ flows: [flow, slowFlow], ...places, concurrency: 1 })
  const exchanges: Array<Exchange> = []
  const key = { "lume-api-key": Redacted.value(apiKey) }

  const exchange = (path: string, init: Init & { readonly sent?: unknown } = {}) =>
    Effect.gen(function* () {
      const { sent, ...rest } = init
      const text = typeof sent === "string" ? sent : sent === undefined ? "" : JSON.stringify(sent)
      const answer = yield* send(url + path, { ...rest, headers: { ...key, ...rest.headers } }, (request) =>
        request.end(text)
      )
      exchanges.push({ path, template: path.replace(/^\/runs\/.*/, "/runs/{id}"), ...init, answer })
      return answer
    })
  const submit = (sent: unknown, headers: Record<string, string> = {}) =>
    exchange("/runs", { method: "POST", headers: { "content-type": "application/json", ...headers }, sent })
  const submitted = (sent: unknown) =>
    Effect.map(submit(sent), ({ body }) => String(Reflect.get(JSON.parse(body), "id")))

  const request = { flow_version: "people:v1", source_path: "clean.csv" }
  const ids = yield* Effect.forEach(
    [
      { ...request, run_metadata: { by: "me", nested: [1, null] }, force_rerun: false },
      { ...request, source_path: "people.csv", run_metadata: null, force_rerun: null },
      { ...request, source_path: "nowhere.csv" },
      { ...request, source_path: "rejected.csv" },
      { ...request, flow_version: "slow:v1" }
    ],
    submitted
  )
  const slow = ids.at(-1) ?? ""
  yield* Effect.repeat(lume.runStatus(slow), { until: (run) => run._tag === "Transforming" })
  yield* Effect.forEach([...ids, yield* submitted(request)], (id) => exchange(`/runs/${id}`))
  yield* submit(request)
  yield* submit({ ...request, flow_version: "people:v9" })
  yield* Effect.forEach(
    ["", "{", "[]", {}, { ...request, source_path: "" }, { ...request, source_path: "x".repeat(4097) }],
    (sent) => submit(sent)
  )
  yield* submit({ ...request, run_metadata: { large: "x".repeat(1024 ** 2) } })
  yield* exchange("/runs/run_1")
  yield* exchange("/openapi.json", { headers: { "lume-api-key": "" } })
  yield* Effect.forEach(
    [
      { headers: { "lume-api-key": "wrong" } },
      { headers: { host: "evil.example" } },
      ...["429=5s", "429", "503", "500", "418", "none"].map((fault) => ({ headers: { "x-lume-fault": fault } }))
    ],
    ({ headers }) =>
      Effect.all([
        submit(request, headers),
        exchange(`/runs/${slow}`, { headers }),
        exchange("/openapi.json", { headers })
      ])
  )
  return { exchanges, url }
})

describe("the document", () => {
  live("is valid OpenAPI 3.1 to those who keep a validator", () =>
    Effect.gen(function* () {
      const { url } = yield* start()
      const { document, json } = yield* read(url)
      assert.match(document.openapi, /^3\.1\./)
      const validator = new Validator()
      const { errors, valid } = yield* Effect.promise(() => validator.validate(Object(json)))
      assert.isTrue(valid, JSON.stringify(errors))
      assert.strictEqual(validator.version, "3.1")
    })
  )

  live("says all of a session: every endpoint, status, header, request and answer", () =>
    Effect.gen(function* () {
      const { exchanges, url } = yield* session
      const { document, problems } = yield* read(url)
      const met = new Set<string>()
      for (const { answer, headers = {}, method = "GET", sent, template } of exchanges) {
        const what = `${method} ${template} ${answer.status}`
        const operation = document.paths[template]?.[method.toLowerCase()]
        assert(operation !== undefined, what)
        const place = ["paths", template, method.toLowerCase()]
        const status = String(answer.status) in operation.responses ? String(answer.status) : "default"
        met.add(`${method} ${template} ${status}`)
        if (status === "default") assert.property(headers, "x-lume-fault", `${what} is said nowhere`)

        assert.match(answer.headers["content-type"] ?? "", /^application\/json\b/, what)
        const body: unknown = JSON.parse(answer.body)
        const schema = [...place, "responses", status, "content", "application/json", "schema"]
        assert.strictEqual(problems(schema, body), "", `${what} ${answer.body}`)
        if (template !== "/openapi.json") {
          assert.notStrictEqual(problems(schema, { ...Object(body), more: 1 }), "", `${what} could hold anything`)
        }

        const declared = operation.responses[status]?.headers ?? {}
        const received = Object.keys(answer.headers).filter((name) => !transport.has(name))
        for (const name of received) assert.property(declared, name, what)
        for (const [name, { required }] of Object.entries(declared)) {
          if (required === true) assert.include(received, name, what)
          if (received.includes(name)) met.add(`${method} ${template} ${status} ${name}`)
        }

        const isAccepted = answer.status === 201 || answer.status === 404 || answer.status === 409
        if (sent !== undefined && isAccepted) {
          assert.strictEqual(
            problems([...place, "requestBody", "content", "application/json", "schema"], sent),
            "",
            what
          )
        }
        for (const name of Object.keys(headers)) {
          const isDeclared = operation.parameters.some(
            (parameter) => parameter.in === "header" && parameter.name === name
          )
          assert.isTrue(isDeclared || ["content-type", "host", "lume-api-key"].includes(name), `${what} ${name}`)
        }
      }

      const said = Object.entries(document.paths).flatMap(([template, operations]) =>
        Object.entries(operations).flatMap(([method, { responses }]) =>
          Object.keys(responses).map((status) => `${method.toUpperCase()} ${template} ${status}`)
        )
      )
      assert.deepStrictEqual(
        said.filter((what) => !met.has(what)),
        []
      )
      assert.include([...met], "POST /runs 429 retry-after")
      const statuses = exchanges
        .filter(({ answer, template }) => template !== "/openapi.json" && answer.status < 300)
        .map(({ answer }): unknown => Reflect.get(JSON.parse(answer.body), "status"))
      assert.includeMembers(statuses, ["CREATED", "TRANSFORMING", "SUCCEEDED", "PARTIAL_FAILED", "FAILED"])
    })
  )

  live("knows which requests are none, and who needs a key", () =>
    Effect.gen(function* () {
      const { url } = yield* start()
      const { document, problems } = yield* read(url)
      const request = ["paths", "/runs", "post", "requestBody", "content", "application/json", "schema"]
      const right = { flow_version: "a b:v1", source_path: "é".repeat(2048) }
      assert.strictEqual(problems(request, right), "")
      for (const wrong of [
        {},
        { ...right, flow_version: "a" },
        { ...right, flow_version: " a:b" },
        { ...right, source_path: "" },
        { ...right, source_path: "x".repeat(4097) },
        { ...right, run_metadata: [] },
        { ...right, force_rerun: "yes" }
      ]) {
        assert.notStrictEqual(problems(request, wrong), "", JSON.stringify(wrong))
      }
      const key = [{ key: [] }]
      assert.deepStrictEqual<unknown>(document.paths["/runs"]?.["post"]?.security, key)
      assert.deepStrictEqual<unknown>(document.paths["/runs/{id}"]?.["get"]?.security, key)
      assert.deepStrictEqual<unknown>(document.paths["/openapi.json"]?.["get"]?.security, [])
      assert.deepStrictEqual(Object.keys(document.paths), ["/runs", "/runs/{id}", "/openapi.json"])
      yield* Effect.void
    })
  )
})
