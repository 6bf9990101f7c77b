/**
 * Ways to read the same answers, from text. `envelope` reads id, status and the caller's pairs and leaves Lume's
 * metadata as it came; `metadata` reads that too: each field checked, renamed to camelCase, times to `Date` or
 * `DateTime`, spans to milliseconds or `Duration`.
 */
import { cpuOf } from "./harness.mjs"
import { answer, runId } from "./fixtures.mjs"
import { load } from "./lines.mjs"

const texts = Array.from({ length: 64 }, (_, seed) => answer("SUCCEEDED", seed))

// ---------------------------------------------------------------------------------------------------------------------
// The same leaves for zod and valibot as effect-lume has: a number may be decimal text, a time may lack its zone

const decimal = /^\d+(\.\d+)?([eE][+-]?\d+)?$/
const toNumber = (/** @type {unknown} */ value) =>
  typeof value === "number" ? value : typeof value === "string" && decimal.test(value) ? Number(value) : Number.NaN
const isCount = (/** @type {unknown} */ value) => Number.isSafeInteger(toNumber(value)) && toNumber(value) >= 0
const isSeconds = (/** @type {unknown} */ value) => Number.isFinite(toNumber(value)) && toNumber(value) >= 0
const isRatio = (/** @type {unknown} */ value) => toNumber(value) >= 0 && toNumber(value) <= 1
const toMillis = (/** @type {unknown} */ value) => toNumber(value) * 1000

const instant = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d)(?::(\d\d)(?:[.,](\d+))?)?\s?(?:[Zz]|([+-])(\d\d):?(\d\d)?)?$/
const toTime = (/** @type {unknown} */ value) => {
  if (typeof value === "number") return value < 1e11 ? value * 1000 : value
  const match = typeof value === "string" ? instant.exec(value) : null
  if (match === null) return Number.NaN
  const [, date, time, second = "00", fraction = "", sign, hours = "0", minutes = "0"] = match
  const utc = `${date}T${time}:${second}.${fraction.slice(0, 3).padEnd(3, "0")}Z`
  const millis = Date.parse(utc)
  if (Number.isNaN(millis) || new Date(millis).toISOString() !== utc) return Number.NaN
  const offset = (Number(hours) * 60 + Number(minutes)) * 60_000
  return sign === undefined ? millis : sign === "+" ? millis - offset : millis + offset
}
const isTime = (/** @type {unknown} */ value) => !Number.isNaN(toTime(value))
const toDate = (/** @type {unknown} */ value) => new Date(toTime(value))

/** Lume's JSON to camelCase, whichever schema has accepted it and converted its leaves. */
const rename = (/** @type {any} */ { errors, pipeline, results, run, validation }) => ({
  run: { runId: run.run_id, flowVersion: run.flow_version, sourcePath: run.source_path, status: run.status },
  pipeline: {
    createdAt: pipeline.created_at,
    completedAt: pipeline.completed_at,
    duration: pipeline.duration_seconds,
    stages: {
      syncSource: pipeline.stages?.sync_source_seconds ?? null,
      transform: pipeline.stages?.transform_seconds ?? null,
      syncTarget: pipeline.stages?.sync_target_seconds ?? null
    }
  },
  results: {
    inputRows: results.input_rows,
    mappedRows: results.mapped_rows,
    rejectedRows: results.rejected_rows,
    targetLocations: { mapped: results.target_locations.mapped, rejects: results.target_locations.rejects ?? null }
  },
  validation: {
    testsExecuted: validation.tests_executed,
    testsFailed: validation.tests_failed,
    errorRate: validation.error_rate ?? 0,
    topErrors: (validation.top_errors ?? []).map((/** @type {any} */ error) => ({
      errorCode: error.error_code,
      field: error.field,
      count: error.count
    }))
  },
  errors: (errors ?? []).map((/** @type {any} */ error) => ({
    stage: error.stage,
    errorCode: error.error_code,
    message: error.message
  }))
})

/** @param {any} validation */
const isRateGiven = ({ error_rate, tests_executed }) => (error_rate ?? null) !== null || tests_executed === 0

/**
 * The same schema in either library.
 *
 * @param {any} library its constructors, under common names
 */
const makeSchemas = ({ absent, array, leaf, object, record, refine, string, nullable, transform, unknown }) => {
  const count = leaf(isCount, toNumber)
  const seconds = leaf(isSeconds, toMillis)
  const time = leaf(isTime, toDate)
  const metadata = transform(
    object({
      run: object({ run_id: string, flow_version: string, source_path: string, status: string }),
      pipeline: object({
        created_at: time,
        completed_at: time,
        duration_seconds: seconds,
        stages: absent(
          object({
            sync_source_seconds: absent(seconds),
            transform_seconds: absent(seconds),
            sync_target_seconds: absent(seconds)
          })
        )
      }),
      results: object({
        input_rows: count,
        mapped_rows: count,
        rejected_rows: count,
        target_locations: object({ mapped: string, rejects: absent(string) })
      }),
      validation: refine(
        object({
          tests_executed: count,
          tests_failed: count,
          error_rate: absent(leaf(isRatio, toNumber)),
          top_errors: absent(array(object({ error_code: string, field: string, count })))
        }),
        isRateGiven
      ),
      errors: absent(array(object({ stage: string, error_code: string, message: string })))
    }),
    rename
  )
  const envelope = object({ id: string, status: nullable(string), metadata: unknown, run_metadata: absent(record) })
  return { envelope, metadata }
}

const zodSchemas = async () => {
  const z = await import("zod")
  const { envelope, metadata } = makeSchemas({
    absent: (/** @type {any} */ schema) => schema.nullish(),
    array: z.array,
    leaf: (/** @type {any} */ is, /** @type {any} */ convert) => z.custom(is).transform(convert),
    object: z.object,
    record: z.record(z.string(), z.unknown()),
    refine: (/** @type {any} */ schema, /** @type {any} */ is) => schema.refine(is),
    string: z.string(),
    nullable: z.nullable,
    transform: (/** @type {any} */ schema, /** @type {any} */ convert) => schema.transform(convert),
    unknown: z.unknown()
  })
  return {
    envelope: (/** @type {unknown} */ json) => envelope.parse(json),
    metadata: (/** @type {unknown} */ json) => metadata.parse(json)
  }
}

const valibotSchemas = async () => {
  const v = await import("valibot")
  const { envelope, metadata } = makeSchemas({
    absent: v.nullish,
    array: v.array,
    leaf: (/** @type {any} */ is, /** @type {any} */ convert) => v.pipe(v.custom(is), v.transform(convert)),
    object: v.object,
    record: v.record(v.string(), v.unknown()),
    refine: (/** @type {any} */ schema, /** @type {any} */ is) => v.pipe(schema, v.check(is)),
    string: v.string(),
    nullable: v.nullable,
    transform: (/** @type {any} */ schema, /** @type {any} */ convert) => v.pipe(schema, v.transform(convert)),
    unknown: v.unknown()
  })
  return {
    envelope: (/** @type {unknown} */ json) => v.parse(envelope, json),
    metadata: (/** @type {unknown} */ json) => v.parse(metadata, json)
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Contenders: each reads one text

const lume = async (/** @type {boolean} */ withMetadata, /** @type {import("./lines.mjs").Line} */ line = "1.x") => {
  const Effect = await load[line]("effect/Effect")
  const { toRun } = await load[line]("./dist/client/answer.js")
  const { scrub } = await load[line]("./dist/client/apiKey.js")
  const scrubbing = scrub("lume_0123456789abcdef")
  const headers = { "content-type": "application/json" }
  return (/** @type {string} */ body) => {
    // done at once, so that it is an Exit or an Either already: `runSync` would add a fiber to each
    const { right: run } = valueOf(toRun({ status: 200, headers, body }, runId, scrubbing), Effect)
    return withMetadata ? valueOf(run.metadata, Effect).right : run
  }
}

/** @param {any} effect @param {any} Effect */
const valueOf = (effect, Effect) =>
  effect._tag === "Right" ? effect : { right: effect._tag === "Success" ? effect.value : Effect.runSync(effect) }

const peer = async (/** @type {any} */ schemas, /** @type {boolean} */ withMetadata) => {
  const { envelope, metadata } = await schemas()
  return (/** @type {string} */ text) => {
    const run = envelope(JSON.parse(text))
    return withMetadata ? metadata(run.metadata) : run
  }
}

/** @type {Record<string, () => Promise<(text: string) => any>>} */
const readers = {
  "JSON.parse": async () => (text) => JSON.parse(text),
  "envelope, effect-lume": () => lume(false),
  "envelope, zod": () => peer(zodSchemas, false),
  "envelope, valibot": () => peer(valibotSchemas, false),
  "metadata, effect-lume": () => lume(true),
  "metadata, zod": () => peer(zodSchemas, true),
  "metadata, valibot": () => peer(valibotSchemas, true)
}

export const names = Object.keys(readers)

/** Those of 2.x, which only `majors.mjs` has. */
const ofEffect4 = {
  "envelope, effect-lume 2.x": () => lume(false, "2.x"),
  "metadata, effect-lume 2.x": () => lume(true, "2.x")
}

export const contenders = Object.fromEntries(
  Object.entries({ ...readers, ...ofEffect4 }).map(([name, make]) => [
    name,
    async () => {
      const read = await make()
      let last
      return async (/** @type {number} */ times) => {
        global.gc?.()
        const cpu = await cpuOf(() => {
          for (let i = 0; i < times; i++) last = read(texts[i % texts.length])
        })
        if (last === undefined) throw new Error("nothing was read")
        return cpu / times
      }
    }
  ])
)
