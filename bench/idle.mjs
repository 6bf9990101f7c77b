/**
 * What a wait costs while nothing happens: heap while it sleeps, CPU time a poll, for 1,000 to 100,000 of them.
 */
import { alternate, finish, number, print, printSamples, ratio, startWorker } from "./harness.mjs"
import { names, wholeClient } from "./idlers.mjs"

const rounds = 5
const counts = [1_000, 10_000, 100_000]
const format = (/** @type {number} */ count) => count.toLocaleString("en")

/** @returns {Promise<{ heap: number, cpu: number }>} */
const measure = async (/** @type {string} */ name, /** @type {number} */ waits, /** @type {number} */ polls) => {
  const worker = startWorker("idlers.mjs", name, { execArgv: ["--max-old-space-size=8192"] })
  const result = await worker.measure({ waits, polls })
  worker.stop()
  return result
}

/** @type {Record<string, { heap: Record<string, Array<number>>, cpu: import("./harness.mjs").Samples }>} */
const measured = {}
print(`${rounds} rounds, each contender in a new process\n`)
for (const waits of counts) {
  const heap = Object.fromEntries(names.map((name) => [name, /** @type {Array<number>} */ ([])]))
  const cpu = await alternate({
    names,
    rounds,
    measure: async (name) => {
      const result = await measure(name, waits, Math.max(100_000, 2 * waits))
      heap[name].push(result.heap)
      return result.cpu
    }
  })
  measured[waits] = { heap, cpu }
  printSamples({ title: `heap, ${format(waits)} waits`, unit: "kB a wait", samples: heap, digits: 2 })
  printSamples({ title: `CPU, ${format(waits)} waits`, unit: "µs a poll", samples: cpu, digits: 2 })
}
const whole = await measure(wholeClient, 10_000, 20_000)
print(`${wholeClient}, 10,000 waits: ${number(whole.heap)} kB a wait, ${number(whole.cpu)} µs a poll\n`)

const most = { heap: 1.2, cpu: 1.35 }
const toFloor = (/** @type {"heap" | "cpu"} */ what, /** @type {number} */ waits) =>
  ratio(measured[waits][what], "effect-lume", "floor")

finish(
  ["heap", "cpu"].flatMap((what) => [
    ...counts.map((waits) => ({
      name: `${what}, ${format(waits)} waits: effect-lume / floor`,
      value: toFloor(what, waits),
      most: most[what]
    })),
    {
      name: `${what}: the ratio at 100,000 / at 10,000`,
      value: toFloor(what, 100_000).median / toFloor(what, 10_000).median,
      most: 1.05
    },
    ...names.slice(2).map((name) => ({
      name: `${what}, 10,000 waits: effect-lume / ${name}`,
      value: ratio(measured[10_000][what], "effect-lume", name)
    }))
  ])
)
