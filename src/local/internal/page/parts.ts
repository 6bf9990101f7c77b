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

/** A stage that a run has entered. */
export interface Entered {
  readonly name: string
  readonly index: number
  readonly duration: Option.Option<Duration.Duration>
  /** Whether the run is there now, or has ended there before it was through. */
  readonly isLast: boolean
}

/** Where the run is, or has ended before it was through: the stage's index, or -1. */
const placeOf = (run: ledger.Run, metadata: Option.Option<LumeMetadata.FailedMetadata>): number => {
  const place = ledger.hasEnded(run)
    ? Option.match(metadata, { onNone: () => undefined, onSome: ({ errors }) => errors[0]?.stage })
    : run.status
  return stages.findIndex(({ status }) => status === place)
}

/** The stages that a run has entered, in their order. */
export const entered = (
  run: ledger.Run,
  metadata: Option.Option<LumeMetadata.FailedMetadata>
): ReadonlyArray<Entered> => {
  const times = Option.flatMap(
    Option.flatMap(metadata, ({ pipeline }) => pipeline),
    ({ stages }) => stages
  )
  const place = placeOf(run, metadata)
  const all = stages.map(({ key, name }, index) => ({
    name,
    index,
    duration: Option.flatMap(times, (times) => times[key]),
    isLast: index === place
  }))
  return all.some(({ duration }) => Option.isSome(duration))
    ? all.filter(({ duration, isLast }) => Option.isSome(duration) || isLast)
    : all.slice(0, place + 1)
}

/** The shares of the bar: in proportion to the times where those are known, else all of one width. */
const shares = (entered: ReadonlyArray<Entered>): ReadonlyArray<number> => {
  const times = entered.map(({ duration }) => Option.map(duration, Duration.toMillis))
  if (times.every(Option.isNone)) return times.map(() => 1 / stages.length)
  const millis = times.map(Option.getOrElse(() => 0))
  const total = millis.reduce((sum, time) => sum + time, 0) || 1
  return millis.map((time) => time / total)
}

const barLabel = (run: ledger.Run, entered: ReadonlyArray<Entered>): string => {
  const times = entered.flatMap(({ duration, name }) =>
    Option.match(duration, { onNone: () => [], onSome: (duration) => [`${name} ${took(duration)}`] })
  )
  const places = entered.flatMap(({ index, isLast, name }) =>
    isLast ? [`${ledger.hasEnded(run) ? "ended in" : "in"} stage ${index + 1} of ${stages.length}, ${name}`] : []
  )
  const label = [...(times.length === 0 ? [] : [times.join(", ")]), ...places].join("; ")
  return label === "" ? "No stage was entered" : label.charAt(0).toUpperCase() + label.slice(1)
}

/**
 * The stages of a run, each in its colour. The one where the run is pulses; where it has ended before it was through, a
 * mark stands at the end.
 */
export const stageBar = (run: ledger.Run, metadata: Option.Option<LumeMetadata.FailedMetadata>): Html => {
  const all = entered(run, metadata)
  const widths = shares(all)
  const percent = (share: number) => `${(100 * share).toFixed(2)}%`
  const until = (end: number) => widths.slice(0, end).reduce((sum, width) => sum + width, 0)
  const segments = all.map(({ index, isLast }, at) => {
    const kind = isLast && !ledger.hasEnded(run) ? "now" : ""
    return html`<rect
      class="stage${index} ${kind}"
      x="${percent(until(at))}"
      width="${percent(widths[at] ?? 0)}"
      height="8"
    />`
  })
  const hasBroken = ledger.hasEnded(run) && all.some(({ isLast }) => isLast)
  return html`<svg
    class="stages ${markOf(run.status)}"
    width="100%"
    height="8"
    role="img"
    aria-label="${barLabel(run, all)}"
  >
    <rect class="track" width="100%" height="8" />
    ${segments}
    ${hasBroken ? html`<rect class="end" x="${percent(until(all.length))}" width="6" height="8" />` : undefined}
  </svg>`
}

/** The colours of all bars. */
export const stageKey: Html = html`<ul class="legend">
  ${stages.map(({ name }, index) => html`<li><i class="stage${index}"></i>${name}</li>`)}
</ul>`

/** The colours of a run's bar, with the names of the stages that the run has entered, and what is known of each. */
export const stageLegend = (run: ledger.Run, metadata: Option.Option<LumeMetadata.FailedMetadata>): Html =>
  html`<ul class="legend">
    ${entered(run, metadata).map(({ duration, index, isLast, name }) => {
      const time = Option.map(duration, (duration) => html` <span class="muted">${took(duration)}</span>`)
      const here = ledger.hasEnded(run) ? `${word(run.status).toLowerCase()} here` : "now"
      return html`<li>
        <i class="stage${index}"></i
        >${name}${Option.getOrUndefined(time)}${isLast ? html`, <span class="${markOf(run.status)}">${here}</span>` : undefined}
      </li>`
    })}
  </ul>`
