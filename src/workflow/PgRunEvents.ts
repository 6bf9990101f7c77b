/**
 * `RunEvents` over PostgreSQL: an event that one process publishes wakes the waits of all, by `LISTEN` and `NOTIFY`. So a
 * webhook that one process receives wakes a wait in another.
 *
 * An event is a hint, and none is kept: behind each wait stands its slow poll. Whatever fails here costs time and nothing
 * else, and is a warning.
 *
 * @module
 * @since 1.0.0
 */
import * as PgClient from "@effect/sql-pg/PgClient"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as check from "../client/options.js"
import { encode } from "../internal/bytes.js"
import * as listeners from "../internal/listeners.js"
import * as logLimit from "../internal/logLimit.js"
import { oneLine } from "../internal/text.js"
import type { InvalidRequestError } from "../LumeError.js"
import * as RunEvents from "../RunEvents.js"
import * as listener from "./internal/listener.js"

/**
 * How events travel.
 *
 * @since 1.0.0
 * @category models
 */
export interface Options {
  /**
   * The channel of the database, 1 to 63 bytes: applications that share it wake each other's waits. Default:
   * `effect_lume_run_events`.
   */
  readonly channel?: string | undefined
  /**
   * How often the connection that listens is tested; milliseconds if bare, more than zero. It can die without an error.
   * Default: 30 seconds.
   */
  readonly heartbeat?: Duration.DurationInput | undefined
}

/** The most that PostgreSQL takes as a notification's payload, in bytes. */
const longestPayload = 7_999

/** How long the database may take to pass a notification on. */
const patience = Duration.seconds(5)

/** The longest name that PostgreSQL keeps whole, in bytes. */
const longestChannel = 63

/** A channel that `LISTEN` and `pg_notify` take for the same. */
const checkChannel = (given: unknown): Effect.Effect<string, InvalidRequestError> =>
  typeof given === "string" && /^[^\0]+$/.test(given) && encode(given).length <= longestChannel
    ? Effect.succeed(given)
    : check.must("channel", `a text of 1 to ${longestChannel} bytes without NUL`, given)

const withoutTransaction: (context: Context.Context<never>) => Context.Context<never> = () => Context.empty()

/** Sends a notification in no transaction of the caller's, which it would take with it where it is refused. */
const notify = (sql: PgClient.PgClient, channel: string, payload: string) =>
  Effect.timeout(Effect.mapInputContext(listener.notify(sql, channel, payload), withoutTransaction), patience)

/**
 * Events among all processes that have this layer over the same database. Give it to `LumeClient.layerWithEvents`, and to
 * the webhook whose handler is `RunEvents.publish`.
 *
 * It listens on a connection of its own, which must reach the database itself or a pooler in session mode. It sends
 * itself a notification every `heartbeat`, by a second connection that is closed again. Where none comes back it connects
 * anew, and wakes every wait, which then reads its run as after any event: 13 times in a minute.
 *
 * That connection is made from the client's configuration. `PgClient.layerFromPool` leaves a password out of it that is a
 * function: give the client a configuration of its own.
 *
 * Fails with `InvalidRequestError` where an option can't be right.
 *
 * @example
 * ```ts
 * import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
 * import * as PgClient from "@effect/sql-pg/PgClient"
 * import * as Config from "effect/Config"
 * import * as Layer from "effect/Layer"
 * import { LumeClient } from "effect-lume"
 * import * as PgRunEvents from "effect-lume/workflow/PgRunEvents"
 *
 * const Lume = LumeClient.layerConfigWithEvents().pipe(
 *   Layer.provideMerge(PgRunEvents.layer()),
 *   Layer.provide(PgClient.layerConfig({ url: Config.redacted("DATABASE_URL") })),
 *   Layer.provide(FetchHttpClient.layer)
 * )
 * ```
 *
 * @since 1.0.0
 * @category layers
 */
export const layer = (
  options: Options = {}
): Layer.Layer<RunEvents.RunEvents, InvalidRequestError, PgClient.PgClient> =>
  Layer.scoped(
    RunEvents.RunEvents,
    Effect.gen(function* () {
      const sql = yield* PgClient.PgClient
      const channel = yield* checkChannel(check.or(options.channel, "effect_lume_run_events"))
      const heartbeat = yield* check.millis("heartbeat", check.or(options.heartbeat, "30 seconds"))
      const local = listeners.make()
      const limit = logLimit.make()
      let isListening = false
      const listens = (now: boolean) => Effect.sync(() => void (isListening = now))

      yield* listener.listen({
        config: sql.config,
        channel,
        heartbeat,
        patience,
        onPayload: (runId) => local.publish({ runId }),
        onListening: Effect.zipRight(listens(true), local.wakeAll),
        onLost: listens(false)
      })

      const publish: RunEvents.Service["publish"] = ({ runId }) => {
        const here = (why: string) =>
          Effect.zipRight(
            local.publish({ runId }),
            limit((leftOut) =>
              Effect.logWarning(
                `An event of run ${oneLine(runId)} reaches this process only, and waits in others find out by their polls: ${why}.${leftOut}`
              )
            )
          )
        return encode(runId).length > longestPayload
          ? here(`a run id of more than ${longestPayload} bytes is too long for a notification`)
          : Effect.matchEffect(notify(sql, channel, runId), {
              onFailure: (error) => here(`PostgreSQL has not taken it, ${listener.explain(error)}`),
              // looked at now: a connection that has begun to listen meanwhile has woken everybody
              onSuccess: () => (isListening ? Effect.void : local.publish({ runId }))
            })
      }

      return { publish, subscribe: local.subscribe }
    })
  )
