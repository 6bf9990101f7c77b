/**
 * An HTTP client that goes through a proxy.
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { type Dispatcher, Pool, ProxyAgent } from "@effect/platform-node/Undici"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

/**
 * A tunnel that can't be opened, as an error before any request is sent. Undici itself tries again without an end, and
 * without a pause, if the proxy drops the connection.
 */
const noTunnel = ({ message }: Error): Error =>
  Object.assign(new Error(`the proxy opens no tunnel: ${message}`), { syscall: "connect" })

/** Connections to the proxy, each of which is asked for a tunnel. */
const tunnels =
  (patience: number) =>
  (proxy: URL, options: object): Dispatcher => {
    const pool = new Pool(proxy, options)
    const connect = (to: Dispatcher.ConnectOptions) =>
      new Promise<Dispatcher.ConnectData>((resolve, reject) => {
        const bounded = { ...to, signal: AbortSignal.timeout(patience) }
        Pool.prototype.connect.call(pool, bounded, (error, data) =>
          error === null ? resolve(data) : reject(noTunnel(error))
        )
      })
    return Object.assign(pool, { connect })
  }

/**
 * A client over this proxy, which has so many milliseconds to open a tunnel. That must be less than a request may take: then
 * nothing was sent, while of a request that took too long nobody knows.
 */
export const proxied = (url: string, patience: number): Layer.Layer<HttpClient.HttpClient> =>
  NodeHttpClient.layerUndiciWithoutDispatcher.pipe(
    Layer.provide(
      Layer.scoped(
        NodeHttpClient.Dispatcher,
        Effect.acquireRelease(
          Effect.sync(() => new ProxyAgent({ uri: url, clientFactory: tunnels(patience) })),
          (agent) => Effect.promise(() => agent.destroy())
        )
      )
    )
  )
