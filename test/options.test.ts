/**
 * Options, of the client and of a wait: what is refused, in which words, and what may be given.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as LumeClient from "../src/LumeClient.js"
import { apiKey, clientLayer, fakeHttp, runId, state, states } from "./support/fakeHttp.js"

const http = fakeHttp(states("SUCCEEDED"))

/** What plain JavaScript can pass in spite of the types. */
const make = (options: unknown) => Effect.provide(LumeClient.make(options as LumeClient.Options), http.layer)

const waitWith = (options: unknown) =>
  Effect.flatMap(LumeClient.LumeClient, (lume) => lume.wait(runId, options as LumeClient.WaitOptions)).pipe(
    Effect.provide(clientLayer(http))
  )

type Refused = ReadonlyArray<readonly [options: object, message: string]>

const throwing = (what: unknown) => () => {
  throw what
}

const wiped = Redacted.make(apiKey)
Redacted.unsafeWipe(wiped)

const url = "baseUrl must be an http or https URL without credentials, query and fragment"
const hidden = `${url}, and what is given holds an @, a ? or a #`
const example = 'such as "10 seconds" or a number of milliseconds'

const durations = (name: string, kind: string, wrong: ReadonlyArray<readonly [given: unknown, shown: string]>) =>
  wrong.map(
    ([given, shown]) => [{ [name]: given }, `${name} must be a ${kind} duration, ${example}, but is ${shown}`] as const
  )

const ofClient: Refused = [
  [{ baseUrl: 5 }, `${url}, but is 5`],
  [{ baseUrl: null }, `${url}, but is null`],
  [{ baseUrl: ["a@b"] }, `${url}, but is an array of 1`],
  [{ baseUrl: "" }, `${url}, but is ""`],
  [{ baseUrl: "lume.example" }, `${url}, but is "lume.example"`],
  [{ baseUrl: "ftp://lume.example" }, `${url}, but is "ftp://lume.example"`],
  [{ baseUrl: "xhttp://lume.example" }, `${url}, but is "xhttp://lume.example"`],
  [{ baseUrl: "httpsx://lume.example" }, `${url}, but is "httpsx://lume.example"`],
  [{ baseUrl: "https://user:sentinel@lume.example" }, hidden],
  [{ baseUrl: "https://sentinel@lume.example" }, hidden],
  [{ baseUrl: "https://lume.example/?a=sentinel" }, hidden],
  [{ baseUrl: "https://lume.example/#sentinel" }, hidden],
  ...durations("requestTimeout", "positive", [
    [0, "0"],
    [-1, "-1"],
    [Number.NaN, "NaN"],
    [null, "null"],
    [0n, "the bigint 0"],
    [-1n, "the bigint -1"],
    ["", '""'],
    ["soon", '"soon"'],
    [" -5 seconds", '" -5 seconds"'],
    [Duration.zero, "0"],
    [[-1, 500], "an array of 2"],
    [[1, -500], "an array of 2"],
    [new Date(5), "a Date"]
  ]),
  [{ apiKey: wiped }, "the API key is empty or wiped: set LUME_API_KEY or the apiKey option"],
  [
    { transformClient: throwing(new Error("no audit")) },
    "transformClient must be a function that gives an HttpClient, but it throws: no audit"
  ],
  [
    { transformClient: throwing("no audit") },
    'transformClient must be a function that gives an HttpClient, but it throws: "no audit"'
  ],
  [{ transformClient: () => undefined }, "what transformClient gives must be an HttpClient, but is nothing"],
  [{ paths: "/runs" }, 'paths must be an object with submit, a text, and status, a function, but is "/runs"'],
  [{ paths: null }, "paths must be an object with submit, a text, and status, a function, but is null"],
  ...[
    {},
    { submit: "/runs" },
    { status: () => "/" },
    { submit: 5, status: () => "/" },
    { submit: "/", status: "/" }
  ].map(
    (paths) =>
      [{ paths }, "paths must be an object with submit, a text, and status, a function, but is an object"] as const
  ),
  [{ transformClient: {} }, "transformClient must be a function, but is an object"],
  [{ retry: 3 }, "retry must be an object with times, base or cap, but is 3"],
  [{ retry: null }, "retry must be an object with times, base or cap, but is null"],
  [{ retry: { times: 1.5 } }, "retry.times must be an integer of at least 0, but is 1.5"],
  [{ retry: { times: -1 } }, "retry.times must be an integer of at least 0, but is -1"],
  [{ retry: { times: "3" } }, 'retry.times must be an integer of at least 0, but is "3"'],
  [{ retry: { times: 2 ** 53 } }, "retry.times must be an integer of at least 0, but is 9007199254740992"],
  [{ retry: { base: 0 } }, `retry.base must be a positive, finite duration, ${example}, but is 0`],
  [{ retry: { base: Infinity } }, `retry.base must be a positive, finite duration, ${example}, but is Infinity`],
  [{ retry: { cap: "0 millis" } }, `retry.cap must be a positive, finite duration, ${example}, but is "0 millis"`],
  [{ retry: { cap: Duration.infinity } }, `retry.cap must be a positive, finite duration, ${example}, but is Infinity`],
  [{ wait: 5 }, "wait must be an object with timeout, pollInterval, schedule, tolerance or onStatus, but is 5"],
  [{ wait: null }, "wait must be an object with timeout, pollInterval, schedule, tolerance or onStatus, but is null"],
  [{ maxResponseBytes: 0 }, "maxResponseBytes must be an integer of at least 1, but is 0"],
  [{ maxResponseBytes: "1" }, 'maxResponseBytes must be an integer of at least 1, but is "1"'],
  [{ traceRequests: "yes" }, 'traceRequests must be true or false, but is "yes"'],
  [{ traceRequests: null }, "traceRequests must be true or false, but is null"]
]

const ofWait: Refused = [
  ...durations("timeout", "positive", [
    [0, "0"],
    ["-1 second", '"-1 second"']
  ]),
  ...durations("pollInterval", "positive, finite", [
    [0, "0"],
    ["Infinity", '"Infinity"'],
    [-1n, "the bigint -1"]
  ]),
  ...durations("tolerance", "non-negative", [
    [-1, "-1"],
    [null, "null"]
  ]),
  [{ schedule: "5 seconds" }, 'schedule must be a Schedule, but is "5 seconds"'],
  [{ schedule: null }, "schedule must be a Schedule, but is null"],
  [{ onStatus: {} }, "onStatus must be a function, but is an object"],
  [{ onStatus: null }, "onStatus must be a function, but is null"]
]

const named = (refused: Refused) => refused.map(([options, message]) => [message, options] as const)

describe("the options of a client", () => {
  it.effect.each(named(ofClient))("%s", ([message, options]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(make({ apiKey: Redacted.make(apiKey), ...options }))
      assert.strictEqual(error.detail, message)
    })
  )

  it.effect("are an object", () =>
    Effect.gen(function* () {
      for (const [given, shown] of [
        [undefined, "nothing"],
        [null, "null"],
        ["lume-key", '"lume-key"'],
        [() => ({}), "a function"]
      ] as const) {
        const { detail } = yield* Effect.flip(make(given))
        assert.strictEqual(detail, `the client's options must be an object with an apiKey, but is ${shown}`)
      }
    })
  )

  it.effect("take durations in each of Effect's forms", () =>
    Effect.gen(function* () {
      for (const requestTimeout of [
        1,
        5n,
        "5 seconds",
        Infinity,
        Duration.infinity,
        Duration.seconds(1),
        [1, 0],
        [0, 500]
      ]) {
        yield* make({ apiKey: Redacted.make(apiKey), requestTimeout })
      }
    })
  )

  it.effect("have those of a wait checked too", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(make({ apiKey: Redacted.make(apiKey), wait: { tolerance: -1 } }))
      assert.strictEqual(error.detail, `tolerance must be a non-negative duration, ${example}, but is -1`)
    })
  )
})

describe("the options of a wait", () => {
  it.effect.each(named(ofWait))("%s", ([message, options]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(waitWith(options))
      assert(error._tag === "InvalidRequestError")
      assert.strictEqual(error.detail, message)
    })
  )

  it.effect("are an object", () =>
    Effect.gen(function* () {
      for (const [given, shown] of [
        [null, "null"],
        ["1 hour", '"1 hour"']
      ] as const) {
        const error = yield* Effect.flip(waitWith(given))
        assert(error._tag === "InvalidRequestError")
        assert.strictEqual(
          error.detail,
          `the options of a wait must be an object with timeout, pollInterval, schedule, tolerance or onStatus, but is ${shown}`
        )
      }
    })
  )

  it.effect("may be no tolerance, endless tolerance and an endless timeout", () =>
    Effect.gen(function* () {
      for (const options of [
        { tolerance: 0 },
        { tolerance: Infinity },
        { timeout: Infinity },
        { timeout: Duration.infinity }
      ]) {
        assert.strictEqual((yield* waitWith(options))._tag, "Succeeded")
      }
    })
  )
})

describe("what is waited for", () => {
  it.effect("is a run or the id of one", () =>
    Effect.gen(function* () {
      const lume = yield* make({ apiKey: Redacted.make(apiKey) })
      for (const [given, shown] of [
        [undefined, "nothing"],
        [{ id: runId }, "an object"]
      ] as const) {
        // types can't stop a caller in JavaScript
        const error = yield* Effect.flip(lume.wait(given as never))
        assert(error._tag === "InvalidRequestError")
        assert.strictEqual(
          error.detail,
          `a run must be a LumeRun, such as run gives or Schema.decode makes of JSON, or its id, but is ${shown}`
        )
      }
    })
  )

  it.effect("has an id that is one segment of a path", () =>
    Effect.gen(function* () {
      const rule = 'a non-empty text without "/", "?", "#", white space or control characters, and neither "." nor ".."'
      const lume = yield* make({ apiKey: Redacted.make(apiKey) })
      for (const id of ["", ".", "..", "a/b", "a b"]) {
        const error = yield* Effect.flip(lume.runStatus(id))
        assert(error._tag === "InvalidRequestError")
        assert.strictEqual(error.detail, `a run id must be ${rule}, but is ${JSON.stringify(id)}`)
      }
      for (const id of ["...", ".a", "..a", "a."]) {
        const http = fakeHttp(() => state("CREATED", {}, id))
        const run = yield* Effect.provide(LumeClient.runStatus(id), clientLayer(http))
        assert.strictEqual(run.id, id)
      }
    })
  )
})
