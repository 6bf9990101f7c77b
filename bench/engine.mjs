/**
 * The local engine beside the same SQL by hand in the DuckDB Node API: time and peak memory for 1 and 5 million rows of
 * CSV with quotes and for 3 million rows of Parquet; and how long sources of very many columns take. `node engine.mjs
 * parquet wide` runs some of the parts.
 */
import { once } from "node:events"
import { copyFileSync, createWriteStream, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { names } from "./engines.mjs"
import { alternate, finish, here, print, printSamples, ratio, spread, startWorker } from "./harness.mjs"

const rounds = Number(process.env.ROUNDS ?? 5)
const folder = mkdtempSync(join(tmpdir(), "lume-bench-"))

// ---------------------------------------------------------------------------------------------------------------------
// Sources and flows

const people = ["Lovelace, Ada", "Alan Turing", 'Hopper, Grace ""Amazing""', "Babbage", "Curie, Marie", "Noether"]

/** A CSV file of invoices, three in a hundred of them wrong; the same each time. */
const writeInvoices = async (/** @type {string} */ file, /** @type {number} */ rows) => {
  const out = createWriteStream(file)
  let seed = 12345
  const random = (/** @type {number} */ below) => {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff
    return (seed >> 8) % below
  }
  let text = "Id,Date,Name,Amount,Category,Note\n"
  for (let id = 1; id <= rows; id++) {
    const date = random(50) === 0 ? "yesterday" : `${1 + random(28)}.${1 + random(12)}.${2000 + random(25)}`
    const amount = random(100) === 0 ? "n/a" : `${random(100_000)}.${String(random(100)).padStart(2, "0")}`
    text += `${id},${date},"${people[random(6)]}",${amount},c${random(20)},"a note, ${random(1000)} ""quoted"" text"\n`
    if (text.length > 2 ** 20) {
      if (!out.write(text)) await once(out, "drain")
      text = ""
    }
  }
  out.end(text)
  await once(out, "finish")
}

const invoices = {
  fields: {
    invoice: "try_cast(Id AS INTEGER)",
    issued_on: "try_strptime(\"Date\", '%d.%m.%Y')::DATE",
    customer: "trim(Name)",
    total: "try_cast(Amount AS DECIMAL(12, 2))",
    kind: "upper(Category)",
    remark: "Note"
  },
  tests: [
    { error_code: "DATE_INVALID", field: "issued_on", check: "issued_on IS NOT NULL" },
    { error_code: "AMOUNT_INVALID", field: "total", check: "total IS NOT NULL" }
  ]
}

const flights = {
  fields: {
    flown_at: "date",
    late_by: "delay::INTEGER",
    kilometres: "distance * 1.609",
    from_airport: "lower(origin)",
    to_airport: "destination"
  },
  tests: [
    { error_code: "LATE", field: "late_by", check: "late_by < 60" },
    { error_code: "SHORT", field: "kilometres", check: "kilometres > 200" }
  ]
}

/** Names of as many columns. */
const columnsOf = (/** @type {number} */ width) => Array.from({ length: width }, (_, index) => `column_${index}`)

/** A flow with a field for each column. */
const wideFlow = (/** @type {ReadonlyArray<string>} */ columns) => ({
  fields: Object.fromEntries(
    columns.map((column, index) => [`field_${index}`, index % 2 === 0 ? column : `upper(${column})`])
  ),
  tests: [{ error_code: "SEVENTH", field: "field_1", check: "field_1 NOT LIKE '%7.1'" }]
})

// ---------------------------------------------------------------------------------------------------------------------
// Measuring

/** One task by one contender in a new process, so that the peak of its memory is its own. */
const measure = async (/** @type {string} */ name, /** @type {unknown} */ task) => {
  const worker = startWorker("engines.mjs", name)
  const result = await worker.measure(task)
  worker.stop()
  return result
}

/** @type {Array<{ name: string, value: any, most?: number }>} */
const results = []

/** Time and peak memory of the engine by those of the same by hand. */
const compare = async (
  /** @type {string} */ title,
  /** @type {unknown} */ task,
  /** @type {{ readonly time?: number, readonly memory?: number }} */ most
) => {
  /** @type {Record<string, Array<number>>} */
  const memory = Object.fromEntries(names.map((name) => [name, []]))
  const time = await alternate({
    names,
    rounds,
    measure: async (name) => {
      const { error, megabytes, seconds } = await measure(name, task)
      if (error !== undefined) throw new Error(error)
      memory[name].push(megabytes)
      return seconds
    }
  })
  printSamples({ title, unit: "s", samples: time, digits: 2 })
  printSamples({ title, unit: "peak MB", samples: memory, digits: 0 })
  results.push({ name: `${title}: time`, value: ratio(time, "effect-lume", "by hand"), most: most.time })
  results.push({ name: `${title}: peak memory`, value: ratio(memory, "effect-lume", "by hand"), most: most.memory })
}

/** How long the engine takes for one file by several flows, in seconds. */
const time = async (
  /** @type {string} */ title,
  /** @type {string} */ file,
  /** @type {Record<string, { readonly flow: unknown, readonly fails?: boolean }>} */ flows,
  /** @type {number} */ most
) => {
  const samples = await alternate({
    names: Object.keys(flows),
    rounds,
    measure: async (name) => {
      const { fails = false, flow } = flows[name]
      const { error, seconds } = await measure("effect-lume", { file, flow })
      if ((error !== undefined) !== fails) throw new Error(error ?? "a wrong field was computed")
      return seconds
    }
  })
  printSamples({ title, unit: "s", samples, digits: 2 })
  for (const name of Object.keys(flows)) {
    results.push({ name: `${title}, ${name}: s`, value: spread(samples[name]), most })
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// The parts

const csv = async (/** @type {number} */ rows, /** @type {string} */ title) => {
  const file = join(folder, "invoices.csv")
  await writeInvoices(file, rows)
  await compare(title, { file, flow: invoices }, { time: 1.2, memory: 1.5 })
  rmSync(file)
}

const parquet = async () => {
  const file = join(folder, "flights.parquet")
  copyFileSync(here("../node_modules/vega-datasets/data/flights-3m.parquet"), file)
  await compare("3 million rows of Parquet", { file, flow: flights }, { time: 1.3, memory: 1.5 })
}

/** A field for each of very many columns, and the same with one field that names no column. */
const wide = async (/** @type {number} */ width, /** @type {number} */ most) => {
  const columns = columnsOf(width)
  const file = join(folder, "wide.csv")
  const rows = Array.from({ length: 100 }, (_, row) => columns.map((_, index) => `${row}.${index}`).join(","))
  writeFileSync(file, [columns.join(","), ...rows, ""].join("\n"))
  const flow = wideFlow(columns)
  const wrong = { ...flow, fields: { ...flow.fields, [`field_${width - 10}`]: "kolumn" } }
  const flows = { "all fields right": { flow }, "one field wrong": { flow: wrong, fails: true } }
  await time(`${width.toLocaleString("en")} columns, as many fields`, file, flows, most)
}

/** Records of very many keys. */
const writeRecords = (/** @type {ReadonlyArray<string>} */ columns, /** @type {number} */ rows) => {
  const file = join(folder, "records.json")
  const record = (/** @type {number} */ row) =>
    Object.fromEntries(columns.map((column, index) => [column, index % 2 === 0 ? row * index : `v${row}.${index}`]))
  writeFileSync(file, `[${Array.from({ length: rows }, (_, row) => JSON.stringify(record(row))).join(",\n")}]\n`)
  return file
}

const json = async () => {
  const thousand = columnsOf(1000)
  await compare(
    "1,000 keys, 10,000 records",
    { file: writeRecords(thousand, 10_000), flow: wideFlow(thousand.slice(0, 10)) },
    { time: 1 }
  )
  const many = columnsOf(9074)
  const flows = { "ten fields": { flow: wideFlow(many.slice(0, 10)) }, "a field for each": { flow: wideFlow(many) } }
  await time("9,074 keys, 200 records", writeRecords(many, 200), flows, 3)
}

const parts = {
  csv: () => csv(1_000_000, "1 million rows of CSV"),
  large: () => csv(5_000_000, "5 million rows of CSV"),
  parquet,
  json,
  wide: async () => {
    await wide(1000, 1)
    await wide(9074, 5)
  }
}

const chosen = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(parts)
print(`${rounds} rounds, each contender in a new process\n`)
try {
  for (const part of chosen) await parts[part]()
  finish(results)
} finally {
  rmSync(folder, { recursive: true })
}
