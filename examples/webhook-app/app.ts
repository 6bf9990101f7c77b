/**
 * A web server that submits runs, receives Lume's webhooks, and shows how each run ended. The webhooks wake its waits.
 * If none came, the waits would find out by polling.
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { LumeClient, type LumeRun, RunEvents } from "effect-lume"
import * as LocalLume from "effect-lume/local/LocalLume"
import * as LumeWebhook from "effect-lume/LumeWebhook"
import { mkdtempSync } from "node:fs"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const secret = Redacted.make("the secret that Lume and this server share")

/** The runs that were submitted here, with what is known of each, and their waits, which end with this server. */
class Board extends Context.Tag("Board")<
  Board,
  {
    readonly runs: Map<string, { readonly source: string; readonly outcome: string }>
    readonly waits: FiberSet.FiberSet
  }
>() {}

export const board = Layer.scoped(
  Board,
  Effect.map(FiberSet.make(), (waits) => ({ runs: new Map(), waits }))
)

const outcomeOf = (run: LumeRun.TerminalRun) => {
  switch (run._tag) {
    case "Succeeded":
    case "PartialFailed":
      return Effect.map(run.metadata, ({ results }) => `${results.mappedRows} of ${results.inputRows} rows mapped`)
    case "Failed":
    case "Crashed":
      return Effect.map(run.metadata, ({ errors }) => errors.map(({ message }) => message).join(" ") || run.status)
  }
}

/** Submits a run, and in the background waits for its end. */
const submit = (source: string) =>
  Effect.gen(function* () {
    const { runs, waits } = yield* Board
    const lume = yield* LumeClient.LumeClient
    const run = yield* lume.run({ flowVersion: "birdstrikes:v1", sourcePath: source })
    runs.set(run.id, { source, outcome: "…" })
    const wait = lume.wait(run).pipe(
      Effect.flatMap(outcomeOf),
      Effect.catchAll((error) => Effect.succeed(error.message)),
      Effect.catchAllDefect((defect) => Effect.as(Effect.logError(defect), "unknown: waiting for it failed")),
      Effect.map((outcome) => runs.set(run.id, { source, outcome }))
    )
    yield* FiberSet.run(waits, Effect.interruptible(wait))
  }).pipe(
    // the handler is interrupted when the browser goes away, and the run would be missing from the board
    Effect.uninterruptible
  )

const escape = (text: string): string => text.replaceAll(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)

const page = Effect.map(Board, ({ runs }) => {
  const rows = [...runs].map(
    ([id, { outcome, source }]) =>
      `<tr>${[id, source, outcome].map((cell) => `<td>${escape(cell)}</td>`).join("")}</tr>`
  )
  return HttpServerResponse.html(`<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="2">
<title>Runs</title>
<style>body { font: 16px system-ui; margin: 3rem } td, th { padding: 0.3rem 1rem; text-align: left } tr + tr { border-top: 1px solid #ddd } table { border-collapse: collapse }</style>
<h1>Runs</h1>
<form method="post" action="/runs"><input name="source" value="birdstrikes.csv"> <button>Run birdstrikes:v1</button></form>
<table><tr><th>Run</th><th>Source</th><th>Outcome</th></tr>${rows.join("")}</table>`)
})

const Form = Schema.Struct({ source: Schema.compose(Schema.Trim, Schema.NonEmptyString) })

const says = (status: number, text: string) => Effect.succeed(HttpServerResponse.text(text, { status }))

export const router = HttpRouter.empty.pipe(
  HttpRouter.get("/", page),
  HttpRouter.post(
    "/runs",
    Effect.matchEffect(HttpServerRequest.schemaBodyUrlParams(Form), {
      onFailure: () => says(400, "Name a source."),
      onSuccess: ({ source }) =>
        submit(source).pipe(
          Effect.as(HttpServerResponse.empty({ status: 303, headers: { location: "/" } })),
          Effect.tapError((error) => Effect.logError(error.message)),
          Effect.catchTags({
            AlreadyProcessedError: () => says(409, "This source has been processed before."),
            SubmitOutcomeUnknownError: () =>
              says(502, "Lume gave no answer. The run may be going on: don't submit it again.")
          }),
          Effect.catchAll(() => says(502, "Lume did not take the run. The reason is in this server's log."))
        )
    })
  ),
  HttpRouter.mountApp("/webhooks/lume", LumeWebhook.httpApp({ secrets: [secret], handler: RunEvents.publish }))
)

/** A Lume on this machine that delivers to this server. */
const local = Layer.unwrapEffect(
  HttpServer.addressFormattedWith((url) =>
    Effect.succeed(
      LocalLume.layer({
        flows: fileURLToPath(new URL("../quickstart/flows", import.meta.url)),
        sources: join(dirname(createRequire(import.meta.url).resolve("vega-datasets")), "../data"),
        targets: mkdtempSync(join(tmpdir(), "lume-webhook-app-")),
        webhook: { url: `${url}/webhooks/lume`, secret }
      })
    )
  )
)

const client = Layer.unwrapEffect(
  Effect.map(LocalLume.LocalLume, ({ apiKey, url }) => LumeClient.layerWithEvents({ apiKey, baseUrl: url }))
)

/** The server; it needs only a place to listen. */
export const app = HttpServer.serve(router).pipe(
  Layer.provide(client),
  Layer.provide(local),
  Layer.provide(FetchHttpClient.layer),
  // one for both the client and the webhook, so that the waits hear what the webhook publishes
  Layer.provide(RunEvents.layer),
  Layer.provide(board)
)
