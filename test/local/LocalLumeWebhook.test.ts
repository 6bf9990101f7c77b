/**
 * The webhook: what it tells, to whom, and until when.
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as FileSystem from "@effect/platform/FileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import { createHmac } from "node:crypto"
import type { IncomingMessage } from "node:http"
import * as path from "node:path"
import { setImmediate } from "node:timers/promises"
import * as webhook from "../../src/local/internal/webhook.js"
import type * as LumeClient from "../../src/LumeClient.js"
import * as LumeRun from "../../src/LumeRun.js"
import { messages } from "../support/observed.js"
import { answer, serve as serveHttp, until } from "../support/server.js"
import { clean, live, quickly, serve, slowFlow, start } from "./lume.js"
import { flow, folders, people } from "./support.js"

interface Delivery {
  readonly body: string
  readonly headers: IncomingMessage["headers"]
}

/** Takes deliveries, and answers them with a status and headers. */
const receive = (answering: (index: number) => { readonly status: number; readonly location?: string }) =>
  Effect.gen(function* () {
    const deliveries: Array<Delivery> = []
    const { url } = yield* serveHttp((request, response) => {
      let body = ""
      request.on("data", (chunk: Buffer) => (body += chunk.toString()))
      request.on("end", () => {
        const { status, ...headers } = answering(deliveries.length)
        deliveries.push({ body, headers: request.headers })
        answer(response, {}, status, headers)
      })
    })
    return { deliveries, url }
  })

const people1 = { flowVersion: "people:v1", sourcePath: "people.csv" }

const signature = (secret: string, { body }: Delivery) => createHmac("sha256", secret).update(body).digest("hex")

describe("a webhook", () => {
  live("tells of the end of a run, signed, until it is heard", () =>
    Effect.gen(function* () {
      const { deliveries, url } = yield* receive((index) => ({ status: index === 0 ? 500 : 204 }))
      const secret = Redacted.make("own-secret")
      const { lume, webhookSecret } = yield* start({ webhook: { url: `${url}/hook?a=b`, secret } })
      assert.deepStrictEqual(Option.map(webhookSecret, Redacted.value), Option.some("own-secret"))
      const runMetadata = { by: "me" }
      const { id } = yield* lume.runAndWait({ ...people1, runMetadata }, quickly)
      yield* until(() => deliveries.length === 2)
      for (const delivery of deliveries) {
        assert.deepStrictEqual(JSON.parse(delivery.body), {
          run_id: id,
          status: "PARTIAL_FAILED",
          flow_version: "people:v1",
          source_path: "people.csv",
          run_metadata: runMetadata
        })
        assert.strictEqual(delivery.headers["x-lume-signature-256"], signature("own-secret", delivery))
      }
    })
  )

  it.effect.each([
    ["answers", () => Promise.resolve(new Response("", { status: 503 }))],
    ["is not there", () => Promise.reject(new Error("gone"))]
  ] as const)("that is not heard is logged without the query of its URL: one that %s", ([, fetch]) =>
    Effect.gen(function* () {
      const log = messages()
      let tries = 0
      const counted = () => {
        tries++
        return fetch()
      }
      const url = "http://hook.invalid/a(b)?token=a-(token)#a-token"
      const deliver = yield* webhook.make({ url, secret: Redacted.make("a-secret") })
      const event = {
        ...people1,
        runId: LumeRun.RunId.make("run_1"),
        status: "FAILED"
      } as const
      const delivery = yield* deliver(event).pipe(
        Effect.provideService(FetchHttpClient.Fetch, counted),
        Effect.provide(log.layer),
        Effect.fork
      )
      while ((yield* Fiber.poll(delivery))._tag === "None") {
        yield* TestClock.adjust("30 seconds")
        yield* Effect.promise(() => setImmediate())
      }
      assert.isFalse(yield* Fiber.join(delivery))
      // and 25 times again
      assert.strictEqual(tries, 26)
      assert.lengthOf(log.messages, 2)
      assert.include(
        log.messages[0],
        "The webhook of run run_1 is sent again, because it was not heard at http://hook.invalid/a(b)?…."
      )
      assert.include(log.messages[1], "The webhook of run run_1 was not heard at http://hook.invalid/a(b)?….")
      assert.notInclude(log.messages.join(), "token")
    })
  )

  live("that redirects is not heard, and where it points to sees nothing", () =>
    Effect.gen(function* () {
      const elsewhere = yield* receive(() => ({ status: 200 }))
      const { deliveries, url } = yield* receive((index) =>
        index < 3 ? { status: [307, 302, 308][index] ?? 0, location: elsewhere.url } : { status: 200 }
      )
      const { lume, webhookSecret } = yield* start({ webhook: { url } })
      yield* lume.runAndWait(people1, quickly)
      yield* until(() => deliveries.length === 4)
      assert.deepStrictEqual(elsewhere.deliveries, [])
      const secret = Redacted.value(Option.getOrThrow(webhookSecret))
      assert.deepStrictEqual(
        deliveries.map(({ headers }) => headers["x-lume-signature-256"]),
        deliveries.map((delivery) => signature(secret, delivery))
      )
    })
  )

  live("is told after a restart what it has not heard, once, also of runs that were forgotten or CRASHED", () =>
    Effect.gen(function* () {
      const places = yield* folders({ "people.csv": people, "clean.csv": clean })
      let isUp = false
      const { deliveries, url } = yield* receive(() => ({ status: isUp ? 200 : 503 }))
      const options = { flows: [flow, slowFlow], ...places, webhook: { url }, keepRuns: 1, concurrency: 1 }
      const during = <A, E, R>(use: (lume: LumeClient.Service) => Effect.Effect<A, E, R>, changed = {}) =>
        Effect.scoped(Effect.flatMap(serve({ ...options, ...changed }), ({ lume }) => use(lume)))
      const run = (lume: LumeClient.Service) => Effect.map(lume.runAndWait(people1, quickly), ({ id }) => id)
      const begin = (lume: LumeClient.Service) =>
        Effect.gen(function* () {
          const { id } = yield* lume.run({ flowVersion: "slow:v1", sourcePath: "clean.csv" })
          yield* Effect.repeat(lume.runStatus(id), { until: (run) => run._tag === "Transforming" })
          return id
        })
      const files = yield* FileSystem.FileSystem
      const journal = files.readFileString(path.join(places.targets, ".lume/journal.jsonl"))
      const told = () => deliveries.map(({ body }) => JSON.parse(body)).map(({ run_id, status }) => [run_id, status])

      const forgotten = yield* during(run)
      // without a webhook they wait for one
      const last = yield* during(run, { webhook: undefined })
      const crashed = yield* during(begin)
      yield* until(() => deliveries.length > 0)
      deliveries.length = 0
      isUp = true
      // they are told once, as soon as it is written down that they were
      yield* during(() => Effect.repeat(journal, { until: (text) => text.split("Delivered").length === 3 }))
      assert.sameDeepMembers(told(), [
        [forgotten, "PARTIAL_FAILED"],
        [crashed, "CRASHED"]
      ])
      deliveries.length = 0
      const next = yield* during((lume) =>
        Effect.zipLeft(
          run(lume),
          until(() => deliveries.length > 0)
        )
      )
      assert.deepStrictEqual(told(), [[next, "PARTIAL_FAILED"]])
      assert.notInclude([forgotten, crashed], last)
    })
  )
})
