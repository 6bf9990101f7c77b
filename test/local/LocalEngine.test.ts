/**
 * The pipeline on DuckDB: outcomes, formats, what is counted, and what it does not let happen.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe } from "@effect/vitest"
import { deepStrictEqual } from "@effect/vitest/utils"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Deferred from "effect/Deferred"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as path from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import * as LocalEngine from "../../src/local/LocalEngine.js"
import type { LocalFlow } from "../../src/local/LocalFlow.js"
import {
  endless,
  failure,
  finished,
  flow,
  folders,
  live,
  people,
  query,
  read,
  rejects,
  run,
  written
} from "./support.js"
import { property } from "../support/property.js"

describe("outcomes", () => {
  live("some rows rejected: PARTIAL_FAILED, every number counted", () =>
    Effect.gen(function* () {
      const places = yield* folders({ "people.csv": people })
      const outcome = yield* run(places, "people.csv")
      assert.strictEqual(outcome.status, "PARTIAL_FAILED")
      const { errors, pipeline, results, run: about, validation } = finished(outcome)
      assert.deepStrictEqual(about, {
        runId: "run_1",
        flowVersion: "people:v1",
        sourcePath: "people.csv",
        status: "PARTIAL_FAILED"
      })
      deepStrictEqual(results, {
        inputRows: 5,
        mappedRows: 3,
        rejectedRows: 2,
        targetLocations: {
          mapped: pathToFileURL(path.join(places.targets, "run_1/mapped.csv")).href,
          rejects: Option.some(pathToFileURL(path.join(places.targets, "run_1/rejects.csv")).href)
        }
      })
      assert.deepStrictEqual(validation, {
        testsExecuted: 15,
        testsFailed: 4,
        errorRate: 4 / 15,
        topErrors: [
          { errorCode: "DATE_INVALID", field: "born_on", count: 2 },
          { errorCode: "ID_INVALID", field: "id", count: 1 },
          { errorCode: "NAME_MISSING", field: "name", count: 1 }
        ]
      })
      assert.deepStrictEqual(errors, [])
      const stages = Object.values(pipeline.stages).map((stage) => Duration.toMillis(Option.getOrThrow(stage)))
      assert.isAtMost(
        stages.reduce((sum, stage) => sum + stage, 0),
        Duration.toMillis(pipeline.duration)
      )
      assert.strictEqual(
        yield* read(results.targetLocations.mapped),
        'id,born_on,name\n1,1815-12-10,"Lovelace, Ada"\n3,1906-12-09,"Grace ""Amazing"" Hopper"\n5,1791-12-26,"Charles\nBabbage é 😀"\n'
      )
      assert.strictEqual(
        yield* rejects(outcome),
        "Id,Born,Name,error_codes\n2,yesterday,Alan,DATE_INVALID\n-4,1912-02-30,,ID_INVALID;DATE_INVALID;NAME_MISSING\n"
      )
      assert.deepStrictEqual(yield* written(places), ["run_1", "run_1/mapped.csv", "run_1/rejects.csv"])
    })
  )

  live("fields are called what they are called, in their order, also `__proto__`", () =>
    Effect.gen(function* () {
      const fields: LocalFlow["fields"] = JSON.parse('{"b": "Id", "__proto__": "Name", "constructor": "1"}')
      const tests = [{ error_code: "NAME_MISSING", field: "__proto__", check: "__proto__ <> ''" }]
      const places = yield* folders({ "people.csv": "Id,Name\n1,Ada\n2,\n" })
      const outcome = yield* run(places, "people.csv", { flow: { ...flow, fields, tests } })
      const { results, validation } = finished(outcome)
      assert.deepStrictEqual(validation.topErrors, [{ errorCode: "NAME_MISSING", field: "__proto__", count: 1 }])
      assert.strictEqual(yield* read(results.targetLocations.mapped), "b,__proto__,constructor\n1,Ada,1\n")
    })
  )

  live("no row rejected: SUCCEEDED, without a rejects file", () =>
    Effect.gen(function* () {
      const places = yield* folders({ "people.csv": "Id,Born,Name\n1,1815-12-10,Ada\n" })
      const outcome = yield* run(places, "people.csv")
      assert.strictEqual(outcome.status, "SUCCEEDED")
      assert(Option.isNone(finished(outcome).results.targetLocations.rejects))
      assert.deepStrictEqual(yield* written(places), ["run_1", "run_1/mapped.csv"])
    })
  )

  live("no rows at all: SUCCEEDED, and nothing is divided", () =>
    Effect.gen(function* () {
      const places = yield* folders({ "a.csv": "Id,Born,Name\n", "b.json": "[]", "c.jsonl": "" })
      for (const source of ["a.csv", "b.json", "c.jsonl"]) {
        const outcome = yield* run(places, source, { runId: `run_${source}` })
        assert.strictEqual(outcome.status, "SUCCEEDED", source)
        assert.strictEqual(finished(outcome).results.inputRows, 0)
        assert.strictEqual(finished(outcome).validation.errorRate, 0)
      }
    })
  )

  live("a source that is not UTF-8: FAILED, not CRASHED", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const places = yield* folders({})
      yield* files.writeFile(
        path.join(places.sources, "latin.csv"),
        Buffer.from("Id,Born,Name\n1,1815-12-10,Andr\xe9\n", "latin1")
      )
      const { errorCode, message } = failure(yield* run(places, "latin.csv"))
      assert.strictEqual(errorCode, "SOURCE_UNREADABLE")
      assert.include(message, "line 2 is not UTF-8")
    })
  )

  const failing: ReadonlyArray<readonly [string, Partial<LocalFlow>, string, LocalEngine.Stage, string, string]> = [
    ["no source", {}, "nowhere.csv", "SYNCING_SOURCE", "SOURCE_NOT_FOUND", "nowhere.csv"],
    ["a folder", {}, "folder.csv", "SYNCING_SOURCE", "SOURCE_NOT_FOUND", "folder.csv"],
    ["an unknown format", {}, "people.xlsx", "SYNCING_SOURCE", "SOURCE_FORMAT_UNSUPPORTED", ".csv"],
    ["no format", {}, "people", "SYNCING_SOURCE", "SOURCE_FORMAT_UNSUPPORTED", "no extension"],
    ["an empty file", {}, "empty.csv", "SYNCING_SOURCE", "SOURCE_UNREADABLE", "empty"],
    ["ragged lines", {}, "ragged.csv", "SYNCING_SOURCE", "SOURCE_UNREADABLE", "line 3"],
    ["broken JSON", {}, "broken.json", "SYNCING_SOURCE", "SOURCE_UNREADABLE", "broken.json"],
    ["no Parquet", {}, "people.parquet", "SYNCING_SOURCE", "SOURCE_UNREADABLE", "people.parquet"],
    [
      "a field that is no SQL",
      { fields: { ...flow.fields, id: "Id +" } },
      "people.csv",
      "TRANSFORMING",
      "FLOW_SQL_ERROR",
      '"id"'
    ],
    [
      "a column that is not there",
      { fields: { ...flow.fields, id: "Idd" } },
      "people.csv",
      "TRANSFORMING",
      "FLOW_SQL_ERROR",
      "Idd"
    ],
    [
      "a field that fails on the data",
      { fields: { ...flow.fields, id: "Name::INTEGER" } },
      "people.csv",
      "TRANSFORMING",
      "FLOW_SQL_ERROR",
      '"id"'
    ],
    [
      "a test that is no predicate",
      { tests: [{ error_code: "ODD", field: "id", check: "born_on" }] },
      "people.csv",
      "TRANSFORMING",
      "FLOW_SQL_ERROR",
      '"ODD"'
    ],
    [
      "an aggregate",
      { fields: { ...flow.fields, id: "max(Id)" } },
      "people.csv",
      "TRANSFORMING",
      "FLOW_SQL_ERROR",
      "OVER"
    ]
  ]

  for (const [name, part, source, stage, errorCode, mention] of failing) {
    live(`${name}: FAILED in ${stage} with ${errorCode}, and nothing in the target`, () =>
      Effect.gen(function* () {
        const places = yield* folders({
          "people.csv": people,
          people,
          "people.xlsx": people,
          "people.parquet": people,
          "empty.csv": "",
          "ragged.csv": "Id,Born,Name\n1,1815-12-10,Ada\n2,1815-12-10,Ada,more,and more\n3,1815-12-10,Ada\n",
          "broken.json": '[{"Id": 1}, {"Id"',
          "folder.csv/inside.txt": ""
        })
        const error = failure(yield* run(places, source, { flow: { ...flow, ...part } }))
        assert.strictEqual(error.stage, stage)
        assert.strictEqual(error.errorCode, errorCode)
        assert.include(error.message, mention)
        assert.notInclude(error.message, places.root)
        assert.deepStrictEqual(yield* written(places), [])
      })
    )
  }

  live("all rows rejected: FAILED, with the rejects file, so that one sees what there was", () =>
    Effect.gen(function* () {
      const places = yield* folders({ "people.csv": people })
      const never = { ...flow, tests: [{ error_code: "NEVER", field: "id", check: "false" }] }
      const outcome = yield* run(places, "people.csv", { flow: never })
      const { errorCode, message, stage } = failure(outcome)
      assert.strictEqual(stage, "TRANSFORMING")
      assert.strictEqual(errorCode, "ALL_ROWS_REJECTED")
      assert.include(message, "All 5 rows")
      assert.deepStrictEqual(yield* written(places), ["run_1", "run_1/rejects.csv"])
      assert(outcome.status === "FAILED")
      const locations = Option.flatMap(outcome.metadata.results, ({ targetLocations }) => targetLocations)
      const { mapped, rejects } = Option.getOrThrow(locations)
      assert(Option.isNone(mapped))
      assert.strictEqual((yield* read(Option.getOrThrow(rejects))).split("\n")[0], "Id,Born,Name,error_codes")
    })
  )

  live("a targets folder that can't be written: FAILED", () =>
    Effect.gen(function* () {
      const places = yield* folders({ "people.csv": people })
      const outcome = yield* run({ ...places, targets: path.join(places.sources, "people.csv") }, "people.csv")
      assert.strictEqual(failure(outcome).errorCode, "TARGET_NOT_WRITABLE")
    })
  )

  live("a defect of the engine: CRASHED, with the stage in which it happened", () =>
    Effect.gen(function* () {
      const places = yield* folders({ "people.csv": people })
      const outcome = yield* LocalEngine.run({
        ...places,
        runId: "run_1",
        flow,
        sourcePath: "people.csv",
        onStage: (stage) => (stage === "TRANSFORMING" ? Effect.die(new TypeError("a bug")) : Effect.void)
      }).pipe(Effect.provide(Logger.remove(Logger.defaultLogger)))
      assert(outcome.status === "CRASHED")
      assert.deepInclude(outcome.metadata.errors[0], { stage: "TRANSFORMING", errorCode: "INTERNAL_ERROR" })
      assert.strictEqual(
        outcome.metadata.errors[0]?.message,
        "The local engine has a defect (a bug), whose cause is in the log of its process."
      )
      assert.deepStrictEqual(yield* written(places), [])
    })
  )
})

describe("formats", () => {
  const rows = [
    { Id: "1", Born: "1815-12-10", Name: "Ada", Extra: { a: [1, null] } },
    { Id: 2, Born: null, Name: "Alan", Extra: 0.1 }
  ]

  live("TSV", () =>
    Effect.gen(function* () {
      const places = yield* folders({ "a.tsv": "Id\tBorn\tName\n1\t1815-12-10\tA, b\n2\t\tAlan\n" })
      const outcome = yield* run(places, "a.tsv")
      assert.strictEqual(
        yield* read(finished(outcome).results.targetLocations.mapped),
        "id\tborn_on\tname\n1\t1815-12-10\tA, b\n"
      )
      assert.strictEqual(yield* rejects(outcome), "Id\tBorn\tName\terror_codes\n2\t\tAlan\tDATE_INVALID\n")
    })
  )

  for (const extension of ["json", "jsonl", "ndjson"]) {
    live(extension, () =>
      Effect.gen(function* () {
        const lines = rows.map((row) => JSON.stringify(row))
        const text = extension === "json" ? `[${lines.join(",")}]` : lines.join("\n")
        const places = yield* folders({ [`a.${extension}`]: text })
        const outcome = yield* run(places, `a.${extension}`)
        const parse = (text: string): unknown =>
          extension === "json"
            ? JSON.parse(text)
            : text
                .trim()
                .split("\n")
                .map((line) => JSON.parse(line))
        assert.deepStrictEqual(parse(yield* read(finished(outcome).results.targetLocations.mapped)), [
          { id: 1, born_on: "1815-12-10", name: "Ada" }
        ])
        assert.deepStrictEqual(parse(yield* rejects(outcome)), [{ ...rows[1], error_codes: ["DATE_INVALID"] }])
      })
    )
  }

  live("Parquet", () =>
    Effect.gen(function* () {
      const places = yield* folders({})
      const file = path.join(places.sources, "a.parquet")
      yield* query(
        `COPY (SELECT * FROM (VALUES (1, DATE '1815-12-10', 'Ada'), (2, NULL, 'Alan')) AS t("Id", "Born", "Name")) TO '${file}'`
      )
      const outcome = yield* run(places, "a.parquet")
      const { mapped, rejects } = finished(outcome).results.targetLocations
      assert.deepStrictEqual(yield* query(`FROM '${fileURLToPath(mapped)}'`), [
        { id: 1, born_on: "1815-12-10", name: "Ada" }
      ])
      assert.deepStrictEqual(yield* query(`FROM '${fileURLToPath(Option.getOrThrow(rejects))}'`), [
        { Id: 2, Born: null, Name: "Alan", error_codes: ["DATE_INVALID"] }
      ])
    })
  )

  live("nothing is guessed away: leading zeros, dates and numbers of text formats stay text", () =>
    Effect.gen(function* () {
      const places = yield* folders({ "a.csv": "code,day,n\n007,2026-01-01,1e3\n0x1F,01/02/03,NULL\n" })
      const copy: LocalFlow = { name: "copy", version: "v1", fields: { code: "code", day: "day", n: "n" }, tests: [] }
      const outcome = yield* run(places, "a.csv", { flow: copy })
      assert.strictEqual(
        yield* read(finished(outcome).results.targetLocations.mapped),
        "code,day,n\n007,2026-01-01,1e3\n0x1F,01/02/03,NULL\n"
      )
    })
  )

  live("columns may have any name", () =>
    Effect.gen(function* () {
      const places = yield* folders({ "a.csv": 'select,"a ""b"" c",rowid,error_codes\n1,2,3,4\n5,,7,8\n' })
      const odd: LocalFlow = {
        name: "odd",
        version: "v1",
        fields: { from: '"select"', 'x "y"': '"a ""b"" c"', rowid: "rowid" },
        tests: [{ error_code: "IT'S MISSING", field: 'x "y"', check: '"x ""y""" IS NOT NULL' }]
      }
      const outcome = yield* run(places, "a.csv", { flow: odd })
      assert.strictEqual(yield* read(finished(outcome).results.targetLocations.mapped), 'from,"x ""y""",rowid\n1,2,3\n')
      assert.strictEqual(
        yield* rejects(outcome),
        'select,"a ""b"" c",rowid,error_codes,error_codes_\n5,,7,8,IT\'S MISSING\n'
      )
    })
  )
})

describe("the source path is data", () => {
  const attacks = [
    "../secret.csv",
    "a/../../secret.csv",
    "s3://../../secret.csv",
    "/etc/passwd",
    "C:\\secret.csv",
    "..\\secret.csv",
    "a\u0000.csv",
    "linked.csv",
    "linked/secret.csv"
  ]

  for (const attack of attacks) {
    live(`${JSON.stringify(attack)} is not allowed`, () =>
      Effect.gen(function* () {
        const fileSystem = yield* FileSystem.FileSystem
        const places = yield* folders({ "a/people.csv": people })
        yield* fileSystem.writeFileString(path.join(places.root, "secret.csv"), people)
        yield* fileSystem.symlink(path.join(places.root, "secret.csv"), path.join(places.sources, "linked.csv"))
        yield* fileSystem.symlink(places.root, path.join(places.sources, "linked"))
        const error = failure(yield* run(places, attack))
        assert.strictEqual(error.errorCode, "SOURCE_NOT_ALLOWED")
        assert.deepStrictEqual(yield* written(places), [])
      })
    )
  }

  const names = [
    "it's.csv",
    "a*.csv",
    "[ab].csv",
    "{a,b}.csv",
    "a?.csv",
    "').csv",
    "a b;--.csv",
    "%2e%2e.csv",
    "é😀.csv"
  ]

  for (const name of names) {
    live(`a file may be named ${name}`, () =>
      Effect.gen(function* () {
        const places = yield* folders({ [name]: people, "ab.csv": "Id,Born,Name\n", "a.csv": "Id,Born,Name\n" })
        assert.strictEqual(finished(yield* run(places, name)).results.inputRows, 5)
      })
    )
  }

  live("s3://acme/a.csv is s3/acme/a.csv in the sources folder", () =>
    Effect.gen(function* () {
      const places = yield* folders({ "s3/acme/2026/people.csv": people })
      assert.strictEqual(
        finished(yield* run(places, "s3://acme/2026/people.csv")).run.sourcePath,
        "s3://acme/2026/people.csv"
      )
    })
  )
})

describe("a flow's SQL stays an expression", () => {
  const escapes = [
    "(SELECT content FROM read_text('/etc/passwd'))",
    "1) FROM source; COPY source TO '/tmp/stolen.csv'; SELECT (1",
    "1 FROM source UNION ALL SELECT 2",
    "Id AS id, 2",
    "Id -- a comment",
    "Id; DROP TABLE staged",
    "1), (2",
    "unnest([1, 2])",
    "$1",
    "getenv('HOME')"
  ]
  const allowed = new Set(["Id -- a comment"])

  for (const escape of escapes) {
    live(escape, () =>
      Effect.gen(function* () {
        const places = yield* folders({ "people.csv": people })
        const outcome = yield* run(places, "people.csv", {
          flow: { ...flow, fields: { ...flow.fields, id: escape }, tests: [] }
        })
        if (allowed.has(escape)) finished(outcome)
        else assert.strictEqual(failure(outcome).errorCode, "FLOW_SQL_ERROR")
      })
    )
  }
})

describe("interruption", () => {
  live("stops DuckDB in the middle of a query, and leaves nothing behind", () =>
    Effect.gen(function* () {
      const places = yield* folders({ "people.csv": people })
      const transforming = yield* Deferred.make<void>()
      const fiber = yield* Effect.fork(
        LocalEngine.run({
          ...places,
          runId: "run_1",
          flow: { ...flow, fields: { ...flow.fields, id: endless } },
          sourcePath: "people.csv",
          onStage: (stage) =>
            stage === "TRANSFORMING" ? Effect.asVoid(Deferred.succeed(transforming, undefined)) : Effect.void
        })
      )
      yield* Deferred.await(transforming)
      yield* Fiber.interrupt(fiber)
      assert(Exit.isInterrupted(yield* Fiber.await(fiber)))
      assert.deepStrictEqual(yield* written(places), [])
    })
  )
})

describe("any rows", () => {
  const cell = FastCheck.oneof(
    FastCheck.integer({ min: -3, max: 3 }).map(String),
    FastCheck.constantFrom("", "1815-12-10", "yesterday", 'a "quote"', "a,b", "é\n😀", "NULL")
  )
  const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`

  property.live(
    "are mapped or rejected, each once, and their tests counted",
    [FastCheck.array(FastCheck.tuple(cell, cell, cell), { maxLength: 30 })],
    ([rows]) =>
      Effect.gen(function* () {
        const text = ["Id,Born,Name", ...rows.map((row) => row.map(quoted).join(","))].join("\n")
        const outcome = yield* run(yield* folders({ "a.csv": `${text}\n` }), "a.csv")
        if (outcome.status === "FAILED") {
          assert.strictEqual(failure(outcome).errorCode, "ALL_ROWS_REJECTED")
          return
        }
        const { results, validation } = finished(outcome)
        assert.strictEqual(results.inputRows, rows.length)
        assert.strictEqual(results.mappedRows + results.rejectedRows, rows.length)
        assert.strictEqual(validation.testsExecuted, rows.length * 3)
        assert.strictEqual(
          validation.testsFailed,
          validation.topErrors.reduce((sum, { count }) => sum + count, 0)
        )
        assert.isAtLeast(validation.testsFailed, results.rejectedRows)
        assert.strictEqual(outcome.status, results.rejectedRows === 0 ? "SUCCEEDED" : "PARTIAL_FAILED")
      }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer)),
    { fastCheck: { numRuns: 25 } }
  )
})
