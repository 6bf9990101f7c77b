/**
 * Signatures and events: what is accepted, what is refused, and why.
 */
import { assert, describe, it, vi } from "@effect/vitest"
import { deepStrictEqual } from "@effect/vitest/utils"
import * as octokit from "@octokit/webhooks-methods"
import * as Cause from "effect/Cause"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as LumeError from "../src/LumeError.js"
import * as LumeWebhook from "../src/LumeWebhook.js"
import found from "./cases/found.json" with { type: "json" }
import cases from "./cases/webhooks.json" with { type: "json" }
import { property } from "./support/property.js"

const secret = Redacted.make("whsec-3b1f")
const secrets = [secret] as const
const body = '{"run_id":"run_1","status":"SUCCEEDED"}'
const bytes = new TextEncoder().encode(body)

/** What plain JavaScript can pass in spite of the types. */
const untyped = (delivery: unknown) => LumeWebhook.verify(delivery as LumeWebhook.Delivery)

const reasonOf = <R>(verification: Effect.Effect<void, LumeError.WebhookSignatureError, R>) =>
  Effect.map(Effect.flip(verification), ({ reason }) => reason)

describe("webhooks.json", () => {
  it.effect.each(cases.map((test) => [test.id, test.why, test] as const))("%s: %s", ([, , test]) =>
    Effect.gen(function* () {
      const [first = "", ...others] = test.secrets
      const secrets = [Redacted.make(first), ...others.map((text) => Redacted.make(text))] as const
      for (const body of [test.body, new TextEncoder().encode(test.body)]) {
        const delivery = { secrets, body, signature: test.signature }
        const verified = yield* Effect.either(LumeWebhook.verify(delivery))
        const unwrapped = yield* Effect.either(LumeWebhook.unwrap(delivery))
        assert.strictEqual(Either.isLeft(verified), test.expect === "WebhookSignatureError")
        if (test.expect !== "accepted") {
          assert(Either.isLeft(unwrapped))
          assert.include(test.expect, unwrapped.left._tag)
        } else {
          assert(Either.isRight(unwrapped))
          const json: unknown = JSON.parse(test.body)
          const { raw, runId, status } = unwrapped.right
          assert.deepStrictEqual(raw, json)
          assert.deepInclude(json, { run_id: runId, status: Option.getOrNull(status) })
        }
      }
    })
  )
})

/** A signed body, read. */
const unwrap = (body: string | Uint8Array) =>
  Effect.flatMap(LumeWebhook.sign({ secret, body }), (signature) => LumeWebhook.unwrap({ secrets, body, signature }))

describe("found.json", () => {
  const webhooks = found.flatMap(({ id, why, kind, body = "", expect }) =>
    kind === "webhook" ? [[id, why, body, expect] as const] : []
  )

  it.effect.each(webhooks)("%s: %s (%s)", ([, , body, expect]) =>
    Effect.gen(function* () {
      const unwrapped = yield* Effect.either(unwrap(body))
      if (expect.runId === undefined) {
        assert(Either.isLeft(unwrapped))
        assert.strictEqual(unwrapped.left._tag, expect.error)
      } else {
        assert(Either.isRight(unwrapped))
        const { raw, runId, ...others } = unwrapped.right
        assert.strictEqual(runId, expect.runId)
        assert.deepStrictEqual(raw, JSON.parse(body))
        // each of these bodies has nothing but odd values beside the run's id
        deepStrictEqual(Object.values(others), [Option.none(), Option.none(), Option.none(), Option.none()])
      }
    })
  )
})

describe("verify", () => {
  it.effect("accepts what either of two secrets has signed", () =>
    Effect.gen(function* () {
      const [old, next] = [Redacted.make("old"), Redacted.make("next")]
      for (const secret of [old, next]) {
        const signature = yield* LumeWebhook.sign({ secret, body })
        yield* LumeWebhook.verify({ secrets: [next, old], body, signature })
      }
    })
  )

  it.effect("takes the secrets from an effect, and fails as it does", () =>
    Effect.gen(function* () {
      const secrets = Config.redacted("LUME_WEBHOOK_SECRET").pipe(Config.map((secret) => [secret] as const))
      const signature = yield* LumeWebhook.sign({ secret, body })
      const verify = LumeWebhook.verify({ secrets, body, signature })
      yield* Effect.withConfigProvider(
        verify,
        ConfigProvider.fromMap(new Map([["LUME_WEBHOOK_SECRET", Redacted.value(secret)]]))
      )
      const error = yield* Effect.flip(Effect.withConfigProvider(verify, ConfigProvider.fromMap(new Map())))
      assert.strictEqual(error._tag, "ConfigError")
    })
  )

  it.effect("asks for no secrets where the delivery can't be right", () =>
    Effect.gen(function* () {
      const secrets = Effect.dieMessage("asked for secrets")
      assert.strictEqual(yield* reasonOf(LumeWebhook.verify({ secrets, body, signature: "abc" })), "WrongLength")
    })
  )

  it.effect("says why it refuses, and nothing secret", () =>
    Effect.gen(function* () {
      const signature = yield* LumeWebhook.sign({ secret, body })
      const wiped = Redacted.make("wiped")
      Redacted.unsafeWipe(wiped)
      const refusals: ReadonlyArray<readonly [LumeError.WebhookSignatureError["reason"], unknown]> = [
        ["NoSignature", { secrets, body, signature: undefined }],
        ["NoSignature", { secrets, body, signature: "  " }],
        ["NoSignature", { secrets, body, signature: [signature] }],
        ["WrongLength", { secrets, body, signature: signature.slice(1) }],
        ["WrongLength", { secrets, body, signature: `${signature}, ${signature}` }],
        ["WrongLength", { secrets, body, signature: `sha256=sha256=${signature}` }],
        ["WrongLength", { secrets, body, signature: `sha256 = ${signature}` }],
        ["WrongLength", { secrets, body, signature: `ſha256=${signature}` }],
        ["WrongLength", { secrets, body, signature: `xsha256=${signature}` }],
        ["WrongLength", { secrets, body, signature: `${signature}sha256=` }],
        ["NotHex", { secrets, body, signature: signature.replace(/^./, "g") }],
        ["NotHex", { secrets, body, signature: "é".repeat(64) }],
        ["ParsedBody", { secrets, body: JSON.parse(body), signature }],
        ["ParsedBody", { secrets, body: null, signature }],
        ["ParsedBody", { secrets, body: bytes.buffer, signature }],
        ["EmptyBody", { secrets, body: "", signature }],
        ["Mismatch", { secrets, body: JSON.stringify(JSON.parse(body), null, 1), signature }],
        ["Mismatch", { secrets: [Redacted.make("whsec-3b1f\n")], body, signature }],
        ["InvalidSecret", { secrets: [], body, signature }],
        ["InvalidSecret", { secrets: [secret, Redacted.make("")], body, signature }],
        ["InvalidSecret", { secrets: [wiped], body, signature }],
        ["InvalidSecret", { secrets: ["whsec-3b1f"], body, signature }],
        ["InvalidSecret", { secrets: "whsec-3b1f", body, signature }],
        ["InvalidSecret", { secrets: secret, body, signature }],
        ["InvalidSecret", { body, signature }]
      ]
      for (const [reason, delivery] of refusals) {
        const error = yield* Effect.flip(untyped(delivery))
        assert.strictEqual(error.reason, reason)
        for (const text of [error.message, JSON.stringify(error), String(error)]) {
          assert.notInclude(text, "whsec")
          assert.notInclude(text, signature)
        }
      }
    })
  )

  it.effect("takes a signature in either case, with white space around it", () =>
    Effect.gen(function* () {
      const signature = yield* LumeWebhook.sign({ secret, body })
      const upper = signature.toUpperCase()
      for (const written of [upper, `SHA256=${signature}`, ` \tSha256=${upper}\r\n`, `${signature} `]) {
        yield* LumeWebhook.verify({ secrets, body, signature: written })
      }
    })
  )

  it.effect("refuses what an empty secret has signed", () =>
    Effect.gen(function* () {
      const empty = Redacted.make("")
      const signature = yield* LumeWebhook.sign({ secret: empty, body })
      assert.strictEqual(yield* reasonOf(LumeWebhook.verify({ secrets: [empty], body, signature })), "InvalidSecret")
    })
  )

  it.effect("verifies with a secret no longer than the secret is there", () =>
    Effect.gen(function* () {
      const secret = Redacted.make("short-lived")
      const signature = yield* LumeWebhook.sign({ secret, body })
      const verify = LumeWebhook.verify({ secrets: [secret], body, signature })
      yield* verify
      Redacted.unsafeWipe(secret)
      assert.strictEqual(yield* reasonOf(verify), "InvalidSecret")
    })
  )

  describe("imports the key of a secret", () => {
    /** Counts the imports while the scope is open. */
    const imports = Effect.map(
      Effect.acquireRelease(
        Effect.sync(() => vi.spyOn(globalThis.crypto.subtle, "importKey")),
        (spy) => Effect.sync(() => spy.mockRestore())
      ),
      (spy) => () => spy.mock.calls.length
    )

    it.scoped("once, though a Config gives a new Redacted at each delivery", () =>
      Effect.gen(function* () {
        const secrets = Config.map(Config.redacted("LUME_WEBHOOK_SECRET"), (secret) => [secret] as const)
        const provider = ConfigProvider.fromMap(new Map([["LUME_WEBHOOK_SECRET", "from a Config"]]))
        const signature = yield* LumeWebhook.sign({ secret: Redacted.make("from a Config"), body })
        const count = yield* imports
        yield* Effect.withConfigProvider(Effect.repeatN(LumeWebhook.verify({ secrets, body, signature }), 4), provider)
        assert.strictEqual(count(), 1)
      })
    )

    it.scoped("again where there were a thousand others since, and holds no more", () =>
      Effect.gen(function* () {
        const names = Array.from({ length: 1_000 }, (_, index) => `one of a thousand ${index}`)
        const count = yield* imports
        const verify = (name: string) =>
          Effect.flip(LumeWebhook.verify({ secrets: [Redacted.make(name)], body, signature: "0".repeat(64) }))
        yield* verify("the first")
        yield* verify("the first")
        assert.strictEqual(count(), 1)
        yield* Effect.forEach(names, verify)
        assert.strictEqual(count(), 1_001)
        yield* verify("one of a thousand 1")
        assert.strictEqual(count(), 1_001)
        yield* verify("the first")
        assert.strictEqual(count(), 1_002)
      })
    )
  })

  it.effect("takes the bytes of a view, and of shared memory", () =>
    Effect.gen(function* () {
      const shared = new Uint8Array(new SharedArrayBuffer(bytes.length + 20)).subarray(10, 10 + bytes.length)
      shared.set(bytes)
      const signature = yield* LumeWebhook.sign({ secret, body })
      yield* LumeWebhook.verify({ secrets, body: shared, signature })
      yield* LumeWebhook.verify({ secrets, body: Buffer.from(body), signature })
    })
  )

  it.effect("does not compile with a body that a parser has read", () =>
    Effect.gen(function* () {
      const parsed = { run_id: "run_1" }
      // @ts-expect-error it is neither bytes nor text
      assert.strictEqual(yield* reasonOf(LumeWebhook.verify({ secrets, body: parsed, signature: "" })), "ParsedBody")
      // @ts-expect-error there is no secret
      assert.strictEqual(yield* reasonOf(LumeWebhook.verify({ secrets: [], body, signature: "" })), "NoSignature")
    })
  )

  it.effect("refuses bytes that are gone", () =>
    Effect.gen(function* () {
      const gone = bytes.slice()
      structuredClone(gone, { transfer: [gone.buffer] })
      const signature = yield* LumeWebhook.sign({ secret, body })
      // an empty array to some runtimes, an exception to others
      assert.include(
        ["EmptyBody", "ParsedBody"],
        yield* reasonOf(LumeWebhook.verify({ secrets, body: gone, signature }))
      )
    })
  )

  it.effect("never throws, whatever comes", () => {
    const hex = FastCheck.stringMatching(/^[0-9a-fA-F]{64}$/)
    const header = FastCheck.oneof(
      FastCheck.string({ unit: "binary", maxLength: 80 }),
      hex,
      FastCheck.tuple(FastCheck.constantFrom("sha256=", "SHA256=", " ", "\u00a0", "v1,"), hex).map((parts) =>
        parts.join("")
      ),
      FastCheck.constantFrom(null, undefined, "", 0, {}, "0".repeat(100_000))
    )
    const anyBody = FastCheck.oneof(
      FastCheck.string({ unit: "binary" }),
      FastCheck.uint8Array(),
      FastCheck.constantFrom(null, undefined, {}, [], 1, "\ud800", new ArrayBuffer(3), new DataView(new ArrayBuffer(3)))
    )
    const deliveries = FastCheck.sample(FastCheck.record({ signature: header, body: anyBody }), 10_000)
    return Effect.forEach(
      deliveries,
      (delivery) =>
        Effect.map(Effect.exit(untyped({ ...delivery, secrets })), (exit) => {
          if (Exit.isSuccess(exit)) assert.fail(`accepted ${JSON.stringify(delivery)}`)
          if (Option.isNone(Cause.failureOption(exit.cause))) assert.fail(`${exit.cause}`)
        }),
      { discard: true, concurrency: 16 }
    )
  })
})

const text = FastCheck.string({ unit: "binary", minLength: 1, maxLength: 200 })

describe("beside @octokit/webhooks-methods", () => {
  property.effect(
    "signs and verifies alike",
    [text, text, text],
    ([secret, body, other]) =>
      Effect.gen(function* () {
        const redacted = Redacted.make(secret)
        const theirs = yield* Effect.promise(() => octokit.sign(secret, body))
        const ours = yield* LumeWebhook.sign({ secret: redacted, body })
        assert.strictEqual(`sha256=${ours}`, theirs)
        yield* LumeWebhook.verify({ secrets: [redacted], body, signature: theirs })
        assert.isTrue(yield* Effect.promise(() => octokit.verify(secret, body, `sha256=${ours}`)))

        const accepted = yield* Effect.promise(() => octokit.verify(secret, other, theirs))
        const verified = yield* Effect.either(
          LumeWebhook.verify({ secrets: [redacted], body: other, signature: theirs })
        )
        assert.strictEqual(Either.isRight(verified), accepted)
      }),
    { fastCheck: { numRuns: 100 } }
  )
})

describe("unwrap", () => {
  it.effect("reads an event, nulls and what is missing as nothing there", () =>
    Effect.gen(function* () {
      const none = {
        status: Option.none(),
        flowVersion: Option.none(),
        sourcePath: Option.none(),
        runMetadata: Option.none()
      }
      const bare = { run_id: "run_1", status: null, extra: [1] }
      deepStrictEqual(yield* unwrap(JSON.stringify(bare)), { runId: "run_1", ...none, raw: bare })

      const full = {
        run_id: "run_1",
        status: "ARCHIVED",
        flow_version: "invoice_cleaner:v4",
        source_path: "s3://acme/batch-001.csv",
        run_metadata: { triggered_by: "nightly", at: [1, null] }
      }
      deepStrictEqual(yield* unwrap(`\ufeff${JSON.stringify(full)}`), {
        runId: "run_1",
        status: Option.some("ARCHIVED"),
        flowVersion: Option.some(full.flow_version),
        sourcePath: Option.some(full.source_path),
        runMetadata: Option.some(full.run_metadata),
        raw: full
      })
    })
  )

  it.effect("reads what is odd beside the run's id as nothing there, and keeps it in raw", () =>
    Effect.gen(function* () {
      const odd = {
        status: [7, true, [], {}, ["SUCCEEDED"]],
        flow_version: [4, { name: "a" }],
        source_path: [7, ["s3://acme/a.csv"]],
        run_metadata: [[], [1], "{}", 7, false]
      }
      const rest = { status: "FAILED", flow_version: "a:v1", source_path: "b", run_metadata: { c: 1 } }
      const read = yield* unwrap(JSON.stringify({ run_id: "run_1", ...rest }))
      const fields = {
        status: "status",
        flow_version: "flowVersion",
        source_path: "sourcePath",
        run_metadata: "runMetadata"
      }
      for (const [name, field] of Object.entries(fields)) {
        for (const value of odd[name as keyof typeof odd]) {
          const raw = { run_id: "run_1", ...rest, [name]: value }
          deepStrictEqual(yield* unwrap(JSON.stringify(raw)), { ...read, [field]: Option.none(), raw })
        }
      }
    })
  )

  it.effect("says where a signed body is no event", () =>
    Effect.gen(function* () {
      const refusals: ReadonlyArray<readonly [path: string, received: string, body: string | Uint8Array]> = [
        ["", "nothing", ""],
        ["", "text that is not valid JSON", "{"],
        ["", "text that is not valid JSON (NaN at position 10)", '{"run_id":NaN}'],
        ["", "bytes that are not UTF-8", new Uint8Array([0x22, 0xff, 0x22])],
        ["", "null", "null"],
        ["", "an array of 0", "[]"],
        ["run_id", "nothing", '{"__proto__":{"run_id":"run_1"}}'],
        ["run_id", '""', '{"run_id":""}'],
        ["run_id", "7", '{"run_id":7}'],
        ["run_id", "null", '{"run_id":null,"status":"SUCCEEDED"}']
      ]
      for (const [path, received, body] of refusals) {
        const error = yield* Effect.flip(unwrap(body))
        assert(error._tag === "WebhookPayloadError")
        assert.deepInclude(error, { path, received })
        assert.include(error.message, path === "" ? "the body" : path)
      }
    })
  )

  it.effect("reads what it has verified, whatever becomes of the caller's bytes meanwhile", () =>
    Effect.gen(function* () {
      const reused = bytes.slice()
      const signature = yield* LumeWebhook.sign({ secret, body })
      const secrets = Effect.sync(() => {
        reused.fill(0x20)
        return [secret] as const
      })
      assert.strictEqual((yield* LumeWebhook.unwrap({ secrets, body: reused, signature })).runId, "run_1")
    })
  )

  it.effect("reads nothing of a body that is not signed", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(LumeWebhook.unwrap({ secrets, body: "{", signature: "0".repeat(64) }))
      assert.strictEqual(error._tag, "WebhookSignatureError")
    })
  )
})

describe("WebhookEvent", () => {
  const decode = Schema.decodeUnknownEither(LumeWebhook.WebhookEvent)
  const encode = Schema.encodeEither(LumeWebhook.WebhookEvent)

  property.all(
    "reads any JSON that names a run, and writes it as it came",
    [
      FastCheck.record({
        run_id: FastCheck.string({ minLength: 1 }),
        rest: FastCheck.dictionary(text, FastCheck.jsonValue())
      })
    ],
    ([{ run_id: runId, rest }]) => {
      const json: unknown = JSON.parse(JSON.stringify({ ...rest, run_id: runId }))
      const event = Either.getOrThrow(decode(json))
      assert.strictEqual(event.runId, runId)
      assert.strictEqual(Either.getOrThrow(encode(event)), json)
    }
  )

  it("keeps a field of any name", () => {
    const json: unknown = JSON.parse('{"run_id":"run_1","__proto__":{"a":1},"toString":2}')
    const event = Either.getOrThrow(decode(json))
    assert.strictEqual(
      JSON.stringify(Either.getOrThrow(encode(event))),
      '{"run_id":"run_1","__proto__":{"a":1},"toString":2}'
    )
  })

  it("neither reads nor writes what names no run", () => {
    for (const json of [null, [], "run_1", {}, { run_id: "" }, { run_id: 7 }])
      assert.isTrue(Either.isLeft(decode(json)))
    const event = Either.getOrThrow(decode({ run_id: "run_1" }))
    assert.isTrue(Either.isLeft(encode({ ...event, raw: { id: "run_1" } })))
  })
})
