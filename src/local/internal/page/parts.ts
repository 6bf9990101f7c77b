/**
 * What the pages show of a run: its status, stages, times and counts.
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as LumeMetadata from "../../../LumeMetadata.js"
import * as ledger from "../ledger.js"
import { html, type Html } from "./html.js"

// ---------------------------------------------------------------------------------------------------------------------
// Metadata

const decode = Schema.decodeUnknownOption(LumeMetadata.FailedMetadata)

/** A run's metadata, as far as there is any: that of a run that failed has every part of the other's. */
export const metadataOf = (run: ledger.Run): Option.Option<LumeMetadata.FailedMetadata> =>
  ledger.hasEnded(run) ? decode(run.metadata) : Option.none()

/** How many rows a run has read, mapped and rejected. */
export const rowsOf = (metadata: Option.Option<LumeMetadata.FailedMetadata>) => {
  const results = Option.flatMap(metadata, ({ results }) => results)
  return {
    input: Option.flatMap(results, ({ inputRows }) => inputRows),
    mapped: Option.flatMap(results, ({ mappedRows }) => mappedRows),
    rejected: Option.flatMap(results, ({ rejectedRows }) => rejectedRows)
  }
}

/** The tests that most rows have failed, first. */
export const topErrorsOf = (metadata: Option.Option<LumeMetadata.FailedMetadata>) =>
  Option.match(
    Option.flatMap(metadata, ({ validation }) => validation),
    { onNone: () => [], onSome: ({ topErrors }) => topErrors }
  )

// ---------------------------------------------------------------------------------------------------------------------
// Words

/** A number with its thousands apart. */
export const count = (value: number): string => value.toLocaleString("en")

/** A count where it is known. */
export const maybeCount = (value: Option.Option<number>): Html | string =>
  Option.match(value, { onNone: () => html`<span class="none">–</span>`, onSome: count })

/** A code or an expression; a line of it may break after an underscore. */
export const code = (text: string): Html =>
  html`<code>${text.split(/(?<=_)/).map((part, index) => (index === 0 ? part : html`<wbr />${part}`))}</code>`

const rows = (value: number): string => `${count(value)} ${value === 1 ? "row" : "rows"}`

/** Seconds in two units at most, as the script writes them too. */
const inUnits = (seconds: number): string => {
  const minutes = Math.floor(seconds / 60)
  if (minutes === 0) return `${seconds} s`
  return minutes < 60 ? `${minutes} min ${seconds % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** A duration, with as many digits as it is worth. */
export const took = (duration: Duration.Duration): string => {
  const seconds = Duration.toSeconds(duration)
  if (seconds < 0.9995) return `${Math.round(seconds * 1000)} ms`
  return seconds < 9.95 ? `${seconds.toFixed(1)} s` : inUnits(Math.round(seconds))
}

/** A time in UTC, to the second. The zone is named where it stands. */
export const time = (millis: number): Html => {
  const iso = new Date(millis).toISOString()
  return html`<time datetime="${iso}">${iso.slice(0, 10)} ${iso.slice(11, 19)}</time>`
}

/** How long a run has taken, or has taken so far: the script goes on counting. */
export const elapsed = (run: ledger.Run, now: number): Html => {
  const millis = Math.max(0, (ledger.hasEnded(run) ? run.endedAt : now) - run.acceptedAt)
  return ledger.hasEnded(run)
    ? html`<span>${took(Duration.millis(millis))}</span>`
    : html`<span data-since="${run.acceptedAt}">${inUnits(Math.floor(millis / 1000))}</span>`
}

// ---------------------------------------------------------------------------------------------------------------------
// Status

/** Lume's word for a status as a person reads it: `PARTIAL_FAILED` is `Partial failed`. */
export const word = (status: ledger.Run["status"]): string =>
  status.charAt(0) + status.slice(1).toLowerCase().replaceAll("_", " ")

type Mark = "created" | "running" | "succeeded" | "partial" | "failed" | "crashed"

const markOf = (status: ledger.Run["status"]): Mark => {
  switch (status) {
    case "CREATED":
      return "created"
    case "SYNCING_SOURCE":
    case "TRANSFORMING":
    case "SYNCING_TARGET":
      return "running"
    case "SUCCEEDED":
      return "succeeded"
    case "PARTIAL_FAILED":
      return "partial"
    case "FAILED":
      return "failed"
    case "CRASHED":
      return "crashed"
  }
}

/** A shape for each, that no other has: colour tells nothing that the shape does not. */
const shapes: Readonly<Record<Mark, Html>> = {
  created: html`<circle
    cx="8"
    cy="8"
    r="6"
    fill="none"
    stroke="currentColor"
    stroke-width="1.6"
    stroke-dasharray="2.2 2.5"
  />`,
  running: html`<circle cx="8" cy="8" r="6.2" fill="none" stroke="currentColor" stroke-width="1.6" /><path
      d="M8 4a4 4 0 0 1 0 8z"
      fill="currentColor"
    />`,
  succeeded: html`<circle cx="8" cy="8" r="7" fill="currentColor" /><path class="cut" d="m4.8 8.2 2.3 2.3 4.2-4.8" />`,
  partial: html`<path d="M8 1.2 15.4 14.4H.6z" fill="currentColor" stroke="currentColor" stroke-linejoin="round" /><path
      class="cut"
      d="M8 6v3.6M8 11.9v.2"
    />`,
  failed: html`<rect x="1.5" y="1.5" width="13" height="13" rx="2" fill="currentColor" /><path
      class="cut"
      d="m5.2 5.2 5.6 5.6m0-5.6-5.6 5.6"
    />`,
  crashed: html`<path
      d="m8 .6 7.4 7.4L8 15.4.6 8z"
      fill="currentColor"
      stroke="currentColor"
      stroke-linejoin="round"
    /><path class="cut" d="M8.9 4 6.4 8.2h3.2L7.1 12.2" />`
}

/** A status as its shape and its word. */
export const badge = (status: ledger.Run["status"]): Html => {
  const mark = markOf(status)
  return html`<span class="status ${mark}"
    ><svg viewBox="0 0 16 16" aria-hidden="true">${shapes[mark]}</svg>${word(status)}</span
  >`
}

/** What is announced of a run that has ended. */
export const outcome = (run: ledger.Run): string | undefined => {
  if (!ledger.hasEnded(run)) return undefined
  const { input, rejected } = rowsOf(metadataOf(run))
  const counted = Option.match(Option.all([rejected, input]), {
    onNone: () => "",
    onSome: ([rejected, input]) => `, ${count(rejected)} of ${rows(input)} rejected`
  })
  return `${word(run.status)}: ${run.request.flowVersion} on ${run.request.sourcePath}${counted}.`
}

// ---------------------------------------------------------------------------------------------------------------------
// Stages

const stages = [
  { status: "SYNCING_SOURCE", name: "Source", key: "syncSource" },
  { status: "TRANSFORMING", name: "Transform", key: "transform" },
  { status: "SYNCING_TARGET", name: "Target", key: "syncTarget" }
] as const

/** A stage that has taken some time. */
export interface StageTime {
  readonly name: string
  readonly index: number
  readonly duration: Duration.Duration
}

/** The stages that have taken some time, in their order. */
export const stageTimes = (metadata: Option.Option<LumeMetadata.FailedMetadata>): ReadonlyArray<StageTime> => {
  const times = Option.flatMap(
    Option.flatMap(metadata, ({ pipeline }) => pipeline),
    ({ stages }) => stages
  )
  return stages.flatMap(({ key, name }, index) =>
    Option.match(
      Option.flatMap(times, (times) => times[key]),
      { onNone: () => [], onSome: (duration) => [{ name, index, duration }] }
    )
  )
}

const bar = (label: string, segments: ReadonlyArray<Html>): Html =>
  html`<svg class="stages" width="100%" height="8" role="img" aria-label="${label}">
    <rect class="track" width="100%" height="8" />
    ${segments}
  </svg>`

const segment = (kind: string, x: number, width: number): Html =>
  html`<rect class="${kind}" x="${x.toFixed(2)}%" width="${width.toFixed(2)}%" height="8" />`

const third = 100 / 3

/** How far a run has come that tells no times: its stages, all of one width. */
const progress = (reached: number, kind: "now" | "broken"): ReadonlyArray<Html> =>
  stages
    .slice(0, reached + 1)
    .map((_, index) => segment(index < reached ? `stage${index}` : kind, index * third, third))

const inProportion = (times: ReadonlyArray<StageTime>, broken: number | undefined): ReadonlyArray<Html> => {
  const total = times.reduce((sum, { duration }) => sum + Duration.toMillis(duration), 0) || 1
  let x = 0
  return times.map(({ duration, index }) => {
    const width = (100 * Duration.toMillis(duration)) / total
    x += width
    return segment(index === broken ? "broken" : `stage${index}`, x - width, width)
  })
}

/** The stages of a run: in proportion to their times where those are known, else how far it has come. */
export const stageBar = (run: ledger.Run, metadata: Option.Option<LumeMetadata.FailedMetadata>): Html => {
  const reached = ledger.hasEnded(run)
    ? Option.match(metadata, { onNone: () => undefined, onSome: ({ errors }) => errors[0]?.stage })
    : run.status
  const index = stages.findIndex(({ status }) => status === reached)
  const stage = stages[index]
  const place = stage && `stage ${index + 1} of 3, ${stage.name}`
  const times = stageTimes(metadata)
  if (times.length > 0) {
    const label = times.map(({ duration, name }) => `${name} ${took(duration)}`).join(", ")
    return bar(place === undefined ? label : `${label}; ended in ${place}`, inProportion(times, stage && index))
  }
  if (place === undefined) return bar("No stage was entered", [])
  return ledger.hasEnded(run)
    ? bar(`Ended in ${place}`, progress(index, "broken"))
    : bar(`In ${place}`, progress(index, "now"))
}
