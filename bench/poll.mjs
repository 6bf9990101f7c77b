/**
 * CPU time a poll: waits for a run with full metadata whose status only is looked at, over HTTP on loopback.
 */
import { fork } from "node:child_process"
import { alternate, finish, here, print, printSamples, ratio, startWorker } from "./harness.mjs"
import { names } from "./pollers.mjs"

const rounds = 9
const polls = 2_400
const warmUp = 4_000

const server = fork(here("server.mjs"))
const port = await new Promise((resolve) => server.once("message", resolve))

/** In a new process each time, since how well one happens to have been compiled is half of a difference. */
const measure = async (/** @type {string} */ name) => {
  const worker = startWorker("pollers.mjs", name, { args: [`http://127.0.0.1:${port}`] })
  await worker.measure(warmUp)
  const cpu = await worker.measure(polls)
  worker.stop()
  return cpu
}

const samples = await alternate({ names, rounds, measure })
server.kill()

print(`${rounds} rounds of ${polls} polls by each, in a new process, after ${warmUp} to warm up\n`)
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
