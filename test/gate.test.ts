/**
 * The quality gate: which limits a run keeps, and what is said of those that it does not.
 */
import { assert, describe, it } from "@effect/vitest"
import { deepStrictEqual } from "@effect/vitest/utils"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as LumeError from "../src/LumeError.js"
import * as LumeRun from "../src/LumeRun.js"
import { finishedMetadata } from "./support/metadata.js"
import { property } from "./support/property.js"

const ended = (status: string, metadata?: unknown) =>
  Schema.decodeUnknownSync(LumeRun.TerminalRun)({ id: "run_1", status, metadata })

interface Counts {
  readonly input: number
  readonly rejected: number
  readonly executed: number
  readonly failed: number
  /** Codes with their counts, each on a field of its own. */
  readonly codes?: ReadonlyArray<readonly [string, number]>
}

const runWith = ({ codes = [], executed, failed, input, rejected }: Counts) => {
  const metadata = finishedMetadata("PARTIAL_FAILED", "run_1")
  return ended("PARTIAL_FAILED", {
    ...metadata,
    results: { ...metadata.results, input_rows: input, rejected_rows: rejected },
    validation: {
      tests_executed: executed,
      tests_failed: failed,
      // rounded, as by a service that shows it to people
      error_rate: executed === 0 ? null : Math.min(1, Math.round((failed / executed) * 100) / 100),
      top_errors: codes.map(([error_code, count], index) => ({ error_code, field: `field_${index}`, count }))
    }
  })
}

const breachesOf = (counts: Counts, limits: LumeRun.Limits) =>
  Effect.map(Effect.either(LumeRun.gate(runWith(counts), limits)), (judged) => {
    if (Either.isRight(judged)) return []
    assert(judged.left._tag === "QualityError", judged.left.message)
    return judged.left.breaches.map(({ actual, code, limit, measure }) => ({
      measure: Option.match(code, { onNone: () => measure, onSome: (code) => `${measure} ${code}` }),
      limit: Option.getOrNull(limit),
      actual: Option.getOrNull(actual)
    }))
  })

const clean: Counts = { input: 1000, rejected: 0, executed: 5000, failed: 0 }

describe("limits that are no object", () => {
  it.effect.each([null, undefined, 0.05])("%s are a defect, in words", (given) =>
    Effect.gen(function* () {
      // what plain JavaScript can pass in spite of the types
      const exit = yield* Effect.exit(LumeRun.gate(runWith(clean), given as unknown as LumeRun.Limits))
      assert.include(String(exit), "The limits of LumeRun.gate must be an object")
    })
  )

  it.effect("and a name that is no limit, which would let everything pass", () =>
    Effect.gen(function* () {
      // as a file of settings can hold
      const limits: LumeRun.Limits = JSON.parse('{ "maxRejectedRow": 0 }')
      const exit = yield* Effect.exit(LumeRun.gate(runWith(clean), limits))
      assert.match(String(exit), /The limits of LumeRun\.gate have no \W*maxRejectedRow\W*\. There are maxErrorRate, /)
    })
  )
})

describe("a run passes the gate", () => {
  it.effect("with its metadata, when all limits are kept", () =>
    Effect.gen(function* () {
      const run = runWith({ input: 100, rejected: 5, executed: 100, failed: 5, codes: [["A", 5]] })
      const metadata = yield* run.pipe(
        LumeRun.gate({
          maxErrorRate: 0.05,
          maxRejectedShare: 0.05,
          maxRejectedRows: 5,
          minInputRows: 100,
          errorCodes: { A: 5 }
        })
      )
      assert.strictEqual(metadata.results.rejectedRows, 5)
      assert.strictEqual(yield* LumeRun.gate(run, {}), metadata)
    })
  )

  const kept: ReadonlyArray<readonly [string, Counts, LumeRun.Limits]> = [
    [
      "at 3 of 100 and 0.03, where 0.03 * 100 is below 3",
      { ...clean, input: 100, rejected: 3 },
      { maxRejectedShare: 0.03 }
    ],
    [
      "at 0, when nothing failed",
      clean,
      { maxErrorRate: 0, maxRejectedShare: 0, maxRejectedRows: 0, errorCodes: { A: 0 } }
    ],
    [
      "without rows and tests, where 0 of 0 is 0",
      { input: 0, rejected: 0, executed: 0, failed: 0 },
      { maxErrorRate: 0, maxRejectedShare: 0 }
    ],
    [
      "with a code that can't be among those listed",
      { ...clean, failed: 2, codes: [["A", 2]] },
      { errorCodes: { B: 0 } }
    ],
    [
      "with limits that are not given",
      { ...clean, failed: 9 },
      { maxErrorRate: undefined, errorCodes: { A: undefined } }
    ],
    [
      "with as many as can be",
      { ...clean, rejected: 9, failed: 9 },
      { maxRejectedRows: Infinity, errorCodes: { A: Infinity } }
    ]
  ]

  it.effect.each(kept)("%s", ([, counts, limits]) =>
    Effect.map(breachesOf(counts, limits), (breaches) => assert.deepStrictEqual(breaches, []))
  )
})

describe("a run does not pass the gate", () => {
  type Expected = { readonly measure: string; readonly limit: number | null; readonly actual: number | null }
  const broken: ReadonlyArray<readonly [string, Counts, LumeRun.Limits, ReadonlyArray<Expected>]> = [
    [
      "by a rate that Lume rounds down",
      { ...clean, executed: 1000, failed: 54 },
      { maxErrorRate: 0.05 },
      [{ measure: "errorRate", limit: 0.05, actual: 0.054 }]
    ],
    [
      "by one row in a million",
      { ...clean, input: 1_000_000, rejected: 50_001 },
      { maxRejectedShare: 0.05 },
      [{ measure: "rejectedShare", limit: 0.05, actual: 0.050001 }]
    ],
    [
      "by each limit that it does not keep",
      {
        input: 10,
        rejected: 5,
        executed: 10,
        failed: 5,
        codes: [
          ["A", 3],
          ["A", 2]
        ]
      },
      { maxErrorRate: 0.5, maxRejectedShare: 0.4, maxRejectedRows: 4, minInputRows: 11, errorCodes: { A: 4, B: 0 } },
      [
        { measure: "rejectedShare", limit: 0.4, actual: 0.5 },
        { measure: "rejectedRows", limit: 4, actual: 5 },
        { measure: "inputRows", limit: 11, actual: 10 },
        { measure: "errorCode A", limit: 4, actual: 5 }
      ]
    ],
    [
      "by a code that may be among those not listed",
      { ...clean, failed: 9, codes: [["A", 2]] },
      { errorCodes: { A: 2, B: 100, ["__proto__"]: 100 } },
      [
        { measure: "errorCode B", limit: 100, actual: null },
        { measure: "errorCode __proto__", limit: 100, actual: null }
      ]
    ],
    [
      "by some of nothing",
      { input: 0, rejected: 1, executed: 0, failed: 1 },
      { maxErrorRate: 1, maxRejectedShare: 1 },
      [
        { measure: "errorRate", limit: 1, actual: null },
        { measure: "rejectedShare", limit: 1, actual: null }
      ]
    ],
    [
      "by limits that can't be right, however good it is",
      clean,
      { maxErrorRate: 5, maxRejectedShare: NaN, maxRejectedRows: -1, minInputRows: Infinity, errorCodes: { A: NaN } },
      [
        { measure: "errorRate", limit: null, actual: 0 },
        { measure: "rejectedShare", limit: null, actual: 0 },
        { measure: "rejectedRows", limit: null, actual: 0 },
        { measure: "inputRows", limit: null, actual: 1000 },
        { measure: "errorCode A", limit: null, actual: 0 }
      ]
    ]
  ]

  it.effect.each(broken)("%s", ([, counts, limits, expected]) =>
    Effect.map(breachesOf(counts, limits), (breaches) => assert.deepStrictEqual(breaches, expected))
  )

  it.effect("and the message says what is breached, by how much, and what to do", () =>
    Effect.gen(function* () {
      const counts = { ...clean, input: 1_000_000, rejected: 50_001 }
      const error = yield* Effect.flip(LumeRun.gate(runWith(counts), { maxRejectedShare: 0.05, maxErrorRate: 0 }))
      assert.strictEqual(
        error.message,
        "Run run_1 ended PARTIAL_FAILED and does not pass: the share of rejected rows is 0.050001, above the limit of 0.05. " +
          "The most common errors are in metadata.validation.topErrors, the place of rejected rows in metadata.results.targetLocations.rejects."
      )
      deepStrictEqual(LumeError.runId(error), Option.some("run_1"))
      const wrong = yield* Effect.flip(LumeRun.gate(runWith(clean), { maxErrorRate: 5 }))
      assert.include(wrong.message, "must be a ratio from 0 to 1 (did you mean 0.05 for 5%?). Correct the limits.")
    })
  )

  it.effect("when it produced no data, or its metadata can't be read", () =>
    Effect.gen(function* () {
      for (const status of ["FAILED", "CRASHED"]) {
        assert.strictEqual((yield* Effect.flip(LumeRun.gate(ended(status), {})))._tag, "RunFailedError")
      }
      assert.strictEqual((yield* Effect.flip(LumeRun.gate(ended("SUCCEEDED"), {})))._tag, "MetadataDecodeError")
    })
  )
})

const count = FastCheck.nat(12)
const anyCounts = FastCheck.record({
  input: count,
  rejected: count,
  executed: count,
  failed: count,
  codes: FastCheck.array(FastCheck.tuple(FastCheck.constantFrom("A", "B", "C"), count), { maxLength: 3 })
})
const ratio = FastCheck.oneof(
  // quotients of small counts, so that values often equal their limits
  FastCheck.tuple(count, FastCheck.integer({ min: 1, max: 12 })).map(([part, whole]) => part / whole),
  FastCheck.constantFrom(NaN, -1, -0)
)
const most = FastCheck.oneof(count, FastCheck.constantFrom(NaN, -1, 2.5))
const anyLimits = FastCheck.record(
  {
    maxErrorRate: ratio,
    maxRejectedShare: ratio,
    maxRejectedRows: most,
    minInputRows: most,
    errorCodes: FastCheck.dictionary(FastCheck.constantFrom("A", "B", "D"), most)
  },
  { requiredKeys: [] }
)

/** The definition, limit by limit: which ones these counts don't keep. */
const notKept = ({ codes, executed, failed, input, rejected }: Required<Counts>, limits: LumeRun.Limits) => {
  const share = (part: number, whole: number) => (part === 0 && whole === 0 ? 0 : part / whole)
  const sum = (parts: typeof codes) => parts.reduce((total, [, part]) => total + part, 0)
  const isShare = (limit: number) => limit >= 0 && limit <= 1
  const names: Array<string> = []
  const { errorCodes, maxErrorRate, maxRejectedRows, maxRejectedShare, minInputRows } = limits
  if (maxErrorRate !== undefined && !(isShare(maxErrorRate) && share(failed, executed) <= maxErrorRate)) {
    names.push("errorRate")
  }
  if (maxRejectedShare !== undefined && !(isShare(maxRejectedShare) && share(rejected, input) <= maxRejectedShare)) {
    names.push("rejectedShare")
  }
  if (maxRejectedRows !== undefined && !(rejected <= maxRejectedRows)) names.push("rejectedRows")
  if (minInputRows !== undefined && !(minInputRows >= 0 && input >= minInputRows)) names.push("inputRows")
  for (const [code, limit = NaN] of Object.entries(errorCodes ?? {})) {
    const listed = codes.filter(([name]) => name === code)
    const known = listed.length > 0 || sum(codes) === failed
    if (!(known && sum(listed) <= limit)) names.push(`errorCode ${code}`)
  }
  return names
}

describe("the gate", () => {
  property.all(
    "lets pass what keeps every limit, and names each limit that is not kept",
    [anyCounts, anyLimits],
    ([counts, limits]) => {
      const breaches = Effect.runSync(breachesOf(counts, limits))
      assert.deepStrictEqual(
        breaches.map(({ measure }) => measure),
        notKept(counts, limits)
      )
    },
    { fastCheck: { numRuns: 1000 } }
  )

  property.all("gives errors that survive JSON", [anyCounts, anyLimits], ([counts, limits]) => {
    const judged = Effect.runSync(Effect.either(LumeRun.gate(runWith(counts), limits)))
    if (Either.isRight(judged)) return
    const json = JSON.stringify(Schema.encodeSync(LumeError.LumeError)(judged.left))
    const again = Schema.decodeUnknownSync(LumeError.LumeError)(JSON.parse(json))
    assert.strictEqual(JSON.stringify(again), JSON.stringify(judged.left))
  })
})
