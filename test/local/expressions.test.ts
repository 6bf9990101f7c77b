/**
 * A flow's SQL: what each expression may be, what it sees, and what is said of one that can't be computed.
 */
import { DuckDBConnection } from "@duckdb/node-api"
import { assert, describe, vi } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { LocalFlow } from "../../src/local/LocalFlow.js"
import { failure, finished, folders, live, query, read, rejects, run, written } from "./support.js"
import * as path from "node:path"

const rowsOf = (count: number) =>
  Array.from({ length: count }, (_, row) => ({ g: row % 3, v: (row * 7919) % count, row }))

/** A source of so many rows, whose values are in no order. */
const numbers = (count: number): string =>
  ["g,v,name", ...rowsOf(count).map(({ g, row, v }) => `${g},${v},name of ${row}`), ""].join("\n")

const make = (
  fields: Readonly<Record<string, string>>,
  tests: ReadonlyArray<readonly [errorCode: string, field: string, check: string]> = []
): LocalFlow => ({
  name: "numbers",
  version: "v1",
  fields,
  tests: tests.map(([error_code, field, check]) => ({ error_code, field, check }))
})

/** The target of a flow over a CSV file, as lines. */
const mapped = (source: string, flow: LocalFlow) =>
  Effect.gen(function* () {
    const outcome = yield* run(yield* folders({ "a.csv": source }), "a.csv", { flow })
    const text = yield* read(finished(outcome).results.targetLocations.mapped)
    return text.trimEnd().split("\n")
  })

/** What is said of a flow that can't be computed. */
const refused = (source: string, flow: LocalFlow) =>
  Effect.gen(function* () {
    const places = yield* folders({ "a.csv": source })
    const { errorCode, message, stage } = failure(yield* run(places, "a.csv", { flow }))
    assert.strictEqual(`${stage} ${errorCode}`, "TRANSFORMING FLOW_SQL_ERROR", message)
    assert.notMatch(message, /lume_|numbered|staged|result\.|field_\d|LINE 1|\n/)
    assert.deepStrictEqual(yield* written(places), [])
    return message
  })

describe("an expression may look at other rows", () => {
  type Row = ReturnType<typeof rowsOf>[number]
  const expressions: ReadonlyArray<readonly [sql: string, expected: (row: Row, count: number) => unknown]> = [
    ["row_number() OVER (ORDER BY v::INT)", ({ v }) => v + 1],
    ["lag(v, 1, '') OVER (ORDER BY v::INT)", ({ v }) => (v === 0 ? '""' : v - 1)],
    ["count(*) OVER (PARTITION BY g)", ({ g }, count) => Math.ceil((count - g) / 3)],
    ["first_value(name) OVER (PARTITION BY g ORDER BY name[9:]::INT)", ({ g }) => `name of ${g}`],
    ["(SELECT max(s.v::INT) FROM source s) - v::INT", ({ v }, count) => count - 1 - v],
    ["(SELECT min(s.name[9:]::INT) FROM source s WHERE s.g = source.g)", ({ g }) => g],
    ["EXISTS (SELECT * FROM source s WHERE s.v::INT = source.v::INT + 1)", ({ v }, count) => v < count - 1]
  ]

  for (const count of [10, 20_011]) {
    live(`windows and subqueries give each of ${count} rows its own value, in the source's order`, () =>
      Effect.gen(function* () {
        for (const [sql, expected] of expressions) {
          const lines = yield* mapped(numbers(count), make({ name: "name", x: sql }))
          const wanted = rowsOf(count).map((row) => `name of ${row.row},${String(expected(row, count))}`)
          assert.strictEqual(lines.slice(1).join("\n"), wanted.join("\n"), sql)
        }
      })
    )
  }

  live("the first of duplicates is kept, the others are rejected as they were", () =>
    Effect.gen(function* () {
      const places = yield* folders({ "a.csv": numbers(3000) })
      const flow = make({ v: "v", n: "row_number() OVER (PARTITION BY g ORDER BY v::INT)" }, [
        ["DUPLICATE", "n", "n = 1"]
      ])
      const outcome = yield* run(places, "a.csv", { flow })
      assert.deepInclude(finished(outcome).results, { inputRows: 3000, mappedRows: 3, rejectedRows: 2997 })
      const lines = (yield* rejects(outcome)).trimEnd().split("\n")
      const source = numbers(3000).trimEnd().split("\n").slice(1)
      const kept = new Set(source.filter((line) => !lines.includes(`${line},DUPLICATE`)))
      assert.strictEqual(kept.size, 3)
      assert.deepStrictEqual(
        lines.slice(1),
        source.filter((line) => !kept.has(line)).map((line) => `${line},DUPLICATE`)
      )
    })
  )

  live("a whole row holds the source's columns, and nothing else", () =>
    Effect.gen(function* () {
      const lines = yield* mapped(
        "a,b\n1,2\n1,2\n",
        make({
          json: "to_json(source)",
          same: "(SELECT count(*) FROM source s WHERE s = source)",
          distinct: "(SELECT count(*) FROM (SELECT DISTINCT * FROM source))",
          second: "(SELECT max(s.y) FROM source AS s(x, y))"
        })
      )
      assert.deepStrictEqual(
        lines.slice(1),
        Array.from({ length: 2 }, () => '"{""a"":""1"",""b"":""2""}",2,1,2')
      )
    })
  )

  live("a field is computed once: its tests see what the target gets, also by a subquery", () =>
    Effect.gen(function* () {
      const places = yield* folders({ "a.csv": numbers(5000) })
      const flow = make({ r: "random()" }, [
        ["LOW", "r", "r >= 0.5"],
        ["NOT_FOUND", "r", "(SELECT count(*) FROM target t WHERE t.r = target.r) = 1"],
        ["NOT_WHOLE", "r", "(SELECT count(*) FROM target t WHERE t = target) = 1"]
      ])
      const outcome = yield* run(places, "a.csv", { flow })
      const { results, validation } = finished(outcome)
      assert.deepStrictEqual(validation.topErrors, [{ errorCode: "LOW", field: "r", count: results.rejectedRows }])
      const text = yield* read(results.targetLocations.mapped)
      assert.isTrue(
        text
          .trimEnd()
          .split("\n")
          .slice(1)
          .every((value) => Number(value) >= 0.5)
      )
    })
  )
})

describe("an expression that gives no single value is told why", () => {
  const cases: ReadonlyArray<readonly [sql: string, says: string]> = [
    ["max(v)", "Add OVER ()"],
    ["count(*) FILTER (g = '1')", "Add OVER ()"],
    ["unnest([v, g])", "into a subquery"],
    ["unnest({'a': v, 'b': g})", "into a subquery"],
    ["COLUMNS(*)", "COLUMNS(…) stands for several columns"],
    ["greatest(*COLUMNS('v|g'))", "COLUMNS(…) stands for several columns"],
    ["*", "a star stands for several columns"],
    ["source.*", "a star stands for several columns"],
    ["#1", "Write the column's name"],
    ["sum(row_number() OVER ()) OVER ()", "a window function inside another"],
    ["sum(v::INT) OVER (ORDER BY row_number() OVER ())", "a window function inside another"],
    ["(SELECT v FROM source)", "Add LIMIT 1 or an aggregate"],
    ["v AS w", "not one expression"],
    ["v, g", "not one expression"],
    ["v FROM source", "not one expression"],
    ["v LIMIT 1", "not one expression"],
    ["DISTINCT v", "not one expression"],
    ["v UNION SELECT 1", "not one expression"],
    ["v; DROP TABLE source", "not one expression"],
    ["SELECT v", "not one expression"],
    ["v;", "not one expression"],
    ["v) OR (v", 'at or near ")"'],
    ["v /* and so on", "unterminated /* comment"],
    ["$1", "a parameter"],
    ["(SELECT ?)", "a parameter"],
    ["-- v", "not one expression"],
    ["v" + " || v".repeat(1100), "nested more than 1,000 levels deep"],
    [
      "(SELECT count(*) FROM source NATURAL JOIN source NATURAL JOIN source)",
      "Give each its own, as in FROM source a, source b"
    ],
    ["v\u0000", "NUL"]
  ]

  live("by a sentence of its own", () =>
    Effect.gen(function* () {
      for (const [sql, says] of cases) {
        assert.include(yield* refused(numbers(10), make({ g: "g", x: sql })), says, sql)
        assert.include(
          yield* refused(numbers(10), make({ g: "g" }, [["X", "g", sql.replaceAll("v", "g")]])),
          says.replaceAll(" v ", " g "),
          sql
        )
      }
    })
  )

  live("and two of them do not complete each other", () =>
    Effect.gen(function* () {
      assert.include(yield* refused(numbers(10), make({ a: "(v", b: "g)" })), 'The field "a"')
      assert.include(yield* refused(numbers(10), make({ a: "'v", b: "g'" })), 'The field "a"')
      assert.include(yield* refused(numbers(10), make({ a: "v", b: "a" })), 'no column "a"')
    })
  )
})

describe("what is not there is named, with what is", () => {
  live("a misspelt column, of the source and of the target", () =>
    Effect.gen(function* () {
      const source = 'name,"a ""b"""\nx,1\n'
      for (const sql of ["nmae", "source.nmae", "upper(nmae)", "(SELECT max(s.nmae) FROM source s)"]) {
        assert.include(
          yield* refused(source, make({ n: sql })),
          'there is no column "nmae". The source\'s columns are "name", "a \\"b\\"".',
          sql
        )
      }
      assert.include(
        yield* refused(source, make({ n: "name", m: "name" }, [["X", "n", "name = ''"]])),
        'The test "X" of the field "n" can\'t be computed: there is no column "name". The target\'s fields are "n", "m".'
      )
    })
  )

  live("a column whose name needs quotes, with each of its characters", () =>
    Effect.gen(function* () {
      const source = "Invoice Date,unit-price, id ,net\u00a0sum\n1,2,3,4\n"
      for (const [sql, says] of [
        ["Invoice Date", 'Write the column "Invoice Date" so, in double quotes.'],
        ["unit-price", 'Write the column "unit-price" so, in double quotes.'],
        ["id", '"unit-price", " id ", "net\\u{a0}sum". Write the column " id " so, in double quotes.'],
        ['"net sum"', '"net\\u{a0}sum"']
      ] as const) {
        assert.include(yield* refused(source, make({ n: sql })), says, sql)
      }
    })
  )

  live("a text in double quotes, and what can't be named here", () =>
    Effect.gen(function* () {
      const text = yield* refused("state\nopen\n", make({ n: 'state = "open"' }))
      assert.include(text, "If a text is meant, put it into single quotes: 'open'.")
      const field = yield* refused("a\n1\n", make({ n: "a", m: "upper(n)" }))
      assert.include(field, "That is a field of the target, which no other field sees: repeat its expression.")
      assert.notInclude(yield* refused("a\n1\n", make({ n: "n" })), "That is a field")
      const column = yield* refused("a,b\n1,2\n", make({ n: "a" }, [["X", "n", "b > '1'"]]))
      assert.include(column, "That is a column of the source, which no test sees: make it a field of the target.")
    })
  )

  live("columns are text, which is said where a type does not fit", () =>
    Effect.gen(function* () {
      for (const sql of ["a + a", "a > 5", "round(a, 1)"])
        assert.include(yield* refused("a\n1\n", make({ n: sql })), "as in try_cast(x AS DOUBLE)", sql)
      assert.include(yield* refused("a\n1\n", make({ n: "a.b" })), "as in x->>'y'")
    })
  )

  live("of many columns, those that are spelt alike", () =>
    Effect.gen(function* () {
      const columns = Array.from({ length: 500 }, (_, index) => `column_${index}`)
      const source = `${columns.join(",")},amount\n${columns.map(() => "1").join(",")},1\n`
      const message = yield* refused(source, make({ n: "amuont" }))
      assert.include(message, '501 in all, the nearest are "amount"')
      assert.isBelow(message.length, 1000)
    })
  )

  live("a table, and a function", () =>
    Effect.gen(function* () {
      assert.include(yield* refused(numbers(3), make({ n: "(SELECT max(x.v) FROM sauce x)" })), "is called source")
      assert.include(yield* refused(numbers(3), make({ n: "other.v" })), "is called source")
      assert.include(yield* refused(numbers(3), make({ n: "foo(v)" })), "name foo does not exist")
    })
  )
})

describe("what this engine itself calls something can't be named", () => {
  const sources = {
    "a.csv": "v,w\n1,2\n3,4\n",
    "a.json": '[{"v":"1","w":"2"},{"v":"3","w":"4"}]',
    "a.parquet": new Uint8Array()
  }
  const places = Effect.gen(function* () {
    const places = yield* folders(sources)
    yield* query(`COPY (SELECT '1' AS v, '2' AS w) TO '${path.join(places.sources, "a.parquet")}'`)
    return places
  })

  const tables = ["staged", "numbered", "computed", "records", "result", "lume_row", "main.staged"]
  const columns = ["c0", "json", "values", "row", "field_0", "field_1", "test_0", "lume_row", "NULL", "file_row_number"]
  const ownTexts = (one: string) => ["query_table('sta' || 'ged')", "query('FROM sta' || 'ged')", one]

  for (const source of Object.keys(sources)) {
    live(`${source}: neither in a field nor in a test`, () =>
      Effect.gen(function* () {
        const folders = yield* places
        const said = (fields: Readonly<Record<string, string>>, check = "true") =>
          Effect.map(run(folders, source, { flow: make(fields, [["X", "x", check]]) }), (outcome) => {
            const { errorCode, message } = failure(outcome)
            assert.strictEqual(errorCode, "FLOW_SQL_ERROR", message)
            return message.replace(/ Its SQL is: .*/, "")
          })
        for (const table of tables) {
          const sql = `(SELECT count(*) FROM ${table}) > 0`
          assert.include(
            yield* said({ x: sql }),
            `there is no table "${table}". The table of the source's rows is called source.`
          )
          assert.include(
            yield* said({ x: "v" }, sql),
            `there is no table "${table}". The table of the target's rows is called target.`
          )
        }
        for (const column of columns) {
          const named = `there is no column "${column}". `
          for (const sql of [`"${column}"`, `source."${column}"`, `(SELECT max(s."${column}") FROM source s)`])
            assert.include(yield* said({ x: "v", y: sql }), `${named}The source's columns are "v", "w".`, sql)
          for (const sql of [`"${column}" IS NULL`, `(SELECT count(t."${column}") FROM target t) > 0`])
            assert.include(yield* said({ x: "v" }, sql), `${named}The target's fields are "x".`, sql)
        }
        for (const sql of ownTexts("json_execute_serialized_sql(json_serialize_sql('FROM sta' || 'ged'))"))
          assert.include(yield* said({ x: `(SELECT count(*) FROM ${sql})` }), "Write that SQL itself, as a subquery.")
      })
    )
  }

  live("a table's own number of a row is no column, unless the source or the expression has one of that name", () =>
    Effect.gen(function* () {
      const none = 'there is no column "rowid". The source\'s columns are "v", "w".'
      for (const sql of [
        "rowid",
        "source.rowid",
        "(SELECT max(rowid) FROM source)",
        "(SELECT max(s.rowid) FROM source s)"
      ])
        assert.include(yield* refused("v,w\n1,2\n", make({ x: sql })), none, sql)
      for (const name of ["rowid", "ROWID"]) {
        const own = make({
          row: "rowid",
          other: "(SELECT max(s.rowid) FROM source s)",
          made: "(SELECT max(t.rowid) FROM (SELECT v AS rowid FROM source) t)"
        })
        assert.deepStrictEqual((yield* mapped(`${name},v\n7,1\n8,2\n`, own)).slice(1), ["7,8,2", "8,8,2"])
      }
      const made = make({ x: "(SELECT max(t.rowid) FROM (SELECT v AS rowid FROM source) t)" })
      assert.deepStrictEqual((yield* mapped("v\n1\n2\n", made)).slice(1), ["2", "2"])
      const twins = yield* refused("rowid,ROWID\n1,2\n", make({ x: "(SELECT max(rowid) FROM source)" }))
      assert.include(twins, 'the source\'s columns "rowid", "ROWID" differ only by upper and lower case')
    })
  )

  live("and a column that is called as the table is no whole row, so that twins beside it are no matter", () =>
    Effect.gen(function* () {
      const data = "source,a,A\nx,1,2\n"
      assert.deepStrictEqual((yield* mapped(data, make({ x: "source" }))).slice(1), ["x"])
      const whole = yield* refused(data.replace("source", "other"), make({ x: "to_json(source)" }))
      assert.include(whole, "it takes all columns of the source")
      for (const sql of ["source", "to_json(source)", "(SELECT max(to_json(source)::VARCHAR) FROM source)"]) {
        // of which none can be seen
        assert.include(yield* refused("source,SOURCE,x\n1,2,3\n", make({ y: sql })), "upper and lower case", sql)
      }
      // a row of the target has none of them
      const test = { error_code: "A", field: "y", check: "to_json(target) IS NOT NULL" }
      assert.deepStrictEqual((yield* mapped("a,A,x\n1,2,3\n", { ...make({ y: "x" }), tests: [test] })).slice(1), ["3"])
      const aliased = { ...test, check: "(SELECT max(to_json(target)::VARCHAR) FROM source target) <> ''" }
      const said = yield* refused("a,A,x\n1,2,3\n", { ...make({ y: "x" }), tests: [aliased] })
      assert.include(said, "it takes all columns of the source")
    })
  )

  live("but may be what a source's columns, a target's fields, and tables of an expression's own are called", () =>
    Effect.gen(function* () {
      const names = ["row", "field_0", "test_0", "lume_row", "staged", "numbered", "computed", "source", "target", "c0"]
      const own = "(WITH staged AS (SELECT 7 AS x), numbered AS (FROM staged) SELECT sum(x) FROM numbered)"
      const lines = yield* mapped(
        `${names.join(",")}\n${names.map((_, index) => index).join(",")}\n`,
        make(
          { ...Object.fromEntries(names.map((name) => [name, `"${name}"`])), own },
          names.map((name, index) => [
            "X",
            name,
            `"${name}" = '${index}' AND (SELECT count(*) FROM target t WHERE t."${name}" = '${index}') = 1`
          ])
        )
      )
      assert.strictEqual(lines[1], [...names.keys(), 7].join())
    })
  )
})

describe("a subquery takes rows from nothing but what the expression is written for", () => {
  const source = "v,w\n1,a\n3,b\n"
  const allowed: ReadonlyArray<readonly [sql: string, values: string]> = [
    ['(SELECT max(v) FROM "SOURCE")', "3,3"],
    ["(SELECT max(s.v) FROM source s JOIN source t USING (v), (SELECT 1) WHERE s.v = source.v)", "1,3"],
    ["(SELECT max(x) FROM (VALUES (v), ('2')) AS t(x))", "2,3"],
    ["(SELECT max(b) FROM (UNPIVOT source ON v, w INTO NAME a VALUE b))", "b,b"],
    ["(SELECT count(*) FROM (DESCRIBE source))", "2,2"],
    ["(SELECT max(x) FROM unnest([v, '2']) AS t(x))", "2,3"],
    ["(SELECT max(x) FROM range(v::INT) AS t(x))", "0,2"],
    ["(SELECT max(x) FROM system.main.generate_series(1, v::INT) AS t(x))", "1,3"],
    ["(SELECT max(key) FROM json_each(json_object(w, v)))", "a,b"],
    ["(SELECT count(*) FROM json_tree('{\"a\":[1]}'))", "3,3"],
    ["(SELECT count(*) FROM repeat('x', 3))", "3,3"],
    ["(SELECT count(*) FROM repeat_row('x', num_rows = 3))", "3,3"],
    [
      '(WITH t AS (SELECT 1 AS n), u AS MATERIALIZED (SELECT n + 1 AS n FROM T) SELECT sum(n) FROM (FROM t UNION ALL FROM "U"))',
      "3,3"
    ],
    ["(WITH duckdb_tables AS (SELECT 1 AS n) SELECT (SELECT n FROM duckdb_tables))", "1,1"],
    ["(WITH source AS (SELECT v || '!' AS v FROM source) SELECT max(v) FROM source)", "3!,3!"],
    ["(WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 3) SELECT max(n) FROM t)", "3,3"],
    [
      "(WITH RECURSIVE t(n, m) USING KEY (n) AS (SELECT 1, 1 UNION SELECT n, m + 1 FROM recurring.t WHERE m < 3) SELECT max(m) FROM t)",
      "3,3"
    ]
  ]

  live("which are source, tables of its own, and functions of its arguments", () =>
    Effect.gen(function* () {
      for (const [sql, values] of allowed)
        assert.strictEqual((yield* mapped(source, make({ x: sql }))).slice(1).join(), values, sql)
    })
  )

  live("and in a test also target", () =>
    Effect.gen(function* () {
      const test = ["X", "x", "(SELECT count(*) FROM target) = (SELECT count(*) FROM source)"] as const
      assert.deepStrictEqual(yield* mapped(source, make({ x: "v" }, [test])), ["x", "1", "3"])
      for (const table of ["main.target", "sauce"])
        assert.include(
          yield* refused(source, make({ x: "v" }, [["X", "x", `(SELECT count(*) FROM ${table}) = 2`]])),
          `there is no table "${table}". The table of the target's rows is called target.`
        )
    })
  )

  const tables: ReadonlyArray<readonly [sql: string, table: string]> = [
    ["(SELECT count(*) FROM target)", "target"],
    ["(SELECT count(*) FROM main.source)", "main.source"],
    ["(SELECT count(*) FROM memory.main.source)", "memory.main.source"],
    ["(SELECT count(*) FROM Duckdb_Tables)", "Duckdb_Tables"],
    ["(SELECT count(*) FROM information_schema.columns)", "information_schema.columns"],
    ["(SELECT count(*) FROM '/etc/passwd')", "/etc/passwd"],
    ["(SELECT count(*) FROM source s, s.v)", "s.v"],
    ["(SELECT count(*) FROM (DESCRIBE sqlite_master))", "sqlite_master"],
    ["(WITH pg_class AS (FROM pg_class) SELECT count(*) FROM pg_class)", "pg_class"],
    ["(WITH a AS (FROM pg_class), pg_class AS (SELECT 1) SELECT count(*) FROM a)", "pg_class"],
    ["(WITH pg_class AS (SELECT 1) SELECT count(*) FROM pg_class) + (SELECT count(*) FROM pg_class)", "pg_class"],
    ["(WITH a AS (WITH pg_class AS (SELECT 1) FROM pg_class) SELECT count(*) FROM pg_class)", "pg_class"],
    [
      "(WITH RECURSIVE pg_class AS (SELECT 1 FROM pg_class UNION FROM pg_class) SELECT count(*) FROM pg_class)",
      "pg_class"
    ],
    ["(WITH t AS (SELECT 1) SELECT count(*) FROM main.t)", "main.t"]
  ]

  live("no other table", () =>
    Effect.gen(function* () {
      for (const [sql, table] of tables)
        assert.include(
          yield* refused(source, make({ x: sql })),
          `there is no table "${table}". The table of the source's rows is called source.`,
          sql
        )
      for (const what of ["TABLES", "ALL TABLES", "TABLES FROM main", "DATABASES"])
        assert.include(
          yield* refused(source, make({ x: `(SELECT count(*) FROM (SHOW ${what}))` })),
          "it asks which tables there are. The table of the source's rows is called source."
        )
    })
  )

  const functions: ReadonlyArray<readonly [call: string, name: string]> = [
    ["histogram('sta' || 'ged', c0)", "histogram"],
    ["histogram_values('sta' || 'ged', c0)", "histogram_values"],
    ["duckdb_tables()", "duckdb_tables"],
    ['system.main."DuckDB_Columns"()', "duckdb_columns"],
    ["pragma_table_info('sta' || 'ged')", "pragma_table_info"],
    ["pragma_storage_info('sta' || 'ged')", "pragma_storage_info"],
    ["duckdb_settings()", "duckdb_settings"],
    ["duckdb_logs_parsed('FileSystem')", "duckdb_logs_parsed"],
    ["enable_logging()", "enable_logging"],
    ["read_csv('/etc/passwd')", "read_csv"],
    ["read_text('../*')", "read_text"],
    ["glob('/**')", "glob"],
    ["sql_auto_complete('FROM ')", "sql_auto_complete"],
    ["test_all_types()", "test_all_types"],
    ["current_setting('temp_directory')", "current_setting"]
  ]

  live("no other function", () =>
    Effect.gen(function* () {
      for (const [call, name] of functions)
        assert.include(
          yield* refused(source, make({ x: `(SELECT count(*) FROM ${call})` })),
          `it takes rows from ${name}(…). The functions that may stand in FROM are unnest, range, generate_series, json_each, json_tree, repeat and repeat_row.`
        )
    })
  )

  live("and no function tells of the machine, or of the SQL around the expression", () =>
    Effect.gen(function* () {
      const macros = yield* query(
        "SELECT DISTINCT function_name AS name, len(parameters)::INT AS width FROM duckdb_functions() WHERE function_type = 'macro' AND regexp_matches(macro_definition, ' FROM (duckdb|pragma)_')"
      )
      assert.isAbove(macros.length, 2)
      const calls = macros.map(
        ({ name, width }) => `${String(name)}(${Array.from({ length: Number(width) }, () => 0).join()})`
      )
      for (const call of [
        "current_setting('temp_directory')",
        "system.main.Current_Setting('allowed_directories')",
        "list_transform([1], lambda x: current_setting('threads'))",
        "current_query()",
        "(SELECT max(json_serialize_plan('FROM sta' || 'ged')))",
        ...calls
      ])
        assert.match(
          yield* refused(source, make({ x: call })),
          /it asks about DuckDB itself by [a-z_]+\(…\)\. Take it out/,
          call
        )
    })
  )
})

describe("an expression that fails on the data names the first record, and holds none of its values", () => {
  const source = ["name,amount", "Ada,1", '"Lovelace, Ada",2', "Grace,secret", "Alan,secret", ""].join("\n")
  const cases: ReadonlyArray<readonly [sql: string, says: string]> = [
    ["amount::INT", "The field \"x\" can't be computed for record 3: a value can't be converted"],
    ["strptime(amount, '%m')", "for record 3: a function can't take a value"],
    ["CASE WHEN amount = 'secret' THEN error(amount) END", "for record 3: a function can't take a value"],
    ["try_cast(amount AS INT) * 2000000000", "for record 2: a number is out of range"],
    ["sum(amount::INT) OVER ()", "The field \"x\" can't be computed: a value can't be converted"],
    ["DATE '2020-01-01'::BOOLEAN", "Unimplemented type for cast (DATE -> BOOLEAN)"]
  ]

  live("whatever the kind of failure", () =>
    Effect.gen(function* () {
      for (const [sql, says] of cases) {
        const message = yield* refused(source, make({ name: "name", x: sql, other: "amount" }))
        assert.include(message, says, sql)
        assert.notMatch(message.replace(sql, ""), /Lovelace|Ada|secret/, sql)
      }
    })
  )

  live("in a test, which is one of the target's fields", () =>
    Effect.gen(function* () {
      const message = yield* refused(
        source,
        make({ name: "name", amount: "amount" }, [["X", "name", "amount::INT > 0"]])
      )
      assert.include(message, 'The test "X" of the field "name" can\'t be computed for record 3')
      assert.notInclude(message, "secret")
    })
  )

  live("among many rows and fields", () =>
    Effect.gen(function* () {
      const lines = Array.from({ length: 30_000 }, (_, row) =>
        row === 23_456 || row === 29_999 ? "none" : String(row)
      )
      const fields = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`f${index}`, "v"]))
      const message = yield* refused(
        ["v", ...lines, ""].join("\n"),
        make({ ...fields, wrong: "v::INT", last: "v::DOUBLE" })
      )
      assert.include(message, 'The field "wrong" can\'t be computed for record 23457:')
    })
  )
})

describe("columns that differ only by case", () => {
  const source = "A,a,b\n1,2,3\n"

  live("are refused where a flow names one of them, or all", () =>
    Effect.gen(function* () {
      for (const sql of [
        "a",
        "A",
        '"a"',
        "source.A",
        "(SELECT max(a) FROM source)",
        "to_json(source)",
        "(SELECT count(*) FROM (FROM source))"
      ]) {
        assert.include(yield* refused(source, make({ x: "b", y: sql })), '"A", "a"', sql)
      }
    })
  )

  live("or not at all, are refused as well", () =>
    Effect.gen(function* () {
      const message = yield* refused("id,amount,amount\n1,2,3\n", make({ x: "amount" }))
      assert.include(message, 'the source has several columns "amount". Rename all but one of them in the source.')
    })
  )

  live("are no matter where a flow names neither, and are both in the rejects", () =>
    Effect.gen(function* () {
      const places = yield* folders({ "a.csv": `${source}1,2,0\n` })
      const outcome = yield* run(places, "a.csv", {
        flow: make({ b: "b", c: "list_transform([1], lambda a: a + 1)" }, [["ZERO", "b", "b <> '0'"]])
      })
      assert.strictEqual(yield* read(finished(outcome).results.targetLocations.mapped), "b,c\n3,[2]\n")
      assert.strictEqual(yield* rejects(outcome), "A,a,b,error_codes\n1,2,0,ZERO\n")
    })
  )
})

describe("a wide flow", () => {
  live("of 1,000 fields over 1,000 columns is computed, and the wrong one of them found", () =>
    Effect.gen(function* () {
      const columns = Array.from({ length: 1000 }, (_, index) => `column ${index}`)
      const source = `${columns.join(",")}\n${columns.map((_, index) => index).join(",")}\n`
      const fields = Object.fromEntries(columns.map((column, index) => [`field ${index}`, `"${column}"`]))
      const lines = yield* mapped(source, make(fields))
      assert.deepStrictEqual(
        lines[1]?.split(","),
        columns.map((_, index) => String(index))
      )
      assert.include(yield* refused(source, make({ ...fields, "field 777": "kolumn" })), 'The field "field 777"')
      assert.include(
        yield* refused(source, make({ ...fields, "field 777": "'x'::INT + \"column 1\"::INT" })),
        'The field "field 777"'
      )
    })
  )

  live("takes no more statements than a narrow one, and few more to find the wrong field", () =>
    Effect.gen(function* () {
      const methods = ["run", "runAndReadAll", "prepare"] as const
      const statements = (width: number, wrong: Readonly<Record<string, string>> = {}) =>
        Effect.acquireUseRelease(
          Effect.sync(() => methods.map((method) => vi.spyOn(DuckDBConnection.prototype, method))),
          (spies) =>
            Effect.gen(function* () {
              const columns = Array.from({ length: width }, (_, index) => `column ${index}`)
              const source = `${columns.join(",")}\n${columns.map((_, index) => index).join(",")}\n`
              const fields = Object.fromEntries(columns.map((column, index) => [`field ${index}`, `"${column}"`]))
              yield* run(yield* folders({ "a.csv": source }), "a.csv", { flow: make({ ...fields, ...wrong }) })
              return spies.reduce((sum, { mock }) => sum + mock.calls.length, 0)
            }),
          (spies) => Effect.sync(() => spies.forEach((spy) => spy.mockRestore()))
        )
      const narrow = yield* statements(2)
      assert.isAbove(narrow, 0)
      assert.strictEqual(yield* statements(1024), narrow)
      // Ten steps of halving, and a few to say what is wrong.
      assert.isAtMost(yield* statements(1024, { "field 777": "kolumn" }), narrow + 10 + 5)
      assert.isAtMost(yield* statements(1024, { "field 777": "'x'::INT + \"column 1\"::INT" }), narrow + 2 * (10 + 5))
    })
  )
})

describe("a Parquet source", () => {
  live("is computed from in place, whatever its columns are called", () =>
    Effect.gen(function* () {
      const places = yield* folders({})
      const file = path.join(places.sources, "a.parquet")
      const columns = 'range AS v, (range % 3)::INT AS g, range * 2 AS "rowid", -range AS "row"'
      yield* query(`COPY (SELECT ${columns} FROM range(10000)) TO '${file}' (ROW_GROUP_SIZE 2048)`)
      const flow = make({ v: "v", n: "row_number() OVER (PARTITION BY g ORDER BY v DESC)", r: "rowid", w: '"row"' }, [
        ["ODD", "v", "v % 2 = 0"]
      ])
      const outcome = yield* run(places, "a.parquet", { flow })
      const { mapped, rejects } = finished(outcome).results.targetLocations
      assert.deepStrictEqual(
        yield* query(
          `SELECT count(*)::INT AS n, count(*) FILTER (v % 2 = 0 AND r = 2 * v AND w = -v AND n = (9999 - v) // 3 + 1)::INT AS ok FROM '${mapped.replace("file://", "")}'`
        ),
        [{ n: 5000, ok: 5000 }]
      )
      assert(rejects._tag === "Some")
      assert.deepStrictEqual(
        yield* query(`SELECT * FROM '${rejects.value.replace("file://", "")}' LIMIT 2 OFFSET 4998`),
        [
          { v: "9997", g: 1, rowid: "19994", row: "-9997", error_codes: ["ODD"] },
          { v: "9999", g: 0, rowid: "19998", row: "-9999", error_codes: ["ODD"] }
        ]
      )
    })
  )
})
