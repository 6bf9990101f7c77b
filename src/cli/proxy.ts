/**
 * An HTTP client that goes through the proxies that the environment names.
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { EnvHttpProxyAgent } from "@effect/platform-node/Undici"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

/** A client over these proxies. */
export const proxied = (proxies: {
  readonly http: string | undefined
  readonly https: string | undefined
  readonly exceptions: string | undefined
}): Layer.Layer<HttpClient.HttpClient> =>
  NodeHttpClient.layerUndiciWithoutDispatcher.pipe(
    Layer.provide(
      Layer.scoped(
        NodeHttpClient.Dispatcher,
        Effect.acquireRelease(
          Effect.sync(
            () =>
              new EnvHttpProxyAgent({
                httpProxy: proxies.http ?? "",
                httpsProxy: proxies.https ?? "",
                noProxy: proxies.exceptions ?? ""
              })
          ),
          (agent) => Effect.promise(() => agent.destroy())
        )
      )
    )
  )
