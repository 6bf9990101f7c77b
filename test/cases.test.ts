/**
 * The answers that broke clients of this kind, through the real client over a fake `HttpClient`.
 */
import { assert, describe, it } from "@effect/vitest"
import { deepStrictEqual } from "@effect/vitest/utils"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as LumeClient from "../src/LumeClient.js"
import * as LumeError from "../src/LumeError.js"
import type * as LumeMetadata from "../src/LumeMetadata.js"
import * as LumeRun from "../src/LumeRun.js"
import answers from "./cases/run-answers.json" with { type: "json" }
import timestamps from "./cases/timestamps.json" with { type: "json" }
import { clientLayer, fakeHttp, runId } from "./support/fakeHttp.js"
import { finishedMetadata } from "./support/metadata.js"

const Expectation = Schema.Union(
  Schema.Struct({
    run: Schema.Struct({ _tag: Schema.String }),
    terminal: Schema.Boolean,
    status: Schema.optional(Schema.String),
    metadata: Schema.optional(
      Schema.Union(Schema.Literal("ok"), Schema.Struct({ error: Schema.String, path: Schema.String }))
    ),
    errors: Schema.optional(Schema.Number),
    errorRate: Schema.optional(Schema.Number),
    inputRows: Schema.optional(Schema.Number),
    rejects: Schema.optional(Schema.Null)
  }),
  Schema.Struct({
    error: Schema.String,
    path: Schema.optional(Schema.String),
    transient: Schema.optional(Schema.Boolean),
    status: Schema.optional(Schema.Number),
    mentions: Schema.optional(Schema.Array(Schema.String)),
    retryAfterSeconds: Schema.optional(Schema.Number)
  })
)

const Case = Schema.Struct({
  id: Schema.String,
  why: Schema.String,
  response: Schema.Struct({
    status: Schema.Number,
    headers: Schema.Record({ key: Schema.String, value: Schema.String }),
    body: Schema.String
  }),
  expect: Expectation
})

type Refused = Extract<typeof Expectation.Type, { readonly error: string }>
type Read = Exclude<typeof Expectation.Type, Refused>

/** Reads the run that every case is about, without retries. */
const read = ({ response }: typeof Case.Type) => {
  const http = fakeHttp(() => new Response(response.body, response))
  return Effect.flatMap(LumeClient.LumeClient, (lume) => lume.runStatus(runId)).pipe(
    Effect.provide(clientLayer(http, { retry: { times: 0 } })),
    Effect.either
  )
}

const checkMetadata = (run: LumeRun.TerminalRun, expected: Read) =>
  Effect.gen(function* () {
    const metadata = yield* Effect.either<
      LumeMetadata.LumeMetadata | LumeMetadata.FailedMetadata,
      LumeMetadata.MetadataDecodeError,
      never
    >(run.metadata)
    if (typeof expected.metadata === "object") {
      assert(Either.isLeft(metadata))
      assert.strictEqual(metadata.left._tag, expected.metadata.error)
      assert.strictEqual(metadata.left.path, expected.metadata.path)
      assert.include(metadata.left.message, expected.metadata.path)
      assert.include(metadata.left.message, runId)
      return
    }
    assert(Either.isRight(metadata))
    if (expected.errors !== undefined) assert.strictEqual(metadata.right.errors.length, expected.errors)
    if (run._tag !== "Succeeded" && run._tag !== "PartialFailed") return
    const { results, validation } = yield* run.metadata
    if (expected.errorRate !== undefined) assert.strictEqual(validation.errorRate, expected.errorRate)
    if (expected.inputRows !== undefined) assert.strictEqual(results.inputRows, expected.inputRows)
    if (expected.rejects === null) assert(Option.isNone(results.targetLocations.rejects))
  })

const checkRun = (run: LumeRun.LumeRun, expected: Read) => {
  assert.strictEqual(run._tag, expected.run._tag)
  assert.strictEqual(run.id, runId)
  assert.strictEqual(LumeRun.isTerminal(run), expected.terminal)
  if (expected.status !== undefined) assert.strictEqual(run.status, expected.status)
  return LumeRun.isTerminal(run) ? checkMetadata(run, expected) : Effect.void
}

const checkError = (error: LumeError.StatusError, expected: Refused) => {
  assert.strictEqual(error._tag, expected.error)
  assert.include(error.message, runId)
  if (expected.path !== undefined) assert.strictEqual(error._tag === "DecodeError" && error.path, expected.path)
  if (expected.transient !== undefined) assert.strictEqual(LumeError.isTransient(error), expected.transient)
  if (expected.status !== undefined) assert.strictEqual(error._tag === "ApiError" && error.status, expected.status)
  for (const mention of expected.mentions ?? []) assert.include(error.message, mention)
  if (expected.retryAfterSeconds !== undefined) {
    assert(error._tag === "RateLimitedError")
    deepStrictEqual(error.retryAfter, Option.some(Duration.seconds(expected.retryAfterSeconds)))
  }
}

describe("run-answers.json", () => {
  const cases = Schema.decodeUnknownSync(Schema.Array(Case))(answers)

  it.effect.each(cases.map((test) => [test.id, test.why, test] as const))("%s: %s", ([, , test]) =>
    Effect.gen(function* () {
      const result = yield* read(test)
      if ("error" in test.expect) {
        assert(Either.isLeft(result), `read as ${JSON.stringify(result)}`)
        checkError(result.left, test.expect)
      } else {
        assert(Either.isRight(result), Either.isLeft(result) ? result.left.message : "")
        yield* checkRun(result.right, test.expect)
      }
    })
  )
})

describe("timestamps.json", () => {
  it.effect.each(timestamps.map((test) => [test.id, test] as const))("%s", ([, test]) =>
    Effect.gen(function* () {
      const metadata = finishedMetadata()
      const http = fakeHttp(
        () =>
          new Response(
            JSON.stringify({
              id: runId,
              status: "SUCCEEDED",
              metadata: { ...metadata, pipeline: { ...metadata.pipeline, created_at: test.input } }
            })
          )
      )
      const run = yield* Effect.flatMap(LumeClient.LumeClient, (lume) => lume.wait(runId)).pipe(
        Effect.provide(clientLayer(http))
      )
      assert(run._tag === "Succeeded")
      const read = yield* Effect.either(run.metadata)
      if (typeof test.expect === "string") {
        assert(Either.isRight(read), Either.isLeft(read) ? read.left.message : "")
        assert.strictEqual(DateTime.formatIso(read.right.pipeline.createdAt), test.expect)
      } else {
        assert(Either.isLeft(read))
        assert.strictEqual(read.left._tag, test.expect.error)
        assert.strictEqual(read.left.path, "pipeline.created_at")
      }
    })
  )
})
