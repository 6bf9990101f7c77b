/**
 * After `changeset version`, in the folder of the package: odd majors are those on Effect 3, even ones those that are
 * generated for Effect 4. A change that breaks programs raises 1.x to 2.0.0, which is taken; here it becomes 3.0.0.
 */
import { readFileSync, writeFileSync } from "node:fs"

const replace = (/** @type {string} */ file, /** @type {string} */ from, /** @type {string} */ to) => {
  writeFileSync(file, readFileSync(file, "utf8").replace(from, to))
}

const { version } = JSON.parse(readFileSync("package.json", "utf8"))
const [major, ...rest] = version.split(".")
if (Number(major) % 2 === 0) {
  const next = [Number(major) + 1, ...rest].join(".")
  replace("package.json", `"version": "${version}"`, `"version": "${next}"`)
  replace("CHANGELOG.md", `## ${version}\n`, `## ${next}\n`)
}
