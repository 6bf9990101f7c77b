/**
 * What the benches share: contenders in processes of their own, alternating rounds, medians, tables, verdicts.
 */
import { fork } from "node:child_process"
import { setTimeout as delay } from "node:timers/promises"
import { fileURLToPath } from "node:url"

/** @typedef {{ readonly min: number, readonly median: number, readonly max: number }} Spread */
/** @typedef {Record<string, ReadonlyArray<number>>} Samples One list a contender, one number a round. */

export const print = (line = "") => process.stdout.write(`${line}\n`)

/** @param {string} file in this folder */
export const here = (file) => fileURLToPath(new URL(file, import.meta.url))

/** @returns {Spread} */
export const spread = (/** @type {ReadonlyArray<number>} */ numbers) => {
  const sorted = numbers.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  const median = (sorted[Math.ceil(middle) - 1] + sorted[Math.floor(middle)]) / 2
  return { min: sorted[0], median, max: sorted[sorted.length - 1] }
}

/** The ratio of two contenders within each round, so that what slows a whole round down cancels out. */
export const ratio = (/** @type {Samples} */ samples, /** @type {string} */ over, /** @type {string} */ under) =>
  spread(samples[over].map((value, round) => value / samples[under][round]))

/**
 * Measures each contender once a round. Every other round goes backwards, so that none always follows the same.
 *
 * @param {{ readonly names: ReadonlyArray<string>, readonly rounds: number, readonly measure: (name: string) => Promise<number> }} plan
 * @returns {Promise<Samples>}
 */
export const alternate = async ({ measure, names, rounds }) => {
  /** @type {Record<string, Array<number>>} */
  const samples = Object.fromEntries(names.map((name) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) samples[name].push(await measure(name))
  }
  return samples
}

/**
 * A contender in a process of its own, so that none pays for another's garbage or type feedback.
 *
 * @param {string} module the file in this folder that exports `contenders`
 * @param {string} name the contender
 * @param {{ readonly args?: ReadonlyArray<string>, readonly execArgv?: ReadonlyArray<string>, readonly execPath?: string }} options
 */
export const startWorker = (module, name, { args = [], execArgv = [], execPath = process.execPath } = {}) => {
  const child = fork(here("worker.mjs"), [module, name, ...args], { execPath, execArgv: ["--expose-gc", ...execArgv] })
  return {
    /** @returns {Promise<any>} */
    measure: (/** @type {unknown} */ task) =>
      new Promise((resolve, reject) => {
        const left = (/** @type {number | null} */ code) => reject(new Error(`${name} ended with ${code}`))
        child.once("exit", left)
        child.once("message", (result) => {
          child.off("exit", left)
          resolve(result)
        })
        child.send(task)
      }),
    stop: () => child.kill()
  }
}

/** CPU time of this process, all of its threads, while `work` runs; in microseconds. */
export const cpuOf = async (/** @type {() => unknown} */ work) => {
  const before = process.cpuUsage()
  await work()
  const { system, user } = process.cpuUsage(before)
  return user + system
}

/** Collects garbage until nothing more comes of it, and gives the size of the heap. */
export const settledHeap = async () => {
  for (let i = 0; i < 3; i++) {
    global.gc?.()
    await delay(20)
  }
  global.gc?.()
  return process.memoryUsage().heapUsed
}

// ---------------------------------------------------------------------------------------------------------------------
// Printing

/** @param {ReadonlyArray<string>} head @param {ReadonlyArray<ReadonlyArray<string>>} rows */
export const printTable = (head, rows) => {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column].length)))
  const line = (/** @type {ReadonlyArray<string>} */ cells) =>
    `| ${cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join(" | ")} |`
  print(line(head))
  print(`|${widths.map((width, column) => "-".repeat(width + 1) + (column === 0 ? "-" : ":")).join("|")}|`)
  for (const row of rows) print(line(row))
  print()
}

export const number = (/** @type {number} */ value, digits = 2) => value.toFixed(digits)

/** @param {Spread} values */
export const cells = ({ max, median, min }, digits = 2) => [
  number(median, digits),
  `${number(min, digits)} – ${number(max, digits)}`
]

/** @param {{ readonly title: string, readonly unit: string, readonly samples: Samples, readonly digits?: number }} table */
export const printSamples = ({ digits = 1, samples, title, unit }) =>
  printTable(
    [title, `${unit}, median`, "min – max"],
    Object.entries(samples).map(([name, values]) => [name, ...cells(spread(values), digits)])
  )

/**
 * Prints every ratio with what it must reach, and all of them as JSON on the last line.
 *
 * @param {ReadonlyArray<{ readonly name: string, readonly value: number | Spread, readonly most?: number }>} results
 */
export const finish = (results) => {
  const median = (/** @type {number | Spread} */ value) => (typeof value === "number" ? value : value.median)
  printTable(
    ["ratio", "median", "min – max", "must reach", ""],
    results.map(({ most, name, value }) => [
      name,
      ...(typeof value === "number" ? [number(value, 3), ""] : cells(value, 3)),
      most === undefined ? "" : `≤ ${most}`,
      most === undefined ? "" : median(value) <= most ? "met" : "missed"
    ])
  )
  print(JSON.stringify(Object.fromEntries(results.map(({ name, value }) => [name, Number(median(value).toFixed(3))]))))
}
