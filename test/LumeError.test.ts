/**
 * The errors as values: what they say, what is transient, and that they cross a wire.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { inspect } from "node:util"
import * as LumeError from "../src/LumeError.js"
import * as LumeRun from "../src/LumeRun.js"

const run = (status: string, metadata?: unknown) =>
  Schema.decodeUnknownSync(LumeRun.LumeRun)({ id: "run_1", status, metadata: metadata ?? null })

const read = { runId: Option.some("run_1"), detail: "for a reason" }
const lost = new LumeError.TransportError({ reason: "Network", detail: "socket hang up" })

const ended = run("CRASHED")
assert(ended._tag === "Crashed")

const partial = run("PARTIAL_FAILED")
assert(partial._tag === "PartialFailed")

/** Each error, what its message must mention, and whether it is transient. */
const errors: ReadonlyArray<readonly [LumeError.LumeError, ReadonlyArray<string>, boolean]> = [
  [
    new LumeError.AuthenticationError({ ...read, status: 401 }),
    ["run_1", "401", "for a reason", "LUME_API_KEY"],
    false
  ],
  [new LumeError.AuthenticationError({ status: 403 }), ["Submitting a run", "403", "may not"], false],
  [new LumeError.InvalidRequestError({ detail: "timeout must be positive" }), ["Nothing was sent", "timeout"], false],
  [new LumeError.InvalidRequestError({ ...read, status: Option.some(422) }), ["run_1", "422", "for a reason"], false],
  [
    new LumeError.AlreadyProcessedError({ flowVersion: "a:v1", sourcePath: "s3://a/b" }),
    ["a:v1", "s3://a/b", "forceRerun"],
    false
  ],
  [new LumeError.RunNotFoundError({ runId: "run_1" }), ["run_1", "404"], false],
  [new LumeError.RateLimitedError({ retryAfter: Option.some(Duration.seconds(7)) }), ["429", "in 7 s"], true],
  [new LumeError.RateLimitedError({}), ["429", "later"], true],
  [new LumeError.ApiError({ ...read, status: 502, requestId: Option.some("req-1") }), ["run_1", "502", "req-1"], true],
  [new LumeError.ApiError({ status: 408 }), ["408", "later"], true],
  [new LumeError.ApiError({ status: 500, detail: "It broke." }), ["500: It broke. This"], true],
  [new LumeError.ApiError({ status: 599 }), ["599", "later"], true],
  [new LumeError.ApiError({ status: 304 }), ["304", "base URL"], false],
  [lost, ["Network", "socket hang up"], true],
  [new LumeError.TransportError({ ...read, reason: "RequestTimeout" }), ["run_1", "requestTimeout"], true],
  [new LumeError.TransportError({ ...read, reason: "Redirect" }), ["Redirect", "baseUrl"], false],
  [new LumeError.TransportError({ ...read, reason: "TooLarge" }), ["TooLarge", "maxResponseBytes"], false],
  [
    new LumeError.DecodeError({
      ...read,
      status: 200,
      contentType: Option.some("text/html"),
      path: "status",
      expected: "a status word or null",
      received: "nothing",
      preview: "<html>"
    }),
    ["run_1", "at status", "a status word or null", "nothing", "200", "text/html", "<html>"],
    false
  ],
  [
    new LumeError.SubmitOutcomeUnknownError({ flowVersion: "a:v1", sourcePath: "s3://a/b", failure: lost }),
    ["a:v1", "s3://a/b", "socket hang up", "webhook", "runMetadata", "succeeded"],
    false
  ],
  [
    new LumeError.MetadataDecodeError({
      runId: "run_1",
      path: "results.input_rows",
      expected: "a count",
      received: '"many"',
      rawMetadata: { results: { input_rows: "many" } }
    }),
    ["run_1", "results.input_rows", "a count", '"many"'],
    false
  ],
  [
    new LumeError.TimeoutError({
      runId: "run_1",
      timeout: Duration.minutes(10),
      polls: 61,
      lastRun: Option.some(run("TRANSFORMING")),
      lastFailure: Option.some(new LumeError.ApiError({ ...read, status: 503 }))
    }),
    ["run_1", "10m", "61 polls", "TRANSFORMING", "503"],
    false
  ],
  [
    new LumeError.TimeoutError({
      runId: "run_1",
      timeout: Duration.infinity,
      polls: 1,
      lastRun: Option.none(),
      lastFailure: Option.none()
    }),
    ["run_1", "never read"],
    false
  ],
  [new LumeError.RunFailedError({ run: ended }), ["run_1", "CRASHED", "names no cause"], false],
  [
    new LumeError.QualityError({
      run: partial,
      breaches: [
        { measure: "errorRate", code: Option.none(), limit: Option.some(0.01), actual: Option.some(0.02) },
        { measure: "rejectedShare", code: Option.none(), limit: Option.none(), actual: Option.some(0) },
        { measure: "errorCode", code: Option.some("INVALID_DATE"), limit: Option.some(3), actual: Option.none() }
      ]
    }),
    ["run_1", "PARTIAL_FAILED", "0.02, above the limit of 0.01", "did you mean 0.05", "INVALID_DATE can't be measured"],
    false
  ]
]

const named = errors.map(([error, ...rest], index) => [`${error._tag} ${index}`, error, ...rest] as const)

describe("every error", () => {
  it.effect.each(named)("%s says what happened, wherever it is shown", ([, error, mentions]) =>
    Effect.gen(function* () {
      assert.strictEqual(error.name, error._tag)
      const rejection = yield* Effect.promise(() => Effect.runPromise(Effect.fail(error)).catch(String))
      const shown = {
        rejection,
        pretty: Cause.pretty(Cause.fail(error)),
        inspected: inspect(error),
        json: JSON.parse(JSON.stringify(error)).message,
        message: error.message
      }
      for (const [where, text] of Object.entries(shown)) {
        for (const mention of mentions) assert.include(text, mention, where)
      }
      assert.notMatch(error.message, /undefined|\[object|\.\.|\n/)
    })
  )

  it.effect.each(named)("%s crosses a wire as plain data", ([, error]) =>
    Effect.gen(function* () {
      const encoded = yield* Schema.encode(LumeError.LumeError)(error)
      const decoded = yield* Schema.decodeUnknown(LumeError.LumeError)(JSON.parse(JSON.stringify(encoded)))
      assert.strictEqual(decoded._tag, error._tag)
      assert.strictEqual(decoded.message, error.message)
      assert.strictEqual(JSON.stringify(decoded), JSON.stringify(error))
    })
  )

  it.each(named)("%s is told apart", (_, error, __, transient) => {
    assert.isTrue(LumeError.isLumeError(error))
    assert.strictEqual(LumeError.isTransient(error), transient)
  })
})

const reasons = [
  "NoSignature",
  "WrongLength",
  "NotHex",
  "ParsedBody",
  "EmptyBody",
  "Mismatch",
  "InvalidSecret",
  "ConsumedBody",
  "NoBodyStream",
  "NoWebCrypto"
] as const satisfies ReadonlyArray<LumeError.WebhookSignatureError["reason"]>

describe("why a webhook is refused", () => {
  it.each(reasons)("%s is said in whole sentences", (reason) => {
    const { message } = new LumeError.WebhookSignatureError({ reason })
    assert.match(message, /^The webhook was refused: \w[^?]*\w\.$/s)
  })
})

describe("isLumeError and isTransient", () => {
  it.each([[new Error("network")], [{ _tag: "RateLimitedError" }], [null], ["TimeoutError"]])(
    "know their own: %s",
    (other) => {
      assert.isFalse(LumeError.isLumeError(other))
      assert.isFalse(LumeError.isTransient(other))
    }
  )
})

describe("isTransient", () => {
  it.each([
    [304, false],
    [408, true],
    [499, false],
    [500, true],
    [599, true],
    [600, false]
  ] as const)("of an ApiError of status %s: %s", (status, isTransient) => {
    assert.strictEqual(LumeError.isTransient(new LumeError.ApiError({ status, detail: "" })), isTransient)
  })
})

describe("runId", () => {
  it.each(named)("%s gives the run that its message names", (_, error) => {
    const named = error.message.includes("run_1") ? "run_1" : undefined
    assert.strictEqual(Option.getOrUndefined(LumeError.runId(error)), named)
  })

  const about = { runId: "run_1", detail: "" }
  it.each([
    ["of a run that ended", new LumeError.RunFailedError({ run: ended }), "run_1"],
    ["of a run that is not known", new LumeError.RunNotFoundError({ ...about, status: 404 }), "run_1"],
    ["of a read", new LumeError.ApiError({ ...read, status: 500 }), "run_1"],
    ["of a submit", lost, undefined],
    ["of a webhook", new LumeError.WebhookSignatureError({ reason: "Mismatch" }), undefined],
    ["of what is no error of Lume", { _tag: "RunNotFoundError", runId: "run_1" }, undefined],
    ["of nothing", undefined, undefined]
  ] as const)("%s", (_, error, runId) => {
    assert.strictEqual(Option.getOrUndefined(LumeError.runId(error)), runId)
  })
})

describe("errors as values", () => {
  it("are equal where their data is", () => {
    const make = () => new LumeError.RateLimitedError({ retryAfter: Option.some(Duration.seconds(1)) })
    assert.isTrue(Equal.equals(make(), make()))
  })

  it.effect("are handled by their tags", () =>
    Effect.gen(function* () {
      const handled = yield* Effect.fail<LumeError.WaitError>(lost).pipe(
        Effect.catchTags({ TransportError: ({ reason }) => Effect.succeed(reason) }),
        Effect.catchAll(() => Effect.succeed("other"))
      )
      assert.strictEqual(handled, "Network")
    })
  )
})
