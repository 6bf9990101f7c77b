/**
 * The runs of a local Lume: accepted at once, made a few at a time, kept in memory.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as LumeMetadata from "../../LumeMetadata.js"
import * as LumeRun from "../../LumeRun.js"
import type { RunRequest } from "../../RunRequest.js"
import * as LocalEngine from "../LocalEngine.js"
import type { LocalFlow } from "../LocalFlow.js"
import { deliver, type Webhook } from "./webhook.js"

/** Where runs read and write, and how many go on at a time. */
export interface Options {
  readonly sources: string
  readonly targets: string
  readonly concurrency: number
  readonly webhook: Webhook | undefined
}

/** The runs. */
export interface Runs {
  /** Accepts a run; it is made later, in the background. */
  readonly submit: (request: RunRequest, flow: LocalFlow) => Effect.Effect<LumeRun.LumeRun>
  readonly get: (id: string) => LumeRun.LumeRun | undefined
  /** Whether this flow version has already processed this source path successfully. */
  readonly hasSucceeded: (request: RunRequest) => boolean
}

const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

const base32 = (value: number, length: number): string =>
  Array.from({ length }, (_, index) => alphabet[Math.floor(value / 32 ** (length - 1 - index)) % 32]).join("")

/** `run_` and a ULID: ids sort by the time at which their runs were accepted. */
const makeId = Effect.gen(function* () {
  const time = base32(yield* Clock.currentTimeMillis, 10)
  const random = yield* Effect.replicateEffect(Random.nextIntBetween(0, 32 ** 4), 4)
  return LumeRun.RunId.make(`run_${time}${random.map((part) => base32(part, 4)).join("")}`)
})

const encodeFinished = Schema.encode(LumeMetadata.LumeMetadata)
const encodeFailed = Schema.encode(LumeMetadata.FailedMetadata)

/** The outcome's metadata as Lume's JSON. That it can't be encoded is a defect of the engine. */
const encode = (outcome: LocalEngine.Outcome): Effect.Effect<unknown> =>
  Effect.orDie(
    outcome.status === "SUCCEEDED" || outcome.status === "PARTIAL_FAILED"
      ? encodeFinished(outcome.metadata)
      : encodeFailed(outcome.metadata)
  )

const key = ({ flowVersion, sourcePath }: RunRequest): string => JSON.stringify([flowVersion, sourcePath])

/** Runs that are interrupted when the scope closes. */
export const make = ({
  concurrency,
  sources,
  targets,
  webhook
}: Options): Effect.Effect<Runs, never, FileSystem.FileSystem | Scope.Scope> =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    const files = yield* FileSystem.FileSystem
    const slots = yield* Effect.makeSemaphore(concurrency)
    const runs = new Map<string, LumeRun.LumeRun>()
    const succeeded = new Set<string>()

    const enter = (id: LumeRun.RunId, { runMetadata }: RunRequest, status: string, metadata: unknown = {}) => {
      const run = LumeRun.fromWire({ id, status, metadata, run_metadata: runMetadata })
      runs.set(id, run)
      return run
    }

    const execute = (id: LumeRun.RunId, request: RunRequest, flow: LocalFlow, acceptedAt: bigint) =>
      LocalEngine.run({
        runId: id,
        flow,
        sourcePath: request.sourcePath,
        sources,
        targets,
        acceptedAt,
        onStage: (stage) => Effect.sync(() => enter(id, request, stage))
      }).pipe(
        Effect.flatMap((outcome) =>
          Effect.map(encode(outcome), (metadata) => {
            if (outcome.status === "SUCCEEDED") succeeded.add(key(request))
            return enter(id, request, outcome.status, metadata)
          })
        ),
        Effect.provideService(FileSystem.FileSystem, files),
        slots.withPermits(1),
        Effect.flatMap((run) =>
          webhook !== undefined && LumeRun.isTerminal(run) ? deliver(webhook, run, request) : Effect.void
        )
      )

    return {
      get: (id) => runs.get(id),
      hasSucceeded: (request) => succeeded.has(key(request)),
      submit: (request, flow) =>
        Effect.gen(function* () {
          const id = yield* makeId
          const run = enter(id, request, "CREATED")
          yield* Effect.forkIn(execute(id, request, flow, yield* Clock.currentTimeNanos), scope)
          return run
        })
    }
  })
