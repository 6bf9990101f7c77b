/**
 * The live view's lines: runs, their stage, a bar, the time; cut to the terminal.
 */
import { visible } from "../internal/text.js"

/** A run as the view shows it. */
export interface Shown {
  readonly id: string
  /** Lume's word; `undefined` before the first answer. */
  readonly status: string | null | undefined
  /** In milliseconds. */
  readonly elapsed: number
  readonly hasEnded: boolean
}

/** What the terminal can show. */
export interface Screen {
  readonly columns: number
  readonly rows: number
  readonly unicode: boolean
}

const stages = ["CREATED", "SYNCING_SOURCE", "TRANSFORMING", "SYNCING_TARGET"]
const barLength = stages.length * 2

const wide =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Extended_Pictographic}\uff01-\uff60]/u
const without = /[\p{Mn}\p{Me}\p{Cf}]/u

const widthOf = (character: string): number =>
  without.test(character) ? 0 : character > "\u00ff" && wide.test(character) ? 2 : 1

/** How many columns a text takes. */
export const width = (text: string): number => [...text].reduce((sum, character) => sum + widthOf(character), 0)

/** As much of a text as fits. */
export const cut = (text: string, columns: number): string => {
  let left = columns
  let fitting = ""
  for (const character of text) {
    left -= widthOf(character)
    if (left < 0) break
    fitting += character
  }
  return fitting
}

const backwards = (text: string): string => [...text].toReversed().join("")

/** As much of a text's end as fits, after a mark. Ids that were made at about the same time differ in their ends. */
const cutStart = (text: string, columns: number, mark: string): string => {
  const room = columns - width(mark)
  if (width(text) <= columns) return text
  return room > 0 ? mark + backwards(cut(backwards(text), room)) : cut(text, columns)
}

const pad = (text: string, columns: number): string => text + " ".repeat(Math.max(0, columns - width(text)))

/** A time as a clock shows it: 0:42, 12:05, 1:02:03. */
export const clock = (millis: number): string => {
  const seconds = Math.floor(millis / 1000)
  const two = (part: number) => String(part).padStart(2, "0")
  const minutes = Math.floor(seconds / 60)
  const hours = Math.floor(minutes / 60)
  return hours === 0 ? `${minutes}:${two(seconds % 60)}` : `${hours}:${two(minutes % 60)}:${two(seconds % 60)}`
}

const ends = new Set(["SUCCEEDED", "PARTIAL_FAILED", "FAILED", "CRASHED"])

const bar = ({ status }: Shown, unicode: boolean): string => {
  const done = ends.has(String(status)) ? barLength : Math.max(0, stages.indexOf(String(status))) * 2
  const [full, empty] = unicode ? ["█", "░"] : ["#", "-"]
  return full.repeat(done) + empty.repeat(barLength - done)
}

/** The lines of one frame, none wider than the screen, not more than fit on it. */
export const frame = (runs: ReadonlyArray<Shown>, { columns, rows, unicode }: Screen): ReadonlyArray<string> => {
  // the cursor stands below the last line
  const room = Math.max(1, rows - 1)
  const ellipsis = unicode ? "…" : "..."
  const shown = runs.length <= room ? runs : runs.filter(({ hasEnded }) => !hasEnded).slice(0, room - 1)
  const ids = shown.map(({ id }) => visible(id))
  const idWidth = Math.min(Math.max(...ids.map(width), 0), Math.floor(columns / 2))
  const lines = shown.map((run, index) => {
    const id = pad(cutStart(ids[index] ?? "", idWidth, ellipsis), idWidth)
    const status = pad(run.status === undefined ? "waiting" : visible(String(run.status)), 14)
    return `${id}  ${status}  ${clock(run.elapsed)}  ${bar(run, unicode)}`
  })
  const left = runs.length - shown.length
  const all = left === 0 ? lines : [...lines, `${ellipsis} ${left} more`]
  // the last column stays free, because some terminals break the line there
  return all.map((line) => cut(line, Math.max(1, columns - 1)).trimEnd())
}
