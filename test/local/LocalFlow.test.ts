/**
 * Flow files: what is one, and what is said of what is none.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as LocalFlow from "../../src/local/LocalFlow.js"
import { flow } from "./support.js"

const decode = Schema.decodeUnknown(LocalFlow.LocalFlow)

describe("LocalFlow", () => {
  it.effect("is read as it is written", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* decode(JSON.parse(JSON.stringify(flow))), flow)
      assert.strictEqual(LocalFlow.flowVersion(flow), "people:v1")
    })
  )

  it.effect("keeps a field whatever its name, and the fields in their order", () =>
    Effect.gen(function* () {
      const fields: LocalFlow.LocalFlow["fields"] = JSON.parse('{"b": "1", "__proto__": "2", "a": "3"}')
      const read = yield* decode({ ...flow, fields, tests: [] })
      assert.deepStrictEqual(Object.entries(read.fields), Object.entries(fields))
      const areSame = Schema.equivalence(LocalFlow.LocalFlow)
      assert.isTrue(areSame(read, { ...read, fields: JSON.parse(JSON.stringify(fields)) }))
      assert.isFalse(areSame(read, { ...read, fields: Object.fromEntries(Object.entries(fields).toReversed()) }))
    })
  )

  it.effect("takes an option that is undefined as not given", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* decode({ ...flow, encoding: undefined, delimiter: undefined }), {
        ...flow,
        encoding: undefined,
        delimiter: undefined
      })
    })
  )

  it.effect.each([
    ["a name with a colon", { ...flow, name: "a:b" }, "name"],
    ["no version", { ...flow, version: "" }, "version"],
    ["no fields", { ...flow, fields: {} }, "fields"],
    ["a field without SQL", { ...flow, fields: { id: " " } }, "id"],
    ["a field that is no text", { ...flow, fields: { ...flow.fields, id: 1 } }, "id"],
    ["fields in a list", { ...flow, fields: ["Id"] }, "at least one field"],
    ["a flow without fields", { ...flow, fields: undefined }, "at least one field"],
    ["fields that differ by case only", { ...flow, fields: { id: "Id", ID: "Id", born_on: "1", name: "1" } }, "ID"],
    ["a field without a name", { ...flow, fields: { ...flow.fields, "": "1" } }, "a non-empty name"],
    ["a field whose name DuckDB would cut", { ...flow, fields: { ...flow.fields, "a\0b": "1" } }, "a non-empty name"],
    ["a field whose name is a whole number", { ...flow, fields: { ...flow.fields, 2024: "1" } }, "n2024"],
    ["a name that nobody can receive", { ...flow, name: "a\ud800" }, "name"],
    ["SQL that DuckDB can't receive", { ...flow, fields: { ...flow.fields, id: "'\udc00'" } }, "id"],
    [
      "a field that DuckDB can't receive",
      { ...flow, fields: { ...flow.fields, "a\ud800": "1" } },
      "half surrogate pairs"
    ],
    ["an encoding that Node does not know", { ...flow, encoding: "latin-99" }, "encoding"],
    ["a delimiter of two characters", { ...flow, delimiter: "::" }, "delimiter"],
    ["a test of no field", { ...flow, tests: [{ error_code: "A", field: "total", check: "true" }] }, "field"],
    ["a test without a code", { ...flow, tests: [{ error_code: "", field: "id", check: "true" }] }, "error_code"]
  ] as const)("refuses %s", ([, input, place]) =>
    Effect.gen(function* () {
      assert.include((yield* Effect.flip(decode(input))).message, place)
    })
  )
})
