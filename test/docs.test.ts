/**
 * The documentation names files, declarations and numbers of this repository: each of them is there.
 */
import { assert, describe, it } from "@effect/vitest"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import ts from "typescript"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { duration } from "../src/cli/arguments.js"
import * as LumeMetadata from "../src/LumeMetadata.js"
import * as LumeTest from "../src/LumeTest.js"
import { publicModules } from "./support/publicModules.js"

const root = new URL("..", import.meta.url).pathname

const read = (path: string): string => readFileSync(join(root, path), "utf8")

/** The files within a folder whose paths from there match. */
const filesIn = (folder: string, pattern: RegExp): ReadonlyArray<string> =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => pattern.test(path))
    .map((path) => join(folder, path))
    .toSorted()

const pages = [
  "README.md",
  "AGENTS.md",
  "CHANGELOG.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  "bench/README.md",
  "effect-4/README.md",
  ...filesIn("docs", /\.md$/)
]

/** The texts of what a module declares, by name: constants, functions, types, and their members. */
const declarationsOf = (path: string): ReadonlyMap<string, ReadonlyArray<string>> => {
  const source = ts.createSourceFile(path, read(path), ts.ScriptTarget.Latest)
  const found = new Map<string, Array<string>>()
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) return
    // it looks at any node, and gives nothing for one that is no declaration
    const name = ts.getNameOfDeclaration(node as ts.Declaration)
    if (name !== undefined && ts.isIdentifier(name)) {
      found.set(name.text, [...(found.get(name.text) ?? []), node.getText(source)])
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

const modules = new Map<string, ReadonlyMap<string, ReadonlyArray<string>>>()

const declarations = (path: string, name: string): ReadonlyArray<string> => {
  const module = modules.get(path) ?? declarationsOf(path)
  modules.set(path, module)
  return module.get(name) ?? []
}

/** Such as `src/client/retry.ts:schedule`, or `test/cases/`. */
const reference =
  /`((?:\.ci|bench|docs|effect-4(?!\/(?:build|node_modules))|examples|scripts|src|test)\/[\w./-]*)(?::(\w+))?`/g

const architecture = read("docs/architecture.md")
const options = "src/client/options.ts"

const textOf = (paths: ReadonlyArray<string>): string => paths.map(read).join("\n")

const withoutComments = (text: string): string => text.replaceAll(/\/\*.*?\*\//gs, "")

/** The source without its comments, all of it and what is not the local Lume. */
const source = withoutComments(textOf(filesIn("src", /\.ts$/)))
const client = withoutComments(textOf(filesIn("src", /^(?!local\/).*\.ts$/)))

/** What a public module exports, with its docstring, but for what is internal. */
const exportsOf = (path: string): ReadonlyArray<{ name: string; docs: string; isFunction: boolean }> => {
  const source = ts.createSourceFile(path, read(path), ts.ScriptTarget.Latest, true)
  const docsOf = (node: ts.Node): string =>
    (ts.getLeadingCommentRanges(source.text, node.getFullStart()) ?? [])
      .map(({ end, pos }) => source.text.slice(pos, end))
      .filter((comment) => comment.startsWith("/**"))
      .join("\n")
  const isFunction = ({ initializer, type }: ts.VariableDeclaration): boolean =>
    (initializer !== undefined && ts.isArrowFunction(initializer)) ||
    (type !== undefined &&
      (ts.isFunctionTypeNode(type) || (ts.isTypeLiteralNode(type) && type.members.some(ts.isCallSignatureDeclaration))))
  return source.statements
    .flatMap((statement) => {
      if (ts.isExportDeclaration(statement) && statement.exportClause !== undefined) {
        const { exportClause } = statement
        return ts.isNamedExports(exportClause)
          ? exportClause.elements.map((node) => ({ name: node.name.text, docs: docsOf(node), isFunction: false }))
          : []
      }
      if (!ts.canHaveModifiers(statement)) return []
      if (ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) !== true) return []
      const docs = docsOf(statement)
      return ts.isVariableStatement(statement)
        ? statement.declarationList.declarations.map((node) => ({
            name: node.name.getText(source),
            docs,
            isFunction: isFunction(node)
          }))
        : [{ name: declaredName(statement), docs, isFunction: ts.isFunctionDeclaration(statement) }]
    })
    .filter(({ docs }) => !docs.includes("@internal"))
}

const declaredName = (node: ts.Node): string => {
  // it gives nothing for what is no declaration
  const name = ts.getNameOfDeclaration(node as ts.Declaration)
  return name !== undefined && ts.isIdentifier(name) ? name.text : "?"
}

/** Effect's words for kinds of exports, and three of our own: schedules, signatures and testing. */
const categories = [
  "accessors",
  "combinators",
  "constructors",
  "decoding",
  "errors",
  "getters",
  "layers",
  "models",
  "predicates",
  "schedules",
  "schemas",
  "signatures",
  "tags",
  "testing"
]

/** The places in metadata, or in its JSON, that hold no further ones, with the types of what they hold. */
const leavesOf = (value: unknown, path = ""): ReadonlyArray<{ readonly path: string; readonly type: string }> => {
  const type = typeOf(value)
  if (type !== undefined) return [{ path, type }]
  return Array.isArray(value)
    ? value.slice(0, 1).flatMap((item) => leavesOf(item, `${path}[]`))
    : Object.entries(Object(value)).flatMap(([key, inner]) => leavesOf(inner, path === "" ? key : `${path}.${key}`))
}

const typeOf = (value: unknown): string | undefined => {
  if (DateTime.isDateTime(value)) return "DateTime.Utc"
  if (Duration.isDuration(value)) return "Duration"
  if (Option.isOption(value)) return `Option<${Option.getOrUndefined(Option.map(value, typeOf)) ?? "nothing"}>`
  return typeof value === "object" && value !== null ? undefined : typeof value
}

describe("the docstrings", () => {
  it.each(publicModules)(
    "of %s say since when each export is there and of what kind, and functions how to call them",
    (path) => {
      assert.match(
        read(path),
        /^\/\*\*(?:(?!\*\/).)*\n \* @module\n/s,
        `${path} begins with no docstring that says @module`
      )
      for (const { docs, isFunction, name } of exportsOf(path)) {
        const [, category = "none"] = /@category (\w+)/.exec(docs) ?? []
        assert.include(categories, category, `${path}: ${name} has no category, or one that no other has`)
        assert.match(docs, /@since \d+\.\d+\.\d+/, `${path}: ${name} does not say since which version it is there`)
        if (isFunction) assert.include(docs, "@example", `${path}: ${name} is a function without an example`)
      }
    }
  )
})

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

  it("has an index of its pages, each once and with a line of its own, which the README links to", () => {
    const listed = Array.from(
      read("docs/README.md").matchAll(/^- \[[^\]]+\]\(([\w./-]+)\): .+$/gm),
      ([, page = ""]) => page
    )
    const there = filesIn("docs", /^(?!README)[\w-]+\.md$/).map((path) => basename(path))
    assert.deepStrictEqual(listed.toSorted(), [...there, "decisions/README.md"].toSorted())
    assert.include(read("README.md"), "](docs/README.md)")
  })

  it.each(["README.md", "AGENTS.md", "CHANGELOG.md", "SECURITY.md", ...filesIn("docs", /\.md$/)])(
    "%s, which is in the package, links by its path only to what is in the package",
    (page) => {
      for (const [, target = ""] of read(page).matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)) {
        const path = join(dirname(page), target)
        assert.match(
          path,
          /^(?:(?:README|AGENTS|CHANGELOG|SECURITY)\.md|LICENSE|docs\/(?!api\/|images\/).*|src\/.*)$/,
          `${page} links to ${path}, which npm does not pack: name it by its address on GitHub`
        )
      }
    }
  )

  it("says what each module is for", () => {
    const paths = filesIn("src", /^([a-z]+\/)?\w+\.ts$/)
    const unnamed = paths.filter((path) => !architecture.includes(basename(path)))
    assert.deepStrictEqual(unnamed, [], "docs/architecture.md does not say under Folders what these are for")
    const named = Array.from(architecture.matchAll(/`(\w+\.ts)`/g), ([, name = ""]) => name)
    const names = new Set(filesIn("src", /\.ts$/).map((path) => basename(path)))
    const gone = named.filter((name) => !names.has(name))
    assert.deepStrictEqual(gone, [], "docs/architecture.md names modules that do not exist")
  })

  const row = /^\| (?<what>.*?) +\|[^|]+\| `(?<value>[^`]+)` +\| `(?<path>src\/[\w./]+):(?<name>\w+)` +\|$/gm
  const numbers = Array.from(architecture.matchAll(row), ({ groups = {} }) => groups)

  it.each(numbers)("has the number that the source has: $what", ({ name = "", path = "", value = "" }) => {
    const found = declarations(path, name).some((text) => text.includes(value))
    assert.isTrue(found, `docs/architecture.md says ${value}, and ${path}:${name} does not: correct the table`)
  })

  /** Sentences that repeat a number of the source: what stands around it, and the declaration that has it. */
  const repeated: ReadonlyArray<readonly [page: string, around: RegExp, path: string, name: string]> = [
    ["README.md", /at once, then every (.+?), for up to/, options, "defaultInterval"],
    ["README.md", /for up to (.+?)\. `watch`/, options, "defaultTimeout"],
    ["README.md", /over at least `tolerance` \((.+?)\)/, options, "defaultTolerance"],
    ["docs/cli.md", /How long to wait for all of them; default (\w+)/, options, "defaultTimeout"],
    ["docs/cli.md", /The time between two reads of a run; default (\w+)/, options, "defaultInterval"],
    ["docs/cli.md", /export LUME_BASE_URL=http:\/\/127\.0\.0\.1:(\d+)/, "src/cli/local.ts", "usualPort"],
    ["src/cli/main.ts", /how long to wait \(.*?; default: (\w+)/, options, "defaultTimeout"],
    ["src/cli/main.ts", /the time between two reads; default: (\w+)/, options, "defaultInterval"],
    ["src/cli/main.ts", /0 for any free one; default: (\d+)/, "src/cli/local.ts", "usualPort"],
    ["src/LumeClient.ts", /How long to wait; .*?Default: (.+?), as/, options, "defaultTimeout"],
    ["src/LumeClient.ts", /The time between two reads\. Default: (.+?), as/, options, "defaultInterval"],
    ["src/LumeClient.ts", /as Lume's own; (.+?) with `layerWithEvents`/, options, "defaultIntervalWithEvents"],
    ["src/LumeClient.ts", /or has been read\. Default: (.+?)\./, options, "defaultTolerance"],
    ["src/LumeClient.ts", /They poll every (.+?)\s+unless told otherwise/, options, "defaultIntervalWithEvents"]
  ]

  it.each(repeated)("repeats the number that the source has: %s, %s", (page, around, path, name) => {
    const [, said = ""] = around.exec(read(page).replaceAll(/\s*\n[ *]*/g, " ")) ?? []
    const [, quoted, bare] = /= (?:"(.+)"|(\d+))$/.exec(declarations(path, name)[0] ?? "") ?? []
    const meant = (text: string): number => (/^\d+$/.test(text) ? Number(text) : duration(text))
    assert.strictEqual(
      meant(said),
      meant(quoted ?? bare ?? ""),
      `${page} says ${said} where ${path}:${name} has its own`
    )
  })

  it("has every field of the metadata in the README's table, by Lume's name and ours, and with its type", () => {
    const metadata = LumeTest.metadata({
      results: { inputRows: 10, rejectedRows: 1 },
      errors: [{ stage: "TRANSFORMING", errorCode: "BAD_SQL", message: "The flow has a mistake." }]
    })
    const rows = read("README.md").matchAll(/^\| `([\w.[\]]+)` +\| `([\w.[\]]+)` +\| `([\w.<>]+)` +\|/gm)
    const table = Array.from(rows, ([, wire = "", ours = "", type = ""]) => ({ wire, ours, type }))
    const encoded = Schema.encodeSync(LumeMetadata.LumeMetadata)(metadata)
    assert.sameMembers(
      table.map(({ wire }) => wire),
      leavesOf(encoded).map(({ path }) => path)
    )
    assert.sameMembers(
      table.map(({ ours, type }) => `${ours}: ${type}`),
      leavesOf(metadata).map(({ path, type }) => `${path}: ${type}`)
    )
  })

  it("names everything that is seen of the client: spans, attributes, metrics, logs", () => {
    const page = read("docs/observability.md")
    for (const [name] of client.matchAll(/(?<=")(LumeClient\.[a-z]\w+|lume\.[a-z_]+|effect_lume_\w+)(?=")/g)) {
      assert.include(page, `\`${name}\``)
    }
    // of a message, the longest part that is always the same
    for (const [, message = ""] of client.matchAll(/Effect\.log\w+\(\s*[`"](.+?)[`"]/g)) {
      const [part = ""] = message.split(/\$\{.*?\}/).toSorted((one, other) => other.length - one.length)
      assert.include(page, part.trim())
    }
  })

  it.each([
    ["src/LumeClient.ts", "Options"],
    ["src/LumeClient.ts", "WaitOptions"],
    ["src/internal/quality.ts", "Limits"]
  ])("names every option: %s, %s", (path, name) => {
    const page = read("docs/options.md")
    const [, members = ""] = new RegExp(`^export interface ${name} \\{$(.+?)^\\}$`, "ms").exec(read(path)) ?? []
    const names = Array.from(members.matchAll(/^ {2}readonly (\w+)\??:/gm), ([, member = ""]) => member)
    assert.isNotEmpty(names)
    for (const member of names) assert.match(page, new RegExp(`^\\| \`${member}\` +\\|`, "m"))
  })

  it("explains messages that the client has", () => {
    const page = read("docs/troubleshooting.md")
    const [, ours = ""] = /^## Messages of the client$(.*)^## Messages of Effect$/ms.exec(page) ?? []
    for (const [, message = ""] of ours.matchAll(/^\| `([^`]+)`/gm)) {
      for (const part of message.split("…")) assert.include(source, part.trim(), message)
    }
  })

  it("has every decision in its list, each on one page with the same parts", () => {
    const list = read("docs/decisions/README.md")
    for (const path of filesIn("docs/decisions", /^\d/)) {
      assert.include(list, `(${basename(path)})`)
      const text = read(path)
      for (const part of ["Context", "Decision", "Figures", "Revisit when"]) assert.include(text, `**${part}`)
      assert.isAtMost(text.split("\n").length, 20, path)
    }
  })
})
