/**
 * What the client shows of itself, sent to an OpenTelemetry collector: spans, metrics and logs.
 */
import * as Otlp from "@effect/opentelemetry/Otlp"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import { LumeClient, LumeRun } from "effect-lume"

/**
 * Sends all that Effect observes to a collector, such as the one that `docker run -p 4318:4318 otel/opentelemetry-collector`
 * starts. The client's own logs, but for a few, are at debug level.
 */
export const telemetry = (
  collector: string,
  http: Layer.Layer<HttpClient.HttpClient> = FetchHttpClient.layer
): Layer.Layer<never> =>
  Otlp.layerJson({ baseUrl: collector, resource: { serviceName: "invoice-ingest", serviceVersion: "1.0.0" } }).pipe(
    Layer.merge(Logger.minimumLogLevel(LogLevel.Debug)),
    Layer.provide(http)
  )

/** Ingests a batch, as a span that has the client's as its children. */
export const ingest = (sourcePath: string) =>
  Effect.flatMap(LumeClient.LumeClient, (lume) =>
    lume.runAndWait({ flowVersion: "invoice_cleaner:v4", sourcePath }, { schedule: LumeClient.backoff })
  ).pipe(
    Effect.flatMap(LumeRun.orFail),
    Effect.flatMap((run) => run.metadata),
    Effect.tap(({ results }) => Effect.annotateCurrentSpan("rows.rejected", results.rejectedRows)),
    Effect.withSpan("ingest", { attributes: { "batch.source_path": sourcePath } })
  )
