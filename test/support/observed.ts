/**
 * What is seen of an effect from outside: its spans, its log, its metrics. The one place that knows how tests see them.
 */
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Metric from "effect/Metric"
import * as MetricKeyType from "effect/MetricKeyType"
import * as MetricState from "effect/MetricState"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"

// ---------------------------------------------------------------------------------------------------------------------
// Spans

/** A span that was made. */
export interface Recorded {
  readonly name: string
  readonly attributes: Map<string, unknown>
  readonly events: Array<readonly [string, unknown]>
  readonly parent: string
  readonly kind: Tracer.SpanKind
  /** That of its parent, where it has one. */
  readonly traceId: string
  /** How it has ended; undefined until then. */
  exit: Exit.Exit<unknown, unknown> | undefined
}

/** A tracer that keeps its spans in memory. */
export const recorder = (): { readonly spans: ReadonlyArray<Recorded>; readonly layer: Layer.Layer<never> } => {
  const spans: Array<Recorded> = []
  const tracer = Tracer.make({
    context: (run) => run(),
    span: (name, parent, context, links, startTime, kind) => {
      const recorded: Recorded = {
        name,
        attributes: new Map(),
        events: [],
        parent: Option.match(parent, { onNone: () => "", onSome: (span) => (span._tag === "Span" ? span.name : "") }),
        kind,
        traceId: Option.match(parent, { onNone: () => "trace", onSome: ({ traceId }) => traceId }),
        exit: undefined
      }
      spans.push(recorded)
      return {
        _tag: "Span",
        name,
        spanId: String(spans.length),
        traceId: recorded.traceId,
        parent,
        context,
        links: [...links],
        kind,
        sampled: true,
        status: { _tag: "Started", startTime },
        attributes: recorded.attributes,
        end: (_, exit) => void (recorded.exit = exit),
        attribute: (key, value) => recorded.attributes.set(key, value),
        event: (event, _, attributes) => recorded.events.push([event, attributes]),
        addLinks: () => {}
      }
    }
  })
  return { spans, layer: Layer.setTracer(tracer) }
}

/** The name of a request's span. */
export const requestSpan = (method: string): string => `http.client ${method}`

// ---------------------------------------------------------------------------------------------------------------------
// Logs

/** Everything that is logged, at any level, and nothing of it is shown. */
export const logging = (log: (...what: ReadonlyArray<unknown>) => void): Layer.Layer<never> =>
  Layer.merge(
    Logger.replace(
      Logger.defaultLogger,
      Logger.make(({ annotations, cause, message }) => log(message, cause, annotations))
    ),
    Logger.minimumLogLevel(LogLevel.All)
  )

/** The messages of a log that is kept, as far as a log shows them where nobody asks for more. */
export const messages = (): { readonly messages: ReadonlyArray<string>; readonly layer: Layer.Layer<never> } => {
  const messages: Array<string> = []
  const logger = Logger.make(({ message }) => void messages.push(String(message)))
  return { messages, layer: Logger.replace(Logger.defaultLogger, logger) }
}

/** A log that is kept, line by line. */
export const logged = () => {
  const lines: Array<string> = []
  const logger = Logger.map(Logger.logfmtLogger, (line) => void lines.push(line))
  const of = (level: "WARN" | "ERROR") => lines.filter((line) => line.includes(`level=${level}`))
  return { lines, of, layer: Logger.replace(Logger.defaultLogger, logger) }
}

/** No log. */
export const unlogged: Layer.Layer<never> = Logger.remove(Logger.defaultLogger)

// ---------------------------------------------------------------------------------------------------------------------
// Metrics

/** What a metric with these tags has counted. */
export const counted = (name: string, tags: Readonly<Record<string, string>> = {}): Effect.Effect<number> =>
  Effect.map(Metric.snapshot, (pairs) =>
    pairs
      .filter(({ metricKey }) => metricKey.name === name)
      .filter(({ metricKey }) =>
        Object.entries(tags).every(([key, value]) =>
          metricKey.tags.some((tag) => tag.key === key && tag.value === value)
        )
      )
      .reduce((sum, { metricState }) => sum + ("count" in metricState ? Number(metricState.count) : 0), 0)
  )

/** A metric as a collector is told of it. */
export interface Described {
  readonly kind: string
  readonly description: string | undefined
  /** Of a counter: whether it can only grow. */
  readonly incremental: boolean | undefined
  /** Of a histogram: the sum of what was measured. */
  readonly sum: number
}

/** What is told of the metrics with this name. One that is tagged is there once for each value of its tag. */
export const described = (name: string): Effect.Effect<ReadonlyArray<Described>> =>
  Effect.map(Metric.snapshot, (pairs) =>
    pairs
      .filter(({ metricKey }) => metricKey.name === name)
      .map(({ metricKey: { description, keyType }, metricState }) => ({
        kind: MetricState.isHistogramState(metricState)
          ? "histogram"
          : MetricState.isCounterState(metricState)
            ? "counter"
            : "",
        description: Option.getOrUndefined(description),
        incremental: MetricKeyType.isCounterKey(keyType) ? keyType.incremental : undefined,
        sum: MetricState.isHistogramState(metricState) ? metricState.sum : 0
      }))
  )
