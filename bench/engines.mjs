/**
 * Who transforms a file: the local engine, and the same SQL by hand in the DuckDB Node API, as one would write it who
 * needs nothing but the result: a staged table and two COPYs. Each gives its time and its process's peak memory.
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { DuckDBInstance } from "@duckdb/node-api"
import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync } from "node:fs"
import { basename, dirname, extname, join } from "node:path"
import * as LocalEngine from "../dist/local/LocalEngine.js"

/**
 * @typedef {{ readonly fields: Record<string, string>, readonly tests: ReadonlyArray<{ readonly error_code: string, readonly field: string, readonly check: string }> }} Flow
 * @typedef {{ readonly file: string, readonly flow: Flow }} Task
 * @typedef {{ readonly seconds: number, readonly megabytes: number, readonly status?: string, readonly error?: string }} Measured
 */

/** @returns {Promise<Measured>} */
const measured = async (/** @type {() => Promise<any>} */ work) => {
  const start = performance.now()
  const more = await work()
  const seconds = (performance.now() - start) / 1000
  return { seconds, megabytes: process.resourceUsage().maxRSS / 1024, ...more }
}

/** @param {Task} task */
const withEngine = ({ file, flow }) => {
  const targets = mkdtempSync(join(dirname(file), "targets-"))
  const job = { runId: "run", sources: dirname(file), sourcePath: basename(file), targets }
  return measured(async () => {
    const run = LocalEngine.run({ ...job, flow: { name: "bench", version: "v1", ...flow } })
    const { metadata, status } = await Effect.runPromise(Effect.provide(run, NodeFileSystem.layer))
    rmSync(targets, { recursive: true })
    return { status, error: metadata.errors[0]?.message }
  })
}

/** How each format is read, its codes are kept, and it is written. */
const formats = {
  ".csv": {
    read: (file) => `read_csv('${file}', all_varchar = true)`,
    codes: (list) => `array_to_string(${list}, ';')`,
    write: "FORMAT csv, HEADER"
  },
  ".json": { read: (file) => `read_json('${file}')`, codes: (list) => list, write: "FORMAT json, ARRAY" },
  ".parquet": { read: (file) => `read_parquet('${file}')`, codes: (list) => list, write: "FORMAT parquet" }
}

/** @param {Task} task */
const byHand = ({ file, flow: { fields, tests } }) => {
  const targets = mkdtempSync(join(dirname(file), "targets-"))
  const extension = extname(file)
  const { codes, read, write } = formats[extension]
  const names = Object.keys(fields)
  const computed = Object.entries(fields).map(([name, sql]) => `${sql} AS ${name}`)
  const passes = tests.map(({ check }) => `coalesce(${check}, false)`)
  const failed = tests.map(({ error_code }, index) => `CASE WHEN NOT ${passes[index]} THEN '${error_code}' END`)
  const errorCodes = codes(`list_filter([${failed}], lambda code: code IS NOT NULL)`)
  const mapped = `SELECT ${names} FROM (SELECT ${computed} FROM staged) WHERE ${passes.join(" AND ")}`
  const rejects =
    `SELECT * EXCLUDE (${names}), ${errorCodes} AS error_codes ` +
    `FROM (SELECT *, ${computed} FROM staged) WHERE NOT (${passes.join(" AND ")})`
  return measured(async () => {
    const instance = await DuckDBInstance.create(":memory:")
    const connection = await instance.connect()
    await connection.run(`CREATE TABLE staged AS SELECT * FROM ${read(file)}`)
    await connection.run(`COPY (${mapped}) TO '${join(targets, `mapped${extension}`)}' (${write})`)
    await connection.run(`COPY (${rejects}) TO '${join(targets, `rejects${extension}`)}' (${write})`)
    connection.closeSync()
    instance.closeSync()
    rmSync(targets, { recursive: true })
    return {}
  })
}

export const names = ["effect-lume", "by hand"]

export const contenders = {
  "effect-lume": () => withEngine,
  "by hand": () => byHand
}
