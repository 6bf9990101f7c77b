/**
 * What Effect derives from the public schemas: JSON Schema, arbitrary values, text, equivalence; and their encodings,
 * which other processes and later versions read.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Equal from "effect/Equal"
import * as Schema from "effect/Schema"
import { readdirSync, readFileSync } from "node:fs"
import * as index from "../src/index.js"
import * as LocalFlow from "../src/local/LocalFlow.js"
import * as LumeError from "../src/LumeError.js"
import * as LumeMetadata from "../src/LumeMetadata.js"
import * as LumeRun from "../src/LumeRun.js"
import * as LumeWebhook from "../src/LumeWebhook.js"
import * as RunRequest from "../src/RunRequest.js"
import encodings from "./cases/encodings.json" with { type: "json" }
import messages from "./cases/messages.json" with { type: "json" }
import { type AnySchema, componentOf, jsonSchemaOf, openApiNames, textOf, valuesOf } from "./support/derived.js"
import { finishedMetadata } from "./support/metadata.js"
import { property, someOf } from "./support/property.js"

const tagOf = (error: { readonly identifier: string }): string => error.identifier.replace("effect-lume/", "")

const schemasOf = (module: object): ReadonlyArray<readonly [string, AnySchema]> =>
  Object.entries(module).filter(
    (entry): entry is [string, AnySchema] => entry[0] !== "Wire" && Schema.isSchema(entry[1])
  )

const schemas = new Map([LocalFlow, LumeError, LumeMetadata, LumeRun, LumeWebhook, RunRequest].flatMap(schemasOf))

/** Each schema, and its encoded side on its own. */
const sides = [...schemas].flatMap(([name, schema]) => [
  [name, schema] as const,
  [`${name}, encoded`, Schema.encodedSchema(schema)] as const
])

const throughJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

describe("the public schemas", () => {
  it("are all here", () => {
    const some = ["LumeMetadata", "FailedMetadata", "FlowVersion", "RunRequest", "RunId", "LumeRun", "TerminalRun"]
    const errors = [...LumeError.LumeError.members.map(tagOf), "LumeError", "SubmitError", "WaitError"]
    assert.includeMembers([...schemas.keys()], [...some, ...errors, "StatusError", "WebhookEvent"])
  })

  it("have each error in LumeError", () => {
    const isError = (value: unknown) => typeof value === "function" && value.prototype instanceof Error
    const made = Object.values(index).flatMap((module) => Object.entries(module).filter(([, value]) => isError(value)))
    assert.sameMembers([...new Set(made.map(([name]) => name))], LumeError.LumeError.members.map(tagOf))
  })
})

describe.each(sides)("%s", (name, schema) => {
  const values = valuesOf(schema)
  const areSame = Schema.equivalence(schema)
  const decode = Schema.decodeUnknownSync(schema)
  const encode = Schema.encodeSync(schema)

  property.all("holds only what JSON can, and comes through JSON as it was", [values], ([value]) => {
    const encoded = encode(value)
    assert.deepStrictEqual(throughJson(encoded), encoded)
    assert.isTrue(areSame(decode(throughJson(encoded)), value))
  })

  property.all("has a text", [values], ([value]) => {
    assert.match(textOf(schema, value), /\S/)
  })

  it("has a JSON Schema, whose components an API can name", () => {
    const jsonSchema = jsonSchemaOf(schema)
    assert.isObject(jsonSchema.schema)
    for (const component of Object.keys(jsonSchema.components)) assert.match(component, /^Lume[A-Za-z]+$/, name)
  })
})

describe("the values of a run", () => {
  const runs = someOf(valuesOf(LumeRun.LumeRun), 500)

  it("are of every state, with and without what Lume may leave out", () => {
    const tags = ["Created", "SyncingSource", "Transforming", "SyncingTarget", "Unrecognized"]
    const ends = ["Succeeded", "PartialFailed", "Failed", "Crashed"]
    assert.sameMembers([...new Set(runs.map(({ _tag }) => _tag))], [...tags, ...ends])
    for (const some of [
      ({ status }) => status === null,
      ({ rawMetadata }) => rawMetadata === undefined,
      ({ rawMetadata }) => rawMetadata !== undefined,
      ({ runMetadata }) => Object.keys(runMetadata).length > 0
    ] satisfies ReadonlyArray<(run: LumeRun.LumeRun) => boolean>) {
      assert.isTrue(runs.some(some), String(some))
    }
  })

  it("have a text that begins with the state", () => {
    for (const run of runs) {
      assert.strictEqual(
        textOf(LumeRun.LumeRun, run),
        `${run._tag}(${JSON.stringify(Schema.encodeSync(LumeRun.LumeRun)(run))})`
      )
    }
  })
})

describe("the JSON Schema", () => {
  it("of a run is Lume's documented JSON", () => {
    assert.deepStrictEqual(jsonSchemaOf(LumeRun.LumeRun).components, {
      LumeRun: {
        type: "object",
        description: 'a run, such as {"id": "run_…", "status": "CREATED"}',
        required: ["id", "status"],
        properties: {
          id: { type: "string", minLength: 1, description: "a non-empty run id" },
          status: { anyOf: [{ type: "string" }, { type: "null" }], description: "a status word or null" },
          metadata: {
            type: ["object", "array", "string", "number", "boolean", "null"],
            description: "Lume's metadata of the run"
          },
          run_metadata: { type: ["object", "null"], description: "the caller's own pairs" }
        },
        additionalProperties: false
      }
    })
  })

  it("of metadata has Lume's keys, and says what each leaf is", () => {
    const text = JSON.stringify(jsonSchemaOf(LumeMetadata.LumeMetadata))
    const count = { type: "integer", minimum: 0, maximum: 2 ** 53 - 1 }
    const time = { type: "string", format: "date-time" }
    for (const [key, leaf] of Object.entries({
      input_rows: { ...count, description: "a non-negative integer of at most 2^53 - 1" },
      created_at: { ...time, description: "a timestamp such as 2026-11-03T08:15:00Z" },
      duration_seconds: { type: "number", minimum: 0, description: "a non-negative number of seconds" }
    })) {
      assert.include(text, `${JSON.stringify(key)}:${JSON.stringify(leaf)}`)
    }
    assert.notMatch(text, /inputRows|Option|declaration|Struct/)
  })

  it("of errors, requests and events says what each leaf is", () => {
    const ofAll = [LumeError.LumeError, LumeMetadata.LumeMetadata, RunRequest.RunRequest]
    const text = JSON.stringify(ofAll.map((schema) => jsonSchemaOf(schema as AnySchema)))
    const span = { type: "number", minimum: 0 }
    for (const leaf of [
      { type: "integer", description: "an integer" },
      { type: "number", minimum: 0, maximum: 1, description: "a ratio from 0 to 1" },
      {
        anyOf: [span, { type: "string", enum: ["Infinity"] }],
        description: 'a non-negative number of milliseconds, or "Infinity"'
      },
      { type: "object", description: "an object" },
      { type: ["object", "array", "string", "number", "boolean", "null"], description: "any JSON" }
    ]) {
      assert.include(text, JSON.stringify(leaf))
    }
    assert.deepStrictEqual(Object.values(jsonSchemaOf(LumeWebhook.WebhookEvent).components), [
      {
        type: "object",
        description: 'an event, such as {"run_id": "run_…", "status": "SUCCEEDED"}',
        required: ["run_id"],
        properties: {
          run_id: { type: "string", minLength: 1 },
          status: { type: ["string", "null"] },
          flow_version: { type: ["string", "null"] },
          source_path: { type: ["string", "null"] },
          run_metadata: { type: ["object", "null"] }
        }
      }
    ])
  })

  it("stands in an API's OpenAPI document", () => {
    const all = openApiNames(schemas, LumeRun.LumeRun, LumeError.LumeError)
    const names = all.filter((name) => name.startsWith("Lume"))
    assert.includeMembers(names, [
      "LumeRun",
      "LumeTerminalRun",
      "LumeMetadata",
      componentOf("ApiError"),
      componentOf("WebhookEvent")
    ])
    for (const name of all) assert.match(name, /^[A-Za-z0-9._-]+$/)
  })
})

describe("the equivalence", () => {
  const run = (metadata: unknown, status = "SUCCEEDED") =>
    Schema.decodeUnknownSync(LumeRun.LumeRun)({ id: "run_1", status, metadata, run_metadata: { a: 1, b: [1] } })
  const areSame = Schema.equivalence(LumeRun.LumeRun)

  it("of runs compares raw JSON as JSON; Equal compares runs by reference", () => {
    const metadata = finishedMetadata("SUCCEEDED", "run_1")
    const reordered = Object.fromEntries(Object.entries(metadata).toReversed())
    assert.isTrue(areSame(run(metadata), run(reordered)))
    assert.isFalse(Equal.equals(run(metadata), run(metadata)))
    for (const other of [
      { ...metadata, cost: 1 },
      { ...metadata, errors: {} },
      { ...metadata, errors: null },
      [],
      null
    ]) {
      assert.isFalse(areSame(run(metadata), run(other)))
    }
    assert.isTrue(areSame(run({ cost: 0 }), run({ cost: -0 })))
    // what no JSON holds is the same as itself too
    assert.isTrue(areSame(run({ cost: Number.NaN }), run({ cost: Number.NaN })))
    assert.isFalse(areSame(run({}), run({}, "PARTIAL_FAILED")))
    assert.isFalse(areSame(run({}), run(undefined)))
  })

  it("of runs compares JSON that is nested however deep", () => {
    const nested = () => JSON.parse(`${"[".repeat(20_000)}${"]".repeat(20_000)}`)
    assert.isTrue(areSame(run(nested()), run(nested())))
  })

  it("of requests compares the caller's own pairs as JSON", () => {
    const request = (runMetadata: unknown) =>
      Schema.decodeUnknownSync(RunRequest.RunRequest)({
        flow_version: "invoice_cleaner:v4",
        source_path: "s3://acme/batch-001.csv",
        run_metadata: runMetadata
      })
    const areSame = Schema.equivalence(RunRequest.RunRequest)
    for (const [one, other] of [
      ['{"a": 0, "b": [1, {"c": null}]}', '{"b": [1, {"c": null}], "a": 0}'],
      ['{"__proto__": {"a": 1}}', '{"__proto__": {"a": 1}}']
    ] as const) {
      assert.isTrue(areSame(request(JSON.parse(one)), request(JSON.parse(other))), `${one} and ${other}`)
    }
    for (const [one, other] of [
      ["{}", "null"],
      ['{"a": 1}', '{"a": "1"}'],
      ['{"a": 1}', '{"b": 1}'],
      ['{"a": 1}', '{"a": 1, "b": 1}'],
      ['{"a": []}', '{"a": {}}'],
      ['{"a": [1]}', '{"a": {"0": 1}}'],
      ['{"a": [1, 2]}', '{"a": [2, 1]}'],
      ['{"a": {}}', '{"a": null}'],
      ['{"a": null}', '{"a": {}}'],
      ['{"a": {}}', '{"a": 1}'],
      ['{"a": {"toString": {}}}', '{"a": {"b": {}}}'],
      ['{"__proto__": {"a": 1}}', '{"b": 1}']
    ] as const) {
      assert.isFalse(areSame(request(JSON.parse(one)), request(JSON.parse(other))), `${one} and ${other}`)
    }
  })

  it("of errors compares the runs and the JSON in them", () => {
    const error = (rawMetadata: unknown) =>
      new LumeError.MetadataDecodeError({ runId: "run_1", path: "", expected: "a", received: "b", rawMetadata })
    const areSame = Schema.equivalence(LumeError.LumeError)
    assert.isTrue(areSame(error({ a: [1], b: {} }), error({ b: {}, a: [1] })))
    assert.isFalse(areSame(error({ a: [1] }), error({ a: [2] })))
    const failed = (metadata: unknown) => {
      const run = Schema.decodeUnknownSync(LumeRun.LumeRun)({ id: "run_1", status: "FAILED", metadata })
      assert(run._tag === "Failed")
      return new LumeError.RunFailedError({ run })
    }
    assert.isTrue(areSame(failed({ errors: [] }), failed({ errors: [] })))
    assert.isFalse(areSame(failed({ errors: [] }), failed({})))
  })
})

describe("encodings.json", () => {
  const cases = Object.entries(encodings).map(([name, encoded]) => [name, encoded] as const)
  /** The schema that a case is of: its name begins with the schema's. */
  const nameOf = (title: string) => title.split(",")[0] ?? title

  it("has every error, a run and metadata", () => {
    const names = cases.map(([title]) => nameOf(title))
    const errors = LumeError.LumeError.members.map(tagOf)
    assert.includeMembers(names, [...errors, "LumeRun", "TerminalRun", "LumeMetadata", "FailedMetadata"])
    assert.includeMembers(names, ["RunRequest", "WebhookEvent"])
  })

  it.each(cases)("%s is read and written as ever", (title, encoded) => {
    const schema = schemas.get(nameOf(title))
    assert(schema !== undefined)
    assert.deepStrictEqual(Schema.encodeSync(schema)(Schema.decodeUnknownSync(schema)(encoded)), encoded)
  })
})

describe("messages.json", () => {
  it("has the message of each error in encodings.json", () => {
    const said = Object.entries(encodings).flatMap(([title, encoded]) =>
      "_tag" in encoded ? [[title, Schema.decodeUnknownSync(LumeError.LumeError)(encoded).message] as const] : []
    )
    assert.deepStrictEqual(Object.fromEntries(said), messages)
    const named = new Set(Object.keys(messages).map((title) => title.split(",")[0]))
    assert.sameMembers([...named], LumeError.LumeError.members.map(tagOf))
  })
})

describe("outside the test kit", () => {
  it("nothing imports what doubles a bundle", () => {
    const source = new URL("../src/", import.meta.url)
    const files = readdirSync(source, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"))
    assert.include(files, "LumeRun.ts")
    for (const file of files.filter((file) => !/^(testkit\/|LumeTest\.ts)/.test(file))) {
      const text = readFileSync(new URL(file, source), "utf8")
      assert.notMatch(text, /^import (?!type )[^;\n]*"effect\/(Arbitrary|FastCheck|JSONSchema|Pretty)"/m, file)
    }
  })
})
