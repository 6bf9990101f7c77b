/**
 * What the command shows and decides, where a process would show too few cases of it.
 */
import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { duration, ratio } from "../src/cli/arguments.js"
import { frame, width } from "../src/cli/frame.js"
import { apart, worst } from "../src/cli/judgement.js"
import { word } from "../src/internal/shell.js"
import { visible, withoutSecrets } from "../src/internal/text.js"
import { spawnSync } from "node:child_process"
import { property } from "./support/property.js"

const shown = FastCheck.record({
  id: FastCheck.string({ unit: "grapheme", minLength: 1, maxLength: 60 }),
  status: FastCheck.constantFrom(
    undefined,
    null,
    "CREATED",
    "TRANSFORMING",
    "SYNCING_TARGET",
    "QUEUED",
    "\u001b[2J\u009b\u202e"
  ),
  elapsed: FastCheck.nat(1e9),
  hasEnded: FastCheck.boolean()
})

/** What lines are drawn with where the terminal has it. */
const drawn = /[…█░]/

describe("a frame", () => {
  property.all(
    "fits on the screen, whatever the runs and the screen",
    [
      FastCheck.array(shown, { maxLength: 30 }),
      FastCheck.record({
        columns: FastCheck.integer({ min: 1, max: 120 }),
        rows: FastCheck.integer({ min: 1, max: 30 }),
        unicode: FastCheck.boolean()
      })
    ],
    ([runs, screen]) => {
      const lines = frame(runs, screen)
      assert.isAtMost(lines.length, Math.max(1, screen.rows - 1))
      for (const line of lines) {
        assert.isAtMost(width(line), Math.max(1, screen.columns - 1))
        assert.notMatch(line, /[\p{Cc}\p{Bidi_Control}]/u)
        // an id is shown as it is
        if (!screen.unicode && !runs.some(({ id }) => drawn.test(id))) assert.notMatch(line, drawn)
      }
    }
  )

  property.all(
    "tells ids apart that differ in their ends, from 20 columns on",
    [
      FastCheck.string({ unit: FastCheck.constantFrom("0", "a", "Z"), minLength: 20, maxLength: 40 }),
      FastCheck.record({
        columns: FastCheck.integer({ min: 20, max: 120 }),
        rows: FastCheck.constant(24),
        unicode: FastCheck.boolean()
      })
    ],
    ([beginning, screen]) => {
      const runs = ["_1", "_2"].map((end) => ({ id: beginning + end, status: null, elapsed: 0, hasEnded: false }))
      const [one = "", other = ""] = frame(runs, screen)
      assert.notStrictEqual(one, other)
      assert.isTrue(
        one.startsWith(
          beginning.length + 2 > Math.floor(screen.columns / 2) ? (screen.unicode ? "…" : "...") : beginning
        )
      )
    }
  )
})

describe("a value beside its limit", () => {
  const count = FastCheck.integer({ min: 1, max: 1_000_000 })

  property.all(
    "is told apart from it, unless they are equal",
    [count, count, FastCheck.double({ min: 0, max: 1 })],
    ([part, more, limit]) => {
      const actual = part / (part + more)
      const [one, other] = apart(actual, limit)
      assert.strictEqual(one === other, actual === limit)
      assert.strictEqual(Number(one) <= Number(other), actual <= limit)
    }
  )

  it("has no more digits than that takes", () => {
    assert.deepStrictEqual(apart(1 / 3, 0.05), ["0.333", "0.05"])
    assert.deepStrictEqual(apart(0.050001, 0.05), ["0.050001", "0.05"])
  })
})

describe("the worst code", () => {
  it("is a client error before a timeout before the worst run", () => {
    assert.strictEqual(worst([]), 0)
    assert.strictEqual(worst([0, 3, 0]), 3)
    assert.strictEqual(worst([3, 4, 0]), 4)
    assert.strictEqual(worst([4, 5, 3]), 5)
    assert.strictEqual(worst([5, 1, 4]), 1)
  })
})

describe("a duration", () => {
  const right = [
    ["90", 90_000],
    ["0.5", 500],
    ["90s", 90_000],
    ["10m", 600_000],
    ["1h", 3_600_000],
    ["1.5 h", 5_400_000],
    ["2 minutes", 120_000],
    ["250ms", 250],
    ["1 day", 86_400_000]
  ] as const

  it.each(right)("%s is a bare number of seconds, or has its unit", (text, millis) => {
    assert.strictEqual(duration(text), millis)
  })

  it.each(["", "0", "-5", "1e3", "soon", "5 parsecs", "Infinity", "NaN", "1h30m", "9".repeat(400)])(
    "%s is none",
    (text) => {
      assert.throws(() => duration(text), /must be a positive number of seconds/)
    }
  )
})

describe("a ratio", () => {
  it.each([
    ["0", 0],
    ["1", 1],
    [".05", 0.05],
    ["5e-2", 0.05]
  ] as const)("%s is one", (text, number) => {
    assert.strictEqual(ratio(text), number)
  })

  it.each(["", "-0.1", "1.01", "NaN", "Infinity", "0x1", "five", "5%", "101%"])("%s is none", (text) => {
    assert.throws(() => ratio(text), /must be a ratio from 0 to 1/)
  })

  it.each(["5%", "5", "5.0"])("%s is likely meant as 0.05", (text) => {
    assert.throws(() => ratio(text), /Did you mean 0\.05\?/)
  })
})

describe("a word of a shell", () => {
  property.all(
    "is read by the shell as it was",
    [FastCheck.string({ minLength: 1 }).filter((text) => !text.includes("\0"))],
    ([text]) => {
      const printed = spawnSync("sh", ["-c", `printf %s ${word(text)}`], { encoding: "utf8" }).stdout
      assert.strictEqual(printed, text)
    }
  )
})

describe("a text on a terminal", () => {
  it.each([
    ["é 😀 \u200d", "é 😀 \u200d"],
    ["\u001b[2J\u009b", "\\u001b[2J\\u009b"],
    ["a\nb\u2028c\u2029d", "a\\u000ab\\u2028c\\u2029d"],
    ["\u202ea\ud800", "\\u202ea\\ud800"]
  ])("%j has its control characters written out", (text, shown) => {
    assert.strictEqual(visible(text), shown)
  })
})

describe("a URL as it is shown", () => {
  it.each([
    ["https://lume.example/api", "https://lume.example/api"],
    ["HTTP://lume.example/a@b", "HTTP://lume.example/a@b"],
    ["https://user:word@lume.example/api", "https://…@lume.example/api"],
    ["https://user@lume.example", "https://…@lume.example"],
    ["https://:word@lume.example", "https://…@lume.example"],
    ["https://us@er:wo/rd@lume.example", "https://…@lume.example"],
    ["user:word@lume.example:80", "…@lume.example:80"],
    ["user:wo\nrd@lume.example", "…@lume.example"],
    ["socks5+x-1.y://user:word@lume.example", "socks5+x-1.y://…@lume.example"],
    ["xhttps://user:word@lume.example", "xhttps://…@lume.example"],
    ["1x://user:word@lume.example", "…@lume.example"],
    ["https://lume.example:nope/user@place", "https://…@place"],
    ["https://lume.example?key=1#here\nthere", "https://lume.example?…"],
    ["https://lume.example/#here", "https://lume.example/#…"],
    ["https://lume.example/?", "https://lume.example/?"]
  ])("%j shows nothing that may be secret", (url, shown) => {
    assert.strictEqual(withoutSecrets(url), shown)
  })
})
