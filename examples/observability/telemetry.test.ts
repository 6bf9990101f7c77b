/**
 * What a collector receives of one batch.
 */
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { LumeClient, LumeMetadata } from "effect-lume"
import * as LumeTest from "effect-lume/LumeTest"
import { ingest, telemetry } from "./telemetry.js"

const apiKey = "lume-key-of-this-test"

/** A run that has just started, then the same as it ended. */
const started = { id: "run_1", status: "CREATED" }
const ended = {
  id: "run_1",
  status: "SUCCEEDED",
  metadata: Schema.encodeSync(LumeMetadata.LumeMetadata)(LumeTest.metadata({ run: { runId: "run_1" } }))
}

/** Lume and a collector in one: what the latter receives is kept, as text, by its path. */
const network = (received: Map<string, string>) =>
  HttpClient.make((request, { hostname, pathname }) =>
    Effect.sync(() => {
      if (hostname === "collector.test") {
        const body = request.body._tag === "Uint8Array" ? new TextDecoder().decode(request.body.body) : ""
        received.set(pathname, (received.get(pathname) ?? "") + body)
        return HttpClientResponse.fromWeb(request, new Response("{}"))
      }
      return HttpClientResponse.fromWeb(request, Response.json(request.method === "POST" ? started : ended))
    })
  )

describe("telemetry", () => {
  it.live("sends the client's spans, metrics and logs to a collector, and never the key", () =>
    Effect.gen(function* () {
      const received = new Map<string, string>()
      const http = Layer.succeed(HttpClient.HttpClient, network(received))
      yield* ingest("s3://acme/batch-001.csv").pipe(
        Effect.provide(LumeClient.layer({ apiKey: Redacted.make(apiKey) })),
        Effect.provide(telemetry("http://collector.test", http)),
        Effect.provide(http),
        Effect.provide(Logger.remove(Logger.defaultLogger))
      )
      const traces = received.get("/v1/traces") ?? ""
      for (const name of ["ingest", "LumeClient.run", "LumeClient.wait", "lume.run_id", "lume.status", "lume.polls"]) {
        assert.include(traces, `"${name}"`)
      }
      const metrics = received.get("/v1/metrics") ?? ""
      for (const name of ["effect_lume_polls", "effect_lume_waits", "effect_lume_wait_duration_seconds"]) {
        assert.include(metrics, `"${name}"`)
      }
      assert.include(received.get("/v1/logs") ?? "", "Run run_1 is SUCCEEDED")
      assert.notInclude([...received.values()].join("\n"), apiKey)
    })
  )
})
