/**
 * What the types promise: narrowing, exact error channels, exact requirements, and what does not compile.
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import type * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as Stream from "effect/Stream"
import { describe, expect, test } from "tstyche"
import * as QualityGate from "../../examples/library/QualityGate.js"
import * as LumeClient from "../../src/LumeClient.js"
import * as LumeError from "../../src/LumeError.js"
import type * as LumeMetadata from "../../src/LumeMetadata.js"
import * as LumeRun from "../../src/LumeRun.js"
import * as LumeTest from "../../src/LumeTest.js"
import type * as RunEvents from "../../src/RunEvents.js"
import type * as RunRequest from "../../src/RunRequest.js"
import type { Arbitrary } from "../support/property.js"

declare const lume: LumeClient.Service
declare const run: LumeRun.LumeRun
declare const terminal: LumeRun.TerminalRun
declare const mode: "accept" | "fail"
const request = { flowVersion: "a:v1", sourcePath: "b" }
const apiKey = Redacted.make("key")

describe("runs", () => {
  test("narrow by their tag", () => {
    if (run._tag === "Succeeded") {
      expect(run).type.toBe<LumeRun.Succeeded>()
      expect(run.status).type.toBe<"SUCCEEDED">()
      expect(run.metadata).type.toBe<Effect.Effect<LumeMetadata.LumeMetadata, LumeMetadata.MetadataDecodeError>>()
    }
    if (run._tag === "Failed" || run._tag === "Crashed") {
      expect(run.metadata).type.toBe<Effect.Effect<LumeMetadata.FailedMetadata, LumeMetadata.MetadataDecodeError>>()
    }
    if (run._tag === "Unrecognized") expect(run.status).type.toBe<string | null>()
    if (run._tag === "Created") expect(run).type.not.toHaveProperty("metadata")
  })

  test("are terminal in exactly four states", () => {
    expect<LumeRun.TerminalRun["_tag"]>().type.toBe<"Succeeded" | "PartialFailed" | "Failed" | "Crashed">()
    if (LumeRun.isTerminal(run)) expect(run).type.toBe<LumeRun.TerminalRun>()
    else expect(run._tag).type.toBe<"Created" | "SyncingSource" | "Transforming" | "SyncingTarget" | "Unrecognized">()
  })

  test("orFail narrows", () => {
    expect(LumeRun.orFail(terminal)).type.toBe<
      Effect.Effect<LumeRun.Succeeded | LumeRun.PartialFailed, LumeRun.RunFailedError>
    >()
    expect(LumeRun.orFail(terminal, { partial: "fail" })).type.toBe<
      Effect.Effect<LumeRun.Succeeded, LumeRun.RunFailedError>
    >()
    expect(LumeRun.orFail(terminal, { partial: "accept" })).type.toBe<
      Effect.Effect<LumeRun.Succeeded | LumeRun.PartialFailed, LumeRun.RunFailedError>
    >()
  })

  test("orFail narrows point-free", () => {
    expect(Effect.flatMap(lume.wait(run), LumeRun.orFail)).type.toBe<
      Effect.Effect<LumeRun.Succeeded | LumeRun.PartialFailed, LumeError.WaitError | LumeRun.RunFailedError>
    >()
    expect(lume.wait(run).pipe(Effect.flatMap(LumeRun.orFail))).type.toBe<
      Effect.Effect<LumeRun.Succeeded | LumeRun.PartialFailed, LumeError.WaitError | LumeRun.RunFailedError>
    >()
  })

  test("orFail keeps PartialFailed where its mode is not known, or not given", () => {
    type Accepted = Effect.Effect<LumeRun.Succeeded | LumeRun.PartialFailed, LumeRun.RunFailedError>
    expect(LumeRun.orFail(terminal, { partial: undefined })).type.toBe<Accepted>()
    expect(LumeRun.orFail(terminal, {})).type.toBe<Accepted>()
    expect(LumeRun.orFail(terminal, { partial: mode })).type.toBe<Accepted>()
  })
})

describe("gate", () => {
  type Judged = Effect.Effect<
    LumeMetadata.LumeMetadata,
    LumeRun.QualityError | LumeRun.RunFailedError | LumeMetadata.MetadataDecodeError
  >

  test("takes a run that has ended, before or after its limits", () => {
    expect(LumeRun.gate(terminal, { maxErrorRate: 0.05 })).type.toBe<Judged>()
    expect(LumeRun.gate({ maxErrorRate: 0.05 })(terminal)).type.toBe<Judged>()
    expect(terminal.pipe(LumeRun.gate({ errorCodes: { INVALID_DATE: 3 } }))).type.toBe<Judged>()
    expect(LumeRun.gate).type.not.toBeCallableWith(run, { maxErrorRate: 0.05 })
    expect(LumeRun.gate).type.not.toBeCallableWith({ maxErrorRat: 0.05 })
    expect(LumeRun.gate).type.not.toBeCallableWith(terminal, { maxErrorRate: "5%" })
  })

  test("adds its errors to those of a wait", () => {
    expect(lume.wait(run).pipe(Effect.flatMap(LumeRun.gate({ minInputRows: 1 })))).type.toBe<
      Effect.Effect<
        LumeMetadata.LumeMetadata,
        LumeError.WaitError | LumeRun.QualityError | LumeRun.RunFailedError | LumeMetadata.MetadataDecodeError
      >
    >()
  })

  test("gives errors that are the package's", () => {
    expect<LumeRun.QualityError>().type.toBeAssignableTo<LumeError.LumeError>()
    expect<LumeRun.QualityError["run"]>().type.toBe<LumeRun.Succeeded | LumeRun.PartialFailed>()
  })
})

describe("each method's error channel", () => {
  test("is exactly its union", () => {
    expect(lume.run(request)).type.toBe<Effect.Effect<LumeRun.LumeRun, LumeError.SubmitError>>()
    expect(lume.runStatus("id")).type.toBe<Effect.Effect<LumeRun.LumeRun, LumeError.StatusError>>()
    expect(lume.refresh(run)).type.toBe<Effect.Effect<LumeRun.LumeRun, LumeError.StatusError>>()
    expect(lume.wait(run)).type.toBe<Effect.Effect<LumeRun.TerminalRun, LumeError.WaitError>>()
    expect(lume.watch("id")).type.toBe<Stream.Stream<LumeRun.LumeRun, LumeError.WaitError>>()
    expect(lume.runAndWait(request)).type.toBe<
      Effect.Effect<LumeRun.TerminalRun, LumeError.SubmitError | LumeError.TimeoutError | LumeError.WaitFailedError>
    >()
    expect(run.pipe(LumeClient.wait({ timeout: "10 minutes" }))).type.toBe<
      Effect.Effect<LumeRun.TerminalRun, LumeError.WaitError, LumeClient.LumeClient>
    >()
    expect(run.pipe(LumeClient.refresh)).type.toBe<
      Effect.Effect<LumeRun.LumeRun, LumeError.StatusError, LumeClient.LumeClient>
    >()
  })

  test("is the same for the functions that need the client, in each of their forms", () => {
    type Waited = Effect.Effect<LumeRun.TerminalRun, LumeError.WaitError, LumeClient.LumeClient>
    type Watched = Stream.Stream<LumeRun.LumeRun, LumeError.WaitError, LumeClient.LumeClient>
    expect(LumeClient.wait(run, { timeout: 1 })).type.toBe<Waited>()
    expect(LumeClient.wait("run_1")).type.toBe<Waited>()
    expect(run.pipe(LumeClient.wait)).type.toBe<Waited>()
    expect(run.pipe(LumeClient.wait())).type.toBe<Waited>()
    expect(LumeClient.run(request).pipe(Effect.flatMap(LumeClient.wait))).type.toBe<
      Effect.Effect<LumeRun.TerminalRun, LumeError.SubmitError | LumeError.WaitError, LumeClient.LumeClient>
    >()
    expect(LumeClient.watch(run)).type.toBe<Watched>()
    expect(run.pipe(LumeClient.watch({ timeout: 1 }))).type.toBe<Watched>()
    expect(LumeClient.runStatus("run_1")).type.toBe<
      Effect.Effect<LumeRun.LumeRun, LumeError.StatusError, LumeClient.LumeClient>
    >()
    expect(LumeClient.runAndWait(request)).type.toBe<
      Effect.Effect<
        LumeRun.TerminalRun,
        LumeError.SubmitError | LumeError.TimeoutError | LumeError.WaitFailedError,
        LumeClient.LumeClient
      >
    >()
  })

  test("names its tags", () => {
    expect<LumeError.SubmitError["_tag"]>().type.toBe<
      | "AuthenticationError"
      | "InvalidRequestError"
      | "AlreadyProcessedError"
      | "RateLimitedError"
      | "TransportError"
      | "SubmitOutcomeUnknownError"
    >()
    expect<LumeError.StatusError["_tag"]>().type.toBe<
      | "AuthenticationError"
      | "InvalidRequestError"
      | "RunNotFoundError"
      | "RateLimitedError"
      | "ApiError"
      | "TransportError"
      | "DecodeError"
    >()
    expect<Exclude<LumeError.WaitError["_tag"], LumeError.StatusError["_tag"]>>().type.toBe<"TimeoutError">()
  })

  test("loses one tag by catchTag", () => {
    const otherwise = () => Effect.succeed("otherwise")
    expect(lume.run(request).pipe(Effect.catchTag("AlreadyProcessedError", otherwise))).type.toBe<
      Effect.Effect<LumeRun.LumeRun | string, Exclude<LumeError.SubmitError, LumeError.AlreadyProcessedError>>
    >()
    expect(lume.runStatus("id").pipe(Effect.catchTag("RunNotFoundError", otherwise))).type.toBe<
      Effect.Effect<LumeRun.LumeRun | string, Exclude<LumeError.StatusError, LumeError.RunNotFoundError>>
    >()
    expect(lume.wait(run).pipe(Effect.catchTag("TimeoutError", otherwise))).type.toBe<
      Effect.Effect<LumeRun.TerminalRun | string, LumeError.StatusError>
    >()
    expect(LumeRun.orFail(terminal).pipe(Effect.catchTag("RunFailedError", otherwise))).type.toBe<
      Effect.Effect<LumeRun.Succeeded | LumeRun.PartialFailed | string>
    >()
  })
})

describe("layers", () => {
  test("require exactly HttpClient, and RunEvents where there are events", () => {
    expect(LumeClient.layer({ apiKey })).type.toBe<
      Layer.Layer<LumeClient.LumeClient, LumeError.InvalidRequestError, HttpClient.HttpClient>
    >()
    expect(LumeClient.layerConfig()).type.toBe<
      Layer.Layer<LumeClient.LumeClient, LumeError.InvalidRequestError | ConfigError.ConfigError, HttpClient.HttpClient>
    >()
    expect(LumeClient.layerWithEvents({ apiKey })).type.toBe<
      Layer.Layer<LumeClient.LumeClient, LumeError.InvalidRequestError, HttpClient.HttpClient | RunEvents.RunEvents>
    >()
    expect(LumeClient.make({ apiKey })).type.toBe<
      Effect.Effect<LumeClient.Service, LumeError.InvalidRequestError, HttpClient.HttpClient>
    >()
    expect(LumeTest.layer()).type.toBe<Layer.Layer<LumeClient.LumeClient | LumeTest.LumeTest>>()
  })
})

describe("what is wrong", () => {
  test("does not compile", () => {
    expect(LumeClient.layer).type.not.toBeCallableWith({ apiKey: "plain" })
    expect(LumeClient.layer).type.not.toBeCallableWith({})
    expect(LumeClient.layer).type.not.toBeCallableWith({ apiKey, requestTimeout: "soon" })
    expect(LumeClient.layer).type.not.toBeCallableWith({ apiKey, base_url: "https://lume.example" })
    expect(lume.run).type.not.toBeCallableWith({ flowVersion: "a:v1" })
    expect(lume.run).type.not.toBeCallableWith({ flow_version: "a:v1", source_path: "b" })
    expect(lume.run).type.not.toBeCallableWith({ ...request, forceRerun: "yes" })
    expect(lume.wait).type.not.toBeCallableWith(run, { timeout: "10 parsecs" })
    expect(lume.wait).type.not.toBeCallableWith(run, { poll_interval: 10 })
    expect(LumeRun.orFail).type.not.toBeCallableWith(terminal, { partial: "maybe" })
  })
})

describe("transience", () => {
  test("is asked of anything", () => {
    expect(LumeError.isTransient).type.toBeCallableWith("anything")
  })

  test("as a guard, keeps the errors of which only some are transient", () => {
    const caught = Effect.catchIf(lume.runStatus("id"), LumeError.isTransient, (error) => {
      expect(error).type.toBe<LumeError.TransientError>()
      return Effect.succeed(run)
    })
    expect(caught).type.toBe<
      Effect.Effect<LumeRun.LumeRun, Exclude<LumeError.StatusError, LumeError.RateLimitedError>>
    >()
  })
})

describe("the test kit", () => {
  test("gives the state that was asked for", () => {
    expect(LumeTest.run("Failed")).type.toBe<LumeRun.Failed>()
    expect(LumeTest.run("Succeeded", { metadata: { results: { inputRows: 5 } } })).type.toBe<LumeRun.Succeeded>()
    expect(LumeTest.run).type.not.toBeCallableWith("Done")
    expect(LumeTest.run).type.not.toBeCallableWith("Succeeded", { metadata: { results: { input_rows: 5 } } })
    expect(LumeTest.metadata()).type.toBe<LumeMetadata.LumeMetadata>()
    expect(LumeTest.arbitrary.run).type.toBe<Arbitrary<LumeRun.LumeRun>>()
  })

  test("requires the fake Lume to speak to it, and nothing for the rest", () => {
    expect(LumeTest.failNext(1, "network")).type.toBe<Effect.Effect<void, never, LumeTest.LumeTest>>()
    expect(LumeTest.submitted).type.toBe<
      Effect.Effect<ReadonlyArray<RunRequest.RunRequest>, never, LumeTest.LumeTest>
    >()
    expect(LumeTest.requests).type.toBe<
      Effect.Effect<ReadonlyArray<LumeTest.ReceivedRequest>, never, LumeTest.LumeTest>
    >()
    expect(LumeTest.advance("1 hour")).type.toBe<Effect.Effect<void>>()
    expect(LumeTest.succeeds({ in: "1 minute", rows: 7 })).type.toBe<LumeTest.Timeline>()
  })

  test("leaves an effect that it waits for as it is", () => {
    expect(LumeTest.waitFor(lume.wait(run))).type.toBe<Effect.Effect<LumeRun.TerminalRun, LumeError.WaitError>>()
    expect(run.pipe(LumeClient.refresh, LumeTest.waitFor)).type.toBe<
      Effect.Effect<LumeRun.LumeRun, LumeError.StatusError, LumeClient.LumeClient>
    >()
  })

  test("takes no wrong script, fault or timeline", () => {
    expect(LumeTest.layer).type.not.toBeCallableWith({ onRun: LumeTest.succeeds() })
    expect(LumeTest.layer).type.not.toBeCallableWith({ runs: { run_1: "SUCCEEDED" } })
    expect(LumeTest.failNext).type.not.toBeCallableWith(1, "fire")
    expect(LumeTest.failNext).type.not.toBeCallableWith(1, "network", { on: "wait" })
    expect(LumeTest.timeline).type.not.toBeCallableWith([{ after: "1 minute" }])
    expect(LumeTest.fails).type.not.toBeCallableWith({ rows: 5 })
    expect(LumeTest.waitFor).type.not.toBeCallableWith(lume.wait(run), { limit: "soon" })
  })
})

describe("a library on the client", () => {
  test("has its own error and those of ours that it lets through", () => {
    const pass = Effect.flatMap(QualityGate.QualityGate, (gate) => gate.pass(request))
    expect<Effect.Effect.Error<typeof pass>["_tag"]>().type.toBe<
      | "QualityError"
      | "RunFailedError"
      | "MetadataDecodeError"
      | "TimeoutError"
      | "WaitFailedError"
      | Exclude<LumeError.SubmitError["_tag"], "AlreadyProcessedError">
    >()
    expect(QualityGate.layer()).type.toBe<Layer.Layer<QualityGate.QualityGate, never, LumeClient.LumeClient>>()
  })
})
