/**
 * The client over it: a read that fails is repeated, a submit is not.
 */
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import { LumeClient } from "effect-lume"
import { retryReads } from "./http.js"

/** A network on which every connection breaks, and how often it was asked. */
const broken = (sent: Array<string>) =>
  HttpClient.make((request) =>
    Effect.suspend(() => {
      sent.push(request.method)
      return Effect.fail(new HttpClientError.RequestError({ request, reason: "Transport", cause: new Error("reset") }))
    })
  )

const failing = <A, E>(use: (lume: LumeClient.Service) => Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    const sent: Array<string> = []
    const http = Layer.succeed(HttpClient.HttpClient, retryReads(broken(sent)))
    const lume = yield* LumeClient.make({ apiKey: Redacted.make("a-key"), retry: { times: 0 } }).pipe(
      Effect.provide(http)
    )
    const fiber = yield* Effect.fork(Effect.flip(use(lume)))
    yield* TestClock.adjust("1 minute")
    return { sent, error: yield* Fiber.join(fiber) }
  })

describe("a client that tries again", () => {
  it.effect("repeats a read", () =>
    Effect.gen(function* () {
      const { sent } = yield* failing((lume) => lume.runStatus("run_1"))
      assert.deepStrictEqual(sent, ["GET", "GET", "GET", "GET"])
    })
  )

  it.effect("sends a submit once", () =>
    Effect.gen(function* () {
      const { error, sent } = yield* failing((lume) => lume.run({ flowVersion: "a:v1", sourcePath: "b" }))
      assert.deepStrictEqual(sent, ["POST"])
      assert.strictEqual(error._tag, "SubmitOutcomeUnknownError")
    })
  )
})
