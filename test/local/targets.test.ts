/**
 * What a target keeps of the values: digits, nested values, what a format does not know.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import type { LocalFlow } from "../../src/local/LocalFlow.js"
import { failure, finished, folders, live, query, read, run, written } from "./support.js"

const make = (fields: Readonly<Record<string, string>>, tests: LocalFlow["tests"] = []): LocalFlow => ({
  name: "numbers",
  version: "v1",
  fields,
  tests
})

/** A sources folder with numbers from 1 to 5 in each format, as the column `n`. */
const numbers = Effect.gen(function* () {
  const places = yield* folders({
    "a.csv": "n\n1\n2\n3\n4\n5\n",
    "a.tsv": "n\n1\n2\n3\n4\n5\n",
    "a.json": '[{"n":1},{"n":2},{"n":3},{"n":4},{"n":5}]',
    "a.jsonl": '{"n":1}\n{"n":2}\n{"n":3}\n{"n":4}\n{"n":5}\n'
  })
  yield* query(`COPY (SELECT range AS n FROM range(1, 6)) TO '${path.join(places.sources, "a.parquet")}'`)
  return places
})

const target = (source: string, flow: LocalFlow) =>
  Effect.map(
    Effect.flatMap(numbers, (places) => run(places, source, { flow })),
    (outcome) => finished(outcome).results.targetLocations.mapped
  )

const refused = (source: string, flow: LocalFlow) =>
  Effect.gen(function* () {
    const places = yield* numbers
    const { errorCode, message } = failure(yield* run(places, source, { flow }))
    assert.strictEqual(errorCode, "FLOW_SQL_ERROR", message)
    assert.deepStrictEqual(yield* written(places), [])
    return message
  })

const digits = "12345678901234567890123456789012345678"

describe("Parquet", () => {
  live("keeps the digits of integers of 128 bits, nested too", () =>
    Effect.gen(function* () {
      const huge = `(${digits})::HUGEINT`
      const uri = yield* target(
        "a.parquet",
        make({
          sum: "sum(n) OVER ()",
          huge,
          unsigned: `${digits}::UHUGEINT`,
          list: `[${huge}, NULL]`,
          struct: `{'a "b"': ${huge}, 'c': [1.5]}`,
          map: `MAP {'a': [${huge}]}`,
          array: `[${huge}, ${huge}]::HUGEINT[2]`
        })
      )
      const file = fileURLToPath(uri)
      const [first] = yield* query(`SELECT * FROM '${file}'`)
      assert.deepStrictEqual(first, {
        sum: "15",
        huge: digits,
        unsigned: digits,
        list: [digits, null],
        struct: { 'a "b"': digits, c: ["1.5"] },
        map: [{ key: "a", value: [digits] }],
        array: [digits, digits]
      })
      const [types] = yield* query(`SELECT typeof(sum) AS sum, typeof(list) AS list FROM '${file}'`)
      assert.deepStrictEqual(types, { sum: "DECIMAL(38,0)", list: "DECIMAL(38,0)[]" })
    })
  )

  live("of 39 digits is refused, with the field and the record, where it is mapped", () =>
    Effect.gen(function* () {
      const long = `CASE WHEN n = 4 THEN 170141183460469231731687303715884105727::HUGEINT ELSE n END`
      for (const sql of [long, `{'a': [${long}]}`]) {
        const message = yield* refused("a.parquet", make({ n: "n", x: sql }))
        assert.include(message, 'The field "x" can\'t be computed for record 4: it has a number of 39 digits')
      }
      yield* target("a.parquet", make({ n: "n", x: long }, [{ error_code: "FOUR", field: "n", check: "n <> 4" }]))
    })
  )

  live("keeps dates and times that are infinite, nested too", () =>
    Effect.gen(function* () {
      const types = ["DATE", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMPTZ"]
      const fields = types.flatMap((type) => {
        const infinite = `'infinity'::${type}`
        return [infinite, `-${infinite}`.replace("-'", "'-"), `[${infinite}]`, `MAP {${infinite}: {'a': ${infinite}}}`]
      })
      const uri = yield* target("a.parquet", make(Object.fromEntries(fields.map((sql, index) => [`f${index}`, sql]))))
      const [first] = yield* query(`SELECT COLUMNS(*)::VARCHAR FROM '${fileURLToPath(uri)}'`)
      const expected = types.flatMap(() => ["infinity", "-infinity", "[infinity]", "{infinity={'a': infinity}}"])
      assert.deepStrictEqual(Object.values(first ?? {}), expected)
    })
  )

  live("refuses a value that can't be written, with the field and the record, where it is mapped", () =>
    Effect.gen(function* () {
      const variant = (sql: string) => `CASE WHEN n = 4 THEN (${sql})::VARIANT ELSE n::VARIANT END`
      for (const sql of [
        "INTERVAL '1 second'",
        "TIMETZ '12:00:00+02'",
        "'101'::BIT",
        "TIMESTAMP_S '2026-01-31 12:00:00'"
      ]) {
        const message = yield* refused("a.parquet", make({ n: "n", x: variant(sql), y: "n::VARIANT" }))
        assert.include(message, "The field \"x\" can't be computed for record 4: DuckDB can't write its value", sql)
      }
      yield* target(
        "a.parquet",
        make({ n: "n", x: variant("INTERVAL '1 second'") }, [{ error_code: "FOUR", field: "n", check: "n <> 4" }])
      )
    })
  )

  live("refuses a VARIANT inside of another value", () =>
    Effect.gen(function* () {
      for (const sql of ["[n::VARIANT]", "{'a': [n::VARIANT]}", "MAP {'a': n::VARIANT}"]) {
        const message = yield* refused("a.parquet", make({ n: "n", x: sql }))
        assert.include(message, 'The field "x" can\'t be computed: it has a VARIANT inside of another value', sql)
        yield* target("a.parquet", make({ x: `${sql}::VARIANT`, y: sql.replace("VARIANT", "VARCHAR") }))
      }
    })
  )

  live("refuses types of which it would lose a part", () =>
    Effect.gen(function* () {
      for (const [sql, type] of [
        ["INTERVAL '1.000001 seconds'", "INTERVAL"],
        ["[TIMETZ '12:00:00+02']", "TIME WITH TIME ZONE"],
        ["{'a': union_value(b := n)}", "UNION"]
      ] as const) {
        const message = yield* refused("a.parquet", make({ x: sql }))
        assert.include(message, 'The field "x"')
        assert.include(message, type)
      }
    })
  )
})

describe("JSON", () => {
  for (const source of ["a.json", "a.jsonl"]) {
    live(`${source}: refuses NaN and Infinity, with the field and the record, nested too`, () =>
      Effect.gen(function* () {
        const ratio = "CASE WHEN n = '3' THEN 'NaN'::DOUBLE WHEN n = '4' THEN '-Infinity'::DOUBLE ELSE n::DOUBLE END"
        for (const sql of [
          ratio,
          `(${ratio})::FLOAT`,
          `[1.5, ${ratio}]`,
          `{'a': {'b "': ${ratio}}}`,
          `to_json(${ratio})`
        ]) {
          const message = yield* refused(source, make({ n: "n", x: sql }))
          assert.include(message, 'The field "x" can\'t be computed for record 3: it is NaN or Infinity')
        }
      })
    )

    live(`${source}: takes the words themselves, and NaN in rows that are rejected`, () =>
      Effect.gen(function* () {
        const uri = yield* target(
          source,
          make(
            {
              n: "n::INT",
              ratio: "CASE WHEN n = '3' THEN 'NaN'::DOUBLE ELSE n::DOUBLE / 2 END",
              word: "{'inf \"': ['NaN', 'a \\\" Infinity']}",
              huge: `${digits}::HUGEINT`,
              decimal: "1234567890123456.78::DECIMAL(20, 2)"
            },
            [{ error_code: "NAN", field: "ratio", check: "isfinite(ratio)" }]
          )
        )
        const text = yield* read(uri)
        const word = { 'inf "': ["NaN", 'a \\" Infinity'] }
        const rows: unknown = JSON.parse(source === "a.json" ? text : `[${text.trim().replaceAll("\n", ",")}]`)
        assert.deepStrictEqual(
          rows,
          [1, 2, 4, 5].map((n) => ({
            n,
            ratio: n / 2,
            word,
            huge: Number(digits),
            decimal: Number("1234567890123456.78")
          }))
        )
        assert.include(text, `"huge":${digits},"decimal":1234567890123456.78`)
      })
    )
  }
})

describe("CSV and TSV", () => {
  for (const source of ["a.csv", "a.tsv"]) {
    live(`${source}: a target of one field has no empty line, which a reader would skip`, () =>
      Effect.gen(function* () {
        const uri = yield* target(source, make({ x: "CASE WHEN n <> '2' THEN nullif(n, '4') ELSE '' END" }))
        assert.strictEqual(yield* read(uri), 'x\n1\n""\n3\n""\n5\n')
        const date = yield* target(source, make({ x: "CASE WHEN n = '2' THEN DATE '2026-01-31' END" }))
        assert.strictEqual(yield* read(date), 'x\n""\n2026-01-31\n""\n""\n""\n')
      })
    )
  }

  live("hold every type as text", () =>
    Effect.gen(function* () {
      const uri = yield* target(
        "a.csv",
        make({ a: "'NaN'::DOUBLE", b: "INTERVAL '1.000001 seconds'", c: "[n, '2']", d: `${digits}::HUGEINT` })
      )
      assert.strictEqual((yield* read(uri)).split("\n")[1], `nan,00:00:01.000001,"[1, 2]",${digits}`)
    })
  )
})

describe("every target", () => {
  live("wants names for the parts of a value", () =>
    Effect.gen(function* () {
      for (const source of ["a.csv", "a.json", "a.parquet"]) {
        const message = yield* refused(source, make({ n: "n", x: "[row(n, 2)]" }))
        assert.include(message, 'The field "x" can\'t be computed: it has parts without names', source)
      }
    })
  )

  live("has the flow's fields in the flow's order", () =>
    Effect.gen(function* () {
      const fields = { b: "n", "a 2": "n", "": undefined, B2: "n", é: "n", É: "n" }
      const { "": _, ...named } = fields
      assert.strictEqual((yield* read(yield* target("a.csv", make(named)))).split("\n")[0], "b,a 2,B2,é,É")
    })
  )

  live("is no matter of where this process runs: a time without a zone is UTC", () =>
    Effect.gen(function* () {
      const zone = process.env["TZ"]
      yield* Effect.acquireRelease(
        Effect.sync(() => (process.env["TZ"] = "America/New_York")),
        () => Effect.sync(() => (zone === undefined ? delete process.env["TZ"] : (process.env["TZ"] = zone)))
      )
      const uri = yield* target("a.csv", make({ n: "n", at: "'2026-01-31 12:00:00'::TIMESTAMPTZ::VARCHAR" }))
      assert.strictEqual((yield* read(uri)).split("\n")[1], "1,2026-01-31 12:00:00+00")
    })
  )

  live("can be read by nobody else", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const places = yield* numbers
      const outcome = yield* run(places, "a.csv", {
        flow: make({ n: "n" }, [{ error_code: "ODD", field: "n", check: "n::INT % 2 = 0" }])
      })
      const { mapped, rejects } = finished(outcome).results.targetLocations
      const mode = (file: string) => Effect.map(files.stat(file), ({ mode }) => (mode & 0o777).toString(8))
      const modes = [
        yield* mode(places.targets),
        yield* mode(path.join(places.targets, "run_1")),
        yield* mode(fileURLToPath(mapped)),
        yield* mode(fileURLToPath(Option.getOrThrow(rejects)))
      ]
      assert.deepStrictEqual(modes, ["700", "700", "600", "600"])
    })
  )
})
