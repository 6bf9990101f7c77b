/**
 * What the command costs before it does anything: CPU time of `lume wait --help`, beside that of a Node that does nothing.
 */
import { spawnSync } from "node:child_process"
import { alternate, finish, here, print, printSamples, ratio } from "./harness.mjs"

const rounds = 41
const lume = here("../dist/cli/lume.cjs")

/** @type {Record<string, ReadonlyArray<string>>} */
const contenders = {
  "node -e 0": ["-e", "0"],
  "lume --version": [lume, "--version"],
  "lume wait --help": [lume, "wait", "--help"]
}

const measure = async (/** @type {string} */ name) => {
  const { output, status } = spawnSync(process.execPath, ["--require", here("reportCpu.cjs"), ...contenders[name]], {
    stdio: ["ignore", "ignore", "inherit", "pipe"],
    encoding: "utf8"
  })
  if (status !== 0) throw new Error(`${name} ended with ${status}`)
  return Number(output[3]) / 1000
}

const samples = await alternate({ names: Object.keys(contenders), rounds, measure })

print(`${rounds} rounds of one process each\n`)
printSamples({ title: "process", unit: "CPU ms", samples })

finish([
  { name: "lume wait --help / node -e 0", value: ratio(samples, "lume wait --help", "node -e 0"), most: 2 },
  { name: "lume --version / node -e 0", value: ratio(samples, "lume --version", "node -e 0") }
])
