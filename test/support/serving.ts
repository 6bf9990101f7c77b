/**
 * HTTP apps where they are used: as functions of the web, in routers, on Node. The one place that knows how these are made.
 */
import * as HttpApp from "@effect/platform/HttpApp"
import type * as HttpMiddleware from "@effect/platform/HttpMiddleware"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as Effect from "effect/Effect"

/** Where a webhook is mounted. */
export const path = "/webhooks/lume"

/** An app that needs nothing. */
export type App = HttpApp.Default<unknown>

/** An app as a function from a web request to its response. */
export const toWebHandler = <E, R>(
  app: HttpApp.Default<E, R>
): Effect.Effect<(request: Request) => Promise<Response>, never, Exclude<R, HttpServerRequest.HttpServerRequest>> =>
  Effect.map(Effect.runtime<Exclude<R, HttpServerRequest.HttpServerRequest>>(), (runtime) =>
    // each call gives it its request
    HttpApp.toWebHandlerRuntime(runtime)(app as HttpApp.Default<E, Exclude<R, HttpServerRequest.HttpServerRequest>>)
  )

/** Every way to mount an app at the path. */
export const mountings: ReadonlyArray<readonly [how: string, mount: (app: App) => Effect.Effect<App>]> = [
  ["as it is", Effect.succeed],
  ["in a route", (app) => Effect.succeed(HttpRouter.post(HttpRouter.empty, path, app))],
  [
    "in a route that can't be interrupted",
    (app) => Effect.succeed(HttpRouter.post(HttpRouter.empty, path, app, { uninterruptible: true }))
  ],
  ["beneath a path", (app) => Effect.succeed(HttpRouter.mountApp(HttpRouter.empty, path, app))]
]

const address = HttpServer.addressFormattedWith((address) => Effect.succeed(`${address}${path}`))

/** Serves an app, and gives the address of the path. */
export const listen = (app: App, middleware: HttpMiddleware.HttpMiddleware = (app) => app) =>
  Effect.zipRight(HttpServer.serveEffect(app, middleware), address)

/** Serves an app that is mounted at the path. */
export const listenAtPath = (app: App, middleware?: HttpMiddleware.HttpMiddleware) =>
  listen(HttpRouter.post(HttpRouter.empty, path, app), middleware)
