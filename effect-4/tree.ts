/**
 * The tree of the Effect 4 line: what the rules make of each file, or the file in `by-hand/` that stands for it. And what
 * is wrong with it, so that it can't rot without a word.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join, relative } from "node:path"
import ts from "typescript"
import * as engine from "./engine.js"
import type { Rules } from "./engine.js"

/** Where things are. */
export interface Folders {
  /** The source, on Effect 3. */
  readonly source: string
  /** This folder: `by-hand/`, package.json and node_modules of Effect 4. */
  readonly line: string
  /** Where the tree goes. It must be beneath `line`, so that it finds Effect 4. */
  readonly tree: string
}

/** What is written in both lines. */
const folders = ["src", "test", "examples", "docs"]
const files = [
  ".oxfmtrc.json",
  ".oxlintrc.json",
  "AGENTS.md",
  "CHANGELOG.md",
  "CONTRIBUTING.md",
  "LICENSE",
  "README.md",
  "SECURITY.md",
  "scripts/imports.mjs",
  "tsconfig.json",
  "tsconfig.build.json",
  "tstyche.json",
  "vitest.config.ts"
]

/**
 * What stays on Effect 3: `workflow/`, with the tests and examples that are about it; an example about Effect 3's router; the
 * command, which is the same bundle in both; the tests of the repository, which are about both; and those of `local/` that
 * take long and show the engine.
 */
const left = [
  /^src\/(?:workflow|cli)\//,
  /^examples\/(?:durable|webhook-app)\//,
  /^test\/(?:workflow|consumers|durable|postgres|soak)\//,
  /^test\/(?:cli\w*|docs|imports|package|soak|versions)\.test\.ts$/,
  /^test\/types\/workflow\./,
  /^test\/local\/(?:differential\w*|command|recordings|LocalLumeKills)(?:\.test)?\.ts$/
]

const isLeft = (path: string): boolean => left.some((pattern) => pattern.test(path))

/** The files by hand that stand for no file of the source: other files by hand share them. */
const shared = new Set(["src/internal/generators.ts"])

const filesIn = (folder: string): ReadonlyArray<string> =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
    : []

/** The modules of Effect 4 that are installed in a folder, by the names under which they are imported. */
const modulesIn = (line: string): engine.Modules => {
  const root = join(line, "node_modules/effect/dist")
  const modules = new Map([["FastCheck", "fast-check"]])
  const add = (folder: string): void => {
    for (const file of readdirSync(join(root, folder))) {
      const name = file.endsWith(".d.ts") ? file.slice(0, -".d.ts".length) : "index"
      if (name !== "index" && !modules.has(name)) modules.set(name, join("effect", folder, name))
    }
  }
  add("")
  for (const entry of readdirSync(root, { withFileTypes: true })) {
    if (entry.isDirectory() && entry.name !== "internal") add(entry.name)
  }
  return modules
}

interface PackageJson {
  readonly version: string
  readonly exports: Readonly<Record<string, unknown>>
  readonly [field: string]: unknown
}

const readJson = (path: string): PackageJson => JSON.parse(readFileSync(path, "utf8"))

/** The same number with the next major: the version of this line. */
const versionOf = (version: string): string => version.replace(/^\d+/, (major) => String(Number(major) + 1))

/** The same changes under the versions of this line. */
const changelogOf = (text: string): string =>
  text.replaceAll(/^## (\d\S*)$/gm, (_, version: string) => `## ${versionOf(version)}`)

/** The package as it is published: the source's, with what this line says in its place. */
const manifest = ({ line, source }: Folders): PackageJson => {
  const root = readJson(join(source, "package.json"))
  const { peerDependencies, peerDependenciesMeta } = readJson(join(line, "package.json"))
  const { devDependencies: _, exports, scripts: __, ...shared } = root
  const paths = Object.entries(exports).filter(([path]) => !path.startsWith("./workflow/"))
  return {
    ...shared,
    version: versionOf(root.version),
    exports: Object.fromEntries(paths),
    peerDependencies,
    peerDependenciesMeta
  }
}

/** Turns one module, as `write` does. */
export const turner = ({ line }: Pick<Folders, "line">, rules: Rules): ((text: string) => string) =>
  engine.make(rules, modulesIn(line)).module

/** What is wrong with a tree, in words. */
export interface Problems {
  /** Rules that nothing needs any more. */
  readonly unused: ReadonlyArray<string>
  readonly wrong: ReadonlyArray<string>
}

/** Whether a page is about 1.x only, as its first line says. */
const isAboutOther = (page: string): boolean => /^# [^\n]*\n\n_1\.x \(Effect 3\) only\._/.test(page)

const aboutOther = "_1.x (Effect 3) only._"

const unlessAboutOther = (text: string): string => (text.includes(aboutOther) ? "" : text)

/** A table without the rows that are about 1.x only; nothing where its head says that all of it is. */
const tableWithoutOther = (table: string): string => {
  const [head = "", ...rows] = table.split(/(?<=\n)/)
  return head.includes(aboutOther) ? "" : head + rows.map(unlessAboutOther).join("")
}

/** A page without the sections, the items of lists, the tables, their rows and the commands that are about 1.x only. */
const withoutOther = (page: string): string =>
  page
    .replaceAll(/^## [^\n]*\n\n_1\.x \(Effect 3\) only\._.*?(?=^## |$(?![^]))/gms, "")
    .replaceAll(/^### [^\n]*\n\n_1\.x \(Effect 3\) only\._.*?(?=^##|$(?![^]))/gms, "")
    .replaceAll(/^.* # Effect 3\n/gm, "")
    .replaceAll(/ +# Effect 4$/gm, "")
    .replaceAll(/^(?:-|\d+\.) [^\n]*\n(?: {2,}[^\n]*\n)*/gm, unlessAboutOther)
    .replaceAll(/^(?:\|[^\n]*\n)+/gm, tableWithoutOther)

/** Writes the tree. */
export const write = (where: Folders, rules: Rules): Problems => {
  const { line, source, tree } = where
  const turn = engine.make(rules, modulesIn(line))
  const byHand = join(line, "by-hand")
  const put = (path: string, text: string): void => {
    mkdirSync(dirname(join(tree, path)), { recursive: true })
    writeFileSync(join(tree, path), text)
  }

  rmSync(tree, { recursive: true, force: true })
  // the formatter and the linter skip what git ignores, unless it is a repository of its own
  mkdirSync(join(tree, ".git"), { recursive: true })
  const all = folders.flatMap((folder) => filesIn(join(source, folder)))
  const gone = new Set(all.filter((file) => file.endsWith(".md") && isAboutOther(readFileSync(file, "utf8"))))
  /** A page as this line has it; as it stands where it is about both, or about the source. */
  const page = (path: string): string => {
    const text = readFileSync(join(source, path), "utf8")
    return isOfSource(path) ? text : turn.page(withoutOther(text))
  }
  for (const file of all) {
    const path = relative(source, file)
    if (isLeft(path) || existsSync(join(byHand, path)) || gone.has(file)) continue
    if (path.endsWith(".ts")) put(path, turn.module(readFileSync(file, "utf8")))
    else if (path.endsWith(".md")) put(path, page(path))
    else {
      mkdirSync(dirname(join(tree, path)), { recursive: true })
      cpSync(file, join(tree, path))
    }
  }
  for (const path of files) {
    if (path === "CHANGELOG.md") put(path, changelogOf(readFileSync(join(source, path), "utf8")))
    else put(path, path.endsWith(".md") ? page(path) : readFileSync(join(source, path), "utf8"))
  }
  if (existsSync(byHand)) cpSync(byHand, tree, { recursive: true })
  put("package.json", `${JSON.stringify(manifest(where), null, 2)}\n`)

  return {
    unused: turn.unused().map((rule) => `This rule is never used: ${rule}. Remove it.`),
    wrong: [...survivors(where), ...strangers(where), ...deadLinks(where), ...mentions(where), ...members(where)]
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// What must not be

const parse = (path: string): ts.SourceFile =>
  ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.Latest, true)

const isCode = (path: string): boolean => path.endsWith(".ts")

/** The modules that a file imports or exports from, in whatever way. */
const specifiersOf = (file: string): ReadonlyArray<string> => {
  const found: Array<string> = []
  const visit = (node: ts.Node): void => {
    const specifier =
      ts.isImportDeclaration(node) || ts.isExportDeclaration(node)
        ? node.moduleSpecifier
        : ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)
          ? node.argument.literal
          : ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword
            ? node.arguments[0]
            : undefined
    if (specifier !== undefined && ts.isStringLiteral(specifier)) found.push(specifier.text)
    ts.forEachChild(node, visit)
  }
  visit(parse(file))
  return found
}

const isOfEffect = (module: string): boolean => /^(?:effect|@effect)(?:\/|$)/.test(module)

/** Imports of Effect that this line does not have: Node and TypeScript would find those of Effect 3, further up. */
const survivors = ({ line, tree }: Folders): ReadonlyArray<string> =>
  filesIn(tree)
    .filter((file) => isCode(file) || file.endsWith(".mjs"))
    .flatMap((file) => {
      const { resolve } = createRequire(file)
      const isHere = (specifier: string): boolean => {
        try {
          return resolve(specifier).startsWith(join(line, "node_modules"))
        } catch {
          return false
        }
      }
      return specifiersOf(file)
        .filter((specifier) => isOfEffect(specifier) && !isHere(specifier))
        .map((specifier) => `${relative(tree, file)} imports ${specifier}, which is not of Effect 4. Add a rule.`)
    })

const exportsOf = (path: string): ReadonlySet<string> => {
  const names = new Set<string>()
  for (const statement of parse(path).statements) {
    if (ts.isExportDeclaration(statement) && statement.exportClause !== undefined) {
      if (ts.isNamedExports(statement.exportClause)) {
        for (const { name } of statement.exportClause.elements) names.add(name.text)
      } else names.add(statement.exportClause.name.text)
    }
    const modifiers = ts.canHaveModifiers(statement) ? (ts.getModifiers(statement) ?? []) : []
    if (!modifiers.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) continue
    if (ts.isVariableStatement(statement)) {
      for (const { name } of statement.declarationList.declarations) names.add(name.getText())
    } else if ("name" in statement && statement.name !== undefined) {
      // every other statement that can be exported has an identifier as its name
      names.add((statement.name as ts.Identifier).text)
    }
  }
  return names
}

/** Files by hand that stand for no file of the source, or export other names than it does. */
const strangers = ({ line, source }: Folders): ReadonlyArray<string> => {
  const byHand = join(line, "by-hand")
  return filesIn(byHand)
    .filter(isCode)
    .flatMap((file) => {
      const path = relative(byHand, file)
      const original = join(source, path)
      if (!existsSync(original))
        return shared.has(path) ? [] : [`by-hand/${path} stands for no file: move it to where its original is now.`]
      const [here, there] = [exportsOf(file), exportsOf(original)]
      const missing = [...there].filter((name) => !here.has(name))
      const added = [...here].filter((name) => !there.has(name))
      return [
        ...missing.map((name) => `by-hand/${path} does not export ${name}, as ${path} does.`),
        ...added.map((name) => `by-hand/${path} exports ${name}, which ${path} does not.`)
      ]
    })
}

/** The pages that are published. */
const pagesIn = (tree: string): ReadonlyArray<string> =>
  [...filesIn(join(tree, "docs")), ...["README.md", "AGENTS.md", "SECURITY.md"].map((page) => join(tree, page))].filter(
    (file) => file.endsWith(".md")
  )

/** What is only in 1.x. */
const onlyInOther = /\bworkflow\/|\bLumeWorkflow\b|\bPgRunEvents\b|@effect\/workflow\b|@effect\/platform(?!-)/

/** Pages that are about both lines. */
const aboutBoth = new Set(["docs/effect-4.md", "docs/decisions/0009-effect-3-first.md"])

/** Pages in which Effect's names are those of Effect 3: decisions are about the source. */
const isOfSource = (path: string): boolean => aboutBoth.has(path) || path.startsWith("docs/decisions/")

/** What a line says that speaks of the other line: how it is installed, what it needs, that it has something alone. */
const isSaidOfOther = (line: string): boolean => /\b1\.x\b|\bEffect 3\b|effect-lume@1\b|no `workflow\/` yet/.test(line)

/** Lines of what is published that mention what this line does not have. */
const mentions = ({ tree }: Folders): ReadonlyArray<string> =>
  pagesIn(tree)
    .filter((file) => !aboutBoth.has(relative(tree, file)))
    .flatMap((file) =>
      readFileSync(file, "utf8")
        .split("\n")
        .flatMap((line, index) =>
          onlyInOther.test(line) && !isSaidOfOther(line)
            ? [`${relative(tree, file)}:${index + 1} mentions what only 1.x has. Mark it: ${aboutOther}`]
            : []
        )
    )

/** The names of Effect's modules in a folder of declarations. */
const namesIn = (folder: string): ReadonlyArray<string> =>
  existsSync(folder)
    ? readdirSync(folder).flatMap((file) => (/^[A-Z]\w*\.d\.ts$/.test(file) ? [file.slice(0, -".d.ts".length)] : []))
    : []

/** What pages and docstrings name between backticks as members of Effect's modules, and Effect 4 does not have: no compiler reads it. */
const members = ({ line, source, tree }: Folders): ReadonlyArray<string> => {
  const here = modulesIn(line)
  const there = new Set(
    ["effect", "@effect/platform"].flatMap((name) => namesIn(join(source, "node_modules", name, "dist/dts")))
  )
  const exported = new Map<string, ReadonlySet<string>>()
  const has = (module: string, member: string): boolean => {
    const known = Reflect.get(globalThis, module)
    if (typeof known === "function" && (member in known || member in known.prototype)) return true
    const path = here.get(module)
    if (path === undefined) return !there.has(module)
    const names = exported.get(path) ?? exportsOf(join(line, "node_modules", path.replace("/", "/dist/") + ".d.ts"))
    exported.set(path, names)
    return names.has(member)
  }
  const files = [...pagesIn(tree), ...filesIn(join(tree, "src")).filter(isCode)]
  return files
    .filter((file) => !isOfSource(relative(tree, file)))
    .flatMap((file) =>
      Array.from(readFileSync(file, "utf8").matchAll(/(?<!`)`([^`\n]+)`(?!`)/g), ([, span = ""]) => span)
        .flatMap((span) => [...span.matchAll(/(?<![\w.])([A-Z]\w*)\.([A-Za-z]\w*)/g)])
        .filter(([, module = "", member = ""]) => !has(module, member))
        .map(
          ([name]) =>
            `${relative(tree, file)} names ${name}, which Effect 4 does not have. Add a rule, or say it otherwise.`
        )
    )
}

/** The anchors of a page's headings, as GitHub makes them: of a text that comes again, the second has `-1` at its end. */
const anchorsOf = (page: string): ReadonlySet<string> => {
  const times = new Map<string, number>()
  const withoutCode = page.replaceAll(/^```.*?^```/gms, "")
  const anchors = Array.from(withoutCode.matchAll(/^#+ (.*)$/gm), ([, heading = ""]) => {
    const anchor = heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-")
    const before = times.get(anchor) ?? 0
    times.set(anchor, before + 1)
    return before === 0 ? anchor : `${anchor}-${before}`
  })
  return new Set(anchors)
}

/** Links of what is published to pages, and to their headings, that this line does not have. */
const deadLinks = ({ tree }: Folders): ReadonlyArray<string> =>
  pagesIn(tree).flatMap((file) =>
    Array.from(readFileSync(file, "utf8").matchAll(/\]\(([^)#:\s]*)(?:#([^)]*))?\)/g))
      .filter(([, target = "", anchor]) => {
        const page = target === "" ? file : join(dirname(file), target)
        return !existsSync(page) || (anchor !== undefined && !anchorsOf(readFileSync(page, "utf8")).has(anchor))
      })
      .map(([link]) => `${relative(tree, file)} links to ${link.slice(1)}, which this line does not have.`)
  )
