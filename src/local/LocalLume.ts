/**
 * A Lume on this machine: an HTTP server with Lume's two endpoints over `LocalEngine`.
 *
 * It takes the place of Lume's service in tests, examples and development: production code runs against it unchanged,
 * and its runs really transform data.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Headers from "@effect/platform/Headers"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Array from "effect/Array"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ParseResult from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import { randomUUID } from "node:crypto"
import { createServer } from "node:http"
import { fromIssue } from "../internal/problem.js"
import * as RunRequest from "../RunRequest.js"
import * as Api from "./internal/api.js"
import * as flows from "./internal/flows.js"
import * as runs from "./internal/runs.js"
import type { Webhook } from "./internal/webhook.js"
import type { LocalFlow } from "./LocalFlow.js"

export {
  /** A local Lume can't start; the message says what is wrong and what to do. */
  LocalLumeError
} from "./internal/flows.js"

/** A running local Lume. */
export class LocalLume extends Context.Tag("effect-lume/local/LocalLume")<LocalLume, Service>() {}

/** How to reach a local Lume. */
export interface Service {
  /** Its base URL, such as `http://127.0.0.1:49152`: the `baseUrl` option of `LumeClient.layer`. */
  readonly url: string
  /** The only key that it accepts. */
  readonly apiKey: Redacted.Redacted
}

/** What a local Lume is made of. */
export interface Options {
  /** A folder of JSON files, each a `LocalFlow`; or the flows themselves. */
  readonly flows: string | ReadonlyArray<LocalFlow>
  /** The folder that sources are read from; nothing outside of it can be. `s3://acme/a.csv` is `s3/acme/a.csv` in it. */
  readonly sources: string
  /** The folder that runs write to, each into one named by its id. It is made where it does not exist. */
  readonly targets: string
  /** The key that clients must send. Default: a random one. */
  readonly apiKey?: Redacted.Redacted | undefined
  /** The address to listen on. Default: `127.0.0.1`. */
  readonly host?: string | undefined
  /** The port to listen on. Default: a free one. */
  readonly port?: number | undefined
  /** How many runs go on at a time; the others wait as `CREATED`. Default: 2. */
  readonly concurrency?: number | undefined
  /**
   * Where the end of each run is delivered, signed with `secret`, as Lume's webhooks are. A delivery that is not answered
   * with 2xx is sent again, for about ten minutes. Default: nowhere.
   */
  readonly webhook?: Webhook | undefined
}

const decodeRequest = ParseResult.decodeUnknown(RunRequest.RunRequest)

/** FastAPI's way to say what is wrong with a body. */
const unprocessable = (loc: ReadonlyArray<string>, msg: string, type: string): Api.Unprocessable =>
  new Api.Unprocessable({ detail: [{ loc: ["body", ...loc], msg, type }] })

/** The schema checks some fields under the SDK's names; here is a body that has them under both. */
const withBothNames = (json: unknown): unknown =>
  typeof json === "object" && json !== null && "flow_version" in json && "source_path" in json
    ? { ...json, flowVersion: json.flow_version, sourcePath: json.source_path }
    : json

const wireName = (path: string): string =>
  path.replace(/^flowVersion/, "flow_version").replace(/^sourcePath/, "source_path")

const readRequest = (json: unknown): Effect.Effect<RunRequest.RunRequest, Api.Unprocessable> =>
  Effect.mapError(decodeRequest(json), (issue) => {
    const { expected, path, received } = fromIssue(issue, withBothNames(json))
    const loc = path === "" ? [] : wireName(path).split(".")
    return received === "nothing"
      ? unprocessable(loc, "Field required", "missing")
      : unprocessable(loc, `Expected ${expected}, got ${received}`, "value_error")
  })

const runsLayer = (options: Options) =>
  HttpApiBuilder.group(Api.api, "runs", (handlers) =>
    Effect.gen(function* () {
      const known = yield* flows.load(options.flows)
      const store = yield* runs.make({ ...options, concurrency: options.concurrency ?? 2, webhook: options.webhook })

      return handlers
        .handleRaw("submit", ({ request }) =>
          Effect.gen(function* () {
            const json = yield* Effect.mapError(request.json, () =>
              unprocessable([], "JSON decode error", "json_invalid")
            )
            const submitted = yield* readRequest(json)
            const flow = known.get(submitted.flowVersion)
            if (flow === undefined) {
              const versions = [...known.keys()].join(", ")
              return yield* Effect.fail(
                new Api.NotFound({ detail: `Unknown flow version ${submitted.flowVersion}. There are: ${versions}` })
              )
            }
            if (submitted.forceRerun !== true && store.hasSucceeded(submitted)) {
              return yield* Effect.fail(
                new Api.AlreadyProcessed({
                  detail: `${submitted.sourcePath} has already been processed successfully by ${submitted.flowVersion}`
                })
              )
            }
            return yield* store.submit(submitted, flow)
          })
        )
        .handle("status", ({ path: { id } }) => {
          const run = store.get(id)
          return run === undefined ? Effect.fail(new Api.NotFound({ detail: "Run not found" })) : Effect.succeed(run)
        })
    })
  )

const keyCheck = (apiKey: Redacted.Redacted) =>
  Layer.succeed(Api.KeyCheck, {
    key: (given) =>
      Redacted.value(given) === Redacted.value(apiKey)
        ? Effect.void
        : Effect.fail(new Api.Unauthorized({ detail: "Invalid API key" }))
  })

const refuse = (message: string) => new flows.LocalLumeError({ message })

const checkOptions = ({ apiKey, concurrency = 2, port = 0, sources, targets }: Options) =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    if (!Number.isSafeInteger(concurrency) || concurrency < 1) {
      return yield* refuse(`concurrency must be a positive integer, but is ${concurrency}.`)
    }
    if (!Number.isSafeInteger(port) || port < 0 || port > 65535) {
      return yield* refuse(`port must be an integer from 0 to 65535, but is ${port}. Leave it out to get a free one.`)
    }
    // A request without a key would match it.
    if (apiKey !== undefined && Redacted.value(apiKey) === "") {
      return yield* refuse("apiKey is empty. Leave it out to get a random one.")
    }
    const isFolder = yield* files.stat(sources).pipe(
      Effect.map(({ type }) => type === "Directory"),
      Effect.orElseSucceed(() => false)
    )
    if (!isFolder) return yield* refuse(`The sources folder ${sources} does not exist. Create it first.`)
    yield* Effect.mapError(files.makeDirectory(targets, { recursive: true }), (error) =>
      refuse(`The targets folder ${targets} can't be made: ${error.message}`)
    )
  })

/** A server that is closed at once, where Node's own waits until every client has let go of its connection. */
const makeServer = () => {
  const server = createServer()
  const close = server.close.bind(server)
  server.close = (callback) => {
    close(callback)
    server.closeAllConnections()
    return server
  }
  return server
}

const serverLayer = ({ host = "127.0.0.1", port = 0 }: Options) =>
  NodeHttpServer.layer(makeServer, { host, port }).pipe(
    Layer.mapError(
      ({ cause }) =>
        new flows.LocalLumeError({
          message: `Can't listen on ${host}:${port}: ${String(cause)}. Leave the port out to get a free one.`
        })
    )
  )

const notFound = HttpServerResponse.unsafeJson({ detail: "Not Found" }, { status: 404 })

/** An unknown path is refused as FastAPI does it. The platform's types don't tell that a path can be unknown. */
const withBody = (app: HttpApp.Default): HttpApp.Default =>
  Effect.catchAllCause(app, (cause) =>
    Predicate.isTagged(Cause.squash(cause), "RouteNotFound") ? Effect.succeed(notFound) : Effect.failCause(cause)
  )

const urlOf = (address: HttpServer.Address): string =>
  address._tag === "TcpAddress" && address.hostname.includes(":")
    ? `http://[${address.hostname}]:${address.port}`
    : HttpServer.formatAddress(address)

/**
 * A local Lume, for as long as the layer's scope is open. Its runs live in memory; what they write stays.
 *
 * It refuses as Lume does, with FastAPI's bodies: 401 for a wrong key, 404 for an unknown flow version or run, 409 for a
 * source path that has `SUCCEEDED` for the flow version (unless `force_rerun`), 422 for a body that is no request.
 *
 * Fails with `LocalLumeError` where a flow is wrong or there twice, a folder is missing or can't be made, an option can't
 * work, or the port is taken.
 */
export const layer = (options: Options): Layer.Layer<LocalLume, flows.LocalLumeError> => {
  // A secret asks for more than Effect's Random.
  const apiKey = options.apiKey ?? Redacted.make(`local-${randomUUID()}`)
  const service = Layer.effect(
    LocalLume,
    HttpServer.addressWith((address) => Effect.succeed({ url: urlOf(address), apiKey }))
  )
  const server = HttpApiBuilder.serve().pipe(
    Layer.provide(HttpApiBuilder.middleware(withBody)),
    Layer.provide(HttpApiBuilder.api(Api.api)),
    Layer.provide(runsLayer(options)),
    Layer.provide(keyCheck(apiKey)),
    // The server's spans hold the headers of its requests.
    Layer.locallyWith(Headers.currentRedactedNames, Array.append("lume-api-key"))
  )
  return Layer.unwrapEffect(
    Effect.as(checkOptions(options), Layer.provide(Layer.merge(service, server), serverLayer(options)))
  ).pipe(Layer.provide(NodeContext.layer))
}
