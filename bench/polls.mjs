/**
 * Measures waits over HTTP on loopback: the server in a process of its own, each contender of `pollers.mjs` in a new
 * process each time, since how well one happens to have been compiled is half of a difference.
 */
import { fork } from "node:child_process"
import { here, startWorker } from "./harness.mjs"

export const polls = 2_400
export const warmUp = 4_000

/** @param {{ readonly execPath?: string }} options the Node that the contenders run on */
export const startPolls = async (options = {}) => {
  const server = fork(here("server.mjs"))
  const port = await new Promise((resolve) => server.once("message", resolve))
  return {
    /** The CPU time of one poll, in microseconds. */
    measure: async (/** @type {string} */ name) => {
      const worker = startWorker("pollers.mjs", name, { ...options, args: [`http://127.0.0.1:${port}`] })
      await worker.measure(warmUp)
      const cpu = await worker.measure(polls)
      worker.stop()
      return cpu
    },
    stop: () => server.kill()
  }
}
