/**
 * What differs between Effect 3 and Effect 4, as rules. `README.md` says how they are read.
 */
import type { Rules } from "./engine.js"

const httpApi = ["OpenApi"]

const http = [
  "FetchHttpClient",
  "Headers",
  "HttpClient",
  "HttpClientError",
  "HttpClientRequest",
  "HttpClientResponse",
  "HttpMiddleware",
  "HttpPlatform",
  "HttpRouter",
  "HttpServer",
  "HttpServerRequest",
  "HttpServerResponse",
  "HttpTraceContext"
]

/** The same name in both, in two modules. */
const same = (before: string, after: string, ...names: ReadonlyArray<string>) =>
  names.map((name): readonly [string, string] => [`${before}.${name}`, `${after}.${name}`])

export const rules: Rules = {
  modules: {
    ...Object.fromEntries(http.map((name) => [`@effect/platform/${name}`, `effect/http/${name}`])),
    ...Object.fromEntries(httpApi.map((name) => [`@effect/platform/${name}`, `effect/http-api/${name}`])),
    "@effect/opentelemetry/Otlp": "effect/observability/Otlp",
    "@effect/platform/Error": "effect/PlatformError",
    "@effect/platform/FileSystem": "effect/FileSystem",
    "@effect/platform/HttpApp": "effect/http/HttpEffect",
    "@effect/platform/KeyValueStore": "effect/persistence/KeyValueStore",
    "@effect/rpc/Rpc": "effect/rpc/Rpc",
    "@effect/rpc/RpcClient": "effect/rpc/RpcClient",
    "@effect/rpc/RpcGroup": "effect/rpc/RpcGroup",
    "@effect/rpc/RpcSerialization": "effect/rpc/RpcSerialization",
    "@effect/rpc/RpcServer": "effect/rpc/RpcServer",
    "effect/ConfigError": "effect/Config",
    "effect/Either": "effect/Result",
    "effect/FastCheck": "fast-check",
    "effect/ParseResult": "effect/SchemaParser",
    "effect/TestClock": "effect/testing/TestClock",
    "effect/TestContext": "effect/testing/TestClock"
  },

  members: {
    unsafeCurrentTimeMillis: "currentTimeMillisUnsafe",
    unsafeCurrentTimeNanos: "monotonicTimeNanosUnsafe",
    unsafeJson: "jsonUnsafe"
  },

  rewrites: [
    // effects
    ["Effect.async", "Effect.callback"],
    ["Effect.catchAll", "Effect.catch"],
    ["Effect.Effect.Error", "Effect.Error"],
    ["Effect.Effect.Success", "Effect.Success"],
    ["Effect.runtime", "Effect.context"],
    ["Runtime.runFork", "Effect.runForkWith"],
    ["Cause.pretty($cause, $options)", "Cause.pretty($cause)"],
    ["Effect.catchAllCause", "Effect.catchCause"],
    ["Effect.catchAllDefect", "Effect.catchDefect"],
    ["Effect.clockWith", "Clock.clockWith"],
    ["Effect.merge($effect)", "Effect.catch($effect, Effect.succeed)"],
    ["Effect.repeatN($effect, $times)", "Effect.repeat($effect, { times: $times })"],
    [
      "Effect.withConfigProvider($effect, $provider)",
      "Effect.provideService($effect, ConfigProvider.ConfigProvider, $provider)"
    ],
    ["Effect.withRandom(Random.make($seed))", "Random.withSeed($seed)"],
    ["Effect.yieldNow()", "Effect.yieldNow"],
    ["Effect.yieldNow({ priority: $priority })", "Effect.yieldNowWith($priority)"],
    ["Effect.zipLeft($effect, $after)", "Effect.tap($effect, $after)"],
    ["Effect.dieMessage($message)", "Effect.die(new Error($message))"],
    ["Effect.either", "Effect.result"],
    ["Effect.fork", "Effect.forkChild"],
    ["Effect.forkDaemon", "Effect.forkDetach"],
    ["Effect.ignoreLogged($effect)", "Effect.ignore($effect, { log: true })"],
    ["Effect.makeLatch", "Latch.make"],
    ["Effect.makeSemaphore", "Semaphore.make"],
    ["Effect.orElse($effect, $other)", "Effect.catch($effect, $other)"],
    [
      "Effect.timeoutFail({ duration: $duration, onTimeout: $onTimeout })",
      "Effect.timeoutOrElse({ duration: $duration, orElse: () => Effect.fail(($onTimeout)()) })"
    ],
    [
      "Effect.timeoutFail($effect, { duration: $duration, onTimeout: $onTimeout })",
      "Effect.timeoutOrElse($effect, { duration: $duration, orElse: () => Effect.fail(($onTimeout)()) })"
    ],
    ["Clock.make()", "Clock.Clock.defaultValue()"],
    ["Effect.withClock($clock)", "Effect.provideService(Clock.Clock, $clock)"],
    ["Effect.withClock($effect, $clock)", "Effect.provideService($effect, Clock.Clock, $clock)"],
    ["Effect.withFiberRuntime", "Effect.withFiber"],
    ["Effect.zipRight", "Effect.andThen"],

    // fibers and what they hold
    ["Context.Tag($id)<$Self, $Service>()", "Context.Service<$Self, $Service>()($id)"],
    ["Context.get($fiber.currentDefaultServices, $tag)", "$fiber.getRef($tag)"],
    ["$fiber.currentSpan", "$fiber.cache.span"],
    ["Exit.isInterrupted", "Exit.hasInterrupts"],
    ["Fiber.poll($fiber)", "Effect.sync(() => Option.fromNullishOr($fiber.pollUnsafe()))"],
    ["Fiber.RuntimeFiber", "Fiber.Fiber"],
    ["Scope.CloseableScope", "Scope.Closeable"],
    ["Scope.extend", "Scope.provide"],
    ["TestContext.TestContext", "TestClock.layer()"],

    // data
    ["Cause.failureOption", "Cause.findErrorOption"],
    ["Cause.isInterrupted", "Cause.hasInterrupts"],
    ["Cause.isTimeoutException", "Cause.isTimeoutError"],
    ["Chunk.size($chunk)", "$chunk.length"],
    ["Chunk.toReadonlyArray($chunk)", "$chunk"],
    ["DateTime.distance($from, $to)", "Duration.toMillis(DateTime.distance($from, $to))"],
    ["DateTime.unsafeMake", "DateTime.makeUnsafe"],
    [
      "Duration.subtract($duration, $less)",
      "Duration.subtract(Duration.fromInputUnsafe($duration), Duration.fromInputUnsafe($less))"
    ],
    ["Duration.DurationInput", "Duration.Input"],
    ["Duration.greaterThan", "Duration.isGreaterThan"],
    ["Duration.decode", "Duration.fromInputUnsafe"],
    ["Duration.decodeUnknown($input)", "Duration.fromInput($input as Duration.Input)"],
    ["Encoding.decodeHex", "Hex.decode"],
    ["Encoding.encodeHex", "Hex.encode"],
    ["Option.fromNullable", "Option.fromNullishOr"],
    ["Pipeable.Class()", "Pipeable.Class"],
    ["Predicate.isObject", "Predicate.isObjectKeyword"],
    ["Predicate.isReadonlyRecord", "Predicate.isReadonlyObject"],
    ["Predicate.isRecord", "Predicate.isObject"],
    ["Redacted.unsafeWipe", "Redacted.wipeUnsafe"],
    ["Schedule.intersect($one, $other)", "Schedule.max([$one, $other])"],
    [
      "Schedule.tapInput(($input: $Input) => $effect)",
      "Schedule.setInputType<$Input>(), Schedule.tap(({ input: $input }) => $effect)"
    ],
    ["Schedule.either($one, $other)", "Schedule.min([$one, $other])"],
    ["$queue.unsafeOffer($value)", "Queue.offerUnsafe($queue, $value)"],

    // Either
    ["Either.isLeft", "Result.isFailure"],
    ["Either.isRight", "Result.isSuccess"],
    ["Either.mapLeft", "Result.mapError"],
    [
      "Either.match($either, { onLeft: $onLeft, onRight: $onRight })",
      "Result.match($either, { onFailure: $onLeft, onSuccess: $onRight })"
    ],
    ["Either.Either", "Result.Result"],
    ["Either.fromNullable", "Result.fromNullishOr"],
    ["Either.left", "Result.fail"],
    ["Either.right", "Result.succeed"],
    ...same("Either", "Result", "flatMap", "flip", "getOrElse", "getOrNull", "getOrThrow", "map", "try"),
    ["$either.left", "$either.failure", "effect/Either"],
    ["$either.right", "$either.success", "effect/Either"],

    ["$store.forSchema($schema)", "KeyValueStore.toSchemaStore($store, $schema)"],
    ["Option.flatMapNullable", "Option.flatMapNullishOr"],

    ["JSONSchema.make", "Schema.toJsonSchemaDocument"],

    // logs
    ["Logger.minimumLogLevel(LogLevel.Debug)", 'Layer.succeed(References.MinimumLogLevel, "Debug")'],
    ["Logger.minimumLogLevel(LogLevel.None)", 'Layer.succeed(References.MinimumLogLevel, "None")'],
    ["Logger.remove(Logger.defaultLogger)", "Logger.layer([])"],
    ["Logger.replace(Logger.defaultLogger, $logger)", "Logger.layer([$logger])"],

    // files
    ["FileSystem.GiB", "ByteSize.gibibytes"],
    ["FileSystem.MiB", "ByteSize.mebibytes"],
    ['$error._tag === "SystemError" ? $error.reason : $error._tag', "$error.reason._tag"],
    [
      "new Error.SystemError({ module: $module, method: $method, reason: $reason, $$rest })",
      "PlatformError.systemError({ _tag: $reason, module: $module, method: $method, $$rest })"
    ],
    ["FileSystem.Size($bytes)", "ByteSize.bytes($bytes)"],
    ["type FileSystem.SizeInput", "bigint | number"],
    ['$error.reason === "PermissionDenied"', 'Predicate.isTagged($error.reason, "PermissionDenied")'],

    // streams
    ["Stream.provideLayer", "Stream.provide"],
    ["Stream.repeatEffect", "Stream.fromEffectRepeat"],
    ["Stream.runFoldEffect($stream, $zero, $fold)", "Stream.runFoldEffect($stream, () => $zero, $fold)"],
    [
      "Stream.unfoldEffect($state, $step)",
      "Stream.unfold($state, (state) => Effect.map(($step)(state), Option.getOrUndefined))"
    ],
    ["Stream.unwrapScoped", "Stream.unwrap"],
    [
      "NodeStream.pipeThroughDuplex($stream, $duplex, $onError)",
      "NodeStream.pipeThroughDuplex($stream, { evaluate: $duplex, onError: $onError })"
    ],

    // layers and configuration
    ["Config.redacted", "Config.Redacted"],
    ["Config.string", "Config.String"],
    ["Config.integer", "Config.Int"],
    ["ConfigError.isConfigError($error)", "($error instanceof Config.ConfigError)"],
    ["ConfigProvider.fromMap(new Map())", "ConfigProvider.fromUnknown({})"],
    ["ConfigProvider.fromMap(new Map($entries))", "ConfigProvider.fromUnknown(Object.fromEntries($entries))"],
    ["Layer.scoped", "Layer.effect"],
    ["Layer.setConfigProvider($provider)", "ConfigProvider.layer($provider)"],
    ["Layer.unwrapEffect", "Layer.unwrap"],
    ["ConfigError.ConfigError", "Config.ConfigError"],
    [
      "ConfigError.InvalidData($path, $message)",
      'new Config.ConfigError(new ConfigProvider.SourceError({ message: [$path, $message].flat().join(": ") }))'
    ],
    [
      "ConfigError.SourceUnavailable($path, $message, $cause)",
      'new Config.ConfigError(new ConfigProvider.SourceError({ message: [$path, $message].flat().join(": "), cause: $cause }))'
    ],

    // metrics
    [
      "Metric.histogram($name, $boundaries, $description)",
      "Metric.histogram($name, { boundaries: $boundaries, description: $description })"
    ],
    ["Metric.increment($metric)", "Metric.update($metric, 1)"],
    ["Metric.incrementBy($metric, $by)", "Metric.update($metric, $by)"],
    ["Metric.tagged($metric, $key, $value)", "Metric.withAttributes($metric, { [$key]: $value })"],
    ["MetricBoundaries.exponential", "Metric.exponentialBoundaries"],

    // schemas
    ["ParseResult.decodeEither", "SchemaParser.decodeResult"],
    ["ParseResult.decodeUnknown", "SchemaParser.decodeUnknownEffect"],
    ["ParseResult.decodeUnknownEither", "SchemaParser.decodeUnknownResult"],
    ["ParseResult.decodeUnknownOption", "Schema.decodeUnknownOption"],
    ["ParseResult.encodeEither", "SchemaParser.encodeResult"],
    ["ParseResult.ParseIssue", "SchemaIssue.Issue"],
    ["ParseResult.TreeFormatter.formatIssueSync($issue)", "SchemaIssue.makeFormatterDefault()($issue)"],
    ["ParseResult.validateEither($schema)", "SchemaParser.decodeUnknownResult($schema)"],
    [
      "$schema.annotations({ identifier: $identifier, $$rest })",
      "$schema.annotate({ identifier: $identifier, $$rest }).pipe(Schema.annotateEncoded({ identifier: $identifier }))",
      "effect/Schema"
    ],
    ["$schema.annotations($annotations)", "$schema.annotate($annotations)", "effect/Schema"],
    ["type Schema.Schema<$Type>", "Schema.Codec<$Type>"],
    ["type Schema.Schema<$Type, $Encoded>", "Schema.Codec<$Type, $Encoded>"],
    ["type Schema.Schema.Any", "Schema.Top"],
    ["Schema.decode", "Schema.decodeEffect"],
    ["Schema.decodeEither", "Schema.decodeResult"],
    ["Schema.decodeUnknown", "Schema.decodeUnknownEffect"],
    ["Schema.decodeUnknownEither", "Schema.decodeUnknownResult"],
    ["Schema.encode", "Schema.encodeEffect"],
    ["Schema.encodeEither", "Schema.encodeResult"],
    ["Schema.encodedSchema", "Schema.toEncoded"],
    ["Schema.equivalence", "Schema.toEquivalence"],
    ["Schema.Record({ key: $key, value: $value })", "Schema.Record($key, $value)"],
    ["Schema.DateTimeUtcFromSelf", "Schema.DateTimeUtc"],
    ["Schema.DurationFromSelf", "Schema.Duration"],
    ["Schema.filter($predicate)", "Schema.check(Schema.makeFilter($predicate))"],
    ["Schema.Literal(...$literals)", "Schema.Literals($literals)"],
    ["Schema.Literal($first, $second, $$rest)", "Schema.Literals([$first, $second, $$rest])"],
    ["Schema.minLength($least)", "Schema.check(Schema.isMinLength($least))"],
    ["Schema.OptionFromSelf", "Schema.Option"],
    ["Schema.optionalWith($schema, { exact: true })", "Schema.optionalKey($schema)"],
    ["Schema.pattern($pattern)", "Schema.check(Schema.isPattern($pattern))"],
    ["Schema.Struct($fields, $rest)", "Schema.StructWithRest(Schema.Struct($fields), [$rest])"],
    ["Schema.Tuple($first, $second, $$rest)", "Schema.Tuple([$first, $second, $$rest])"],
    ["Schema.parseJson($schema)", "Schema.fromJsonString($schema)"],
    ["type Schema.SchemaClass<$Type>", "Schema.Codec<$Type>"],
    [
      "Schema.transform($from, $to, { strict: $strict, decode: $decode, encode: $encode })",
      "$from.pipe(Schema.decodeTo($to, SchemaTransformation.transform({ decode: $decode, encode: $encode })))"
    ],
    ["$schema.pipe(Schema.propertySignature, $$rest)", "$schema.pipe($$rest)"],
    ["Schema.typeSchema", "Schema.toType"],
    ["Schema.Union(...$members, $$rest)", "Schema.Union([...$members, $$rest])"],
    ["Schema.Union($first, $$rest)", "Schema.Union([$first, $$rest])"],
    ["Schema.withConstructorDefault($default)", "Schema.withConstructorDefault(Effect.sync($default))"],

    // tests
    ["it.scoped", "it.effect"],
    ["it.scopedLive", "it.live"],

    // HTTP
    [
      '$error._tag === "RequestError" ? $error.reason === "Transport" : $error.response.status >= $status',
      '$error.reason._tag === "TransportError" || ($error.response?.status ?? 0) >= $status'
    ],
    [
      'Predicate.isTagged($error, "RouteNotFound")',
      '(HttpServerError.isHttpServerError($error) && $error.reason._tag === "RouteNotFound")'
    ],
    ["HttpRouter.empty.pipe($$routes)", "Layer.mergeAll($$routes)"],
    ["HttpRouter.get($path, $handler)", 'HttpRouter.add("GET", $path, $handler)'],
    ["HttpRouter.toHttpApp", "HttpRouter.toHttpEffect"],
    ["type HttpRouter.HttpRouter.DefaultServices", "Layer.Success<typeof HttpServer.layerServices>"],
    ["HttpServer.layerContext", "HttpServer.layerServices"],
    ["NodeHttpServer.layerContext", "NodeHttpServer.layerHttpServices"],
    [
      "NodeHttpServer.makeHandler($app)",
      "Effect.flatMap(Effect.scope, (scope) => NodeHttpServer.makeHandler(Effect.interruptible($app), { scope }))"
    ],
    [
      "HttpMiddleware.withTracerDisabledWhenEffect($effect, $predicate)",
      "Effect.provideService($effect, HttpMiddleware.TracerDisabledWhen, $predicate)"
    ],
    [
      "HttpClient.withTracerDisabledWhen($predicate)",
      "HttpClient.transformResponse(Effect.provideService(HttpClient.TracerDisabledWhen, $predicate))"
    ],
    [
      "RpcServer.toWebHandler($group, { layer: $layer })",
      'HttpRouter.toWebHandler(RpcServer.layerHttp({ group: $group, path: "/", protocol: "http" }).pipe(Layer.provide($layer)))'
    ],
    [
      'new HttpClientError.RequestError({ request: $request, reason: "Encode", $$rest })',
      "new HttpClientError.HttpClientError({ reason: new HttpClientError.EncodeError({ request: $request, $$rest }) })"
    ],
    [
      'new HttpClientError.RequestError({ request: $request, reason: "InvalidUrl", $$rest })',
      "new HttpClientError.HttpClientError({ reason: new HttpClientError.InvalidUrlError({ request: $request, $$rest }) })"
    ],
    [
      'new HttpClientError.RequestError({ request: $request, reason: "Transport", $$rest })',
      "new HttpClientError.HttpClientError({ reason: new HttpClientError.TransportError({ request: $request, $$rest }) })"
    ],
    [
      'new HttpClientError.ResponseError({ request: $request, response: $response, reason: "Decode", $$rest })',
      "new HttpClientError.HttpClientError({ reason: new HttpClientError.DecodeError({ request: $request, response: $response, $$rest }) })"
    ],
    ["NodeHttpClient.layer", "NodeHttpClient.layerNodeHttp"],
    ["NodeHttpClient.layerUndiciWithoutDispatcher", "NodeHttpClient.layerUndiciNoDispatcher"],
    [
      "type HttpApp.Default",
      "Effect.Effect<HttpServerResponse.HttpServerResponse, never, HttpServerRequest.HttpServerRequest>"
    ],
    [
      "type HttpApp.Default<$Error, $Requirements>",
      "Effect.Effect<HttpServerResponse.HttpServerResponse, $Error, $Requirements | HttpServerRequest.HttpServerRequest>"
    ]
  ]
}
