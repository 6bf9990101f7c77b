/**
 * CPU time a poll on both of Effect's majors, alternately and on the same Node: the one that the tests of the Effect 4 line
 * run on. Needs the tree of `npm run effect-4`.
 */
import { alternate, finish, here, print, printSamples, ratio } from "./harness.mjs"
import { onEffect4 } from "./pollers.mjs"
import { polls, startPolls, warmUp } from "./polls.mjs"

const rounds = 5
const onEffect3 = "effect-lume, fetch"
const byHand = "hand-written, fetch"

const { measure, stop } = await startPolls({ execPath: here("../effect-4/node_modules/node/bin/node") })
const samples = await alternate({ names: [onEffect3, onEffect4, byHand], rounds, measure })
stop()

print(`${rounds} rounds of ${polls} polls by each, in a new process, after ${warmUp} to warm up\n`)
printSamples({ title: "poll", unit: "CPU µs", samples })

finish([
  { name: "2.x / 1.x", value: ratio(samples, onEffect4, onEffect3), most: 0.65 },
  { name: "2.x / hand-written", value: ratio(samples, onEffect4, byHand), most: 1.35 }
])
