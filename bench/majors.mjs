/**
 * Both lines, on Effect 3 and on Effect 4, alternately and on the same Node: the one that the tests of the Effect 4 line run
 * on. CPU time a poll and a read of an answer, what an idle wait costs, and how large the package's own code is. Needs the
 * tree of `npm run effect-4`.
 */
import { bundle, core, effectModules, whole } from "./bundles.mjs"
import { alternate, finish, here, print, printSamples, printTable, ratio, spread, startWorker } from "./harness.mjs"
import { roots } from "./lines.mjs"
import { onEffect4 } from "./pollers.mjs"
import { polls, startPolls, warmUp } from "./polls.mjs"

const rounds = 5
const execPath = here("../effect-4/node_modules/node/bin/node")

// ---------------------------------------------------------------------------------------------------------------------
// Polls

const onEffect3 = "effect-lume, fetch"
const byHand = "hand-written, fetch"

const { measure, stop } = await startPolls({ execPath })
const poll = await alternate({ names: [onEffect3, onEffect4, byHand], rounds, measure })
stop()
print(`${rounds} rounds of ${polls} polls by each, in a new process, after ${warmUp} to warm up\n`)
printSamples({ title: "poll", unit: "CPU µs", samples: poll })

// ---------------------------------------------------------------------------------------------------------------------
// Idle waits

const waits = 10_000
const idlers = ["effect-lume", "effect-lume 2.x", "floor", "floor 2.x"]

/** @type {Record<string, Array<number>>} */
const heap = Object.fromEntries(idlers.map((name) => [name, []]))
const cpu = await alternate({
  names: idlers,
  rounds,
  measure: async (name) => {
    const worker = startWorker("idlers.mjs", name, { execPath, execArgv: ["--max-old-space-size=8192"] })
    const result = await worker.measure({ waits, polls: 100_000 })
    worker.stop()
    heap[name].push(result.heap)
    return result.cpu
  }
})
print(`${rounds} rounds of ${waits} waits by each, in a new process\n`)
printSamples({ title: "heap", unit: "kB a wait", samples: heap, digits: 2 })
printSamples({ title: "CPU", unit: "µs a poll", samples: cpu, digits: 2 })

// ---------------------------------------------------------------------------------------------------------------------
// Reading an answer

const texts = 20_000
const readers = [
  "envelope, effect-lume",
  "envelope, effect-lume 2.x",
  "metadata, effect-lume",
  "metadata, effect-lume 2.x"
]
const workers = Object.fromEntries(readers.map((name) => [name, startWorker("decoders.mjs", name, { execPath })]))
for (const name of readers) await workers[name].measure(texts)
const decode = await alternate({ names: readers, rounds, measure: (name) => workers[name].measure(texts) })
for (const worker of Object.values(workers)) worker.stop()
print(`${rounds} rounds of ${texts} texts by each\n`)
printSamples({ title: "decode", unit: "CPU µs", samples: decode, digits: 2 })

// ---------------------------------------------------------------------------------------------------------------------
// The package's own code, beside the modules of Effect that it imports

const own = async (/** @type {string} */ root) => {
  const effect = whole(await effectModules(root))
  const [alone, together] = [await bundle(root, effect), await bundle(root, `${effect}\n${core}`)]
  return { gzip: together.gzip - alone.gzip, minified: together.minified - alone.minified }
}
const sizes = { "1.x": await own(roots["1.x"]), "2.x": await own(roots["2.x"]) }
printTable(
  ["own code", "minified bytes", "gzip bytes"],
  Object.entries(sizes).map(([line, { gzip, minified }]) => [line, String(minified), String(gzip)])
)

finish([
  { name: "poll: 2.x / 1.x", value: ratio(poll, onEffect4, onEffect3), most: 0.65 },
  { name: "poll: 2.x / hand-written", value: ratio(poll, onEffect4, byHand), most: 1.35 },
  { name: "idle: kB a wait of 2.x", value: spread(heap["effect-lume 2.x"]), most: 3.5 },
  { name: "idle: CPU of 2.x / 1.x", value: ratio(cpu, "effect-lume 2.x", "effect-lume"), most: 0.4 },
  { name: "idle: heap of 2.x / its floor", value: ratio(heap, "effect-lume 2.x", "floor 2.x") },
  { name: "idle: CPU of 2.x / its floor", value: ratio(cpu, "effect-lume 2.x", "floor 2.x") },
  { name: "envelope: 2.x / 1.x", value: ratio(decode, readers[1], readers[0]) },
  { name: "metadata: 2.x / 1.x", value: ratio(decode, readers[3], readers[2]) },
  { name: "own code, gzip: 2.x / 1.x", value: sizes["2.x"].gzip / sizes["1.x"].gzip, most: 1 }
])
