/**
 * A run: one execution of a flow version on a source path, as last read from Lume.
 *
 * A run is in one of nine states, told apart by `_tag`. Values are immutable: reading a run again gives a new value.
 * What a run's status says never depends on whether its metadata can be read.
 *
 * Source: Lume's LumeRun reference and its page on the run lifecycle.
 *
 * @module
 * @since 1.0.0
 */
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Function from "effect/Function"
import * as Hash from "effect/Hash"
import * as Option from "effect/Option"
import * as Pipeable from "effect/Pipeable"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { type Arbitrary, derive } from "./internal/derive.js"
import * as json from "./internal/json.js"
import * as quality from "./internal/quality.js"
import { TaggedError } from "./internal/taggedError.js"
import { oneLine } from "./internal/text.js"
import * as leaf from "./internal/leaf.js"
import * as LumeMetadata from "./LumeMetadata.js"

/**
 * A run's identifier, such as `run_01HYE5ZJ4T8Q2W`: any non-empty text, taken from Lume as it is.
 *
 * @since 1.0.0
 * @category schemas
 */
export const RunId = Schema.String.pipe(Schema.minLength(1), Schema.brand("effect-lume/RunId")).annotations({
  description: "a non-empty run id"
})

/**
 * @see RunId
 *
 * @since 1.0.0
 * @category models
 */
export type RunId = typeof RunId.Type

// ---------------------------------------------------------------------------------------------------------------------
// The states

const TypeId = Symbol.for("effect-lume/LumeRun")

/**
 * What every state of a run has.
 *
 * @since 1.0.0
 * @category models
 */
export interface Fields<Status extends string | null> {
  /** The run's identifier (`id`). */
  readonly id: RunId
  /** Lume's own word for the state, as received (`status`). */
  readonly status: Status
  /** The caller's own pairs that were submitted with the run (`run_metadata`); `{}` if there are none. */
  readonly runMetadata: { readonly [key: string]: unknown }
  /** Lume's metadata as received (`metadata`), undecoded. JSON itself rounds integers beyond 2^53. */
  readonly rawMetadata: unknown
}

abstract class State<Status extends string | null> extends Pipeable.Class() implements Fields<Status> {
  readonly id: RunId
  readonly status: Status
  readonly runMetadata: { readonly [key: string]: unknown }
  readonly rawMetadata: unknown
  /** The state by its name: what `switch` and `Match.valueTags` tell runs apart by. */
  abstract readonly _tag: string

  constructor(fields: Fields<Status>) {
    super()
    this.id = fields.id
    this.status = fields.status
    this.runMetadata = fields.runMetadata
    this.rawMetadata = fields.rawMetadata
  }

  /** @internal */
  get [TypeId](): boolean {
    return true
  }

  /**
   * By reference: comparing metadata of any depth is for those who ask for it, by the schema's equivalence.
   *
   * @internal
   */
  [Equal.symbol](that: unknown): boolean {
    return this === that
  }

  /** @internal */
  [Hash.symbol](): number {
    return Hash.random(this)
  }
}

/**
 * Accepted, waiting to be scheduled.
 *
 * @since 1.0.0
 * @category models
 */
export class Created extends State<"CREATED"> {
  readonly _tag = "Created"
}

/**
 * Lume is ingesting from the source into staging.
 *
 * @since 1.0.0
 * @category models
 */
export class SyncingSource extends State<"SYNCING_SOURCE"> {
  readonly _tag = "SyncingSource"
}

/**
 * The transformation is running on the staged data.
 *
 * @since 1.0.0
 * @category models
 */
export class Transforming extends State<"TRANSFORMING"> {
  readonly _tag = "Transforming"
}

/**
 * Lume is writing data and metadata to the target.
 *
 * @since 1.0.0
 * @category models
 */
export class SyncingTarget extends State<"SYNCING_TARGET"> {
  readonly _tag = "SyncingTarget"
}

/**
 * A status that this version doesn't know, or null. Not terminal: a wait goes on.
 *
 * @since 1.0.0
 * @category models
 */
export class Unrecognized extends State<string | null> {
  readonly _tag = "Unrecognized"
}

// Beside the runs and not in them, so that frozen runs and proxies of runs (Vue, MobX) have metadata too.
const finishedMetadata = new WeakMap<
  object,
  Effect.Effect<LumeMetadata.LumeMetadata, LumeMetadata.MetadataDecodeError>
>()
const failedMetadata = new WeakMap<
  object,
  Effect.Effect<LumeMetadata.FailedMetadata, LumeMetadata.MetadataDecodeError>
>()

const kept = <A>(memory: WeakMap<object, A>, run: object, read: () => A): A => {
  const known = memory.get(run)
  if (known !== undefined) return known
  const value = read()
  memory.set(run, value)
  return value
}

abstract class Finished<Status extends string> extends State<Status> {
  /**
   * What the run did, decoded when it is first touched and kept. Pure, needs nothing, done at once.
   *
   * Fails with `MetadataDecodeError` if Lume's metadata is not what it documents.
   */
  get metadata(): Effect.Effect<LumeMetadata.LumeMetadata, LumeMetadata.MetadataDecodeError> {
    return kept(finishedMetadata, this, () => LumeMetadata.readFinished(this.id, this.rawMetadata))
  }
}

abstract class Broken<Status extends string> extends State<Status> {
  /**
   * What is known of the failure, decoded when it is first touched and kept. Pure, needs nothing, done at once.
   *
   * Fails with `MetadataDecodeError` if something is there that is not what Lume documents.
   */
  get metadata(): Effect.Effect<LumeMetadata.FailedMetadata, LumeMetadata.MetadataDecodeError> {
    return kept(failedMetadata, this, () => LumeMetadata.readFailed(this.id, this.rawMetadata))
  }
}

/**
 * Terminal: the whole pipeline completed, every row was mapped.
 *
 * @since 1.0.0
 * @category models
 */
export class Succeeded extends Finished<"SUCCEEDED"> {
  readonly _tag = "Succeeded"
}

/**
 * Terminal: the pipeline completed, some rows were mapped and some rejected. A normal outcome with messy data.
 *
 * @since 1.0.0
 * @category models
 */
export class PartialFailed extends Finished<"PARTIAL_FAILED"> {
  readonly _tag = "PartialFailed"
}

/**
 * Terminal: the pipeline failed; `metadata.errors` says where and why.
 *
 * @since 1.0.0
 * @category models
 */
export class Failed extends Broken<"FAILED"> {
  readonly _tag = "Failed"
}

/**
 * Terminal: an internal error on Lume's side.
 *
 * @since 1.0.0
 * @category models
 */
export class Crashed extends Broken<"CRASHED"> {
  readonly _tag = "Crashed"
}

/**
 * A run that has ended.
 *
 * @since 1.0.0
 * @category models
 */
export type TerminalRun = Succeeded | PartialFailed | Failed | Crashed

/**
 * A run in any state.
 *
 * @since 1.0.0
 * @category models
 */
export type LumeRun = Created | SyncingSource | Transforming | SyncingTarget | Unrecognized | TerminalRun

/**
 * Whether the run has ended: it is `Succeeded`, `PartialFailed`, `Failed` or `Crashed`.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { LumeClient, LumeRun } from "effect-lume"
 *
 * const isDone = LumeClient.runStatus("run_01HYE5ZJ4T8Q2W").pipe(Effect.map(LumeRun.isTerminal))
 * ```
 *
 * @since 1.0.0
 * @category predicates
 */
export const isTerminal = (run: LumeRun): run is TerminalRun => {
  switch (run._tag) {
    case "Succeeded":
    case "PartialFailed":
    case "Failed":
    case "Crashed":
      return true
    default:
      return false
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Lume's JSON

/**
 * A run as Lume writes it.
 *
 * @internal
 */
export const Wire = Schema.Struct({
  id: RunId,
  status: Schema.NullOr(Schema.String).annotations({ description: "a status word or null" }),
  metadata: Schema.optionalWith(
    leaf.Json.annotations(derive<unknown>({ description: "Lume's metadata of the run", jsonSchema: leaf.anyJson })),
    { exact: true }
  ),
  // A status is never lost for what stands beside it: whatever else is here reads as no pairs.
  run_metadata: Schema.optionalWith(
    leaf.Json.annotations(
      derive<unknown>({
        description: "the caller's own pairs",
        arbitrary: leaf.jsonObject,
        jsonSchema: { type: ["object", "null"] }
      })
    ),
    { exact: true }
  )
}).annotations({ description: 'a run, such as {"id": "run_…", "status": "CREATED"}' })

/**
 * A run as Lume writes it.
 *
 * @since 1.0.0
 * @category models
 */
export interface Encoded {
  /** The run's identifier. */
  readonly id: string
  /** Lume's word for the state, which can be one that this version doesn't know. */
  readonly status: string | null
  /** Lume's metadata: of runs that have ended, and of others an empty object or nothing. */
  readonly metadata?: unknown
  /** The caller's own pairs that were submitted with the run. */
  readonly run_metadata?: unknown
}

const isJsonObject = Schema.is(leaf.JsonObject)

/** @internal */
export const fromWire = (run: typeof Wire.Type): LumeRun => {
  const fields = {
    id: run.id,
    runMetadata: isJsonObject(run.run_metadata) ? run.run_metadata : {},
    rawMetadata: run.metadata
  }
  switch (run.status) {
    case "CREATED":
      return new Created({ ...fields, status: run.status })
    case "SYNCING_SOURCE":
      return new SyncingSource({ ...fields, status: run.status })
    case "TRANSFORMING":
      return new Transforming({ ...fields, status: run.status })
    case "SYNCING_TARGET":
      return new SyncingTarget({ ...fields, status: run.status })
    case "SUCCEEDED":
      return new Succeeded({ ...fields, status: run.status })
    case "PARTIAL_FAILED":
      return new PartialFailed({ ...fields, status: run.status })
    case "FAILED":
      return new Failed({ ...fields, status: run.status })
    case "CRASHED":
      return new Crashed({ ...fields, status: run.status })
    default:
      return new Unrecognized({ ...fields, status: run.status })
  }
}

const toWire = (run: LumeRun): typeof Wire.Type => ({
  id: run.id,
  status: run.status,
  ...(run.rawMetadata !== undefined && { metadata: run.rawMetadata }),
  run_metadata: run.runMetadata
})

const isRun = (value: unknown): value is LumeRun => Predicate.hasProperty(value, TypeId)

/** Every word of Lume, one that is none, and none at all. */
const words = [
  "CREATED",
  "SYNCING_SOURCE",
  "TRANSFORMING",
  "SYNCING_TARGET",
  "SUCCEEDED",
  "PARTIAL_FAILED",
  "FAILED",
  "CRASHED",
  "QUEUED",
  null
]

const arbitrary: Arbitrary<LumeRun> = (fc) =>
  fc
    .record(
      {
        id: fc.string({ minLength: 1 }).map((id) => RunId.make(id)),
        status: fc.constantFrom(...words),
        metadata: leaf.jsonValue(fc),
        run_metadata: leaf.jsonObject(fc)
      },
      { requiredKeys: ["id", "status"] }
    )
    .map(fromWire)

const areSame = (a: LumeRun, b: LumeRun): boolean => json.equals(toWire(a), toWire(b))

const schema = <R extends LumeRun>(identifier: string, is: (run: LumeRun) => run is R): Schema.Schema<R, Encoded> =>
  Schema.transform(
    Wire,
    Schema.declare((value: unknown): value is R => isRun(value) && is(value), {
      identifier,
      ...derive<R>({
        arbitrary: (fc) => arbitrary(fc).filter(is),
        pretty: (run) => `${run._tag}(${JSON.stringify(toWire(run))})`,
        equivalence: areSame
      })
    }),
    // decode gives a LumeRun: the declaration, which comes next, sorts them out
    { strict: true, decode: (run: typeof Wire.Type): R => fromWire(run) as R, encode: toWire }
  ).annotations({ identifier })

/**
 * Schema of a run; the encoded side is Lume's JSON, so that a run survives a queue, a database, an RPC.
 *
 * @since 1.0.0
 * @category schemas
 */
export const LumeRun: Schema.Schema<LumeRun, Encoded> = schema("LumeRun", isRun)

/**
 * Schema of a run that has ended.
 *
 * @since 1.0.0
 * @category schemas
 */
export const TerminalRun: Schema.Schema<TerminalRun, Encoded> = schema("LumeTerminalRun", isTerminal)

// ---------------------------------------------------------------------------------------------------------------------
// Failed runs as errors

const isFailure = (run: LumeRun): run is Failed | Crashed | PartialFailed => isTerminal(run) && run._tag !== "Succeeded"

const most = 5

const list = <A>(items: ReadonlyArray<A>, write: (item: A) => string): string =>
  items.slice(0, most).map(write).join("; ") + (items.length > most ? `; and ${items.length - most} more` : "")

const explainFinished = ({ results, validation }: LumeMetadata.LumeMetadata): string => {
  const common = list(
    validation.topErrors,
    (error) => `${oneLine(error.errorCode)} on ${oneLine(error.field)}, ${error.count}×`
  )
  return (
    `${results.rejectedRows} of ${results.inputRows} rows were rejected` +
    (common === "" ? "" : ` (most often: ${common})`)
  )
}

const explainFailed = ({ errors }: LumeMetadata.FailedMetadata): string =>
  errors.length === 0
    ? "Lume names no cause"
    : list(
        errors,
        (error) =>
          `in ${oneLine(error.stage)}, ${oneLine(error.errorCode)}: ${oneLine(error.message).replace(/\.$/, "")}`
      )

const explainUnreadable = ({ expected, path, received }: LumeMetadata.MetadataDecodeError): string =>
  `its metadata, which would say why, can't be read (at ${path === "" ? "metadata" : `metadata.${path}`}, expected ${expected}, got ${received})`

const explain = (run: Failed | Crashed | PartialFailed): string =>
  Effect.runSync(
    run._tag === "PartialFailed"
      ? Effect.match(run.metadata, { onFailure: explainUnreadable, onSuccess: explainFinished })
      : Effect.match(run.metadata, { onFailure: explainUnreadable, onSuccess: explainFailed })
  )

const advice = {
  PartialFailed: "Look at the rejected rows, whose place is in metadata.results.targetLocations.rejects.",
  Failed: "Fix the cause, then submit again.",
  Crashed: "This is an error inside Lume: submit again; if it happens again, send the run's id to Lume."
}

/**
 * A run did not end as it was asked for. Only `orFail` and `gate` give this error: to a wait, a failed run is a value.
 *
 * @since 1.0.0
 * @category errors
 */
export class RunFailedError extends TaggedError<RunFailedError>()("RunFailedError", {
  /** The run as it ended. */
  run: schema("LumeFailedRun", isFailure)
}) {
  /** How the run ended, the stage, code and message of each error, and what to do. */
  override get message(): string {
    return `Run ${this.run.id} ended ${this.run.status}: ${explain(this.run)}. ${advice[this.run._tag]}`
  }
}

/**
 * What `orFail` lets through: with `partial: "fail"`, and only if that is known, no `PartialFailed`.
 *
 * @since 1.0.0
 * @category models
 */
export type Accepted<R extends LumeRun, Mode extends "accept" | "fail"> = Exclude<
  R,
  Failed | Crashed | ([Mode] extends ["fail"] ? PartialFailed : never)
>

/**
 * Turns a run that failed into an error, for programs that have nothing else to do with it.
 *
 * `Failed` and `Crashed` become `RunFailedError`; with `partial: "fail"`, `PartialFailed` too (default: `"accept"`).
 * Every other run is returned as it is, and the type says which are left.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { LumeClient, LumeRun } from "effect-lume"
 *
 * const withData = LumeClient.wait("run_01HYE5ZJ4T8Q2W").pipe(Effect.flatMap(LumeRun.orFail))
 *
 * const withoutRejects = LumeClient.wait("run_01HYE5ZJ4T8Q2W").pipe(
 *   Effect.flatMap((run) => LumeRun.orFail(run, { partial: "fail" }))
 * )
 * ```
 *
 * @since 1.0.0
 * @category combinators
 */
export const orFail = <R extends LumeRun, Mode extends "accept" | "fail" = "accept">(
  run: R,
  options?: { readonly partial?: Mode | undefined }
): Effect.Effect<Accepted<R, Mode>, RunFailedError> =>
  isFailure(run) && (run._tag !== "PartialFailed" || options?.partial === "fail")
    ? Effect.fail(new RunFailedError({ run }))
    : // TypeScript does not narrow a type parameter by a check of its tag
      Effect.succeed(run as Accepted<R, Mode>)

// ---------------------------------------------------------------------------------------------------------------------
// Data that is not good enough as an error

/**
 * How bad the data of a run may be.
 *
 * @since 1.0.0
 * @category models
 */
export type Limits = quality.Limits

/**
 * A limit that the data of a run breaks, or that can't be measured.
 *
 * @since 1.0.0
 * @category models
 */
export type Breach = quality.Breach

const hasData = (run: LumeRun): run is Succeeded | PartialFailed =>
  run._tag === "Succeeded" || run._tag === "PartialFailed"

/**
 * The data of a run is not good enough. Only `gate` gives this error.
 *
 * @since 1.0.0
 * @category errors
 */
export class QualityError extends TaggedError<QualityError>()("QualityError", {
  /** The run as it ended; its metadata can be read. */
  run: schema("LumeFinishedRun", hasData),
  /** Every limit that is broken or can't be measured: at least one. */
  breaches: Schema.Array(quality.Breach)
}) {
  /** Each limit that is broken or can't be measured, beside the run's own value. */
  override get message(): string {
    const advice = this.breaches.every(({ limit }) => Option.isNone(limit))
      ? "Correct the limits."
      : "The most common errors are in metadata.validation.topErrors, the place of rejected rows in metadata.results.targetLocations.rejects."
    return `Run ${this.run.id} ended ${this.run.status} and does not pass: ${this.breaches.map(quality.explain).join("; ")}. ${advice}`
  }
}

/**
 * Lets a run pass only if its data is good enough, and gives its metadata then.
 *
 * A share is the quotient of two counts, never Lume's rounded rate.
 *
 * Fails with `QualityError`, which names every limit that is broken or can't be measured, with `RunFailedError` if the run
 * produced no data, and with `MetadataDecodeError` if its metadata can't be read. A name that is no limit, as JavaScript or a
 * file of settings can hold, is a defect: a limit that is misspelt would let everything pass.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { LumeClient, LumeRun } from "effect-lume"
 *
 * const metadata = LumeClient.wait("run_01HYE5ZJ4T8Q2W").pipe(
 *   Effect.flatMap(LumeRun.gate({ maxRejectedShare: 0.05, minInputRows: 1 }))
 * )
 * ```
 *
 * @since 1.0.0
 * @category combinators
 */
export const gate: {
  (
    limits: Limits
  ): (
    run: TerminalRun
  ) => Effect.Effect<LumeMetadata.LumeMetadata, QualityError | RunFailedError | LumeMetadata.MetadataDecodeError>
  (
    run: TerminalRun,
    limits: Limits
  ): Effect.Effect<LumeMetadata.LumeMetadata, QualityError | RunFailedError | LumeMetadata.MetadataDecodeError>
} = Function.dual(
  2,
  (
    run: TerminalRun,
    limits: Limits
  ): Effect.Effect<LumeMetadata.LumeMetadata, QualityError | RunFailedError | LumeMetadata.MetadataDecodeError> =>
    Effect.gen(function* () {
      // nothing that a limit is broken by: a defect, in words
      const problem = quality.problemOf(limits)
      if (problem !== undefined) return yield* Effect.dieMessage(`The limits of LumeRun.gate ${problem}`)
      const finished = yield* orFail(run)
      const metadata = yield* finished.metadata
      const breaches = quality.breaches(limits, metadata)
      return breaches.length === 0 ? metadata : yield* Effect.fail(new QualityError({ run: finished, breaches }))
    })
)
