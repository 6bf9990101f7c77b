/**
 * CPU time a poll: waits for a run with full metadata whose status only is looked at, over HTTP on loopback.
 */
import { alternate, finish, print, printSamples, ratio } from "./harness.mjs"
import { names } from "./pollers.mjs"
import { polls, startPolls, warmUp } from "./polls.mjs"

const rounds = 9

const { measure, stop } = await startPolls()
const samples = await alternate({ names, rounds, measure })
stop()

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
