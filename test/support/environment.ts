/**
 * Environments that configuration is read from.
 */
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

/** One with these variables. */
export const environment = (variables: Readonly<Record<string, string>>): Layer.Layer<never> =>
  Layer.setConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(variables))))

const denied = Effect.sync(() => {
  throw new Error("Requires env access")
})

/** One that can't be read, as in Deno without `--allow-env`. */
export const unreadable: ConfigProvider.ConfigProvider = ConfigProvider.make({
  load: () => denied,
  flattened: ConfigProvider.fromMap(new Map()).flattened
})
