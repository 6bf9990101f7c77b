/**
 * The page of one run.
 */
import * as Option from "effect/Option"
import { word as quoted } from "../../../internal/shell.js"
import { visible } from "../../../internal/text.js"
import type { LocalFlow } from "../../LocalFlow.js"
import * as ledger from "../ledger.js"
import { html, type Html, lines } from "./html.js"
import type { Content } from "./layout.js"
import type { File } from "./output.js"
import * as parts from "./parts.js"
import type { Rejects } from "./rejects.js"

/** What a run's page shows. */
export interface Details {
  readonly run: ledger.Run
  /** Its flow version, where there still is one. */
  readonly flow: LocalFlow | undefined
  readonly files: ReadonlyArray<File>
  /** The first rejected rows; a sentence where they can't be read. */
  readonly rejects: Rejects | string | undefined
  /** Whether the same request would be refused, because its flow version has succeeded on the source path. */
  readonly isProcessed: boolean
  /** Where the server is, such as `http://127.0.0.1:4747`. */
  readonly url: string
  /** Milliseconds since 1970. */
  readonly now: number
}

type Metadata = ReturnType<typeof parts.metadataOf>

const json = (value: unknown): Html =>
  html`<pre tabindex="0"><code>${lines(JSON.stringify(value, undefined, 2))}</code></pre>`

/** A part of the page. One that has nothing to show keeps its place, so that the next picture of the page fits. */
const section = (title: string, body: Html | undefined, kind: "wide" | "half" = "half"): Html =>
  html`<section class="${kind}" ${body === undefined ? html` hidden` : undefined}>
    <h2>${title}</h2>
    ${body}
  </section>`

// ---------------------------------------------------------------------------------------------------------------------
// What the run was, and what came of it

const facts = ({ now, run }: Details): Html =>
  html`<dl>
    <dt>Id</dt>
    <dd><code>${run.id}</code></dd>
    <dt>Flow version</dt>
    <dd>${run.request.flowVersion}</dd>
    <dt>Source path</dt>
    <dd>${run.request.sourcePath}</dd>
    <dt>Accepted (UTC)</dt>
    <dd>${parts.time(run.acceptedAt)}</dd>
    <dt>Ended (UTC)</dt>
    <dd>${ledger.hasEnded(run) ? parts.time(run.endedAt) : html`<span class="none">not yet</span>`}</dd>
    <dt>Took</dt>
    <dd>${parts.elapsed(run, now)}</dd>
  </dl>`

const stages = (run: ledger.Run, metadata: Metadata): Html =>
  html`${parts.stageBar(run, metadata)} ${parts.stageLegend(run, metadata)}`

const tile = (name: string, value: Html | string): Html =>
  html`<div>
    <dt>${name}</dt>
    <dd>${value}</dd>
  </div>`

const results = (metadata: Metadata): Html | undefined => {
  const { input, mapped, rejected } = parts.rowsOf(metadata)
  const validation = Option.flatMap(metadata, ({ validation }) => validation)
  if (Option.isNone(input) && Option.isNone(validation)) return undefined
  const tests = Option.flatMap(validation, ({ testsExecuted, testsFailed }) => Option.all([testsFailed, testsExecuted]))
  const rate = Option.flatMap(validation, ({ errorRate }) => errorRate)
  return html`<dl class="tiles">
      ${tile("Input rows", parts.maybeCount(input))} ${tile("Mapped rows", parts.maybeCount(mapped))}
      ${tile("Rejected rows", parts.maybeCount(rejected))}
    </dl>
    ${Option.match(tests, {
      onNone: () => undefined,
      onSome: ([failed, executed]) =>
        html`<p class="muted">
          ${parts.count(failed)} of ${parts.count(executed)} tests
          failed${Option.match(rate, { onNone: () => undefined, onSome: (rate) => `: an error rate of ${Number(rate.toPrecision(3))}` })}
        </p>`
    })}`
}

const share = (part: number, whole: number): Html =>
  html`<svg class="share" width="100%" height="8" aria-hidden="true">
    <rect class="track" width="100%" height="8" rx="2" />
    <rect width="${((100 * part) / (whole || 1)).toFixed(2)}%" height="8" rx="2" />
  </svg>`

/** A table of named columns; a column of numbers has the class `rows`. */
const table = (
  columns: ReadonlyArray<readonly [name: string, kind?: string]>,
  rows: ReadonlyArray<ReadonlyArray<Html | string>>
) =>
  html`<table class="plain">
    <thead>
      <tr>
        ${columns.map(([name, kind = ""]) => html`<th scope="col" class="${kind}">${name}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        (cells) =>
          html`<tr>
            ${cells.map((cell, index) => html`<td class="${columns[index]?.[1] ?? ""}">${cell}</td>`)}
          </tr>`
      )}
    </tbody>
  </table>`

const topErrors = (metadata: Metadata): Html | undefined => {
  const errors = parts.topErrorsOf(metadata)
  const input = Option.getOrElse(parts.rowsOf(metadata).input, () => 0)
  return errors.length === 0
    ? undefined
    : table(
        [["Error code", "name"], ["Field", "name"], ["Rows", "number rows"], ["Share of input"]],
        errors.map(({ count, errorCode, field }) => [
          parts.code(errorCode),
          field,
          parts.count(count),
          share(count, input)
        ])
      )
}

const errors = (metadata: Metadata): Html | undefined => {
  const list = Option.match(metadata, { onNone: () => [], onSome: ({ errors }) => errors })
  return list.length === 0
    ? undefined
    : html`<dl>
        ${list.map(
          ({ errorCode, message, stage }) =>
            html`<dt>${parts.code(errorCode)}<br />${stage}</dt>
              <dd class="message">${message}</dd>`
        )}
      </dl>`
}

// ---------------------------------------------------------------------------------------------------------------------
// What it has written

const bytes = (size: number): string => {
  const units = ["bytes", "kB", "MB", "GB"]
  const power = size === 0 ? 0 : Math.min(3, Math.floor(Math.log10(size) / 3))
  return power === 0 ? `${size} bytes` : `${(size / 1000 ** power).toPrecision(3)} ${units[power]}`
}

const downloads = ({ files, run }: Details): Html | undefined =>
  files.length === 0
    ? undefined
    : html`<ul class="downloads">
        ${files.map(
          ({ kind, name, size }) =>
            html`<li>
              <a href="/page/runs/${encodeURIComponent(run.id)}/${kind}" download
                >${name} <span class="muted">${bytes(size)}</span></a
              >
            </li>`
        )}
      </ul>`

const rejectedRows = ({ rejects }: Details, metadata: Metadata): Html | undefined => {
  if (rejects === undefined) return undefined
  if (typeof rejects === "string") return html`<p>${rejects}</p>`
  const { columns, hidden, rows } = rejects
  const all = Option.getOrElse(parts.rowsOf(metadata).rejected, () => rows.length)
  const cell = (value: string | null) => (value === null ? html`<td class="null">NULL</td>` : html`<td>${value}</td>`)
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Rejected rows">
      <table>
        <thead>
          <tr>
            <th scope="col">Error codes</th>
            ${columns.map((name) => html`<th scope="col">${name}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            ({ codes, values }) =>
              html`<tr>
                <td>${codes}</td>
                ${values.map(cell)}
              </tr>`
          )}
        </tbody>
      </table>
    </div>
    ${
      all > rows.length || hidden > 0
        ? html`<p class="note">
            The first ${rows.length} of ${parts.count(all)} rows${hidden > 0 ? `, without ${hidden} more columns` : ""}.
            The file has all.
          </p>`
        : undefined
    }`
}

// ---------------------------------------------------------------------------------------------------------------------
// How it was made, and how to make it again

const curl = ({ isProcessed, run: { request }, url }: Details): Html => {
  const body = {
    flow_version: request.flowVersion,
    source_path: request.sourcePath,
    ...(request.runMetadata !== undefined && { run_metadata: request.runMetadata }),
    ...(isProcessed && { force_rerun: true })
  }
  const words = [
    `curl ${quoted(`${url}/runs`)}`,
    `-H "lume-api-key: $LUME_API_KEY"`,
    `-H 'content-type: application/json'`,
    `--data-raw ${quoted(visible(JSON.stringify(body)))}`
  ]
  return html`<pre class="command" tabindex="0"><code>${lines(words.join(" \\\n  "))}</code></pre>
    <p class="note">
      ${isProcessed ? "The flow version has succeeded on this source path, so that it needs force_rerun. " : ""}The key
      is in the line that lume local has printed.
    </p>`
}

const flowTables = ({ delimiter, encoding, fields, tests }: LocalFlow): Html => {
  const dialect = [
    ...(encoding === undefined ? [] : [`encoding ${encoding}`]),
    ...(delimiter === undefined ? [] : [`delimiter ${JSON.stringify(delimiter)}`])
  ]
  return html`${table(
    [["Field", "name"], ["Expression"]],
    Object.entries(fields).map(([name, sql]) => [name, parts.code(sql)])
  )}
  ${
    tests.length === 0
      ? undefined
      : table(
          [["Error code", "name"], ["Field", "name"], ["Check"]],
          tests.map(({ check, error_code, field }) => [parts.code(error_code), field, parts.code(check)])
        )
  }
  ${dialect.length === 0 ? undefined : html`<p class="note">Sources: ${dialect.join(", ")}</p>`}`
}

const runMetadata = ({ run: { request } }: Details): Html | undefined => {
  const pairs = Object.entries(request.runMetadata ?? {})
  return pairs.length === 0
    ? undefined
    : html`<dl>
        ${pairs.map(
          ([key, value]) =>
            html`<dt>${key}</dt>
              <dd>${typeof value === "string" ? value : JSON.stringify(value)}</dd>`
        )}
      </dl>`
}

const metadataJson = (run: ledger.Run): Html | undefined =>
  ledger.hasEnded(run)
    ? html`<details>
        <summary>Metadata as Lume’s API gives it</summary>
        ${json(run.metadata)}
      </details>`
    : undefined

/** The page, whatever the state of its run. */
export const content = (details: Details): Content => {
  const { flow, run } = details
  const { flowVersion, sourcePath } = run.request
  const metadata = parts.metadataOf(run)
  const outcome = parts.outcome(run)
  const full = metadataJson(run)
  return {
    title: `${parts.word(run.status)} · ${flowVersion} · ${sourcePath}`,
    main: html`<main${outcome && html` data-outcome="${outcome}"`}>
<a class="back" href="/">All runs</a>
<div class="heading of-run"><h1>${flowVersion}</h1>${parts.badge(run.status)}</div>
<div class="grid">
${section("Errors", errors(metadata), "wide")}
${section("Run", facts(details))}
<div class="stack">
${section("Stages", stages(run, metadata))}
${section("Results", results(metadata))}
</div>
${section("Top errors", topErrors(metadata), "wide")}
${section("Output", downloads(details), "wide")}
${section("Rejected rows", rejectedRows(details, metadata), "wide")}
${section("Run metadata", runMetadata(details), "wide")}
${section("Submit it again", curl(details), "wide")}
${section("Flow", flow === undefined ? html`<p>There is no flow version ${flowVersion} any longer.</p>` : flowTables(flow), "wide")}
<section class="wide"${full === undefined ? html` hidden` : undefined}>${full}</section>
</div>
</main>`
  }
}

/** What stands in the place of a run that is not there. */
export const missing = (id: string): Content => ({
  title: "No such run · Lume on this machine",
  main: html`<main>
    <a class="back" href="/">All runs</a>
    <div class="heading of-run"><h1>No such run</h1></div>
    <p>
      There is no run <code>${id}</code>. Runs that have ended long ago are forgotten; their files stay in the targets
      folder.
    </p>
  </main>`
})
