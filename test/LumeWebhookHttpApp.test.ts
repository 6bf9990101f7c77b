/**
 * The HTTP app: what is answered to which delivery, and what reaches the handler.
 */
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { assert, describe, it, vi } from "@effect/vitest"
import { assertNone, assertSome } from "@effect/vitest/utils"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import * as Http from "node:http"
import * as LumeWebhook from "../src/LumeWebhook.js"
import * as RunEvents from "../src/RunEvents.js"
import * as WebhookDeliveries from "../src/WebhookDeliveries.js"
import { heapUsed } from "./support/heap.js"
import { logged, recorder, unlogged } from "./support/observed.js"
import { listenAtPath, toWebHandler } from "./support/serving.js"
import { bodyOf, gated, recording, secrets, serve, signed, type StreamInit, turn, url } from "./support/webhook.js"

describe("httpApp", () => {
  it.effect("hands a signed event to the handler, then answers 204", () =>
    Effect.gen(function* () {
      const { events, handler } = recording()
      const send = yield* serve({ secrets, handler })
      const response = yield* send(yield* signed(bodyOf()))
      assert.strictEqual(response.status, 204)
      assert.strictEqual(response.body, null)
      assert.deepStrictEqual(
        events.map(({ runId, status }) => [runId, Option.getOrNull(status)]),
        [["run_1", "SUCCEEDED"]]
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
      assertNone(yield* Fiber.poll(response))
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
      assert.notInclude(lines.join(), "whsec")
    }).pipe(Effect.provide(layer))
  })

  it.effect("answers 500 where the handler fails, and has the delivery sent again handled", () => {
    const { layer, lines, of } = logged()
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
      assert.strictEqual(of("ERROR").length, 3)
      assert.include(lines.join(), "the queue is full")
      assert.include(lines.join(), "run_1")
    }).pipe(Effect.provide(layer))
  })

  it.effect("answers 500 where a handler throws before it is an effect", () =>
    Effect.gen(function* () {
      const handler = (): Effect.Effect<void> => JSON.parse("{")
      const send = yield* serve({ secrets, handler })
      assert.strictEqual((yield* send(yield* signed(bodyOf()))).status, 500)
    }).pipe(Effect.provide(unlogged))
  )

  it.effect("answers 500, not 401, where the secrets are to blame", () =>
    Effect.gen(function* () {
      for (const secrets of [Effect.fail("the vault is sealed"), [Redacted.make("")] as const]) {
        const { events, handler } = recording()
        const send = yield* serve({ secrets, handler })
        assert.strictEqual((yield* send(yield* signed(bodyOf()))).status, 500)
        assert.deepStrictEqual(events, [])
      }
    }).pipe(Effect.provide(unlogged))
  )

  it.effect("answers 500, not 401, where the runtime can't check signatures", () =>
    Effect.gen(function* () {
      const { events, handler } = recording()
      const send = yield* serve({ secrets: [Redacted.make("of-another-test")], handler })
      const delivery = yield* signed(bodyOf())
      yield* Effect.acquireRelease(
        Effect.sync(() => vi.stubGlobal("crypto", {})),
        () => Effect.sync(() => vi.unstubAllGlobals())
      )
      assert.strictEqual((yield* send(delivery)).status, 500)
      assert.deepStrictEqual(events, [])
    }).pipe(Effect.scoped, Effect.provide(unlogged))
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
      assertNone(yield* Fiber.poll(responses))
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
      assertNone(yield* Queue.poll(listener))
      yield* send(yield* signed(bodyOf("run_1")))
      assertSome(yield* Queue.poll(listener), undefined)
    }).pipe(Effect.provide(RunEvents.layer))
  )
})

describe("the server's span", () => {
  it.effect("names the run of a delivery that is verified, and of no other", () =>
    Effect.gen(function* () {
      const { layer, spans } = recorder()
      const app = Effect.withSpan(LumeWebhook.httpApp({ secrets, handler: () => Effect.void }), "received")
      const webhook = yield* Effect.provide(toWebHandler(app), layer)
      for (const change of ["", " "]) {
        const request = yield* signed(bodyOf("run_7"))
        const body = (yield* Effect.promise(() => request.text())) + change
        yield* Effect.promise(() =>
          webhook(new Request(request.url, { method: "POST", body, headers: request.headers }))
        )
      }
      const received = spans.filter(({ name }) => name === "received")
      assert.deepStrictEqual(
        received.map(({ attributes }) => attributes.get("lume.run_id")),
        ["run_7", undefined]
      )
    }).pipe(Effect.provide(unlogged))
  )
})

describe("what can't be right", () => {
  it.effect("is answered with 500, said in the log, and handled by nobody", () =>
    Effect.gen(function* () {
      const wrong = [
        ["maxBytes", { maxBytes: 0 }],
        ["maxBytes", { maxBytes: Number.NaN }],
        ["maxBytes", { maxBytes: 1.5 }],
        ["maxBytes", { maxBytes: Infinity }],
        ["timeout", { timeout: -1 }],
        ["timeout", { timeout: 0 }],
        ["timeout", { timeout: Number.NaN }],
        ["timeout", { timeout: "-1 seconds" }]
      ] as const
      for (const [name, options] of wrong) {
        const { layer, lines, of } = logged()
        const { events, handler } = recording()
        yield* Effect.gen(function* () {
          const send = yield* serve({ secrets, handler, ...options })
          for (const _ of [1, 2, 3]) assert.strictEqual((yield* send(yield* signed(bodyOf()))).status, 500)
          assert.strictEqual((yield* send(new Request(url))).status, 405)
        }).pipe(Effect.provide(layer))
        assert.deepStrictEqual(events, [])
        assert.strictEqual(of("ERROR").length, 1)
        assert.include(lines.join(), `${name} must be a`)
      }
    })
  )

  it.effect("is not what is left out, nor no limit at all", () =>
    Effect.gen(function* () {
      for (const options of [{ timeout: undefined, maxBytes: undefined }, { timeout: Infinity }]) {
        const send = yield* serve({ secrets, handler: () => Effect.void, ...options })
        assert.strictEqual((yield* send(yield* signed(bodyOf()))).status, 204)
      }
    })
  )
})

describe("the log", () => {
  const forged = () =>
    new Request(url, { method: "POST", body: bodyOf(), headers: { [LumeWebhook.signatureHeader]: "0".repeat(64) } })
  const unsigned = () => new Request(url, { method: "POST", body: bodyOf() })

  it.effect("has one line a minute of forged deliveries, and says how many there were", () => {
    const { layer, of } = logged()
    return Effect.gen(function* () {
      const send = yield* serve({ secrets, handler: () => Effect.void })
      for (let i = 0; i < 50; i++) {
        assert.strictEqual((yield* send(forged())).status, 401)
        assert.strictEqual((yield* send(unsigned())).status, 401)
      }
      assert.strictEqual(of("WARN").length, 1)
      yield* TestClock.adjust("59 seconds")
      yield* send(forged())
      assert.strictEqual(of("WARN").length, 1)
      yield* TestClock.adjust("1 second")
      yield* send(forged())
      assert.strictEqual(of("WARN").length, 2)
      assert.include(of("WARN")[1], "100 more")
      // those are counted once
      yield* TestClock.adjust("1 minute")
      yield* send(forged())
      assert.notInclude(of("WARN")[2], "more since")
    }).pipe(Effect.provide(layer))
  })

  it.effect("is not silent after its clock was set back", () => {
    const { layer, of } = logged()
    return Effect.gen(function* () {
      const send = yield* serve({ secrets, handler: () => Effect.void })
      yield* TestClock.setTime(3_600_000)
      yield* send(forged())
      yield* TestClock.setTime(0)
      yield* send(forged())
      assert.strictEqual(of("WARN").length, 2)
    }).pipe(Effect.provide(layer))
  })

  it.effect("is limited for each app by itself", () => {
    const { layer, of } = logged()
    return Effect.gen(function* () {
      for (const _ of [1, 2]) {
        const send = yield* serve({ secrets, handler: () => Effect.void })
        yield* send(forged())
      }
      assert.strictEqual(of("WARN").length, 2)
    }).pipe(Effect.provide(layer))
  })

  it.effect("has what is signed and names no run, however many forged deliveries there are", () => {
    const { layer, of } = logged()
    return Effect.gen(function* () {
      const send = yield* serve({ secrets, handler: () => Effect.void })
      yield* send(forged())
      yield* send(yield* signed("{}"))
      assert.include(of("WARN")[1], "run_id")
    }).pipe(Effect.provide(layer))
  })

  it.effect("has one line a minute where deliveries can't be checked, which anybody can cause", () => {
    const { layer, of } = logged()
    return Effect.gen(function* () {
      const send = yield* serve({ secrets: Effect.fail("the vault is sealed"), handler: () => Effect.void })
      for (let i = 0; i < 3; i++) assert.strictEqual((yield* send(forged())).status, 500)
      assert.strictEqual(of("ERROR").length, 1)
      assert.include(of("ERROR")[0], "the vault is sealed")
    }).pipe(Effect.provide(layer))
  })
})

describe("a refusal", () => {
  it.effect("is said in the answer and in the log", () => {
    const { layer, of } = logged()
    return Effect.gen(function* () {
      const send = yield* serve({ secrets, handler: () => Effect.void, maxBytes: 100 })
      const broken = new ReadableStream({ pull: (controller) => controller.error(new Error("gone")) })
      const init: StreamInit = {
        method: "POST",
        headers: { [LumeWebhook.signatureHeader]: "0".repeat(64) },
        body: broken,
        duplex: "half"
      }
      const requests = [
        [413, "The body has more than 100 bytes.", yield* signed(" ".repeat(101))],
        [400, "The body broke off.", new Request(url, init)],
        [400, "nothing", yield* signed("")]
      ] as const
      for (const [status, said, request] of requests) {
        const response = yield* send(request)
        assert.strictEqual(response.status, status)
        const text = yield* Effect.promise(() => response.text())
        assert.include(text, said)
        assert.include(of("WARN").join(), `A webhook's delivery was answered with ${status}. ${text}`)
        // one line a minute
        yield* TestClock.adjust("1 minute")
      }
    }).pipe(Effect.provide(layer))
  })

  it.effect("of deliveries that can't be checked is said in the log", () => {
    const { layer, of } = logged()
    return Effect.gen(function* () {
      const send = yield* serve({ secrets: Effect.fail("no vault"), handler: () => Effect.void })
      assert.strictEqual((yield* send(yield* signed(bodyOf()))).status, 500)
      assert.include(of("ERROR").join(), "Receiving a webhook failed; the sender is told to send it again.")
    }).pipe(Effect.provide(layer))
  })
})

describe("the body", () => {
  const { events, handler } = recording()
  const options = { secrets, handler, maxBytes: 100 }
  const anySignature = { [LumeWebhook.signatureHeader]: "0".repeat(64) }

  it.effect("is allowed so many bytes, and not one more", () =>
    Effect.gen(function* () {
      const fill = (bytes: number) => `${bodyOf("é")}${" ".repeat(bytes - bodyOf("é").length - 1)}`
      // by default a mebibyte
      for (const [most, given] of [
        [100, options],
        [2 ** 20, { secrets, handler }]
      ] as const) {
        const send = yield* serve(given)
        assert.strictEqual((yield* send(yield* signed(fill(most)))).status, 204)
        assert.strictEqual((yield* send(yield* signed(fill(most + 1)))).status, 413)
      }
    }).pipe(Effect.provide(unlogged))
  )

  it.effect("is read no further than that, and not hashed", () =>
    Effect.gen(function* () {
      let pulled = 0
      let cancelled = false
      const body = new ReadableStream<Uint8Array>({
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
      const init: StreamInit = { method: "POST", headers: anySignature, body, duplex: "half" }
      assert.strictEqual((yield* send(new Request(url, init))).status, 413)
      assert.isTrue(cancelled)
      assert.isBelow(pulled, 5)
    }).pipe(Effect.provide(unlogged))
  )

  it.effect("takes no memory for each of its chunks, before it is known to be signed", () =>
    Effect.gen(function* () {
      const send = yield* serve({ secrets, handler })
      /** The heap while the last of so many chunks of one byte comes. */
      const heapWith = (chunks: number) =>
        Effect.gen(function* () {
          let sent = 0
          let heap = 0
          const body = new ReadableStream<Uint8Array>({
            pull: async (controller) => {
              if (++sent === chunks) heap = await Effect.runPromise(heapUsed)
              if (sent > chunks) controller.close()
              else controller.enqueue(new Uint8Array(1))
            }
          })
          const init: StreamInit = { method: "POST", headers: anySignature, body, duplex: "half" }
          assert.strictEqual((yield* send(new Request(url, init))).status, 401)
          return heap
        })
      yield* heapWith(1_000)
      const few = yield* heapWith(2_000)
      const many = yield* heapWith(42_000)
      assert.isBelow((many - few) / 40_000, 50)
    }).pipe(Effect.provide(unlogged))
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
      const init: StreamInit = { method: "POST", headers: anySignature, body, duplex: "half" }
      assert.strictEqual((yield* send(new Request(url, init))).status, 400)
    }).pipe(Effect.provide(unlogged))
  )

  it.effect("is not read where there is no signature", () =>
    Effect.gen(function* () {
      const send = yield* serve(options)
      for (const headers of [{}, { [LumeWebhook.signatureHeader]: "v1,abc" }]) {
        let pulled = 0
        const pull = (controller: ReadableStreamDefaultController<Uint8Array>) => {
          pulled++
          controller.enqueue(new Uint8Array(60))
        }
        const body = new ReadableStream({ pull }, { highWaterMark: 0 })
        const init: StreamInit = { method: "POST", headers, body, duplex: "half" }
        assert.strictEqual((yield* send(new Request(url, init))).status, 401)
        assert.strictEqual(pulled, 0)
      }
    }).pipe(Effect.provide(unlogged))
  )

  it.effect("can't be had where something before has read it, or has begun to", () =>
    Effect.gen(function* () {
      const { layer, of } = logged()
      const begun = yield* signed(bodyOf())
      begun.body?.getReader()
      const consumed = yield* signed(bodyOf())
      yield* Effect.promise(() => consumed.text())
      for (const request of [begun, consumed]) {
        const send = yield* Effect.provide(serve(options), layer)
        assert.strictEqual((yield* send(request)).status, 500)
        assert.include(of("ERROR").at(-1), "WebhookSignatureError")
        assert.include(of("ERROR").at(-1), "something before this has read its body")
      }
    })
  )

  it.effect("can't be had in a runtime whose requests have no body stream, and the log says so", () => {
    const { layer, of } = logged()
    return Effect.gen(function* () {
      const send = yield* serve(options)
      const request = yield* signed(bodyOf())
      // as in Firefox
      Object.defineProperty(request, "body", { value: undefined })
      assert.strictEqual((yield* send(request)).status, 500)
      assert.include(of("ERROR")[0], "WebhookSignatureError")
      assert.include(of("ERROR")[0], "no body stream")
    }).pipe(Effect.provide(layer))
  })

  it.effect("may be missing", () =>
    Effect.gen(function* () {
      const send = yield* serve(options)
      assert.strictEqual((yield* send(new Request(url, { method: "POST", headers: anySignature }))).status, 401)
    }).pipe(Effect.provide(unlogged))
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
      const before = events.length
      const address = yield* listenAtPath(LumeWebhook.httpApp(options))
      for (const [status, headers] of [
        [413, anySignature],
        [401, {}]
      ] as const) {
        for (const size of [1_000, 100_000, 4_000_000]) {
          assert.strictEqual(yield* post(address, size, { ...headers, "content-length": size }), status)
          assert.strictEqual(yield* post(address, size, { ...headers, "transfer-encoding": "chunked" }), status)
        }
      }
      assert.strictEqual(events.length, before)
    }).pipe(Effect.provide(NodeHttpServer.layerTest), Effect.provide(unlogged))
  )

  it.scopedLive("can't be had on Node either where middleware has read it", () => {
    const { layer, of } = logged()
    return Effect.gen(function* () {
      const address = yield* listenAtPath(LumeWebhook.httpApp(options), (app) =>
        Effect.zipRight(
          Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => Effect.orDie(request.text)),
          app
        )
      )
      assert.strictEqual(yield* post(address, 50, { ...anySignature, "content-length": 50 }), 500)
      assert.include(of("ERROR")[0], "something before this has read its body")
    }).pipe(Effect.provide(NodeHttpServer.layerTest), Effect.provide(layer))
  })
})
