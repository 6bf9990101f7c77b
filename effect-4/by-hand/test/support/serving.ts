/**
 * HTTP apps where they are used: as functions of the web, in routers, on Node. The one place that knows how these are made.
 */
import * as Effect from "effect/Effect"
import * as HttpEffect from "effect/http/HttpEffect"
import type * as HttpMiddleware from "effect/http/HttpMiddleware"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import type * as HttpServerResponse from "effect/http/HttpServerResponse"
import type * as Scope from "effect/Scope"

/** Where a webhook is mounted. */
export const path = "/webhooks/lume"

type Needed = HttpServerRequest.HttpServerRequest | Scope.Scope

/** An app that needs nothing. */
export type App = Effect.Effect<HttpServerResponse.HttpServerResponse, unknown, Needed>

/** An app as a function from a web request to its response. */
export const toWebHandler = <E, R>(
  app: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R | Needed>
): Effect.Effect<(request: Request) => Promise<Response>, never, Exclude<R, Needed>> =>
  Effect.map(Effect.context<Exclude<R, Needed>>(), (context) =>
    HttpEffect.toWebHandlerWith<Exclude<R, Needed>, R | Needed, never>(context)(app)
  )

const inRoute = (
  app: App,
  method: "*" | "POST",
  options?: { readonly uninterruptible: boolean }
): Effect.Effect<App, never, Scope.Scope> =>
  HttpRouter.toHttpEffect(HttpRouter.add(method, path, Effect.orDie(app), options))

/** Every way to mount an app at the path. */
export const mountings: ReadonlyArray<
  readonly [how: string, mount: (app: App) => Effect.Effect<App, never, Scope.Scope>]
> = [
  ["as it is", Effect.succeed],
  ["in a route", (app) => inRoute(app, "POST")],
  ["in a route that can't be interrupted", (app) => inRoute(app, "POST", { uninterruptible: true })],
  ["beneath a path", (app) => inRoute(app, "*")]
]

const address = HttpServer.addressFormattedWith((address) => Effect.succeed(`${address}${path}`))

/** Serves an app, and gives the address of the path. */
export const listen = (app: App, middleware: HttpMiddleware.HttpMiddleware = (app) => app) =>
  Effect.andThen(HttpServer.serveEffect(app, middleware), address)

/** Serves an app that is mounted at the path. */
export const listenAtPath = (app: App, middleware?: HttpMiddleware.HttpMiddleware) =>
  Effect.flatMap(inRoute(app, "POST"), (mounted) => listen(mounted, middleware))
