/**
 * The live view: some lines on a terminal that are written over while runs go on.
 */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import process from "node:process"
import { variable } from "./environment.js"
import { frame, type Shown, width } from "./frame.js"
import type { Output } from "./output.js"

const hideCursor = "\u001b[?25l"
const showCursor = "\u001b[?25h"

/** Whether stderr is a terminal that can be drawn on. CI services fake one, and show every frame. */
export const canDraw = (): boolean =>
  process.stderr.isTTY && variable("CI") === undefined && process.env["TERM"] !== "dumb"

const isUtf8 = (): boolean => /utf-?8/i.test(variable("LC_ALL") ?? variable("LC_CTYPE") ?? variable("LANG") ?? "")

const screen = () => ({
  columns: process.stderr.columns || 80,
  rows: process.stderr.rows || 24,
  unicode: isUtf8()
})

/**
 * Shows these runs until the scope is closed; then the lines are gone, and the cursor is back. Gives what draws them anew at
 * once, which happens every second anyway.
 */
export const show = (
  out: Output,
  runs: () => ReadonlyArray<Shown>
): Effect.Effect<Effect.Effect<void>, never, Scope.Scope> =>
  Effect.gen(function* () {
    let drawn: ReadonlyArray<string> = []

    // A terminal that has become narrower has broken the lines that no longer fit.
    const rowsOf = (line: string) => Math.max(1, Math.ceil(width(line) / screen().columns))
    const clear = () => {
      const rows = drawn.reduce((sum, line) => sum + rowsOf(line), 0)
      drawn = []
      return rows === 0 ? "" : `\u001b[${rows}A\r\u001b[J`
    }
    const draw = () => {
      const before = clear()
      drawn = frame(runs(), screen())
      process.stderr.write(before + drawn.map((line) => `${line}\n`).join(""))
    }
    const restore = () => process.stderr.write(clear() + showCursor)
    // Ctrl-Z gives the terminal to the shell, fg takes it back; where no shell could, the signal stops nothing
    const stop = () => {
      restore()
      process.off("SIGTSTP", stop)
      process.kill(process.pid, "SIGTSTP")
      process.on("SIGTSTP", stop)
      process.stderr.write(hideCursor)
      draw()
    }

    yield* Effect.acquireRelease(
      Effect.sync(() => {
        process.stderr.write(hideCursor)
        process.stderr.on("resize", draw)
        process.on("SIGTSTP", stop)
        // for ends at once: a second signal, an exception
        process.once("exit", restore)
        out.setAround((write) => {
          process.stderr.write(clear())
          write()
          draw()
        })
      }),
      () =>
        Effect.sync(() => {
          out.setAround((write) => write())
          process.off("exit", restore)
          process.off("SIGTSTP", stop)
          process.stderr.off("resize", draw)
          restore()
        })
    )
    yield* Effect.forkScoped(Effect.repeat(Effect.sync(draw), Schedule.spaced("1 second")))
    return Effect.sync(draw)
  })
