/**
 * A Lume on this machine: an HTTP server with Lume's two endpoints over `LocalEngine`.
 *
 * It takes the place of Lume's service in tests, examples and development: production code runs against it unchanged,
 * and its runs really transform data.
 *
 * @module
 * @since 1.0.0
 */
import type * as FileSystem from "@effect/platform/FileSystem"
import type * as HttpRouter from "@effect/platform/HttpRouter"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as path from "node:path"
import { because, type LocalLumeError } from "./internal/error.js"
import type * as faults from "./internal/faults.js"
import * as handlers from "./internal/handlers.js"
import * as http from "./internal/http.js"
import * as keys from "./internal/keys.js"
import * as options from "./internal/options.js"
import * as page from "./internal/page/app.js"
import { recover } from "./internal/recovery.js"
import * as runs from "./internal/runs.js"
import * as store from "./internal/store.js"
import * as webhook from "./internal/webhook.js"
import type { LocalFlow } from "./LocalFlow.js"

export {
  /**
   * A local Lume can't start; the message says what is wrong and what to do.
   *
   * @since 1.0.0
   * @category errors
   */
  LocalLumeError
} from "./internal/error.js"

/**
 * A running local Lume.
 *
 * @since 1.0.0
 * @category tags
 */
export class LocalLume extends Context.Tag("effect-lume/local/LocalLume")<LocalLume, Service>() {}

/**
 * How to reach a local Lume.
 *
 * @since 1.0.0
 * @category models
 */
export interface Service {
  /** Its base URL, such as `http://127.0.0.1:49152`: the `baseUrl` option of `LumeClient.layer`. */
  readonly url: string
  /** The only key that it accepts. */
  readonly apiKey: Redacted.Redacted
  /** What its webhook's deliveries are signed with; `None` where it has no webhook. */
  readonly webhookSecret: Option.Option<Redacted.Redacted>
}

/**
 * Where the ends of runs are delivered.
 *
 * @since 1.0.0
 * @category models
 */
export interface Webhook {
  /** The URL that receives deliveries by `POST`. */
  readonly url: string
  /** What they are signed with. Default: a random secret, which stays the same as long as the store does. */
  readonly secret?: Redacted.Redacted | undefined
}

/**
 * What is known of a request when its faults are chosen.
 *
 * @since 1.0.0
 * @category models
 */
export type FaultRequest = faults.Request

/**
 * What a local Lume is made of.
 *
 * @since 1.0.0
 * @category models
 */
export interface Options {
  /** A folder of JSON files, each a `LocalFlow`; or the flows themselves. */
  readonly flows: string | ReadonlyArray<LocalFlow>
  /** The folder that sources are read from; nothing outside of it can be. `s3://acme/a.csv` is `s3/acme/a.csv` in it. */
  readonly sources: string
  /**
   * The folder that runs write to, each into one named by its id, which only its owner can read. It is made where it
   * does not exist.
   */
  readonly targets: string
  /** The key that clients must send. Default: a random one, which stays the same as long as the store does. */
  readonly apiKey?: Redacted.Redacted | undefined
  /**
   * The address to listen on. Other machines can reach one that is not `localhost`, `127.0.0.1` or `::1`: then an
   * `apiKey` is asked for. Default: `127.0.0.1`.
   */
  readonly host?: string | undefined
  /** The port to listen on. Default: a free one. */
  readonly port?: number | undefined
  /**
   * How many runs go on at a time; the others wait as `CREATED`, at most 10,000. Each that computes holds one of the
   * threads that Node reads files with (`UV_THREADPOOL_SIZE`, 4 unless that is set): let it be two fewer. Default: 2.
   */
  readonly concurrency?: number | undefined
  /**
   * Where the end of each run is delivered, signed, as by Lume's webhooks. A delivery that is not answered with 2xx is sent
   * again, for about ten minutes, and again after each start. Default: nowhere.
   */
  readonly webhook?: Webhook | undefined
  /**
   * Where runs are remembered: on disk, in `<targets>/.lume/`, which one local Lume can use at a time; or in memory, for
   * as long as the layer lives. Default: `"disk"`.
   */
  readonly store?: "disk" | "memory" | undefined
  /** How long runs that have ended are remembered. Their output stays. Default: 30 days. */
  readonly keepFor?: Duration.DurationInput | undefined
  /** How many runs that have ended are remembered. Their output stays. Default: 10,000. */
  readonly keepRuns?: number | undefined
  /**
   * How many bytes of memory DuckDB may use for a run, such as `FileSystem.GiB(2)`; what does not fit is spilled to disk.
   * Values that an expression makes itself are not counted. Default: a quarter of the machine's memory, or of the
   * container's limit.
   */
  readonly memoryLimit?: FileSystem.SizeInput | undefined
  /** The folder that runs spill to; it is made where it does not exist. Default: inside `targets`. */
  readonly spillFolder?: string | undefined
  /** How long a run may take; then it is `FAILED` with `RUN_TIMEOUT`. `Infinity` is allowed. Default: 1 hour. */
  readonly runTimeout?: Duration.DurationInput | undefined
  /**
   * Faults that requests meet, for tests of programs that use Lume: a list for every request, or a function that gives
   * the list of each. The header `x-lume-fault` of a request goes first. Default: none.
   *
   * | fault | what happens |
   * |---|---|
   * | `503`, any from `400` to `599` | the request is not handled, and answered so |
   * | `429=5s` | the same, with `Retry-After` |
   * | `reset` | it is not handled, and its connection is reset |
   * | `hang` | it is not handled, and never answered |
   * | `slow=2s` | it is handled 2 seconds later; also `ms` and `m` |
   * | `lost` | it is handled, and its connection is reset in place of the answer |
   * | `cut` | it is handled, and its answer breaks off |
   * | `html` | it is handled, and its answer is a page of HTML |
   *
   * A list is separated by commas and goes from the outside in: `slow=2s, 503` is answered with 503 after 2 seconds.
   *
   * With `({ index, method }) => (method === "POST" && index === 0 ? "lost" : undefined)` the first submit is accepted, and
   * its answer is lost.
   */
  readonly fault?: string | ((request: FaultRequest) => string | undefined) | undefined
}

const storeLayer = ({ retention, store: kind, targets }: options.Settings) =>
  kind === "memory" ? store.layerMemory(retention) : store.layerDisk(path.join(targets, ".lume"), retention)

const settle = (settings: options.Settings, deliver: boolean) =>
  Effect.mapError(
    recover(settings, deliver),
    because(
      (why) =>
        `What the last local Lume has left in ${settings.targets} can't be settled: ${why}. Check that there is space, and the folder's permissions.`
    )
  )

const start = (
  settings: options.Settings
): Effect.Effect<Service, LocalLumeError, HttpRouter.HttpRouter.DefaultServices | store.Store | Scope.Scope> =>
  Effect.gen(function* () {
    const { concurrency, flows, limits, server, sources, store, targets } = settings
    const own = store === "memory" ? yield* keys.make : yield* keys.keep(path.join(targets, ".lume"))
    const apiKey = Option.getOrElse(settings.apiKey, () => own.apiKey)
    const hook = Option.map(settings.webhook, ({ secret, url }) => ({
      url,
      secret: Option.getOrElse(secret, () => own.webhookSecret)
    }))
    if (store === "disk") yield* settle(settings, Option.isSome(hook))

    const deliver = yield* Effect.transposeOption(Option.map(hook, webhook.make))
    const made = yield* runs.make({ flows, sources, targets, limits, concurrency, deliver })
    const endpoints = yield* handlers.make({ flows, runs: made, apiKey })
    const url = yield* http.serve(endpoints, server, { has: page.has, app: yield* page.make({ flows, targets }) })
    // Not before the server has its port: to fail here would leave runs that had begun.
    yield* made.start
    return { url, apiKey, webhookSecret: Option.map(hook, ({ secret }) => secret) }
  })

/**
 * A local Lume, for as long as the layer's scope is open. On closing it waits up to 5 seconds for runs that go on.
 *
 * It refuses as Lume does, with FastAPI's bodies: 401 for a wrong key, 404 for an unknown flow version or run, 409 for a
 * source path that has `SUCCEEDED` for the flow version (unless `force_rerun`), 413 for a body of more than 1 MiB, 422 for
 * one that is no request, 429 where 10,000 runs are waiting. `GET /openapi.json` says it all, without a key.
 *
 * Its runs are shown to people on this machine at `/`, without a key, by a page that follows them.
 *
 * A run is on disk before it is accepted. After the next start on the same `targets`, runs that had ended are as they
 * were, runs that had begun are `CRASHED` with the code `PROCESS_ENDED`, and those still `CREATED` are made.
 *
 * Fails with `LocalLumeError` where a flow is wrong or there twice, a folder is missing or can't be made, an option can't
 * work, the port is taken, another local Lume uses the same `targets`, or what is remembered there can't be read.
 *
 * @example
 * ```ts
 * import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 * import { LumeClient } from "effect-lume"
 * import * as LocalLume from "effect-lume/local/LocalLume"
 *
 * const Local = LocalLume.layer({ flows: "./flows", sources: "./sources", targets: "./targets" })
 *
 * const Lume = Layer.unwrapEffect(
 *   Effect.map(LocalLume.LocalLume, ({ apiKey, url }) => LumeClient.layer({ apiKey, baseUrl: url }))
 * ).pipe(Layer.provide(FetchHttpClient.layer), Layer.provide(Local))
 * ```
 *
 * @since 1.0.0
 * @category layers
 */
export const layer = (given: Options): Layer.Layer<LocalLume, LocalLumeError> =>
  Layer.unwrapEffect(
    Effect.map(options.settings(given), (settings) =>
      Layer.scoped(LocalLume, start(settings)).pipe(Layer.provide(storeLayer(settings)))
    )
  ).pipe(Layer.provide(NodeHttpServer.layerContext))
