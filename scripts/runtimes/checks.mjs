/**
 * Thirty checks of the package, the same on every runtime: what is imported here, `fetch` and the web's other globals is
 * all that they need. Each has a Lume of its own, which `server.ts` plays, at an address of its own.
 *
 * Written for Effect 3; for Effect 4 it is turned by the rules of `effect-4/`.
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpApp from "@effect/platform/HttpApp"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestContext from "effect/TestContext"
import { LumeClient, LumeError, LumeRun, LumeTest, LumeWebhook, RunEvents } from "effect-lume"

const request = { flowVersion: "invoice_cleaner:v4", sourcePath: "s3://acme/batch-001.csv" }

const usual = {
  apiKey: Redacted.make("lume-key-of-the-checks"),
  retry: { times: 0 },
  wait: { timeout: "10 seconds", pollInterval: "5 millis" }
}

/** Fails the check unless both are the same JSON. */
const same = (actual, expected) => {
  const [is, should] = [JSON.stringify(actual), JSON.stringify(expected)]
  if (is !== should) throw new Error(`${is} in place of ${should}`)
}

/** The requests that a Lume has received, in order. */
const seen = (url) => Effect.promise(async () => (await fetch(`${url}/seen`)).json())

/** Until a Lume has seen its only client leave. */
const left = (url) =>
  Effect.gen(function* () {
    for (let looks = 0; looks < 200; looks++) {
      const [{ gone }] = yield* seen(url)
      if (gone) return
      yield* Effect.sleep("20 millis")
    }
    throw new Error("the connection is still open")
  })

const secrets = [Redacted.make("whsec-old"), Redacted.make("whsec-new")]
const delivery = '{"run_id":"run_1","status":"SUCCEEDED"}'
const signed = LumeWebhook.sign({ secret: secrets[1], body: delivery })

/** An answer of a webhook to a delivery. */
const answer = (handle, body, signature) =>
  Effect.promise(() => {
    const headers = { "x-lume-signature-256": signature }
    return handle(new Request("https://acme.example/webhook", { method: "POST", headers, body }))
  })

/**
 * All of them by their names: the Lume that plays along, what is looked at (over a client of that Lume), and options of the
 * client.
 */
const checks = {
  "a submit is Lume's JSON with the key beside it, and gives the run": [
    "created",
    (url) =>
      Effect.gen(function* () {
        const run = yield* LumeClient.run({ ...request, runMetadata: { grün: ["🌱"] } })
        same([run._tag, run.id, run.status], ["Created", "run_1", "CREATED"])
        const [{ body, contentType, key, method, path }] = yield* seen(url)
        same([method, path, contentType, key], ["POST", "/runs", "application/json", "lume-key-of-the-checks"])
        same(JSON.parse(body), {
          flow_version: request.flowVersion,
          source_path: request.sourcePath,
          run_metadata: { grün: ["🌱"] }
        })
      })
  ],
  "a request that can't be right is refused before anything is sent": [
    "created",
    (url) =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(LumeClient.run({ ...request, flowVersion: "v4" }))
        same([error._tag, yield* seen(url)], ["InvalidRequestError", []])
      })
  ],
  "a key that is refused is an AuthenticationError without the key": [
    "refusing",
    () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(LumeClient.run(request))
        same([error._tag, error.status], ["AuthenticationError", 401])
        same(`${JSON.stringify(error)} ${error.message} ${error.stack}`.includes("lume-key-of-the-checks"), false)
      })
  ],
  "a source path that has been processed is an AlreadyProcessedError": [
    "processed",
    () => Effect.map(Effect.flip(LumeClient.run(request)), ({ _tag }) => same(_tag, "AlreadyProcessedError"))
  ],
  "a submit that is answered with 503 is not sent again": [
    "unavailable",
    (url) =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(LumeClient.run(request))
        same([error._tag, error.failure.status], ["SubmitOutcomeUnknownError", 503])
        same((yield* seen(url)).length, 1)
      }),
    { retry: { times: 3, base: "1 millis" } }
  ],
  "a submit that is answered with 429 is sent again": [
    "busy",
    (url) =>
      Effect.gen(function* () {
        same((yield* LumeClient.run(request)).id, "run_1")
        same((yield* seen(url)).length, 2)
      }),
    { retry: { times: 3, base: "1 millis" } }
  ],
  "a submit whose answer is lost has an unknown outcome": [
    "losing",
    () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(LumeClient.run(request))
        same([error._tag, error.failure.reason], ["SubmitOutcomeUnknownError", "Network"])
        same(LumeError.isTransient(error), false)
      }),
    { retry: { times: 3, base: "1 millis" } }
  ],
  "a read gives the numbers, times and places of a run": [
    "finished",
    () =>
      Effect.gen(function* () {
        const run = yield* LumeClient.runStatus("run_1")
        same(run._tag, "PartialFailed")
        const { pipeline, results, validation } = yield* run.metadata
        same([results.inputRows, results.rejectedRows, validation.topErrors[0].errorCode], [1000, 20, "INVALID_DATE"])
        same([pipeline.createdAt.toJSON(), Duration.toMillis(pipeline.duration)], ["2026-11-03T08:15:00.000Z", 123_250])
      })
  ],
  "an id is one segment of the path, whatever it holds": [
    "created",
    (url) =>
      Effect.gen(function* () {
        same((yield* LumeClient.runStatus("rün:1%2F🌱")).id, "rün:1%2F🌱")
        same((yield* seen(url))[0].path, "/runs/r%C3%BCn%3A1%252F%F0%9F%8C%B1")
      })
  ],
  "a read that is answered with 503 is sent again": [
    "hesitant",
    (url) =>
      Effect.gen(function* () {
        same((yield* LumeClient.runStatus("run_1")).status, "TRANSFORMING")
        same((yield* seen(url)).length, 3)
      }),
    { retry: { times: 3, base: "1 millis" } }
  ],
  "a page of a proxy is a DecodeError that shows how it begins": [
    "proxy",
    () =>
      Effect.map(Effect.flip(LumeClient.runStatus("run_1")), (error) =>
        same([error._tag, error.preview.startsWith("<!doctype html>")], ["DecodeError", true])
      )
  ],
  "a server that is not there is a transient TransportError": [
    "nowhere",
    () =>
      Effect.map(Effect.flip(LumeClient.runStatus("run_1")), (error) =>
        same([error._tag, error.reason, LumeError.isTransient(error)], ["TransportError", "Network", true])
      ),
    { baseUrl: "http://127.0.0.1:59999" }
  ],
  "a body that breaks off is a transient TransportError": [
    "breaking",
    () =>
      Effect.map(Effect.flip(LumeClient.runStatus("run_1")), (error) =>
        same([error._tag, error.reason, LumeError.isTransient(error)], ["TransportError", "Network", true])
      )
  ],
  "a redirect is not followed": [
    "redirecting",
    (url) =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(LumeClient.runStatus("run_1"))
        same([error._tag, error.reason], ["TransportError", "Redirect"])
        same((yield* seen(url)).length, 1)
      })
  ],
  "a body that is larger than the cap is not read": [
    "large",
    () =>
      Effect.map(Effect.flip(LumeClient.runStatus("run_1")), (error) =>
        same([error._tag, error.reason], ["TransportError", "TooLarge"])
      ),
    { maxResponseBytes: 1000 }
  ],
  "a body without an end is let go at the cap": [
    "endless",
    (url) =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(LumeClient.runStatus("run_1"))
        same([error._tag, error.reason], ["TransportError", "TooLarge"])
        yield* left(url)
      }),
    { maxResponseBytes: 1000 }
  ],
  "a compressed body is held to the cap unpacked": [
    "packed",
    () =>
      Effect.map(Effect.flip(LumeClient.runStatus("run_1")), (error) =>
        same([error._tag, error.reason], ["TransportError", "TooLarge"])
      ),
    { maxResponseBytes: 10_000 }
  ],
  "a request ends at its time limit, on the wire too": [
    "silent",
    (url) =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(LumeClient.runStatus("run_1"))
        same([error._tag, error.reason], ["TransportError", "RequestTimeout"])
        yield* left(url)
      }),
    { requestTimeout: "100 millis" }
  ],
  "a wait reads until the run has ended": [
    "running",
    () =>
      Effect.gen(function* () {
        const statuses = []
        const onStatus = ({ status }) => Effect.sync(() => statuses.push(status))
        const ended = yield* LumeClient.runAndWait(request, { onStatus })
        same(statuses, ["CREATED", "SYNCING_SOURCE", "TRANSFORMING", "SYNCING_TARGET", "PARTIAL_FAILED"])
        same((yield* ended.metadata).results.mappedRows, 980)
      })
  ],
  "a wait goes on through failures and a status that is not known": [
    "wavering",
    (url) =>
      Effect.gen(function* () {
        same((yield* LumeClient.wait("run_1"))._tag, "PartialFailed")
        same((yield* seen(url)).length, 5)
      })
  ],
  "a wait ends at its deadline, with the run as last read": [
    "stuck",
    () =>
      Effect.map(Effect.flip(LumeClient.wait("run_1", { timeout: "100 millis" })), (error) =>
        same([error._tag, Option.getOrThrow(error.lastRun).status], ["TimeoutError", "TRANSFORMING"])
      )
  ],
  "a read in flight is interrupted at the deadline, on the wire too": [
    "silent",
    (url) =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(LumeClient.wait("run_1", { timeout: "100 millis" }))
        same(error._tag, "TimeoutError")
        yield* left(url)
      })
  ],
  "a wait that is interrupted leaves nothing on the wire": [
    "silent",
    (url) =>
      Effect.gen(function* () {
        const fiber = yield* Effect.fork(LumeClient.wait("run_1"))
        for (let requests = []; requests.length === 0; requests = yield* seen(url)) yield* Effect.sleep("10 millis")
        yield* Fiber.interrupt(fiber)
        yield* left(url)
      })
  ],
  "an event wakes a wait": [
    "twice",
    (url) =>
      Effect.gen(function* () {
        const fiber = yield* Effect.fork(LumeClient.wait("run_1", { pollInterval: "1 hour" }))
        for (let requests = []; requests.length === 0; requests = yield* seen(url)) yield* Effect.sleep("10 millis")
        // once it has been read, the wait listens
        yield* Effect.sleep("100 millis")
        yield* RunEvents.publish({ runId: "run_1" })
        same((yield* Fiber.join(fiber))._tag, "PartialFailed")
      })
  ],
  "fifty runs are watched at once": [
    "twice",
    () =>
      Effect.gen(function* () {
        const watched = (number) =>
          Effect.map(Stream.runCollect(LumeClient.watch(`run_${number}`)), (runs) =>
            same(
              Array.from(runs, ({ id, status }) => [id, status]),
              [
                [`run_${number}`, "TRANSFORMING"],
                [`run_${number}`, "PARTIAL_FAILED"]
              ]
            )
          )
        const numbers = Array.from({ length: 50 }, (_, number) => number)
        yield* Effect.forEach(numbers, watched, { concurrency: "unbounded" })
      })
  ],
  "a webhook's delivery is verified and read": [
    "nowhere",
    () =>
      Effect.gen(function* () {
        const signature = yield* signed
        const event = yield* LumeWebhook.unwrap({ secrets, body: new TextEncoder().encode(delivery), signature })
        same([event.runId, Option.getOrThrow(event.status)], ["run_1", "SUCCEEDED"])
        const error = yield* Effect.flip(LumeWebhook.verify({ secrets, body: `${delivery} `, signature }))
        same([error._tag, error.reason], ["WebhookSignatureError", "Mismatch"])
      })
  ],
  "a webhook handles a delivery once, and refuses what is forged or too large": [
    "nowhere",
    () =>
      Effect.gen(function* () {
        const events = []
        const handler = ({ runId }) => Effect.sync(() => events.push(runId))
        const handle = HttpApp.toWebHandler(LumeWebhook.httpApp({ secrets, handler, maxBytes: 1000 }))
        const signature = yield* signed
        const answers = [
          yield* answer(handle, delivery, signature),
          yield* answer(handle, delivery, signature),
          yield* answer(handle, `${delivery} `, signature),
          yield* answer(handle, `${delivery}${" ".repeat(1000)}`, signature)
        ]
        same(
          answers.map(({ status }) => status),
          [204, 204, 401, 413]
        )
        same(events, ["run_1"])
      })
  ],
  "the test kit waits an hour without taking it": [
    "nowhere",
    () =>
      Effect.gen(function* () {
        yield* LumeTest.failNext(2, { status: 503 }, { on: "read" })
        const ended = yield* LumeTest.waitFor(LumeClient.runAndWait(request, { timeout: "2 hours" }))
        same((yield* LumeRun.orFail(ended))._tag, "PartialFailed")
      }).pipe(
        Effect.provide(LumeTest.layer({ onRun: () => LumeTest.partiallyFails({ in: "1 hour", rejected: 20 }) })),
        Effect.provide(TestContext.TestContext)
      )
  ],
  "a run survives a queue, and its data is judged": [
    "finished",
    () =>
      Effect.gen(function* () {
        const run = yield* LumeClient.wait("run_1")
        const text = JSON.stringify(Schema.encodeSync(LumeRun.LumeRun)(run))
        const received = Schema.decodeUnknownSync(LumeRun.TerminalRun)(JSON.parse(text))
        const error = yield* Effect.flip(LumeRun.gate(received, { maxRejectedShare: 0.01 }))
        same([error._tag, error.breaches.map(({ measure }) => measure)], ["QualityError", ["rejectedShare"]])
      })
  ],
  "a key that the environment does not have is named": [
    "nowhere",
    () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(Effect.scoped(Layer.build(LumeClient.layerConfig())))
        same(String(error).includes("LUME_API_KEY"), true)
      })
  ]
}

/** Makes all checks, one after the other: browsers have six connections. Gives what is wrong by the name of the check. */
export const report = async (url) => {
  const problems = {}
  for (const [index, [name, [place, check, options]]] of Object.entries(Object.entries(checks))) {
    const baseUrl = `${url}/${index}/${place}`
    const client = LumeClient.layerWithEvents({ ...usual, baseUrl, ...options })
    const exit = await check(baseUrl).pipe(
      Effect.timeout("30 seconds"),
      Effect.provide(Layer.provideMerge(client, Layer.merge(FetchHttpClient.layer, RunEvents.layer))),
      Effect.exit,
      Effect.runPromise
    )
    problems[name] = Exit.isSuccess(exit) ? null : Cause.pretty(exit.cause)
  }
  return problems
}
