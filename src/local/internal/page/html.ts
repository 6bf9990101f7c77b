/**
 * HTML as values: what is put into it is text, unless it is HTML already.
 */
import * as Data from "effect/Data"
import { visible } from "../../../internal/text.js"

/** HTML that is well-formed and safe to send. */
export class Html extends Data.TaggedClass("Html")<{ readonly source: string }> {}

/** What HTML is made of; `undefined` is nothing. */
export type Part = string | number | Html | undefined | ReadonlyArray<Part>

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;"
}

const escape = (text: string): string => visible(text).replace(/[&<>"']/g, (character) => entities[character] ?? "")

const render = (part: Part): string => {
  if (part === undefined) return ""
  if (typeof part === "string") return escape(part)
  if (typeof part === "number") return String(part)
  return part instanceof Html ? part.source : part.map(render).join("")
}

/** Text with its line ends kept, for `<pre>`. */
export const lines = (text: string): Html => new Html({ source: text.split("\n").map(escape).join("\n") })

/** Our own source that is no HTML: a style or a script. */
export const verbatim = (source: string): Html => new Html({ source })

/**
 * HTML of a template. Texts are escaped, in quoted attributes too, and their control characters are written out.
 */
export const html = (template: TemplateStringsArray, ...parts: ReadonlyArray<Part>): Html =>
  new Html({ source: String.raw({ raw: template }, ...parts.map(render)) })
