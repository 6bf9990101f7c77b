/**
 * A connection that listens to PostgreSQL's notifications, for as long as its scope is open.
 *
 * Such a connection can die without an error: a router forgets it, a failover leaves it behind, a pooler in transaction
 * mode hands it on. So it is tested by notices to itself, and made anew where none comes back. Its socket is held here,
 * because what the driver does to end a dead connection waits for the connection.
 */
import * as Reactivity from "@effect/experimental/Reactivity"
import * as PgClient from "@effect/sql-pg/PgClient"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Predicate from "effect/Predicate"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { Socket } from "node:net"
import type { Duplex } from "node:stream"
import { sleep } from "../../client/sleep.js"
import { oneLine } from "../../internal/text.js"

/** How to listen, and what to do with what is heard. */
export interface Options {
  readonly config: PgClient.PgClientConfig
  readonly channel: string
  /** Between two notices to itself, in milliseconds. */
  readonly heartbeat: number
  /** How long a connection may take, and a notice until it comes back. */
  readonly patience: Duration.Duration
  readonly onPayload: (payload: string) => Effect.Effect<void>
  /** Is run whenever a connection has begun to listen: what came before is lost. */
  readonly onListening: Effect.Effect<void>
  /** Is run whenever a connection listens no more. */
  readonly onLost: Effect.Effect<void>
}

/** What an error says, down to its cause. */
export const explain = (error: unknown): string => {
  const deepest = Predicate.hasProperty(error, "cause") ? error.cause : error
  return oneLine(deepest instanceof Error ? deepest.message || deepest.name : String(deepest))
}

/** Sends a notification. */
export const notify = (sql: PgClient.PgClient, channel: string, payload: string) =>
  Effect.asVoid(Effect.disconnect(sql`select pg_notify(${channel}, ${payload})`))

/** Pauses before another connection is made. */
const backoff = Schedule.either(Schedule.exponential("500 millis"), Schedule.spaced("30 seconds"))

/** How often a notice is sent, until it has come back: the first ones may go out before the connection listens. */
const again = Schedule.exponential("50 millis")

/**
 * A client with sockets of its own, which are destroyed with the scope, whatever their state. `onClose` is called when one
 * closes that was made after the client: the one before only tests the configuration.
 */
const connect = ({ config, patience }: Options, onClose: () => void = () => {}) =>
  Effect.gen(function* () {
    const sockets = new Set<Duplex>()
    let connected = false
    const stream = (): Duplex => {
      const socket = config.stream?.() ?? new Socket()
      sockets.add(socket)
      socket.once("close", () => sockets.delete(socket))
      if (connected) socket.once("close", onClose)
      return socket
    }
    const scope = yield* Scope.make()
    yield* Effect.addFinalizer(() =>
      // the driver says goodbye first; on a dead connection that has no end
      Effect.forkDaemon(Scope.close(scope, Exit.void)).pipe(
        Effect.flatMap((closing) => Effect.interruptible(Effect.timeoutOption(Fiber.await(closing), "1 second"))),
        Effect.zipRight(Effect.sync(() => sockets.forEach((socket) => socket.destroy())))
      )
    )
    const client = yield* PgClient.make({
      ...config,
      connectTimeout: patience,
      idleTimeout: "1 second",
      maxConnections: 1,
      minConnections: 0,
      stream
    }).pipe(Scope.extend(scope), Effect.provide(Reactivity.layer))
    connected = true
    return { client, scope }
  })

/**
 * Listens until the connection is lost, and fails with the reason. `onKept` is run whenever a connection that listened has
 * been tested again.
 */
const listenOnce = (
  options: Options,
  onListening: Effect.Effect<void>,
  onKept: Effect.Effect<void>
): Effect.Effect<never, string> =>
  Effect.scoped(
    Effect.gen(function* () {
      const closed = yield* Deferred.make<never, unknown>()
      const { client, scope } = yield* connect(options, () =>
        Deferred.unsafeDone(closed, Effect.fail("the connection was closed"))
      )
      // not the application's pool: what is dead in it would be taken again and again
      const sender = yield* connect(options)
      // nobody takes it for a run's: theirs have no spaces
      const notice = `effect-lume notice ${globalThis.crypto.randomUUID()}`
      const notices = yield* Queue.sliding<void>(1)

      const hear = Stream.runForEach(client.listen(options.channel), (payload) =>
        payload === notice ? Queue.offer(notices, undefined) : options.onPayload(payload)
      ).pipe(Effect.zipRight(Effect.fail("the connection ended")), Effect.intoDeferred(closed))
      yield* Effect.forkIn(hear, scope)

      const comesBack = Queue.take(notices).pipe(
        Effect.raceFirst(
          Effect.zipRight(Effect.repeat(notify(sender.client, options.channel, notice), again), Effect.never)
        ),
        Effect.timeoutFail({
          duration: options.patience,
          onTimeout: () => "a notification to itself did not come back"
        })
      )
      const test = Effect.zipRight(Queue.takeAll(notices), comesBack)
      const testing = Effect.zipRight(
        Effect.zipRight(test, onListening),
        Effect.forever(
          Effect.clockWith((clock) => sleep(clock, options.heartbeat)).pipe(
            Effect.zipRight(test),
            Effect.zipRight(onKept)
          )
        )
      )
      return yield* Effect.ensuring(Effect.raceFirst(testing, Deferred.await(closed)), options.onLost)
    })
    // some of the driver's failures are defects
  ).pipe(Effect.catchAllCause((cause) => Effect.fail(explain(Cause.squash(cause)))))

/** Listens, on one connection after the other. Returns when the first one listens, or can't. */
export const listen = (options: Options): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function* () {
    const begun = yield* Deferred.make<void>()
    let hasWarned = false
    const driver = yield* Schedule.driver(backoff)

    const onListening = Effect.zipRight(options.onListening, Deferred.succeed(begun, undefined))

    // not as soon as it listens: where each connection is closed at once, it would be a warning each, without a pause
    const onKept = Effect.gen(function* () {
      if (hasWarned) yield* Effect.logInfo(`Events of runs come from PostgreSQL again (channel ${options.channel}).`)
      hasWarned = false
      yield* driver.reset
    })

    const onLost = (why: string) =>
      Effect.gen(function* () {
        if (!hasWarned) {
          hasWarned = true
          yield* Effect.logWarning(
            `No events of runs come from PostgreSQL (channel ${options.channel}): ${why}. Waits find out by their polls. ` +
              "Another connection is tried; it must reach the database itself, or a pooler in session mode."
          )
        }
        yield* Deferred.succeed(begun, undefined)
        yield* Effect.ignore(driver.next(undefined))
      })

    yield* Effect.forkScoped(Effect.forever(Effect.catchAll(listenOnce(options, onListening, onKept), onLost)))
    yield* Deferred.await(begun)
  })
