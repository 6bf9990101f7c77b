/**
 * A Fetch-style web handler that receives Lume's webhooks, and a runtime whose waits they wake.
 *
 * `handler` is a function from a `Request` to a promise of a `Response`, which Next.js, Hono, Cloudflare Workers, Bun
 * and Deno take as it is; `runtime` runs what the application does with Lume.
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpApp from "@effect/platform/HttpApp"
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as LumeClient from "effect-lume/LumeClient"
import * as LumeWebhook from "effect-lume/LumeWebhook"
import * as RunEvents from "effect-lume/RunEvents"

export const makeApp = (
  options: LumeClient.Options & { readonly secrets: LumeWebhook.Secrets },
  http: Layer.Layer<HttpClient.HttpClient> = FetchHttpClient.layer
) => {
  const services = LumeClient.layerWithEvents(options).pipe(Layer.provideMerge(RunEvents.layer), Layer.provide(http))
  const runtime = ManagedRuntime.make(services)

  // A web handler builds its layers itself. Without the runtime's memo map it would build a second RunEvents, which no
  // wait listens to.
  const webhook = HttpApp.toWebHandlerLayer(
    LumeWebhook.httpApp({ secrets: options.secrets, handler: RunEvents.publish }),
    RunEvents.layer,
    { memoMap: runtime.memoMap }
  )

  const dispose = async (): Promise<void> => {
    await webhook.dispose()
    await runtime.dispose()
  }

  return { runtime, handler: webhook.handler, dispose }
}
