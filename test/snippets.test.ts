/**
 * Every TypeScript block of the README, the guides and the docstrings of public modules, as printed: it stands by itself
 * with its imports, and compiles.
 *
 * A block that begins with a comment such as `// lume.ts` is that file, and other blocks of its page can import it.
 */
import { assert, beforeAll, describe, it } from "@effect/vitest"
import { readdirSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import ts from "typescript"
import { publicModules } from "./support/publicModules.js"

const root = new URL("..", import.meta.url).pathname

const pages = [
  "README.md",
  "AGENTS.md",
  ...readdirSync(join(root, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
  ...publicModules
]

/** A block as a file beside its page. */
interface Snippet {
  readonly page: string
  /** The page's line before the block's first. */
  readonly line: number
  readonly path: string
  readonly text: string
}

/** A page's text; of a module what its docstrings say, each on its own lines. */
const markdownOf = (page: string): string => {
  const text = readFileSync(join(root, page), "utf8")
  if (!page.endsWith(".ts")) return text
  return text.replaceAll(/^(?![ \t]*\*)[^\n]*$/gm, "").replaceAll(/^[ \t]*\* ?/gm, "")
}

const snippetsOf = (page: string): ReadonlyArray<Snippet> => {
  const markdown = markdownOf(page)
  return Array.from(markdown.matchAll(/^```ts\n(.*?)^```$/gms), ({ index, [1]: text = "" }, number) => {
    const [, name = `${number}.ts`] = /^\/\/ ([\w-]+\.ts)\n/.exec(text) ?? []
    const line = markdown.slice(0, index).split("\n").length
    return { page, line, path: join(root, page.replace(/\.\w+$/, ""), name), text }
  })
}

const snippets = new Map(pages.flatMap(snippetsOf).map((snippet) => [snippet.path, snippet]))

const folders = new Set(Array.from(snippets.keys(), dirname))

const options = ts.parseJsonConfigFileContent(
  ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile).config,
  ts.sys,
  root
).options

const makeProgram = (): ts.Program => {
  const host = ts.createCompilerHost(options)
  return ts.createProgram(Array.from(snippets.keys()), options, {
    ...host,
    directoryExists: (path) => folders.has(path) || ts.sys.directoryExists(path),
    fileExists: (path) => snippets.has(path) || host.fileExists(path),
    readFile: (path) => snippets.get(path)?.text ?? host.readFile(path),
    getSourceFile: (path, version) => {
      const snippet = snippets.get(path)
      return snippet === undefined
        ? host.getSourceFile(path, version)
        : ts.createSourceFile(path, snippet.text, version, true)
    }
  })
}

/** What is wrong with a block, by the lines of its page. A constant that it only shows need not be used, an import must. */
const problems = (program: ts.Program, { line, page, path, text }: Snippet): ReadonlyArray<string> =>
  ts
    .getPreEmitDiagnostics(program, program.getSourceFile(path))
    .map(({ code, messageText, start = 0 }) => {
      const at = text.slice(0, start).split("\n").length
      const unused = code === 6133 || code === 6192 || code === 6196
      const shown = unused && !(text.split("\n")[at - 1] ?? "").startsWith("import")
      return shown ? "" : `${page}:${line + at}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`
    })
    .filter((problem) => problem !== "")

describe("the snippets", () => {
  let found: ReadonlyArray<string> = []

  beforeAll(() => {
    const program = makeProgram()
    found = Array.from(snippets.values()).flatMap((snippet) => problems(program, snippet))
  }, 120_000)

  it.each(pages)("of %s compile as printed", (page) => {
    assert.deepStrictEqual(
      found.filter((problem) => problem.startsWith(`${page}:`)),
      []
    )
  })
})
