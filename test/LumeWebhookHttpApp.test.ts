/**
 * The HTTP app: what is answered to which delivery, and what reaches the handler.
 */
import * as HttpApp from "@effect/platform/HttpApp"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import * as Http from "node:http"
import * as LumeWebhook from "../src/LumeWebhook.js"
import * as RunEvents from "../src/RunEvents.js"
import * as WebhookDeliveries from "../src/WebhookDeliveries.js"

const secret = Redacted.make("whsec-3b1f")
const secrets = [secret] as const
const url = "https://acme.example/webhooks/lume"

const bodyOf = (runId = "run_1", status = "SUCCEEDED") => JSON.stringify({ run_id: runId, status })

/** A request as Lume sends it. */
const signed = (body: string, init: RequestInit = {}) =>
  Effect.map(
    LumeWebhook.sign({ secret, body }),
    (signature) =>
      new Request(url, { method: "POST", body, ...init, headers: { [LumeWebhook.signatureHeader]: signature } })
  )

/** The app as a function from a web request to its response. */
const serve = <R, SecretsR = never, DeliveriesR = never>(
  options: LumeWebhook.HttpAppOptions<R, SecretsR, DeliveriesR>
) =>
  Effect.map(Effect.runtime<R | SecretsR | DeliveriesR>(), (runtime) => {
    const handler = HttpApp.toWebHandlerRuntime(runtime)(LumeWebhook.httpApp(options))
    return (request: Request) => Effect.promise(() => handler(request))
  })

const recording = () => {
  const events: Array<LumeWebhook.WebhookEvent> = []
  return { events, handler: (event: LumeWebhook.WebhookEvent) => Effect.sync(() => events.push(event)) }
}

/** A handler that says when it has started, and ends when it is let. */
const gated = Effect.gen(function* () {
  const started = yield* Deferred.make<void>()
  const gate = yield* Deferred.make<void>()
  let calls = 0
  return {
    calls: () => calls,
    handler: () =>
      Effect.suspend(() => {
        calls++
        return Effect.zipRight(Deferred.succeed(started, undefined), Deferred.await(gate))
      }),
    started: Deferred.await(started),
    open: Deferred.succeed(gate, undefined)
  }
})

/** A turn of the event loop, in which an answer that is ready gets out. */
const turn = Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))

const logged = () => {
  const lines: Array<string> = []
  const logger = Logger.map(Logger.logfmtLogger, (line) => void lines.push(line))
  return { lines, layer: Logger.replace(Logger.defaultLogger, logger) }
}

describe("httpApp", () => {
  it.effect("hands a signed event to the handler, then answers 204", () =>
    Effect.gen(function* () {
      const { events, handler } = recording()
      const send = yield* serve({ secrets, handler })
      const response = yield* send(yield* signed(bodyOf()))
      assert.strictEqual(response.status, 204)
      assert.strictEqual(response.body, null)
      assert.deepStrictEqual(
        events.map(({ runId, status }) => [runId, status]),
        [["run_1", Option.some("SUCCEEDED")]]
      )
    })
  )

  it.effect("answers only once the handler is done", () =>
    Effect.gen(function* () {
      const { handler, open, started } = yield* gated
      const send = yield* serve({ secrets, handler })
      const response = yield* Effect.fork(send(yield* signed(bodyOf())))
      yield* started
      yield* turn
      assert.deepStrictEqual(yield* Fiber.poll(response), Option.none())
      yield* open
      assert.strictEqual((yield* Fiber.join(response)).status, 204)
    })
  )

  it.effect("refuses what it can't take, and tells the handler nothing of it", () => {
    const { layer, lines } = logged()
    return Effect.gen(function* () {
      const { events, handler } = recording()
      const send = yield* serve({ secrets, handler })
      const forged = { method: "POST", body: bodyOf(), headers: { [LumeWebhook.signatureHeader]: "0".repeat(64) } }
      const refusals = [
        [405, new Request(url)],
        [405, new Request(url, { method: "HEAD" })],
        [405, yield* signed(bodyOf(), { method: "PUT" })],
        [401, new Request(url, { method: "POST", body: bodyOf() })],
        [401, new Request(url, { method: "POST" })],
        [401, new Request(url, forged)],
        [400, yield* signed("{}")],
        [400, yield* signed("not json")],
        [400, yield* signed("")]
      ] as const
      for (const [status, request] of refusals) {
        const response = yield* send(request)
        assert.strictEqual(response.status, status)
        if (status === 405) assert.strictEqual(response.headers.get("allow"), "POST")
      }
      assert.deepStrictEqual(events, [])
      assert.strictEqual(lines.filter((line) => line.includes("level=WARN")).length, 6)
      assert.notInclude(lines.join(), "whsec")
    }).pipe(Effect.provide(layer))
  })

  it.effect("answers 500 where the handler fails, and has the delivery sent again handled", () => {
    const { layer, lines } = logged()
    return Effect.gen(function* () {
      const outcomes = [
        Effect.fail("the queue is full"),
        Effect.dieMessage("a bug"),
        Effect.interrupt,
        Effect.succeed("done")
      ]
      const send = yield* serve({ secrets, handler: () => outcomes.shift() ?? Effect.dieMessage("handled twice") })
      for (const status of [500, 500, 500, 204, 204]) {
        assert.strictEqual((yield* send(yield* signed(bodyOf()))).status, status)
      }
      assert.strictEqual(lines.filter((line) => line.includes("level=ERROR")).length, 3)
      assert.include(lines.join(), "the queue is full")
      assert.include(lines.join(), "run_1")
    }).pipe(Effect.provide(layer))
  })

  it.effect("answers 500 where a handler throws before it is an effect", () =>
    Effect.gen(function* () {
      const handler = (): Effect.Effect<void> => JSON.parse("{")
      const send = yield* serve({ secrets, handler })
      assert.strictEqual((yield* send(yield* signed(bodyOf()))).status, 500)
    }).pipe(Effect.provide(logged().layer))
  )

  it.effect("answers 500, not 401, where the secrets are to blame", () =>
    Effect.gen(function* () {
      for (const secrets of [Effect.fail("the vault is sealed"), [Redacted.make("")] as const]) {
        const { events, handler } = recording()
        const send = yield* serve({ secrets, handler })
        assert.strictEqual((yield* send(yield* signed(bodyOf()))).status, 500)
        assert.deepStrictEqual(events, [])
      }
    }).pipe(Effect.provide(logged().layer))
  )

  it.effect("answers 500 where something has begun to read the body before it", () =>
    Effect.gen(function* () {
      const send = yield* serve({ secrets, handler: () => Effect.void })
      const request = yield* signed(bodyOf())
      request.body?.getReader()
      assert.strictEqual((yield* send(request)).status, 500)
      const consumed = yield* signed(bodyOf())
      yield* Effect.promise(() => consumed.text())
      assert.include([401, 500], (yield* send(consumed)).status)
    }).pipe(Effect.provide(logged().layer))
  )

  it.effect("handles one of several at once, and tells none before it is done", () =>
    Effect.gen(function* () {
      const { calls, handler, open, started } = yield* gated
      const send = yield* serve({ secrets, handler })
      const responses = yield* Effect.fork(
        Effect.forEach([1, 2, 3], () => Effect.flatMap(signed(bodyOf()), send), { concurrency: 3 })
      )
      yield* started
      yield* turn
      assert.deepStrictEqual(yield* Fiber.poll(responses), Option.none())
      yield* open
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(
        (yield* Fiber.join(responses)).map(({ status }) => status),
        [204, 204, 204]
      )
      assert.strictEqual(calls(), 1)
    })
  )

  it.effect("remembers for itself, or where it is told to", () =>
    Effect.gen(function* () {
      const own = recording()
      const first = yield* serve({ secrets, handler: own.handler })
      const second = yield* serve({ secrets, handler: own.handler })
      for (const send of [first, second, first]) yield* send(yield* signed(bodyOf()))
      assert.strictEqual(own.events.length, 2)

      const shared = recording()
      const options = { secrets, handler: shared.handler, deliveries: WebhookDeliveries.WebhookDeliveries }
      const third = yield* serve(options)
      const fourth = yield* serve(options)
      for (const send of [third, fourth]) yield* send(yield* signed(bodyOf()))
      assert.strictEqual(shared.events.length, 1)
    }).pipe(Effect.provide(Layer.effect(WebhookDeliveries.WebhookDeliveries, WebhookDeliveries.makeInMemory())))
  )

  it.scoped("wakes who listens for the run", () =>
    Effect.gen(function* () {
      const listener = yield* Effect.flatMap(RunEvents.RunEvents, (events) => events.subscribe("run_1"))
      const send = yield* serve({ secrets, handler: RunEvents.publish })
      yield* send(yield* signed(bodyOf("run_2")))
      assert.deepStrictEqual(yield* Queue.poll(listener), Option.none())
      yield* send(yield* signed(bodyOf("run_1")))
      assert.deepStrictEqual(yield* Queue.poll(listener), Option.some(undefined))
    }).pipe(Effect.provide(RunEvents.layer))
  )
})

describe("the body", () => {
  const { events, handler } = recording()
  const options = { secrets, handler, maxBytes: 100 }

  it.effect("is allowed so many bytes, and not one more", () =>
    Effect.gen(function* () {
      const send = yield* serve(options)
      const fill = (bytes: number) => `${bodyOf("é")}${" ".repeat(bytes - bodyOf("é").length - 1)}`
      assert.strictEqual((yield* send(yield* signed(fill(100)))).status, 204)
      assert.strictEqual((yield* send(yield* signed(fill(101)))).status, 413)
    }).pipe(Effect.provide(logged().layer))
  )

  it.effect("is read no further than that, and not hashed", () =>
    Effect.gen(function* () {
      let pulled = 0
      let cancelled = false
      const body = new ReadableStream({
        pull: (controller) => {
          pulled++
          controller.enqueue(new Uint8Array(60))
        },
        cancel: () => {
          cancelled = true
        }
      })
      const secrets = Effect.dieMessage("asked for secrets")
      const send = yield* serve({ secrets, handler, maxBytes: 100 })
      // Node's types don't know that a stream as a body needs this
      const init: RequestInit & { readonly duplex: "half" } = { method: "POST", body, duplex: "half" }
      assert.strictEqual((yield* send(new Request(url, init))).status, 413)
      assert.isTrue(cancelled)
      assert.isBelow(pulled, 5)
    }).pipe(Effect.provide(logged().layer))
  )

  it.effect("is refused where it breaks off", () =>
    Effect.gen(function* () {
      const body = new ReadableStream({
        start: (controller) => {
          controller.enqueue(new TextEncoder().encode("{"))
        },
        pull: (controller) => controller.error(new Error("gone"))
      })
      const send = yield* serve(options)
      const init: RequestInit & { readonly duplex: "half" } = { method: "POST", body, duplex: "half" }
      assert.strictEqual((yield* send(new Request(url, init))).status, 400)
    }).pipe(Effect.provide(logged().layer))
  )

  /** Sends over a real connection, piece by piece where no length is declared. */
  const post = (address: string, size: number, headers: Http.OutgoingHttpHeaders) =>
    Effect.async<number>((resume) => {
      const request = Http.request(address, { method: "POST", headers }, (response) => {
        response.resume()
        resume(Effect.succeed(response.statusCode ?? 0))
      })
      request.on("error", (error) => resume(Effect.die(error)))
      for (let sent = 0; sent < size; sent += 50_000) request.write(Buffer.alloc(Math.min(50_000, size - sent)))
      request.end()
    })

  it.scopedLive("is refused with an answer on Node too, whether its length is declared or not", () =>
    Effect.gen(function* () {
      yield* HttpServer.serveEffect(
        HttpRouter.empty.pipe(HttpRouter.post("/webhooks/lume", LumeWebhook.httpApp(options)))
      )
      const address = yield* HttpServer.addressFormattedWith((address) => Effect.succeed(`${address}/webhooks/lume`))
      for (const size of [1_000, 100_000, 4_000_000]) {
        assert.strictEqual(yield* post(address, size, { "content-length": size }), 413)
        assert.strictEqual(yield* post(address, size, { "transfer-encoding": "chunked" }), 413)
      }
      assert.strictEqual(events.length, 1)
    }).pipe(Effect.provide(NodeHttpServer.layerTest), Effect.provide(logged().layer))
  )
})
