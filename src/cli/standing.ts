/**
 * What ends the command apart from its own ways: output that can't be written, a defect. What has been done by then
 * decides the exit code, and what there is to do.
 */
import process from "node:process"
import { visible } from "../internal/text.js"

/** The exit code of a command that can't go on, and what to do then. */
export interface Standing {
  readonly code: number
  /** A sentence; empty if there is nothing to do. */
  readonly advice: string
}

let standing: Standing = { code: 1, advice: "" }
let isJson = false

/** How things stand from now on. */
export const set = (next: Standing): void => {
  standing = next
}

/** How things stand. */
export const get = (): Standing => standing

/** Lets `say` write JSON. */
export const setJson = (json: boolean): void => {
  isJson = json
}

/** Writes a sentence for people, on stderr, where there is no `Output`. */
export const say = (sentence: string): void => {
  process.stderr.write(`${visible(isJson ? JSON.stringify({ message: sentence }) : sentence)}\n`)
}

/** A sentence, and what to do. */
export const withAdvice = (sentence: string): string => [sentence, standing.advice].join(" ").trim()

/**
 * Watches both streams. A reader that goes away, such as head, is no failure: what the run has come to is still worth an
 * exit code. Data that could not be written, to a full disk, is one.
 */
export const watchStreams = (): void => {
  for (const [name, stream] of [["stdout", process.stdout] as const, ["stderr", process.stderr] as const]) {
    let failed = false
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE" || failed) return
      failed = true
      process.on("exit", () => {
        process.exitCode ||= standing.code
        if (name === "stdout") say(withAdvice(`stdout could not be written: ${error.message}.`))
      })
    })
  }
}
