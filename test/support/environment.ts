/**
 * Environments that configuration is read from.
 */
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"

const denied = Effect.sync(() => {
  throw new Error("Requires env access")
})

/** One that can't be read, as in Deno without `--allow-env`. */
export const unreadable: ConfigProvider.ConfigProvider = ConfigProvider.make({
  load: () => denied,
  flattened: ConfigProvider.fromMap(new Map()).flattened
})
