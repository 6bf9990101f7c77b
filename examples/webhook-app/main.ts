/**
 * `npx tsx examples/webhook-app/main.ts`, then look at http://localhost:3000.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as HttpServer from "@effect/platform/HttpServer"
import * as Layer from "effect/Layer"
import { createServer } from "node:http"
import { app } from "./app.js"

const port = Config.withDefault(Config.integer("PORT"), 3000)

const main = app.pipe(
  HttpServer.withLogAddress,
  Layer.provide(Layer.unwrapEffect(Effect.map(port, (port) => NodeHttpServer.layer(createServer, { port }))))
)

NodeRuntime.runMain(Layer.launch(main))
