/**
 * What the command writes: data on stdout, everything for people on stderr.
 *
 * With `--json` both hold one object a line. Text that came from outside is shown with its control characters written
 * out, so that it can't drive a terminal.
 */
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import process from "node:process"
import { visible } from "../internal/text.js"
import * as LumeError from "../LumeError.js"
import * as LumeRun from "../LumeRun.js"
import { sentence } from "./sentence.js"

/** JSON in one line; only its texts can hold control characters, so that it stays JSON. */
const jsonLine = (value: unknown): string => `${visible(JSON.stringify(value))}\n`

const encodeError = Schema.encodeSync(LumeError.LumeError)
const encodeRun = Schema.encodeSync(LumeRun.LumeRun)

/** Where a command writes. */
export interface Output {
  readonly json: boolean
  /** A run: its id and Lume's word for its status, or all of it as JSON. On stdout. */
  readonly run: (run: LumeRun.LumeRun) => Effect.Effect<void>
  /** A line of data on stdout. */
  readonly data: (line: string) => Effect.Effect<void>
  /** A sentence for people, on stderr. */
  readonly say: (sentence: string) => Effect.Effect<void>
  /** Why something failed, on stderr. */
  readonly error: (error: LumeError.LumeError) => Effect.Effect<void>
  /** That a run has this status: a sentence, or Lume's words as JSON. On stderr. */
  readonly status: (id: string, status: string | null, sentence: string) => Effect.Effect<void>
  /** Lets what shows something on the terminal take it away while something is written. */
  readonly setAround: (around: (write: () => void) => void) => void
}

/** An output in text, or in JSON. */
export const make = (json: boolean): Output => {
  let around = (write: () => void): void => write()
  const write = (stream: NodeJS.WriteStream, text: string) => Effect.sync(() => around(() => void stream.write(text)))
  const data = (line: string) => write(process.stdout, `${visible(line)}\n`)
  const say = (sentence: string) =>
    write(process.stderr, json ? jsonLine({ message: sentence }) : `${visible(sentence)}\n`)
  return {
    json,
    data,
    say,
    run: (run) =>
      json
        ? write(process.stdout, jsonLine(encodeRun(run)))
        : write(process.stdout, `${visible(run.id)}\t${visible(String(run.status))}\n`),
    error: (error) => (json ? write(process.stderr, jsonLine(encodeError(error))) : say(sentence(error))),
    status: (id, status, sentence) => (json ? write(process.stderr, jsonLine({ id, status })) : say(sentence)),
    setAround: (next) => {
      around = next
    }
  }
}

/** Effect's log as sentences for people. */
export const logger = (output: Output): Layer.Layer<never> =>
  Logger.replace(
    Logger.defaultLogger,
    Logger.make(({ message }) => Effect.runSync(output.say([message].flat().map(String).join(" "))))
  )
