/**
 * The whole of it, on loopback: a form is posted, the run is made, its webhook is delivered, and the page shows its end.
 * Then what can go wrong, over a client that does it.
 */
import * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServer from "@effect/platform/HttpServer"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import { LumeClient, LumeError, RunEvents } from "effect-lume"
import * as LumeTest from "effect-lume/LumeTest"
import { createServer } from "node:http"
import { app, board, router } from "./app.js"

/** The app's routes over a client of which these methods are used: posts a form, with or without a source, and reads the page. */
const over = (lume: Partial<LumeClient.Service>) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() =>
        HttpApp.toWebHandlerLayer(
          router,
          Layer.mergeAll(
            board,
            RunEvents.layer,
            Layer.mock(LumeClient.LumeClient, lume),
            Logger.remove(Logger.defaultLogger)
          )
        )
      ),
      ({ dispose }) => Effect.promise(dispose)
    ),
    ({ dispose, handler }) => ({
      dispose: Effect.promise(dispose),
      post: (form: Record<string, string>, signal: AbortSignal = new AbortController().signal) =>
        Effect.promise(() =>
          handler(new Request("http://localhost/runs", { method: "POST", body: new URLSearchParams(form), signal }))
        ),
      page: Effect.promise(async () => (await handler(new Request("http://localhost/"))).text())
    })
  )

/** Reads a page until it holds this text, for a while. */
const shows = (page: Effect.Effect<string>, text: string) =>
  Effect.repeat(page, { until: (page) => page.includes(text), schedule: Schedule.spaced("10 millis") }).pipe(
    Effect.timeout("3 seconds")
  )

const source = { source: "birdstrikes.csv" }
const created = Effect.succeed(LumeTest.run("Created"))

describe("the webhook app", () => {
  it.scopedLive("shows a run's end as soon as its webhook is there", () =>
    Effect.gen(function* () {
      const context = yield* Layer.build(
        app.pipe(Layer.provideMerge(NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1" })))
      )
      const { address } = Context.get(context, HttpServer.HttpServer)
      assert("port" in address)
      const url = `http://127.0.0.1:${address.port}`
      const read = Effect.promise(async () => (await fetch(url)).text())

      const submitted = yield* Effect.promise(() =>
        fetch(`${url}/runs`, {
          method: "POST",
          redirect: "manual",
          body: new URLSearchParams({ source: "birdstrikes.csv" })
        })
      )
      assert.strictEqual(submitted.status, 303)
      assert.include(yield* read, "birdstrikes.csv")
      // Without the webhook, the wait would find out only after five minutes.
      yield* Effect.repeat(read, { until: (page) => page.includes("9970 of 10000 rows mapped") })

      const forged = yield* Effect.promise(() => fetch(`${url}/webhooks/lume`, { method: "POST", body: "{}" }))
      assert.strictEqual(forged.status, 401)
    })
  )

  it.scopedLive("shows the run of a browser that has gone away", () =>
    Effect.gen(function* () {
      const submitting = yield* Deferred.make<void>()
      const answered = yield* Deferred.make<void>()
      const { page, post } = yield* over({
        run: () =>
          Deferred.succeed(submitting, undefined).pipe(
            Effect.zipRight(Deferred.await(answered)),
            Effect.zipRight(created)
          ),
        wait: () => Effect.never
      })
      const browser = new AbortController()
      yield* Effect.fork(post(source, browser.signal))
      yield* Deferred.await(submitting)
      browser.abort()
      yield* Effect.sleep("10 millis")
      yield* Deferred.succeed(answered, undefined)
      yield* shows(page, "<td>birdstrikes.csv</td>")
    })
  )

  it.scopedLive("ends its waits with itself", () =>
    Effect.gen(function* () {
      const ended = yield* Deferred.make<void>()
      const { dispose, post } = yield* over({
        run: () => created,
        wait: () => Effect.onInterrupt(Effect.never, () => Deferred.succeed(ended, undefined))
      })
      yield* post(source)
      yield* dispose
      yield* Effect.timeout(Deferred.await(ended), "5 seconds")
    })
  )

  it.scopedLive("shows that a wait ended by a defect", () =>
    Effect.gen(function* () {
      const { page, post } = yield* over({ run: () => created, wait: () => Effect.dieMessage("a bug") })
      yield* post(source)
      yield* shows(page, "unknown")
    })
  )

  it.scopedLive("tells apart what the browser sent and what Lume did", () =>
    Effect.gen(function* () {
      const refused = new LumeError.AuthenticationError({ status: 401, detail: "", runId: Option.none() })
      const { post } = yield* over({ run: () => Effect.fail(refused) })
      assert.strictEqual((yield* post({})).status, 400)
      assert.strictEqual((yield* post({ source: " " })).status, 400)
      const answer = yield* post(source)
      assert.strictEqual(answer.status, 502)
      assert.notInclude(yield* Effect.promise(() => answer.text()), "LUME_API_KEY")
    })
  )

  it.scopedLive("does not call a submit refused whose outcome is unknown", () =>
    Effect.gen(function* () {
      const unknown = new LumeError.SubmitOutcomeUnknownError({
        flowVersion: "birdstrikes:v1",
        sourcePath: source.source,
        failure: new LumeError.TransportError({ reason: "Network", detail: "", runId: Option.none() })
      })
      const { post } = yield* over({ run: () => Effect.fail(unknown) })
      const answer = yield* post(source)
      assert.strictEqual(answer.status, 502)
      assert.include(yield* Effect.promise(() => answer.text()), "may be going on")
    })
  )
})
