/**
 * Handlers that hang: they are interrupted wherever the webhook is mounted, and block no redelivery.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { assert, describe, it } from "@effect/vitest"
import { assertNone } from "@effect/vitest/utils"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as Http from "node:http"
import * as LumeWebhook from "../src/LumeWebhook.js"
import type * as WebhookDeliveries from "../src/WebhookDeliveries.js"
import { until } from "./support/server.js"
import { listen, mountings, toWebHandler } from "./support/serving.js"
import { logged, unlogged } from "./support/observed.js"
import { bodyOf, hanging, secret, secrets, serve, signed, type StreamInit, turn } from "./support/webhook.js"

/** Sends over a real connection, which is cut when `cut` says so. */
const cutOff = (address: string, cut: Effect.Effect<void>) =>
  Effect.gen(function* () {
    const body = bodyOf()
    const signature = yield* LumeWebhook.sign({ secret, body })
    const headers = { [LumeWebhook.signatureHeader]: signature, "content-length": body.length }
    const request = Http.request(address, { method: "POST", headers })
    request.on("error", () => {})
    request.end(body)
    yield* cut
    request.destroy()
  })

describe("a handler that hangs", () => {
  it.scoped.each(mountings)("is interrupted after 30 s, and the redelivery handled, mounted %s", ([, mount]) => {
    const { layer, of } = logged()
    return Effect.gen(function* () {
      const { calls, handler, interrupted, started } = yield* hanging()
      const webhook = yield* toWebHandler(yield* mount(LumeWebhook.httpApp({ secrets, handler })))
      const send = Effect.flatMap(signed(bodyOf()), (request) => Effect.promise(() => webhook(request)))
      const response = yield* Effect.fork(send)
      yield* started
      yield* TestClock.adjust("29 seconds")
      yield* turn
      assertNone(yield* Fiber.poll(response))
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(response)).status, 500)
      assert.strictEqual(interrupted(), 1)
      assert.include(of("ERROR").join(), "run_1")
      assert.include(of("ERROR").join(), "longer than 30s")
      assert.strictEqual((yield* send).status, 204)
      assert.strictEqual(calls(), 2)
    }).pipe(Effect.provide(layer))
  })

  it.scoped.each(mountings)("is interrupted when its sender leaves, mounted %s", ([, mount]) =>
    Effect.gen(function* () {
      const { handler, interrupted, started } = yield* hanging()
      const webhook = yield* toWebHandler(yield* mount(LumeWebhook.httpApp({ secrets, handler })))
      const sender = new AbortController()
      const request = yield* signed(bodyOf(), { signal: sender.signal })
      const response = yield* Effect.fork(Effect.promise(() => webhook(request)))
      yield* started
      sender.abort()
      // nobody reads it: later versions of the platform say 499, earlier ones 503
      assert.include([499, 503], (yield* Fiber.join(response)).status)
      assert.strictEqual(interrupted(), 1)
      const again = yield* signed(bodyOf())
      assert.strictEqual((yield* Effect.promise(() => webhook(again))).status, 204)
    }).pipe(Effect.provide(unlogged))
  )

  it.scopedLive.each(mountings)("is interrupted when its connection is cut on Node, mounted %s", ([, mount]) =>
    Effect.gen(function* () {
      const { handler, interrupted, started } = yield* hanging()
      const address = yield* listen(yield* mount(LumeWebhook.httpApp({ secrets, handler, timeout: Infinity })))
      yield* cutOff(address, started)
      yield* until(() => interrupted() === 1)
      const again = yield* signed(bodyOf())
      const response = yield* Effect.promise(() => fetch(new Request(address, again)))
      assert.strictEqual(response.status, 204)
    }).pipe(Effect.provide(NodeHttpServer.layerTest), Effect.provide(unlogged))
  )

  it.effect("is left behind where it does not let itself be interrupted", () =>
    Effect.gen(function* () {
      const { calls, handler, started } = yield* hanging(Effect.uninterruptible(Effect.never))
      const send = yield* serve({ secrets, handler, timeout: "10 seconds" })
      const response = yield* Effect.fork(send(yield* signed(bodyOf())))
      yield* started
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual((yield* Fiber.join(response)).status, 500)
      assert.strictEqual((yield* send(yield* signed(bodyOf()))).status, 204)
      assert.strictEqual(calls(), 2)
    }).pipe(Effect.provide(unlogged))
  )

  it.effect("is interrupted where the memory of deliveries can't be", () =>
    Effect.gen(function* () {
      const { handler, interrupted, started } = yield* hanging()
      const timeouts: Array<number | undefined> = []
      const memory: WebhookDeliveries.Service = {
        once: (_, handle, options) => {
          timeouts.push(options?.timeout && Duration.toMillis(options.timeout))
          return Effect.asVoid(Effect.uninterruptible(handle))
        }
      }
      const send = yield* serve({ secrets, handler, timeout: "10 seconds", deliveries: Effect.succeed(memory) })
      const response = yield* Effect.fork(send(yield* signed(bodyOf())))
      yield* started
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual((yield* Fiber.join(response)).status, 500)
      assert.strictEqual(interrupted(), 1)
      // the memory knows for how long a delivery can be in hand
      assert.deepStrictEqual(timeouts, [10_000])
    }).pipe(Effect.provide(unlogged))
  )

  it.effect("keeps no duplicate from being handled", () =>
    Effect.gen(function* () {
      const { calls, handler, started } = yield* hanging()
      const send = yield* serve({ secrets, handler, timeout: "3 seconds" })
      const first = yield* Effect.fork(send(yield* signed(bodyOf())))
      yield* started
      const second = yield* Effect.fork(send(yield* signed(bodyOf())))
      yield* TestClock.adjust("3 seconds")
      assert.strictEqual((yield* Fiber.join(first)).status, 500)
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(second)).status, 204)
      assert.strictEqual(calls(), 2)
    }).pipe(Effect.provide(unlogged))
  )

  it.effect("may take as long as it likes where it is told so", () =>
    Effect.gen(function* () {
      const done = yield* Deferred.make<void>()
      const { handler, started } = yield* hanging(Deferred.await(done))
      const send = yield* serve({ secrets, handler, timeout: Infinity })
      const response = yield* Effect.fork(send(yield* signed(bodyOf())))
      yield* started
      yield* TestClock.adjust("40 days")
      yield* turn
      assertNone(yield* Fiber.poll(response))
      yield* Deferred.succeed(done, undefined)
      assert.strictEqual((yield* Fiber.join(response)).status, 204)
    })
  )
})

describe("a memory of deliveries that hangs", () => {
  type Memory = Effect.Effect<WebhookDeliveries.Service>
  const memories: ReadonlyArray<readonly [name: string, memory: (hang: Effect.Effect<never>) => Memory]> = [
    ["when it is asked", (hang) => Effect.succeed({ once: () => hang })],
    ["and lets nobody interrupt it", (hang) => Effect.succeed({ once: () => Effect.uninterruptible(hang) })],
    ["when it is made", (hang) => hang]
  ]

  it.effect.each(memories)("%s is left behind, and the sender told to send again", ([, deliveriesThat]) => {
    const { layer, of } = logged()
    return Effect.gen(function* () {
      const hangs = yield* Deferred.make<void>()
      const deliveries = deliveriesThat(Effect.zipRight(Deferred.succeed(hangs, undefined), Effect.never))
      const send = yield* serve({ secrets, handler: () => Effect.void, timeout: "10 seconds", deliveries })
      const response = yield* Effect.fork(send(yield* signed(bodyOf())))
      yield* Deferred.await(hangs)
      // by then, it is timed
      yield* turn
      yield* TestClock.adjust("24 seconds")
      assertNone(yield* Fiber.poll(response))
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(response)).status, 500)
      assert.include(of("ERROR").join(), "Receiving a webhook failed")
      assert.include(of("ERROR").join(), "The memory of deliveries took longer than 25s")
    }).pipe(Effect.provide(layer))
  })
})

describe("secrets that hang", () => {
  it.effect("are left behind after the handler's time, and the sender told to send again", () => {
    const { layer, of } = logged()
    return Effect.gen(function* () {
      const asked = yield* Deferred.make<void>()
      const send = yield* serve({
        secrets: Effect.uninterruptible(Effect.zipRight(Deferred.succeed(asked, undefined), Effect.never)),
        handler: () => Effect.void,
        timeout: "10 seconds"
      })
      const response = yield* Effect.fork(send(yield* signed(bodyOf())))
      yield* Deferred.await(asked)
      // by then, they are timed
      yield* turn
      yield* TestClock.adjust("9 seconds")
      assertNone(yield* Fiber.poll(response))
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(response)).status, 500)
      assert.include(of("ERROR").join(), "The secrets, with which the signature is checked, took longer than 10s")
    }).pipe(Effect.provide(layer))
  })

  it.effect("are not waited for when the sender has left", () =>
    Effect.gen(function* () {
      const asked = yield* Deferred.make<void>()
      let interrupted = false
      const hang = Effect.onInterrupt(Effect.never, () =>
        Effect.sync(() => {
          interrupted = true
        })
      )
      const send = yield* serve({
        secrets: Effect.zipRight(Deferred.succeed(asked, undefined), hang),
        handler: () => Effect.void
      })
      const sender = new AbortController()
      const response = yield* Effect.fork(send(yield* signed(bodyOf(), { signal: sender.signal })))
      yield* Deferred.await(asked)
      // by then, it hangs
      yield* turn
      sender.abort()
      yield* Fiber.join(response)
      assert.isTrue(interrupted)
    }).pipe(Effect.provide(unlogged))
  )
})

describe("a body that does not end", () => {
  it.effect("is refused after the handler's time, unread, and the sender told so", () => {
    const { layer, of } = logged()
    return Effect.gen(function* () {
      const asked = yield* Deferred.make<void>()
      let cancelled = false
      const body = new ReadableStream<Uint8Array>({
        start: (controller) => controller.enqueue(new TextEncoder().encode("{")),
        pull: () => Effect.runPromise(Effect.zipRight(Deferred.succeed(asked, undefined), Effect.never)),
        cancel: () => {
          cancelled = true
        }
      })
      const init: StreamInit = { method: "POST", body, duplex: "half" }
      const send = yield* serve({ secrets, handler: () => Effect.void, timeout: "10 seconds" })
      const response = yield* Effect.fork(send(yield* signed("", init)))
      yield* Deferred.await(asked)
      // by then, it is timed
      yield* turn
      yield* TestClock.adjust("9 seconds")
      assertNone(yield* Fiber.poll(response))
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(response)).status, 408)
      yield* turn
      assert.isTrue(cancelled)
      assert.include(of("WARN").join(), "answered with 408. The body took longer than 10s.")
    }).pipe(Effect.provide(layer))
  })

  it.scopedLive.each(mountings)("is refused on Node too, mounted %s", ([, mount]) =>
    Effect.gen(function* () {
      const app = LumeWebhook.httpApp({ secrets, handler: () => Effect.void, timeout: "50 millis" })
      const address = yield* listen(yield* mount(app))
      const signature = yield* LumeWebhook.sign({ secret, body: "{}" })
      const status = yield* Effect.async<number | undefined>((resume) => {
        const headers = { [LumeWebhook.signatureHeader]: signature, "content-length": 2 }
        const request = Http.request(address, { method: "POST", headers }, (response) => {
          resume(Effect.succeed(response.statusCode))
          request.destroy()
        })
        request.on("error", () => {})
        request.write("{")
      })
      assert.strictEqual(status, 408)
    }).pipe(Effect.provide(NodeHttpServer.layerTest), Effect.provide(unlogged))
  )
})
