/**
 * CPU time to read an answer: the envelope alone, and with the metadata of a finished run; and what each is of a whole
 * poll over Fetch, which is measured in the same rounds.
 */
import { alternate, finish, number, print, printSamples, ratio, spread, startWorker } from "./harness.mjs"
import { names } from "./decoders.mjs"
import { startPolls } from "./polls.mjs"

const rounds = 9
const times = 50_000

const workers = Object.fromEntries(names.map((name) => [name, startWorker("decoders.mjs", name)]))
for (const name of names) await workers[name].measure(times)
const poll = "effect-lume, fetch"
const polls = await startPolls()
const samples = await alternate({
  names: [...names, poll],
  rounds,
  measure: (name) => (name === poll ? polls.measure(name) : workers[name].measure(times))
})
for (const worker of Object.values(workers)) worker.stop()
polls.stop()

print(`${rounds} rounds of ${times} texts by each; every contender begins with JSON.parse of the text.`)
print(`"${poll}" is one whole poll, which reads the envelope\n`)
printSamples({ title: "decode", unit: "CPU µs", samples, digits: 2 })

const parse = samples["JSON.parse"]
const limit = parse.map((value) => 1.5 * value + 2)
/** What is left of a contender without the parsing of the text. */
const work = (/** @type {string} */ name) => samples[name].map((value, round) => value - parse[round])
const metadata = { lume: work("metadata, effect-lume"), zod: work("metadata, zod"), valibot: work("metadata, valibot") }

print(`Allowed to the envelope, 1.5 JSON.parse + 2 µs: ${number(spread(limit).median)} µs\n`)
finish([
  {
    name: "a finished run, metadata and all / a poll over Fetch",
    value: ratio(samples, "metadata, effect-lume", poll),
    most: 0.15
  },
  { name: "envelope: effect-lume / a poll over Fetch", value: ratio(samples, "envelope, effect-lume", poll) },
  {
    name: "envelope: effect-lume / (1.5 JSON.parse + 2 µs)",
    value: ratio({ ...samples, limit }, "envelope, effect-lume", "limit"),
    most: 1
  },
  { name: "envelope: effect-lume / JSON.parse", value: ratio(samples, "envelope, effect-lume", "JSON.parse") },
  { name: "envelope: effect-lume / zod", value: ratio(samples, "envelope, effect-lume", "envelope, zod") },
  { name: "envelope: effect-lume / valibot", value: ratio(samples, "envelope, effect-lume", "envelope, valibot") },
  { name: "metadata: effect-lume / zod", value: ratio(samples, "metadata, effect-lume", "metadata, zod"), most: 3 },
  { name: "metadata: effect-lume / valibot", value: ratio(samples, "metadata, effect-lume", "metadata, valibot") },
  { name: "metadata, without parsing: effect-lume / zod", value: ratio(metadata, "lume", "zod"), most: 3 },
  { name: "metadata, without parsing: effect-lume / valibot", value: ratio(metadata, "lume", "valibot") }
])
