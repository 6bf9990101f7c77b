/**
 * Environments that configuration is read from.
 */
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"

/** One with these variables. */
export const environment = (variables: Readonly<Record<string, string>>): Layer.Layer<never> =>
  ConfigProvider.layer(ConfigProvider.fromUnknown(variables))

const denied = Effect.sync(() => {
  throw new Error("Requires env access")
})

/** One that can't be read, as in Deno without `--allow-env`. */
export const unreadable: ConfigProvider.ConfigProvider = ConfigProvider.make(() => denied)
