/**
 * CPU time a poll: waits for a run with full metadata whose status only is looked at, over HTTP on loopback.
 */
import { fork } from "node:child_process"
import { alternate, finish, here, print, printSamples, ratio, startWorker } from "./harness.mjs"
import { names } from "./pollers.mjs"

const rounds = 7
const polls = 2_400
const warmUp = 6_000

const server = fork(here("server.mjs"))
const port = await new Promise((resolve) => server.once("message", resolve))
const workers = Object.fromEntries(
  names.map((name) => [name, startWorker("pollers.mjs", name, { args: [`http://127.0.0.1:${port}`] })])
)

for (const name of names) await workers[name].measure(warmUp)
const samples = await alternate({ names, rounds, measure: (name) => workers[name].measure(polls) })
for (const worker of Object.values(workers)) worker.stop()
server.kill()

print(`${rounds} rounds of ${polls} polls by each, after ${warmUp} to warm up\n`)
printSamples({ title: "poll", unit: "CPU µs", samples })

const compare = (/** @type {string} */ under, /** @type {"fetch" | "undici"} */ platform, most) => ({
  name: `effect-lume, ${platform} / ${under}`,
  value: ratio(samples, `effect-lume, ${platform}`, under),
  ...(most !== undefined && { most })
})

finish([
  ...["fetch", "undici"].flatMap((platform) => [
    compare(`HttpClient + timeoutFail, ${platform}`, platform, 1.15),
    compare(`HttpClient, ${platform}`, platform),
    compare(`hand-written, ${platform}`, platform),
    compare("axios", platform, 1),
    compare("core-lro, core-rest-pipeline", platform, 1),
    compare("openai", platform, 1)
  ]),
  compare("util-waiter, fetch", "fetch"),
  compare("core-lro, fetch", "fetch")
])
