/**
 * What a run of the test kit does, as a value: which status it has at which time.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as check from "../client/options.js"
import { preview } from "../internal/text.js"
import * as testMetadata from "./metadata.js"

/** A status that a run takes on, and when. */
export interface Step {
  /** One of Lume's statuses, any other text, or null. */
  readonly status: string | null
  /** How long after the step before, or after acceptance; milliseconds if bare. Default: at once. */
  readonly after?: Duration.DurationInput | undefined
  /**
   * The metadata as Lume's JSON, or a function that makes it for a `Subject`. Default: metadata that fits the run if
   * the status is terminal, else an empty object.
   */
  readonly metadata?: unknown
}

/** The steps of a run, in their order. The last one stays. */
export type Timeline = ReadonlyArray<Step>

/** A duration in milliseconds; `NaN` if it is none, which `checked` finds. */
export const millis = (input: unknown): number =>
  Option.match(check.duration(input), { onNone: () => Number.NaN, onSome: Duration.toMillis })

/** What is given as a timeline. Dies where it is none: types do not show every mistake. */
export const checked = (of: string, given: Timeline | undefined): Effect.Effect<Timeline> => {
  if (!Array.isArray(given)) {
    return Effect.dieMessage(`LumeTest: ${of} has no timeline, such as succeeds() gives, but ${preview(given)}.`)
  }
  const steps: ReadonlyArray<Step> = given
  if (!steps.every(Predicate.isObject))
    return Effect.dieMessage(`LumeTest: the timeline of ${of} has a step that is none.`)
  const wrong = steps.find(({ after }) => Number.isNaN(millis(after ?? 0)))
  return wrong === undefined
    ? Effect.succeed(steps)
    : Effect.dieMessage(
        `LumeTest: the timeline of ${of} has a time that is no duration at its step ${wrong.status}: ${preview(wrong.after)}.`
      )
}

/** An accepted run. */
export interface Run {
  readonly id: string
  readonly flowVersion: string
  readonly sourcePath: string
  /** In milliseconds since 1970. */
  readonly acceptedAt: number
  readonly timeline: Timeline
}

/** What Lume says of a run at one time. */
export interface State {
  readonly status: string | null
  /** Lume's JSON. */
  readonly metadata: unknown
}

const stages = { SYNCING_SOURCE: "syncSource", TRANSFORMING: "transform", SYNCING_TARGET: "syncTarget" } as const

/** A status that is a stage of the pipeline. */
export type Stage = keyof typeof stages

/** Whether a status is a stage. */
export const isStage = (status: string | null): status is Stage => status !== null && Object.hasOwn(stages, status)

const usualMetadata = (status: string | null, subject: testMetadata.Subject): unknown => {
  switch (status) {
    case "SUCCEEDED":
    case "PARTIAL_FAILED":
      return testMetadata.finished({}, status)(subject)
    case "FAILED":
    case "CRASHED":
      return testMetadata.failed({}, status)(subject)
    default:
      return {}
  }
}

const metadataOf = ({ metadata, status }: Step, subject: testMetadata.Subject): unknown =>
  metadata === undefined
    ? usualMetadata(status, subject)
    : typeof metadata === "function"
      ? metadata(subject)
      : metadata

/** The state of a run at `now`, in milliseconds since 1970. Before its first step it is `CREATED`. */
export const at = ({ acceptedAt, id, timeline, ...about }: Run, now: number): State => {
  let current: Step = { status: "CREATED" }
  let since = 0
  const spent: { [stage in (typeof stages)[Stage]]?: number } = {}
  for (const step of timeline) {
    const from = since + millis(step.after ?? 0)
    if (acceptedAt + from > now) break
    if (isStage(current.status)) {
      const stage = stages[current.status]
      spent[stage] = (spent[stage] ?? 0) + from - since
    }
    current = step
    since = from
  }
  const subject = { ...about, runId: id, acceptedAt, took: since, stages: spent }
  return { status: current.status, metadata: metadataOf(current, subject) }
}

/** When each stage begins, as a share of the run's duration. */
const begins = [
  ["SYNCING_SOURCE", 0.1],
  ["TRANSFORMING", 0.3],
  ["SYNCING_TARGET", 0.8]
] as const

/** Through every stage up to `last`, then to `end`, in `total` time. */
export const through = (total: Duration.DurationInput, last: Stage, end: Step): Timeline => {
  const took = millis(total)
  const entered = begins.slice(0, begins.findIndex(([status]) => status === last) + 1)
  let since = 0
  const step = (from: number, step: Step): Step => {
    const after = from === Infinity ? from : from - since
    since = from
    return { ...step, after }
  }
  return [
    step(0, { status: "CREATED" }),
    ...entered.map(([status, share]) => step(Math.floor(share * took), { status })),
    step(took, end)
  ]
}
