/**
 * What the types of durable submits and waits promise: exact errors and requirements, and what can't be given.
 */
import type * as PgClient from "@effect/sql-pg/PgClient"
import type { WorkflowEngine, WorkflowInstance } from "@effect/workflow/WorkflowEngine"
import type * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import { describe, expect, test } from "tstyche"
import type * as LumeClient from "../../src/LumeClient.js"
import type * as LumeError from "../../src/LumeError.js"
import type * as LumeRun from "../../src/LumeRun.js"
import type * as RunEvents from "../../src/RunEvents.js"
import * as LumeWorkflow from "../../src/workflow/LumeWorkflow.js"
import * as PgRunEvents from "../../src/workflow/PgRunEvents.js"

declare const run: LumeRun.LumeRun
const submission = { name: "orders", request: { flowVersion: "a:v1", sourcePath: "b" } }

type Needs = LumeClient.LumeClient | WorkflowEngine | WorkflowInstance

describe("durable submits and waits", () => {
  test("fail as those of the client, and need an engine", () => {
    expect(LumeWorkflow.submit(submission)).type.toBe<Effect.Effect<LumeRun.LumeRun, LumeError.SubmitError, Needs>>()
    expect(LumeWorkflow.wait({ name: "orders", run })).type.toBe<
      Effect.Effect<LumeRun.TerminalRun, LumeError.WaitError, Needs>
    >()
    expect(LumeWorkflow.runAndWait({ ...submission, timeout: "1 day" })).type.toBe<
      Effect.Effect<
        LumeRun.TerminalRun,
        LumeError.SubmitError | LumeError.TimeoutError | LumeError.WaitFailedError,
        Needs
      >
    >()
  })

  test("need a name, and take no option that a database can't hold", () => {
    expect(LumeWorkflow.wait).type.not.toBeCallableWith({ run })
    expect(LumeWorkflow.submit).type.not.toBeCallableWith({ ...submission, ifUnknown: "retry" })
    expect(LumeWorkflow.wait).type.not.toBeCallableWith({ name: "orders", run, onStatus: () => undefined })
    expect(LumeWorkflow.wait).type.not.toBeCallableWith({ name: "orders", run, schedule: Schedule.spaced("1 second") })
  })

  test("are woken by events of PostgreSQL, which can't fail to be there", () => {
    expect(PgRunEvents.layer()).type.toBe<
      Layer.Layer<RunEvents.RunEvents, LumeError.InvalidRequestError, PgClient.PgClient>
    >()
    expect(PgRunEvents.layer({ channel: "runs", heartbeat: "1 minute" })).type.toBe<
      Layer.Layer<RunEvents.RunEvents, LumeError.InvalidRequestError, PgClient.PgClient>
    >()
  })
})
