/**
 * The page of all runs, newest first.
 */
import * as Option from "effect/Option"
import { word as quoted } from "../../../internal/shell.js"
import type * as ledger from "../ledger.js"
import { html, type Html } from "./html.js"
import type { Content } from "./layout.js"
import * as parts from "./parts.js"

/** How many runs a page has. */
export const most = 200

/** What a page of runs shows. */
export interface Window {
  /** The runs that are to be shown, newest first: all of the page's, or those that have changed. */
  readonly runs: ReadonlyArray<ledger.Run>
  /** Whether those are all. */
  readonly isWhole: boolean
  /** The last run of the page. */
  readonly oldest: string | undefined
  readonly hasOlder: boolean
  /** Whether there may be newer runs than the page's. */
  readonly hasNewer: boolean
  readonly counts: { readonly unfinished: number; readonly ended: number }
  /** Milliseconds since 1970. */
  readonly now: number
  /** A flow version that can be run, for an example. */
  readonly flowVersion: string
}

const topErrors = (errors: ReturnType<typeof parts.topErrorsOf>): Html | undefined => {
  const [first, second] = errors
  if (first === undefined) return undefined
  const shown = [first, ...(second === undefined ? [] : [second])].map(
    ({ count, errorCode, field }) =>
      html`<li>
        <span title="of the field ${field}">${parts.code(errorCode)}</span>
        <span class="times">×${parts.count(count)}</span>
      </li>`
  )
  const more = errors.length - shown.length
  return html`<ul class="codes">
    ${shown}${more > 0 ? html`<li class="muted">${more} more</li>` : undefined}
  </ul>`
}

const failure = (metadata: ReturnType<typeof parts.metadataOf>): Html | undefined =>
  Option.match(metadata, {
    onNone: () => undefined,
    onSome: ({ errors: [error] }) =>
      error &&
      html`<ul class="codes">
        <li><span title="${error.message}">${parts.code(error.errorCode)}</span></li>
      </ul>`
  })

const row = (run: ledger.Run, now: number): Html => {
  const metadata = parts.metadataOf(run)
  const { input, mapped, rejected } = parts.rowsOf(metadata)
  const outcome = parts.outcome(run)
  return html`<tr id="${run.id}" ${outcome && html` data-outcome="${outcome}"`}>
    <td class="run">
      <a href="/page/runs/${encodeURIComponent(run.id)}">${run.request.flowVersion}</a
      ><span class="source" title="${run.request.sourcePath}">${run.request.sourcePath}</span
      ><code class="id">${run.id}</code>
    </td>
    <td class="state">${parts.badge(run.status)}</td>
    <td class="when" data-label="Accepted (UTC)">
      ${parts.time(run.acceptedAt)}<span class="took">${parts.elapsed(run, now)}</span>
    </td>
    <td class="bar">${parts.stageBar(run, metadata)}</td>
    <td class="number" data-label="Input">${parts.maybeCount(input)}</td>
    <td class="number" data-label="Mapped">${parts.maybeCount(mapped)}</td>
    <td class="number" data-label="Rejected">${parts.maybeCount(rejected)}</td>
    <td class="errors">${topErrors(parts.topErrorsOf(metadata)) ?? failure(metadata)}</td>
  </tr>`
}

const tally = ({ counts: { ended, unfinished } }: Window): string =>
  `${parts.count(ended + unfinished)} ${ended + unfinished === 1 ? "run" : "runs"}${unfinished === 0 ? "" : `, ${parts.count(unfinished)} unfinished`}`

/** The page, or what has changed of it. */
export const content = (window: Window): Content => ({
  title: `${window.counts.unfinished === 0 ? "" : `(${window.counts.unfinished}) `}Runs · Lume on this machine`,
  main: html`<main>
    <div class="heading">
      <h1>${window.hasNewer ? "Older runs" : "Runs"}</h1>
      <p class="muted">${tally(window)}</p>
      ${parts.stageKey}
    </div>
    <div class="card">
      <table class="runs">
        <thead>
          <tr>
            <th scope="col">Run</th>
            <th scope="col">Status</th>
            <th scope="col">Accepted (UTC), took</th>
            <th scope="col">Stages</th>
            <th scope="col" class="number">Input</th>
            <th scope="col" class="number">Mapped</th>
            <th scope="col" class="number">Rejected</th>
            <th scope="col">Top errors</th>
          </tr>
        </thead>
        <tbody id="rows" data-rows="${window.isWhole ? "whole" : "some"}" data-oldest="${window.oldest ?? ""}">
          ${window.runs.map((run) => row(run, window.now))}
        </tbody>
      </table>
      <div class="empty">
        <h2>${window.hasNewer ? "No older runs" : "No runs yet"}</h2>
        <p>Evaluate the <code>export</code> line that <code>lume local</code> has printed, then submit one:</p>
        <pre><code>npx effect-lume run --flow-version ${quoted(window.flowVersion)} --source-path SOURCE --wait</code></pre>
      </div>
    </div>
    <nav aria-label="Pages">
      <a href="/" ${window.hasNewer ? undefined : html` hidden`}>Newest</a>
      <a href="/?before=${encodeURIComponent(window.oldest ?? "")}" ${window.hasOlder ? undefined : html` hidden`}
        >Older</a
      >
    </nav>
  </main>`
})
