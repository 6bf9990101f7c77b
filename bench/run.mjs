/**
 * Runs the benches that are named, or all: `npm run bench -- poll idle`. Installs what they measure against and builds
 * the package, where that is needed. The last line is one JSON object: the ratios of the bench, or of each by its name.
 */
import { spawn, spawnSync } from "node:child_process"
import { existsSync, readdirSync, statSync } from "node:fs"
import { join } from "node:path"
import { here, print } from "./harness.mjs"

const benches = ["poll", "idle", "decode", "size", "start", "webhook", "engine", "majors", "durable"]
const chosen = process.argv.length > 2 ? process.argv.slice(2) : benches
const unknown = chosen.filter((name) => !benches.includes(name))
if (unknown.length > 0) {
  console.error(`There is no bench ${unknown.join(", ")}: choose from ${benches.join(", ")}`)
  process.exit(2)
}

const changedAt = (/** @type {string} */ path) => (existsSync(path) ? statSync(path).mtimeMs : 0)

const npm = (/** @type {string} */ cwd, /** @type {ReadonlyArray<string>} */ args) => {
  const { status } = spawnSync("npm", args, { cwd, stdio: ["ignore", "inherit", "inherit"] })
  if (status !== 0) process.exit(status ?? 1)
}

if (changedAt(here("node_modules/.package-lock.json")) < changedAt(here("package-lock.json"))) {
  npm(here("."), ["ci", "--no-audit", "--no-fund"])
}

const source = here("../src")
const sources = readdirSync(source, { recursive: true }).map((file) => changedAt(join(source, String(file))))
if (changedAt(here("../dist/index.js")) < Math.max(...sources)) npm(here(".."), ["run", "build"])
const needsEffect4 = chosen.includes("majors")
const rules = readdirSync(here("../effect-4")).filter((file) => file.endsWith(".ts"))
const byHand = readdirSync(here("../effect-4/by-hand"), { recursive: true }).map((file) => `by-hand/${String(file)}`)
const sourcesOf4 = [...sources, ...[...rules, ...byHand].map((file) => changedAt(here(`../effect-4/${file}`)))]
if (needsEffect4 && changedAt(here("../effect-4/build/dist/index.js")) < Math.max(...sourcesOf4)) {
  npm(here(".."), ["run", "effect-4"])
}

/** Runs one bench, and gives the JSON of its last line; the line itself is held back. */
const run = (/** @type {string} */ bench) =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, [here(`${bench}.mjs`)], { stdio: ["ignore", "pipe", "inherit"] })
    let line = ""
    child.stdout.setEncoding("utf8").on("data", (text) => {
      const lines = (line + text).split("\n")
      line = lines.pop() ?? ""
      for (const complete of lines) {
        if (complete.startsWith("{")) resolve(JSON.parse(complete))
        else print(complete)
      }
    })
    child.on("exit", (code) => {
      if (code !== 0) process.exit(code ?? 1)
    })
  })

/** @type {Record<string, unknown>} */
const ratios = {}
for (const bench of chosen) {
  print(`## ${bench}\n`)
  ratios[bench] = await run(bench)
}
print(JSON.stringify(chosen.length === 1 ? ratios[chosen[0]] : ratios))
