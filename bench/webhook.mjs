/**
 * Webhooks: verifications a second against other libraries, and waits that are woken by events against waits that poll.
 *
 * The waits are as in production, a poll every 5 s against a slow one every 5 minutes, for runs that take 4 to 5 minutes;
 * both at the same time, in a process each. Requests are answered in memory.
 */
import { alternate, finish, number, print, printSamples, printTable, ratio, spread, startWorker } from "./harness.mjs"

const rounds = 7
const verifications = 20_000
const fromConfig = "effect-lume, secrets from a Config"
const verifiers = ["effect-lume", fromConfig, "octokit, web build", "octokit, Node build", "standardwebhooks"]
const workers = Object.fromEntries(verifiers.map((name) => [name, startWorker("verifiers.mjs", name)]))
for (const name of verifiers) await workers[name].measure(5_000)
const samples = await alternate({
  names: verifiers,
  rounds,
  measure: async (name) => verifications / (await workers[name].measure(verifications))
})
for (const worker of Object.values(workers)) worker.stop()

print(`${rounds} rounds of ${verifications} verifications of a 1 kB body, one after the other, the key imported once\n`)
printSamples({ title: "verify", unit: "verifications a second", samples, digits: 0 })

const waits = 10_000
const measureWaits = async (/** @type {string} */ name) => {
  const worker = startWorker("waiters.mjs", name)
  const result = await worker.measure(waits)
  worker.stop()
  return result
}
const [polling, events] = await Promise.all(["polling every 5 s", "woken by events"].map(measureWaits))

print(`${waits} waits at once for runs of 4 to 5 minutes\n`)
printTable(
  ["wait", "requests", "CPU s", "resumed after, median ms", "p99 ms"],
  [polling, events].map(({ cpu, late, name, requests }) => [
    name,
    String(requests),
    number(cpu / 1e6, 1),
    number(spread(late).median, 1),
    number(late.toSorted((a, b) => a - b)[Math.floor(late.length * 0.99)], 1)
  ])
)

finish([
  {
    name: "verifications: octokit, web build / effect-lume",
    value: ratio(samples, "octokit, web build", "effect-lume"),
    most: 1
  },
  {
    name: "verifications: octokit, Node build / effect-lume",
    value: ratio(samples, "octokit, Node build", "effect-lume")
  },
  { name: `verifications: effect-lume / ${fromConfig}`, value: ratio(samples, "effect-lume", fromConfig) },
  { name: "verifications: standardwebhooks / effect-lume", value: ratio(samples, "standardwebhooks", "effect-lume") },
  { name: "requests: woken by events / polling", value: events.requests / polling.requests, most: 0.05 },
  { name: "CPU: woken by events / polling", value: events.cpu / polling.cpu }
])
