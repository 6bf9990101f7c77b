/**
 * Recovery from `SubmitOutcomeUnknownError`: each submit carries an id of its own, by which the run's webhook is
 * recognised. So a run whose answer was lost is found by its webhook, and nothing is submitted twice.
 */
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { LumeClient, type LumeWebhook, type RunRequest } from "effect-lume"

/** The submits whose run is not known yet, by their id. */
export class Pending extends Context.Tag("Pending")<Pending, Map<string, Deferred.Deferred<string>>>() {}

/** None, in memory: what must outlive the process belongs in a database. */
export const layer: Layer.Layer<Pending> = Layer.sync(Pending, () => new Map())

/** A submit with this id is going on: a webhook could not tell which of the two its run belongs to. */
export class SubmitIdInUse extends Schema.TaggedError<SubmitIdInUse>()("SubmitIdInUse", { submitId: Schema.String }) {
  override get message(): string {
    return `A submit with the id ${this.submitId} is going on. Give each submit an id of its own.`
  }
}

/** The handler of the webhook: tells the submit that the event belongs to of its run. */
export const heard = (event: LumeWebhook.WebhookEvent): Effect.Effect<void, never, Pending> =>
  Effect.flatMap(Pending, (pending) => {
    const id = Option.map(event.runMetadata, (pairs) => pairs["submit_id"])
    const found = Option.flatMapNullable(id, (id) => (typeof id === "string" ? pending.get(id) : undefined))
    return Option.match(found, {
      onNone: () => Effect.void,
      onSome: (found) => Effect.asVoid(Deferred.succeed(found, event.runId))
    })
  })

/**
 * Submits a run, and gives its id: reading it here could fail in passing, and a retry of that would submit again. Where the
 * outcome is unknown, waits for its webhook for so long, then fails with what is unknown.
 */
export const submit = (request: RunRequest.Input, submitId: string) =>
  Effect.gen(function* () {
    const lume = yield* LumeClient.LumeClient
    const pending = yield* Pending
    const runId = yield* Deferred.make<string>()
    yield* Effect.acquireRelease(
      Effect.suspend(() =>
        pending.has(submitId)
          ? Effect.fail(new SubmitIdInUse({ submitId }))
          : Effect.sync(() => pending.set(submitId, runId))
      ),
      () => Effect.sync(() => pending.delete(submitId))
    )
    const runMetadata = { ...request.runMetadata, submit_id: submitId }
    return yield* lume.run({ ...request, runMetadata }).pipe(
      Effect.map(({ id }): string => id),
      Effect.catchTag("SubmitOutcomeUnknownError", (unknown) =>
        Effect.timeoutFail(Deferred.await(runId), { duration: "2 hours", onTimeout: () => unknown })
      )
    )
  }).pipe(Effect.scoped)
