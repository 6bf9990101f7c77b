/**
 * The version of a release: `changeset version` and `scripts/nextPair.mjs`, as `npm run version` calls them.
 */
import { assert, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import path from "node:path"

const root = path.resolve(import.meta.dirname, "..")
const changeset = path.join(root, "node_modules/.bin/changeset")

const written = readFileSync(path.join(root, "CHANGELOG.md"), "utf8")
const title = "# effect-lume\n\n"

/** What a changeset makes of version 1.0.0. */
const released = (kind: "patch" | "minor" | "major") => {
  const folder = mkdtempSync(path.join(tmpdir(), "versions-"))
  const at = (name: string) => path.join(folder, name)
  const run = (file: string, ...args: ReadonlyArray<string>) =>
    execFileSync(file, args, { cwd: folder, stdio: ["ignore", "ignore", "pipe"] })
  try {
    writeFileSync(at("package.json"), JSON.stringify({ name: "effect-lume", version: "1.0.0" }, null, 2))
    writeFileSync(at("CHANGELOG.md"), written)
    mkdirSync(at(".changeset"))
    cpSync(path.join(root, ".changeset/config.json"), at(".changeset/config.json"))
    writeFileSync(at(".changeset/change.md"), `---\n"effect-lume": ${kind}\n---\n\nWhat users notice.\n`)
    run("git", "init", "--quiet", "--initial-branch=main")
    run(changeset, "version")
    run(process.execPath, path.join(root, "scripts/nextPair.mjs"))
    const manifest: { readonly version: string } = JSON.parse(readFileSync(at("package.json"), "utf8"))
    return { version: manifest.version, changelog: readFileSync(at("CHANGELOG.md"), "utf8") }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

for (const [kind, version, heading] of [
  ["patch", "1.0.1", "Patch Changes"],
  ["minor", "1.1.0", "Minor Changes"],
  // 2.x is the line on Effect 4
  ["major", "3.0.0", "Major Changes"]
] as const) {
  it(`is ${version} after 1.0.0 with a ${kind} change, in the changelog too`, () => {
    const { changelog, version: actual } = released(kind)
    assert.strictEqual(actual, version)
    // above all that stood there, and beneath the title
    const before = written.slice(title.length)
    assert.isTrue(written.startsWith(`${title}## `))
    assert.match(
      changelog,
      new RegExp(`^${title}## ${version}\n\n### ${heading}\n\n- (?:\\w+: )?What users notice\\.\n\n`)
    )
    assert.isTrue(changelog.endsWith(before))
  })
}
