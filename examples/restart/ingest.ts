/**
 * Runs that outlive this process: what is submitted is written down first, so that a restart waits for the run that is
 * there and never submits a second one.
 */
import * as KeyValueStore from "@effect/platform/KeyValueStore"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { LumeClient, LumeRun } from "effect-lume"

/** What is known of a source path: that it is being submitted, or its run as last written down. */
const Entry = Schema.Union(
  Schema.TaggedStruct("Submitting", {}),
  Schema.TaggedStruct("Submitted", { run: LumeRun.LumeRun })
)

/** An earlier call or process ended while it was submitting: whether the run has started is unknown. */
export class Interrupted extends Schema.TaggedError<Interrupted>()("Interrupted", { sourcePath: Schema.String }) {
  override get message(): string {
    return `Whether ${this.sourcePath} was submitted is unknown. Look for its run in Lume, then remove or correct its entry.`
  }
}

/** This process is ingesting the source path already. */
export class Ongoing extends Schema.TaggedError<Ongoing>()("Ongoing", { sourcePath: Schema.String }) {
  override get message(): string {
    return `${this.sourcePath} is being ingested. Take the result of that call.`
  }
}

/**
 * Makes `ingest`, which submits a source path and waits for its end, or goes on where a process before this one has left
 * off. One process at a time may have the store, and make it once.
 *
 * A run that Lume doesn't know (`RunNotFoundError`) keeps its entry: the key or the base URL may be those of another
 * account. Where the run is really gone, remove the entry to submit again.
 */
export const make = Effect.gen(function* () {
  const lume = yield* LumeClient.LumeClient
  const entries = (yield* KeyValueStore.KeyValueStore).forSchema(Entry)
  const ongoing = new Set<string>()

  const begin = (sourcePath: string) =>
    Effect.acquireRelease(
      Effect.suspend(() =>
        ongoing.has(sourcePath) ? Effect.fail(new Ongoing({ sourcePath })) : Effect.sync(() => ongoing.add(sourcePath))
      ),
      () => Effect.sync(() => ongoing.delete(sourcePath))
    )

  const submit = (sourcePath: string) =>
    Effect.gen(function* () {
      yield* entries.set(sourcePath, { _tag: "Submitting" })
      const run = yield* Effect.tapError(lume.run({ flowVersion: "invoice_cleaner:v4", sourcePath }), (error) =>
        // the entry stays where the run may have started, and only there
        error._tag === "SubmitOutcomeUnknownError" ? Effect.void : entries.remove(sourcePath)
      )
      yield* entries.set(sourcePath, { _tag: "Submitted", run })
      return run
    })

  return (sourcePath: string) =>
    Effect.gen(function* () {
      yield* begin(sourcePath)
      const entry = Option.getOrUndefined(yield* entries.get(sourcePath))
      if (entry?._tag === "Submitting") return yield* new Interrupted({ sourcePath })
      const run = entry === undefined ? yield* submit(sourcePath) : entry.run
      const ended = yield* lume.wait(run, { timeout: "1 day", schedule: LumeClient.backoff })
      yield* entries.remove(sourcePath)
      return ended
    }).pipe(Effect.scoped)
})
