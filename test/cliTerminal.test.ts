/**
 * The `lume` command on a terminal: frames as they are seen, in tmux, and what is sent, through `script` of util-linux.
 */
import { assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { spawnSync } from "node:child_process"
import { randomUUID } from "node:crypto"
import { hasTerminal, screen } from "../scripts/recorder.js"
import * as command from "./support/lume.js"
import { serve, until } from "./support/server.js"

beforeAll(() => Effect.runPromise(command.build))

const hasTmux = spawnSync("tmux", ["-V"]).status === 0

/** Without the times, which differ. */
const withoutTime = (lines: ReadonlyArray<string>) => lines.map((line) => line.replaceAll(/\d+:\d\d/g, "0:00"))

describe.concurrent("frames", () => {
  /** A terminal of 80 columns and 8 rows, with a shell in it. */
  const terminal = (env: Readonly<Record<string, string>>) =>
    Effect.acquireRelease(
      Effect.sync(() => {
        const name = `lume-${randomUUID()}`
        const tmux = (...args: ReadonlyArray<string>) =>
          spawnSync("tmux", ["-u", "-L", name, "-f", "/dev/null", ...args], { encoding: "utf8" }).stdout
        const settings = Object.entries(env).map(([key, value]) => `${key}=${value}`)
        const shell = ["env", "-u", "CI", "LANG=C.UTF-8", "PS1=$ ", ...settings, "sh"]
        tmux("new-session", "-d", "-x", "80", "-y", "8", ...shell)
        return {
          type: (line: string) => tmux("send-keys", line, "Enter"),
          press: (key: string) => tmux("send-keys", key),
          resize: (columns: number) => tmux("resize-window", "-x", String(columns)),
          lines: () => tmux("capture-pane", "-p").trimEnd().split("\n"),
          hasCursor: () => tmux("display", "-p", "#{cursor_flag}").trim() === "1",
          end: () => tmux("kill-server")
        }
      }),
      ({ end }) => Effect.sync(end)
    )

  const wait = (ids: string) => `clear; ${process.execPath} ${command.bin} wait ${ids} --poll-interval 0.1`

  it.scopedLive.skipIf(!hasTmux)("shows lines that are cut to it, and is left as it was", () =>
    Effect.gen(function* () {
      const { url } = yield* serve(command.handler())
      const { hasCursor, lines, press, resize, type } = yield* terminal({ LUME_API_KEY: "a-key", LUME_BASE_URL: url })
      type(wait("running_1 running_22"))
      yield* until(() => lines().some((line) => line.startsWith("running_22  TRANSFORMING")))
      assert.deepStrictEqual(withoutTime(lines().slice(-2)), [
        "running_1   TRANSFORMING    0:00  ████░░░░",
        "running_22  TRANSFORMING    0:00  ████░░░░"
      ])
      assert.isFalse(hasCursor())
      resize(20)
      yield* until(() => lines().at(-1) === "running_22  TRANSFO")
      assert.deepStrictEqual(lines().slice(-2), ["running_1   TRANSFO", "running_22  TRANSFO"])
      resize(80)
      yield* until(() => lines().at(-1)?.includes("████") === true)
      press("C-c")
      yield* until(() => lines().some((line) => line.startsWith("Stopped waiting")))
      yield* until(hasCursor)
      assert.notInclude(lines().join("\n"), "████")
    })
  )

  it.scopedLive.skipIf(!hasTmux)("has its cursor back while the view is stopped by Ctrl-Z", () =>
    Effect.gen(function* () {
      const { url } = yield* serve(command.handler())
      const { hasCursor, lines, press, type } = yield* terminal({ LUME_API_KEY: "a-key", LUME_BASE_URL: url })
      type(wait("running_1"))
      yield* until(() => lines().some((line) => line.startsWith("running_1  TRANSFORMING")))
      assert.isFalse(hasCursor())
      press("C-z")
      yield* until(() => lines().some((line) => line.includes("Stopped")))
      assert.isTrue(hasCursor())
      assert.notInclude(lines().join("\n"), "████")
      type("fg")
      yield* until(() => lines().some((line) => line.startsWith("running_1  TRANSFORMING")))
      assert.isFalse(hasCursor())
      press("C-c")
      yield* until(hasCursor)
    })
  )

  it.scopedLive.skipIf(!hasTmux)("tells runs apart that were made at the same time, however narrow it is", () =>
    Effect.gen(function* () {
      const { url } = yield* serve(command.handler())
      const { lines, resize, type } = yield* terminal({ LUME_API_KEY: "a-key", LUME_BASE_URL: url })
      resize(20)
      type(wait("running_01M8BE7KA3PF3KAJNM1PNJBRYF running_01M8BE7KA3PF3KAJNM1PNJBRYG ok_7"))
      yield* until(() => lines().some((line) => line.includes("SUCCEED")))
      assert.deepStrictEqual(lines().slice(-3), ["…M1PNJBRYF  TRANSFO", "…M1PNJBRYG  TRANSFO", "ok_7        SUCCEED"])
    })
  )

  it.scopedLive.skipIf(!hasTmux)("shows what has not ended, where not all fit", () =>
    Effect.gen(function* () {
      const { url } = yield* serve(command.handler())
      const { lines, type } = yield* terminal({ LUME_API_KEY: "a-key", LUME_BASE_URL: url, LC_ALL: "C" })
      const ids = ["ok_1", "ok_2", "ok_3", ...Array.from({ length: 8 }, (_, index) => `running_${index}`)]
      type(wait(ids.join(" ")))
      yield* until(() => lines().some((line) => line === "... 5 more"))
      yield* until(() => lines().filter((line) => /^running_\d  TRANSFORMING .*####----$/.test(line)).length === 6)
    })
  )

  it.scopedLive.skipIf(!hasTmux)("does not let what Lume says drive it", () =>
    Effect.gen(function* () {
      const { url } = yield* serve(command.handler())
      const { lines, type } = yield* terminal({ LUME_API_KEY: "a-key", LUME_BASE_URL: url })
      type(wait("strange_1"))
      yield* until(() => lines().some((line) => line.startsWith("strange_1  QUEUED\\u001b[2J\\u009b\\u202e")))
    })
  )

  it.scopedLive.skipIf(!hasTmux)("says at once that it reads a body there", () =>
    Effect.gen(function* () {
      const { lines, press, type } = yield* terminal({ LUME_WEBHOOK_SECRET: "a-secret" })
      type(`clear; ${process.execPath} ${command.bin} webhook verify --signature 00`)
      yield* until(() => lines().some((line) => line.startsWith("Reading the body from this terminal")))
      press("C-d")
      yield* until(() => lines().some((line) => line.includes("signature")))
    })
  )
})

const hideCursor = "\u001b[?25l"
const showCursor = "\u001b[?25h"

describe.skipIf(!hasTerminal).concurrent("what is sent to a terminal", () => {
  /** Runs `lume` on a terminal, and gives all that is sent to it. */
  const onTerminal = (args: string, env: Readonly<Record<string, string>> = {}) =>
    Effect.gen(function* () {
      const { url } = yield* serve(command.handler())
      const all = { LUME_API_KEY: "a-key", LUME_BASE_URL: url, LANG: "C.UTF-8", TERM: "xterm", ...env }
      return command.start("script", ["-qec", `'${process.execPath}' '${command.bin}' ${args}`, "/dev/null"], all)
    })

  it.scopedLive("is a view that is taken away, without colour", () =>
    Effect.gen(function* () {
      const { ended } = yield* onTerminal("wait soon --poll-interval 0.2", { FORCE_COLOR: "3" })
      const { code, stdout } = yield* ended
      assert.strictEqual(code, 0)
      assert.include(stdout, "soon  TRANSFORMING")
      assert.isBelow(stdout.indexOf(hideCursor), stdout.indexOf(showCursor))
      for (const sequence of stdout.split("\u001b[").slice(1)) assert.notMatch(sequence, /^[\d;]*m/)
      assert.match(screen(stdout), /^soon\tSUCCEEDED\n {2}1000 rows in, [^\n]*$/)
    })
  )

  it.scopedLive("gives the cursor back at every end", () =>
    Effect.gen(function* () {
      for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
        const { ended, stdout } = yield* onTerminal("wait running & echo pid $!; wait $!")
        yield* until(() => /pid \d+/.test(stdout()) && stdout().includes("TRANSFORMING"))
        const [, pid] = /pid (\d+)/.exec(stdout()) ?? []
        process.kill(Number(pid), signal)
        const sent = (yield* ended).stdout
        assert.isAbove(sent.lastIndexOf(showCursor), sent.lastIndexOf(hideCursor), signal)
        assert.include(sent, "Re-attach with: lume wait running", signal)
      }
    })
  )

  it.scopedLive("goes on after Ctrl-Z where no shell could let it go on", () =>
    Effect.gen(function* () {
      const { ended, stdout } = yield* onTerminal("wait running & echo pid $!; wait $!")
      yield* until(() => /pid \d+/.test(stdout()) && stdout().includes("TRANSFORMING"))
      const pid = Number(/pid (\d+)/.exec(stdout())?.[1])
      process.kill(pid, "SIGTSTP")
      yield* until(() => stdout().split(hideCursor).length === 3)
      process.kill(pid, "SIGINT")
      assert.include((yield* ended).stdout, "Re-attach with: lume wait running")
    })
  )

  it.scopedLive.each([
    ["CI", { CI: "true" }],
    ["TERM=dumb", { TERM: "dumb" }]
  ] as const)("is plain lines with %s", ([, env]) =>
    Effect.gen(function* () {
      const { ended } = yield* onTerminal("wait soon --poll-interval 0.1", env)
      const { stdout } = yield* ended
      assert.notInclude(stdout, "\u001b")
      const [shown] = withoutTime([stdout])
      assert.include(shown, "soon TRANSFORMING 0:00\r\nsoon SUCCEEDED 0:00\r\nsoon\tSUCCEEDED\r\n")
    })
  )
})
