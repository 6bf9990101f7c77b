/**
 * The documentation names files, declarations and numbers of this repository: each of them is there.
 */
import { assert, describe, it } from "@effect/vitest"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import ts from "typescript"

const root = new URL("..", import.meta.url).pathname

const read = (path: string): string => readFileSync(join(root, path), "utf8")

/** The files within a folder whose paths from there match. */
const within = (folder: string, pattern: RegExp): ReadonlyArray<string> =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => pattern.test(path))
    .map((path) => join(folder, path))
    .sort()

const pages = ["README.md", "CONTRIBUTING.md", "bench/README.md", ...within("docs", /\.md$/)]

const nameOf = (node: ts.Node): string | undefined => {
  const name = ts.getNameOfDeclaration(node as ts.Declaration)
  return name === undefined || !ts.isIdentifier(name) ? undefined : name.text
}

/** The text of everything that is declared by this name: a constant, a function, a class, a type, a member. */
const declarations = (path: string, name: string): ReadonlyArray<string> => {
  const source = ts.createSourceFile(path, read(path), ts.ScriptTarget.Latest)
  const found: Array<string> = []
  const visit = (node: ts.Node): void => {
    if (nameOf(node) === name) found.push(node.getText(source))
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

/** Such as `src/client/retry.ts:schedule`, or `test/cases/`. */
const reference = /`((?:\.ci|bench|docs|examples|src|test)\/[\w./-]*)(?::(\w+))?`/g

const architecture = read("docs/architecture.md")

describe("the documentation", () => {
  it.each(pages)("%s names only files and declarations that exist", (page) => {
    for (const [named, path = "", name] of read(page).matchAll(reference)) {
      assert.isTrue(existsSync(join(root, path)), `${page} names ${named}, which does not exist`)
      if (name === undefined) continue
      assert.isNotEmpty(declarations(path, name), `${page} names ${named}, but ${path} declares no ${name}`)
    }
  })

  it.each(pages)("%s links only to pages that exist", (page) => {
    for (const [, target = ""] of read(page).matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)) {
      assert.isTrue(existsSync(join(root, dirname(page), target)), `${page} links to ${target}, which does not exist`)
    }
  })

  it("says what each module of the client is for", () => {
    const modules = within("src", /^([a-z]+\/)?\w+\.ts$/)
    const unnamed = modules.filter((path) => !architecture.includes(basename(path)))
    assert.deepStrictEqual(unnamed, [], "docs/architecture.md, under Rooms, does not say what these are for")
    const known = new Set(modules.map((path) => basename(path)))
    const gone = Array.from(architecture.matchAll(/`(\w+\.ts)`/g), ([, name = ""]) => name).filter(
      (it) => !known.has(it)
    )
    assert.deepStrictEqual(gone, [], "docs/architecture.md names modules that do not exist")
  })

  const row = /^\|(?<what>[^|]+)\|[^|]+\| `(?<value>[^`]+)` +\| `(?<path>src\/[\w./]+):(?<name>\w+)` +\|$/gm

  it.each(Array.from(architecture.matchAll(row), ({ groups = {} }) => groups))(
    "has the number that the source has: $what",
    ({ name = "", path = "", value = "" }) => {
      const found = declarations(path, name).some((text) => text.includes(value))
      assert.isTrue(found, `docs/architecture.md says ${value}, and ${path}:${name} does not: correct the table`)
    }
  )

  it("has every decision in its list, and no more than a page of each", () => {
    const decisions = within("docs/decisions", /^\d/)
    const list = read("docs/decisions/README.md")
    for (const path of decisions) {
      assert.include(list, `(${basename(path)})`)
      const text = read(path)
      for (const part of ["Context", "Decision", "Figures", "Revisit when"]) assert.include(text, `**${part}`)
      assert.isAtMost(text.split("\n").length, 20, `${path} is a page, not an essay`)
    }
  })
})
