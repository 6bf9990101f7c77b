/**
 * Faults on demand, as the real client meets them.
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as FileSystem from "@effect/platform/FileSystem"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import type * as LumeError from "../../src/LumeError.js"
import * as LumeClient from "../../src/LumeClient.js"
import { live, quickly, start } from "./lume.js"

const clean1 = { flowVersion: "people:v1", sourcePath: "clean.csv" }

/** A client that asks for faults, and never tries again. */
const asking = ({ apiKey, url }: { readonly apiKey: Redacted.Redacted; readonly url: string }, fault: string) =>
  LumeClient.make({
    apiKey,
    baseUrl: url,
    retry: { times: 0 },
    requestTimeout: /hang|10s/.test(fault) ? "300 millis" : "20 seconds",
    transformClient: HttpClient.mapRequest(HttpClientRequest.setHeader("x-lume-fault", fault))
  }).pipe(Effect.provide(FetchHttpClient.layer))

const nameOf = (error: LumeError.LumeError): string =>
  error._tag === "TransportError" ? `${error._tag} ${error.reason}` : error._tag

describe("the header", () => {
  live.each([
    ["429", "RateLimitedError", "RateLimitedError", false],
    ["503", "ApiError", "SubmitOutcomeUnknownError", false],
    ["401", "AuthenticationError", "AuthenticationError", false],
    ["reset", "TransportError Network", "SubmitOutcomeUnknownError", false],
    ["hang", "TransportError RequestTimeout", "SubmitOutcomeUnknownError", false],
    ["slow=10s", "TransportError RequestTimeout", "SubmitOutcomeUnknownError", false],
    ["slow=1ms, 503", "ApiError", "SubmitOutcomeUnknownError", false],
    ["lost", "TransportError Network", "SubmitOutcomeUnknownError", true],
    ["cut", "TransportError Network", "SubmitOutcomeUnknownError", true],
    ["html", "DecodeError", "SubmitOutcomeUnknownError", true],
    ["slow=1ms,html", "DecodeError", "SubmitOutcomeUnknownError", true]
  ] as const)("%s: a read meets %s, a submit %s", ([fault, onRead, onSubmit, isMade]) =>
    Effect.gen(function* () {
      const server = yield* start()
      const { id } = yield* server.lume.runAndWait({ ...clean1, sourcePath: "nowhere.csv" }, quickly)
      const faulty = yield* asking(server, fault)
      assert.strictEqual(nameOf(yield* Effect.flip(faulty.runStatus(id))), onRead)
      assert.strictEqual(nameOf(yield* Effect.flip(faulty.run(clean1))), onSubmit)
      const files = yield* FileSystem.FileSystem
      const made = Effect.map(files.readDirectory(server.places.targets), (names) =>
        names.some((name) => name.startsWith("run_"))
      )
      if (isMade) yield* Effect.repeat(made, { until: (isMade) => isMade })
      else {
        // a run that were made now would be made first
        yield* server.lume.runAndWait({ ...clean1, sourcePath: "nowhere.csv" }, quickly)
        assert.isFalse(yield* made)
      }
    })
  )

  live("can say when to try again, be late and still right, and be wrong", () =>
    Effect.gen(function* () {
      const server = yield* start()
      const limited = yield* Effect.flip(Effect.flatMap(asking(server, "429=1.5s"), (lume) => lume.runStatus("run_1")))
      assert(limited._tag === "RateLimitedError")
      assert.deepStrictEqual(Option.map(limited.retryAfter, Duration.toMillis), Option.some(2000))
      const late = yield* asking(server, "slow=1ms")
      assert.strictEqual((yield* late.run(clean1))._tag, "Created")
      const { body, status } = yield* server.send("/runs/run_1", { headers: { "x-lume-fault": "429, explode" } })
      assert.strictEqual(status, 422)
      assert.deepStrictEqual(body, {
        detail: [
          {
            loc: ["header", "x-lume-fault"],
            msg: '"429, explode" is no list of faults, separated by commas. There are: a status from 400 to 599, or one with the time to try again after (429=5s); slow=2s; reset; hang; and lost, cut, html for a request that is handled all the same',
            type: "value_error"
          }
        ]
      })
    })
  )
})

describe("the option", () => {
  live("holds for every request that does not ask for others", () =>
    Effect.gen(function* () {
      const { send } = yield* start({ fault: "503=1m" })
      const { headers, status } = yield* send("/runs/run_1")
      assert.deepStrictEqual([status, headers.get("retry-after")], [503, "60"])
      assert.strictEqual((yield* send("/openapi.json", { headers: { "x-lume-fault": "418" } })).status, 418)
    })
  )

  live("as a function is asked for each request: the client gets through what passes", () =>
    Effect.gen(function* () {
      const asked: Array<string> = []
      const { lume } = yield* start({
        fault: ({ index, method, path }) => {
          asked.push(`${method} ${path}`)
          return index === 0 ? "429" : index === 2 ? "reset" : index === 3 ? "cut" : undefined
        }
      })
      const finished = yield* lume.runAndWait(clean1, quickly)
      assert.strictEqual(finished._tag, "Succeeded")
      assert.deepStrictEqual(asked.slice(0, 3), ["POST /runs", "POST /runs", `GET /runs/${finished.id}`])
    })
  )

  live("as a function that asks for what there is not is told so", () =>
    Effect.gen(function* () {
      const { send } = yield* start({ fault: () => "explode" })
      const { body, status } = yield* send("/runs/run_1")
      assert.strictEqual(status, 422)
      assert.deepNestedInclude(body, { "detail[0].loc": ["fault"] })
    })
  )
})
