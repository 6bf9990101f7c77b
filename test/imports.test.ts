/**
 * No import runs upwards: the linter refuses every one that goes against the order in CONTRIBUTING.md, and no other.
 */
import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))

/** Each branch of the order from the ground up, as stages of modules and folders: the trunk, then what goes on from it. */
const readOrders = (): ReadonlyArray<ReadonlyArray<ReadonlyArray<string>>> => {
  const page = readFileSync(join(root, "CONTRIBUTING.md"), "utf8")
  const [, trunk = "", branches = ""] =
    /^## The order of the folders$.*?\n\n((?: {4}[^\n]*\n)+)\n((?: {4}[^\n]*\n)+)/ms.exec(page) ?? []
  const stages = (text: string) => text.split("→").map((stage) => stage.match(/\w+\/?/g) ?? [])
  const below = stages(trunk)
  return branches
    .trim()
    .split("\n")
    .map((branch) => {
      const [from, ...on] = stages(branch)
      assert.deepStrictEqual(below.at(-1), from, "a branch goes on from the end of the trunk")
      return [...below, ...on]
    })
}

const orders = readOrders()
const places = [...new Set(orders.flat(2))]

const mayImport = (from: string, to: string): boolean =>
  orders.some((order) => {
    const stage = (place: string) => order.findIndex((stage) => stage.includes(place))
    return stage(to) !== -1 && stage(to) < stage(from)
  })

/** A module at a place, and how it names another one. */
const fileAt = (place: string): string => `src/${place.endsWith("/") ? `${place}probe` : place}.ts`
const specifier = (from: string, to: string): string => {
  const name = to.endsWith("/") ? `${to}probe.js` : `${to}.js`
  return from.endsWith("/") ? `../${name}` : `./${name}`
}

interface Finding {
  readonly code: string
  readonly filename: string
  readonly labels: ReadonlyArray<{ readonly span: { readonly line: number } }>
}

const { jsPlugins, overrides } = JSON.parse(readFileSync(join(root, ".oxlintrc.json"), "utf8")) as {
  readonly jsPlugins: unknown
  readonly overrides: ReadonlyArray<{ readonly files: ReadonlyArray<string> }>
}

/** The project's own entry for the source. The search for circles would take for ever in what is linted here. */
const rules = JSON.stringify({ jsPlugins, overrides: overrides.filter(({ files }) => files.includes("src/**")) })

/** Lints files, each given as its lines. Gives the refused imports as `file:line`. */
const lint = (files: Readonly<Record<string, ReadonlyArray<string>>>): ReadonlySet<string> => {
  const folder = mkdtempSync(join(tmpdir(), "imports-"))
  try {
    for (const [path, lines] of Object.entries(files)) {
      mkdirSync(join(folder, dirname(path)), { recursive: true })
      writeFileSync(join(folder, path), lines.join("\n"))
    }
    mkdirSync(join(folder, "scripts"))
    copyFileSync(join(root, "scripts/imports.mjs"), join(folder, "scripts/imports.mjs"))
    writeFileSync(join(folder, ".oxlintrc.json"), rules)
    const { stdout } = spawnSync(process.execPath, [join(root, "node_modules/oxlint/bin/oxlint"), "--format", "json"], {
      cwd: folder,
      encoding: "utf8"
    })
    const { diagnostics } = JSON.parse(stdout) as { readonly diagnostics: ReadonlyArray<Finding> }
    return new Set(
      diagnostics
        .filter(({ code }) => code === "imports(order)")
        .map(({ filename, labels }) => `${filename}:${labels[0]?.span.line}`)
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
}

describe("imports within src", () => {
  it("have an order for each module and folder that is there", () => {
    const there = readdirSync(join(root, "src"), { withFileTypes: true }).map((entry) =>
      entry.isDirectory() ? `${entry.name}/` : entry.name.replace(/\.ts$/, "")
    )
    assert.deepStrictEqual(places.toSorted(), there.toSorted())
  })

  it("go to what is before in the order, and nowhere else, types included", () => {
    const pairs = places.flatMap((from) => places.filter((to) => to !== from).map((to) => ({ from, to })))
    const linesOf = (from: string) => pairs.filter((pair) => pair.from === from)
    const refused = lint(
      Object.fromEntries(
        places.map((from) => [
          fileAt(from),
          linesOf(from).map(({ to }, index) => `import type * as m${index} from "${specifier(from, to)}"`)
        ])
      )
    )
    for (const { from, to } of pairs) {
      const line = `${fileAt(from)}:${linesOf(from).findIndex((pair) => pair.to === to) + 1}`
      assert.strictEqual(!refused.has(line), mayImport(from, to), `${from} imports ${to}`)
    }
  })

  it("are seen in every form, and go to other packages only where these run", () => {
    const upwards = "../LumeClient.js"
    const files = {
      "src/internal/probe.ts": [
        `import { layer } from "${upwards}"`,
        `export * from "${upwards}"`,
        `export { layer } from "${upwards}"`,
        `export const later = () => import("${upwards}")`,
        `export type Client = import("${upwards}").LumeClient`,
        'import * as other from "../../test/support/lume.js"'
      ],
      "src/LumeRun.ts": [
        'import * as fs from "node:fs"',
        'import * as path from "path"',
        'import * as Http from "@effect/platform-node/NodeHttpClient"',
        'import * as duckdb from "@duckdb/node-api"'
      ],
      "src/client/polling.ts": ['import type * as HttpClient from "@effect/platform/HttpClient"'],
      "src/client/exchange.ts": ['import type * as HttpClient from "@effect/platform/HttpClient"'],
      "src/cli/probe.ts": ['import * as fs from "node:fs"', 'import * as Local from "../local/LocalLume.js"']
    }
    const isRight = (path: string) => path === "src/client/exchange.ts" || path === "src/cli/probe.ts"
    const wrong = Object.entries(files).flatMap(([path, lines]) =>
      isRight(path) ? [] : lines.map((_, index) => `${path}:${index + 1}`)
    )
    assert.deepStrictEqual([...lint(files)].toSorted(), wrong.toSorted())
  })
})
