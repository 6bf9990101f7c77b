/**
 * Writes the tree of the Effect 4 line: what the rules make of each file, or the file that stands for it in `by-hand/`.
 */
import { cpSync, existsSync, globSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import * as engine from "./engine.js"
import { rules } from "./rules.js"

/** The modules of Effect 4 that are installed in a folder, by their usual names. */
const modulesIn = (folder: string): engine.Modules => {
  const root = join(folder, "node_modules/effect/dist")
  const modules = new Map<string, string>()
  const add = (directory: string) => {
    for (const file of readdirSync(join(root, directory))) {
      const [name] = file.split(".d.ts")
      if (!file.endsWith(".d.ts") || name === undefined || name === "index" || modules.has(name)) continue
      modules.set(name, join("effect", directory, name))
    }
  }
  add("")
  for (const entry of readdirSync(root, { withFileTypes: true })) {
    if (entry.isDirectory() && entry.name !== "internal") add(entry.name)
  }
  return modules.set("FastCheck", "fast-check")
}
const [from = "..", to = "build"] = process.argv.slice(2)
const e = engine.make(rules, modulesIn("."))
rmSync(to, { recursive: true, force: true })
const walk = (dir: string): Array<string> =>
  readdirSync(dir, { withFileTypes: true }).flatMap((x) =>
    x.isDirectory() ? walk(join(dir, x.name)) : [join(dir, x.name)]
  )
for (const root of ["src", "test", "examples"])
  for (const file of walk(join(from, root))) {
    const path = relative(from, file)
    const out = join(to, path)
    mkdirSync(dirname(out), { recursive: true })
    const hand = join("by-hand", path)
    if (existsSync(hand)) cpSync(hand, out)
    else if (/\.ts$/.test(path)) writeFileSync(out, e.module(readFileSync(file, "utf8")))
    else cpSync(file, out)
  }
for (const f of [
  "tsconfig.json",
  "tsconfig.build.json",
  "vitest.config.ts",
  ".oxlintrc.json",
  ".oxfmtrc.json",
  "tstyche.json"
])
  cpSync(join(from, f), join(to, f))
console.log("unused:\n  " + e.unused().join("\n  "))
for (const file of walk("by-hand")) {
  const out = join(to, relative("by-hand", file))
  mkdirSync(dirname(out), { recursive: true })
  cpSync(file, out)
}
