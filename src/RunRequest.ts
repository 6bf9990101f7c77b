/**
 * What is submitted to start a run: a flow version, a source path, the caller's own pairs, and whether to run again.
 *
 * Source: the `run` function of Lume's SDK.
 *
 * @module
 * @since 1.0.0
 */
import * as Schema from "effect/Schema"
import { derive, text } from "./internal/derive.js"
import { absent } from "./internal/fields.js"
import * as json from "./internal/json.js"
import * as problem from "./internal/problem.js"
import * as leaf from "./internal/leaf.js"

/**
 * A flow version: the flow's name, a colon, and the version, such as `invoice_cleaner:v4`. It is an immutable snapshot
 * of a flow. Both parts are there, without white space around them and without another colon.
 *
 * @since 1.0.0
 * @category schemas
 */
export const FlowVersion = text(
  /^[^:\s\p{Cs}](?:[^:\p{Cs}]*[^:\s\p{Cs}])?:[^:\s\p{Cs}](?:[^:\p{Cs}]*[^:\s\p{Cs}])?$/u,
  /^[\w.-]{1,20}:[\w.-]{1,10}$/
)
  .pipe(Schema.brand("effect-lume/FlowVersion"))
  .annotations({ description: 'a flow version "name:version", such as "invoice_cleaner:v4"' })

/**
 * @see FlowVersion
 *
 * @since 1.0.0
 * @category models
 */
export type FlowVersion = typeof FlowVersion.Type

/**
 * What a caller gives to `LumeClient.run`; it is checked before anything is sent.
 *
 * @since 1.0.0
 * @category models
 */
export interface Input {
  /** The flow version to run, `name:version`. */
  readonly flowVersion: string
  /** What to run it on: a URI such as `s3://acme/batch-001.csv`, or a batch id. Any non-empty string. */
  readonly sourcePath: string
  /** The caller's own pairs, given back with the run and by webhooks: whatever JSON can hold. Default: none. */
  readonly runMetadata?: { readonly [key: string]: unknown } | undefined
  /**
   * Run even if this flow version has already processed this source path successfully, which can duplicate data in
   * the target. Nothing but the caller ever sets it. Default: false.
   */
  readonly forceRerun?: boolean | undefined
}

const Checked = Schema.Struct({
  /** The flow version to run (`flow_version`). */
  flowVersion: FlowVersion,
  /** What to run it on (`source_path`): a URI or a batch id. */
  sourcePath: text(/^\P{Cs}+$/u, /^[ -~]{1,40}$/).annotations({
    description: "a non-empty text without half surrogate pairs, which nobody can receive"
  }),
  /** The caller's own pairs (`run_metadata`), given back with the run and by webhooks. Default: none. */
  runMetadata: Schema.optional(leaf.JsonObject.pipe(Schema.filter((pairs) => problem.toIssue(json.obstacle(pairs))))),
  /** Run even if this flow version has already processed this source path (`force_rerun`). Default: false. */
  forceRerun: Schema.optional(Schema.Boolean)
}).annotations({
  description: "an object with flowVersion and sourcePath",
  // what is undefined is as good as absent
  ...derive<RunRequest>({ equivalence: (one, other) => json.equals(toWire(one), toWire(other)) })
})

/**
 * A request that can be sent.
 *
 * @since 1.0.0
 * @category models
 */
export interface RunRequest extends Schema.Schema.Type<typeof Checked> {}

const Wire = Schema.Struct({
  flow_version: Schema.String,
  source_path: Schema.String,
  run_metadata: absent(leaf.JsonObject),
  force_rerun: absent(Schema.Boolean)
})

/**
 * A request as Lume reads it: the body of a submit. Source: the `run` function of Lume's SDK.
 *
 * @since 1.0.0
 * @category models
 */
export interface Encoded {
  /** The flow version to run, `name:version`. */
  readonly flow_version: string
  /** What to run it on. */
  readonly source_path: string
  /** The caller's own pairs; absent or null if there are none. */
  readonly run_metadata?: { readonly [key: string]: unknown } | null | undefined
  /** Whether to run again; absent or null is no. */
  readonly force_rerun?: boolean | null | undefined
}

const fromWire = (request: typeof Wire.Type): Input => ({
  flowVersion: request.flow_version,
  sourcePath: request.source_path,
  ...(request.run_metadata && { runMetadata: request.run_metadata }),
  ...(typeof request.force_rerun === "boolean" && { forceRerun: request.force_rerun })
})

const toWire = (request: Input): typeof Wire.Type => ({
  flow_version: request.flowVersion,
  source_path: request.sourcePath,
  ...(request.runMetadata !== undefined && { run_metadata: request.runMetadata }),
  ...(request.forceRerun !== undefined && { force_rerun: request.forceRerun })
})

/**
 * Schema of `RunRequest`; the encoded side is Lume's JSON: `flow_version`, `source_path`, and what else was given.
 *
 * @since 1.0.0
 * @category schemas
 */
export const RunRequest: Schema.Schema<RunRequest, Encoded> = Schema.transform(Wire, Checked, {
  strict: false,
  decode: fromWire,
  encode: toWire
}).annotations({ identifier: "LumeRunRequest" })
