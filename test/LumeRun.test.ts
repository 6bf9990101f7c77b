/**
 * Runs as values: what is kept, what goes to JSON and back, and failed runs as errors.
 */
import { assert, describe, it } from "@effect/vitest"
import { deepStrictEqual } from "@effect/vitest/utils"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Match from "effect/Match"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as LumeMetadata from "../src/LumeMetadata.js"
import * as LumeRun from "../src/LumeRun.js"
import { finishedMetadata } from "./support/metadata.js"
import { property } from "./support/property.js"

const decode = Schema.decodeUnknownSync(LumeRun.LumeRun)
const encode = Schema.encodeSync(LumeRun.LumeRun)

const succeeded = (metadata: unknown) => {
  const run = decode({ id: "run_1", status: "SUCCEEDED", metadata })
  assert(run._tag === "Succeeded")
  return run
}

const failed = (metadata: unknown) => {
  const run = decode({ id: "run_1", status: "FAILED", metadata })
  assert(run._tag === "Failed")
  return run
}

describe("a run", () => {
  it("is one of nine states, told apart by its tag", () => {
    const tagOf = Match.type<LumeRun.LumeRun>().pipe(
      Match.tag("Created", "SyncingSource", "Transforming", "SyncingTarget", "Unrecognized", () => "goes on"),
      Match.tag("Succeeded", "PartialFailed", () => "has data"),
      Match.tag("Failed", "Crashed", () => "has none"),
      Match.exhaustive
    )
    assert.strictEqual(tagOf(succeeded({})), "has data")
    assert.strictEqual(tagOf(decode({ id: "run_1", status: "constructor" })), "goes on")
  })

  it("can be piped", () => {
    assert.isTrue(succeeded({}).pipe(LumeRun.isTerminal))
  })

  it("is read only as what it is", () => {
    const decodeTerminal = Schema.decodeUnknownEither(LumeRun.TerminalRun)
    assert(Either.isRight(decodeTerminal({ id: "run_1", status: "CRASHED" })))
    assert(Either.isLeft(decodeTerminal({ id: "run_1", status: "CREATED" })))
    assert(Either.isLeft(Schema.decodeUnknownEither(LumeRun.LumeRun)({ id: "", status: "CREATED" })))
    const odd = Schema.decodeUnknownEither(LumeRun.LumeRun)({ id: "a", status: "CREATED", run_metadata: [1] })
    assert(Either.isRight(odd))
    assert.deepStrictEqual(odd.right.runMetadata, {})
    assert.isFalse(Schema.is(LumeRun.LumeRun)({ _tag: "Created", id: "run_1", status: "CREATED" }))
  })

  property.all(
    "survives JSON, whatever its status and metadata",
    [
      FastCheck.record(
        {
          id: FastCheck.string({ minLength: 1 }),
          status: FastCheck.oneof(
            FastCheck.constantFrom("CREATED", "SUCCEEDED", "PARTIAL_FAILED", "FAILED", "CRASHED", "QUEUED", null),
            FastCheck.string()
          ),
          metadata: FastCheck.jsonValue(),
          run_metadata: FastCheck.dictionary(FastCheck.string(), FastCheck.jsonValue())
        },
        { requiredKeys: ["id", "status"] }
      )
    ],
    ([wire]) => {
      const run = decode(wire)
      const again = decode(JSON.parse(JSON.stringify(encode(run))))
      assert.strictEqual(again._tag, run._tag)
      assert.strictEqual(JSON.stringify(again), JSON.stringify(run))
      if (LumeRun.isTerminal(run)) assert(Effect.isEffect(run.metadata))
    }
  )
})

describe("metadata", () => {
  it.effect("holds every field of Lume's reference, in Effect's types", () =>
    Effect.gen(function* () {
      const metadata = yield* succeeded(finishedMetadata("PARTIAL_FAILED", "run_1")).metadata
      deepStrictEqual(metadata, {
        run: {
          runId: "run_1",
          flowVersion: "invoice_cleaner:v4",
          sourcePath: "s3://acme/batch-001.csv",
          status: "PARTIAL_FAILED"
        },
        pipeline: {
          createdAt: DateTime.unsafeMake("2026-11-03T08:15:00Z"),
          completedAt: DateTime.unsafeMake("2026-11-03T08:17:03.250Z"),
          duration: Duration.millis(123_250),
          stages: {
            syncSource: Option.some(Duration.millis(10_500)),
            transform: Option.some(Duration.millis(100_250)),
            syncTarget: Option.some(Duration.millis(12_500))
          }
        },
        results: {
          inputRows: 1000,
          mappedRows: 980,
          rejectedRows: 20,
          targetLocations: {
            mapped: "s3://acme-out/mapped/batch-001.csv",
            rejects: Option.some("s3://acme-out/rejects/batch-001.csv")
          }
        },
        validation: {
          testsExecuted: 5000,
          testsFailed: 20,
          errorRate: 0.004,
          topErrors: [{ errorCode: "INVALID_DATE", field: "invoice_date", count: 20 }]
        },
        errors: []
      } satisfies LumeMetadata.LumeMetadata)
    })
  )

  it("is decoded once, when it is first touched", () => {
    let reads = 0
    const metadata = finishedMetadata("SUCCEEDED", "run_1")
    const run = succeeded({
      ...metadata,
      get results() {
        reads++
        return metadata.results
      }
    })
    const before = reads
    const first = run.metadata
    const after = reads
    assert.strictEqual(before, 0)
    assert.isAbove(after, 0)
    assert.strictEqual(run.metadata, first)
    assert.strictEqual(reads, after)
  })

  const broken: ReadonlyArray<
    readonly [string, (wire: ReturnType<typeof finishedMetadata>) => unknown, string, string]
  > = [
    ["nothing", () => undefined, "", "nothing"],
    ["null", () => null, "", "null"],
    ["a text", () => "done", "", '"done"'],
    ["no run", (m) => ({ ...m, run: undefined }), "run", "nothing"],
    [
      "a negative time",
      (m) => ({ ...m, pipeline: { ...m.pipeline, duration_seconds: -1 } }),
      "pipeline.duration_seconds",
      "-1"
    ],
    [
      "a rate above 1",
      (m) => ({ ...m, validation: { ...m.validation, error_rate: 62 } }),
      "validation.error_rate",
      "62"
    ],
    [
      "no rate where tests ran",
      (m) => ({ ...m, validation: { ...m.validation, error_rate: null } }),
      "validation.error_rate",
      "null"
    ],
    [
      "a list's item",
      (m) => ({
        ...m,
        validation: {
          ...m.validation,
          top_errors: [
            { error_code: "A", field: "a", count: 1 },
            { error_code: "B", field: 3, count: 1 }
          ]
        }
      }),
      "validation.top_errors[1].field",
      "3"
    ],
    ["errors that are no list", (m) => ({ ...m, errors: {} }), "errors", "an object"],
    ["an empty count", (m) => ({ ...m, results: { ...m.results, input_rows: "" } }), "results.input_rows", '""'],
    [
      "a count in another base",
      (m) => ({ ...m, results: { ...m.results, input_rows: "0x10" } }),
      "results.input_rows",
      '"0x10"'
    ]
  ]

  it.effect.each(broken)("names the place: %s", ([, change, path, received]) =>
    Effect.gen(function* () {
      const raw = change(finishedMetadata("SUCCEEDED", "run_1"))
      const error = yield* Effect.flip(succeeded(raw).metadata)
      assert.strictEqual(error._tag, "MetadataDecodeError")
      assert.strictEqual(error.path, path)
      assert.strictEqual(error.received, received)
      assert.deepStrictEqual(error.rawMetadata, raw ?? null)
    })
  )

  it.effect("of a failed run has whatever Lume could say", () =>
    Effect.gen(function* () {
      for (const raw of [undefined, null, {}]) {
        deepStrictEqual(yield* failed(raw).metadata, {
          run: Option.none(),
          pipeline: Option.none(),
          results: Option.none(),
          validation: Option.none(),
          errors: []
        } satisfies LumeMetadata.FailedMetadata)
      }
      const metadata = yield* failed({
        run: { run_id: "run_1" },
        results: { input_rows: "7", target_locations: {} },
        validation: { top_errors: null, error_rate: null },
        pipeline: { stages: { sync_source_seconds: 1.5 } }
      }).metadata
      deepStrictEqual(metadata, {
        run: Option.some({
          runId: Option.some("run_1"),
          flowVersion: Option.none(),
          sourcePath: Option.none(),
          status: Option.none()
        }),
        pipeline: Option.some({
          createdAt: Option.none(),
          completedAt: Option.none(),
          duration: Option.none(),
          stages: Option.some({
            syncSource: Option.some(Duration.millis(1500)),
            transform: Option.none(),
            syncTarget: Option.none()
          })
        }),
        results: Option.some({
          inputRows: Option.some(7),
          mappedRows: Option.none(),
          rejectedRows: Option.none(),
          targetLocations: Option.some({ mapped: Option.none(), rejects: Option.none() })
        }),
        validation: Option.some({
          testsExecuted: Option.none(),
          testsFailed: Option.none(),
          errorRate: Option.none(),
          topErrors: []
        }),
        errors: []
      } satisfies LumeMetadata.FailedMetadata)
      const error = yield* Effect.flip(failed({ run: { run_id: "run_2" } }).metadata)
      assert.strictEqual(error.path, "run.run_id")
      assert.strictEqual(
        (yield* Effect.flip(failed({ results: { input_rows: -1 } }).metadata)).path,
        "results.input_rows"
      )
    })
  )
})

describe("orFail", () => {
  it.effect("lets through what did not fail", () =>
    Effect.gen(function* () {
      const partial = decode({ id: "run_1", status: "PARTIAL_FAILED" })
      for (const run of [succeeded({}), partial, decode({ id: "run_1", status: "CREATED" })]) {
        assert.strictEqual<LumeRun.LumeRun>(yield* LumeRun.orFail(run), run)
      }
      assert.strictEqual((yield* Effect.flip(LumeRun.orFail(partial, { partial: "fail" })))._tag, "RunFailedError")
    })
  )

  it.effect("says stage, code and message of each error, or why they can't be read", () =>
    Effect.gen(function* () {
      const errors = [
        { stage: "SYNCING_SOURCE", error_code: "SOURCE_NOT_FOUND", message: "No object\nat the source path." },
        { stage: "TRANSFORMING", error_code: "TOO_LATE", message: "Never began" }
      ]
      const error = yield* Effect.flip(LumeRun.orFail(failed({ errors })))
      assert.strictEqual(error.run.id, "run_1")
      for (const part of [
        "run_1",
        "FAILED",
        "SYNCING_SOURCE",
        "SOURCE_NOT_FOUND",
        "No object at the source path",
        "TOO_LATE"
      ]) {
        assert.include(error.message, part)
      }
      const unreadable = yield* Effect.flip(LumeRun.orFail(failed({ errors: 3 })))
      assert.include(unreadable.message, "metadata.errors, expected an array, got 3")
      const silent = yield* Effect.flip(LumeRun.orFail(failed(null)))
      assert.include(silent.message, "names no cause")
      const rejected = decode({
        id: "run_1",
        status: "PARTIAL_FAILED",
        metadata: finishedMetadata("PARTIAL_FAILED", "run_1")
      })
      const strict = yield* Effect.flip(LumeRun.orFail(rejected, { partial: "fail" }))
      assert.include(strict.message, "20 of 1000 rows were rejected")
      assert.include(strict.message, "INVALID_DATE on invoice_date")
    })
  )

  it.effect("says the whole in one sentence, with no stop too many or too few", () =>
    Effect.gen(function* () {
      const saidOf = (run: LumeRun.LumeRun) =>
        Effect.map(Effect.flip(LumeRun.orFail(run, { partial: "fail" })), ({ message }) => message)
      const errors = [{ stage: "TRANSFORMING", error_code: "OLD", message: "Version 1.2 is too old." }]
      assert.strictEqual(
        yield* saidOf(failed({ errors })),
        "Run run_1 ended FAILED: in TRANSFORMING, OLD: Version 1.2 is too old. Fix the cause, then submit again."
      )
      assert.strictEqual(
        yield* saidOf(failed([])),
        "Run run_1 ended FAILED: its metadata, which would say why, can't be read (at metadata, expected the metadata of a failed run, got an array of 0). Fix the cause, then submit again."
      )
      const metadata = finishedMetadata("PARTIAL_FAILED", "run_1")
      const silent = { ...metadata, validation: { ...metadata.validation, top_errors: [] } }
      assert.strictEqual(
        yield* saidOf(decode({ id: "run_1", status: "PARTIAL_FAILED", metadata: silent })),
        "Run run_1 ended PARTIAL_FAILED: 20 of 1000 rows were rejected. Look at the rejected rows, whose place is in metadata.results.targetLocations.rejects."
      )
    })
  )
})
