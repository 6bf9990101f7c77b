/**
 * The heap in use, once garbage is collected.
 */
import * as Effect from "effect/Effect"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"

setFlagsFromString("--expose_gc")
const collectGarbage: () => void = runInNewContext("gc")

/** In bytes. */
export const heapUsed = Effect.promise(async () => {
  for (let round = 0; round < 3; round++) {
    collectGarbage()
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return process.memoryUsage().heapUsed
})
