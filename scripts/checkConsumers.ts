/**
 * `npm run check:consumers`: applications that use the packed package in ways that need a compiler or a bundler. Plain
 * modules, `require` and pnpm's strict tree are in `npm run check:install`.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as esbuild from "esbuild"
import { join } from "node:path"
import type { Browser } from "playwright-core"
import * as vite from "vite"
import { finishedMetadata } from "../test/support/metadata.js"
import { answer, serve } from "../test/support/server.js"
import { launch } from "./browser.js"
import { type Check, hindersNoOther, main } from "./checks.js"
import * as lines from "./lines.js"
import { repository } from "./repository.js"
import { run } from "./run.js"

const consumers = join(repository, "test/consumers")

class Unlike extends Data.TaggedError("Unlike")<{ readonly actual: string; readonly expected: string }> {
  override get message(): string {
    return `it gave ${JSON.stringify(this.actual)} in place of ${JSON.stringify(this.expected)}`
  }
}

const same = (actual: string, expected: string) =>
  actual === expected ? Effect.void : Effect.fail(new Unlike({ actual, expected }))

/** A project of a consumer, with the package and others installed. */
const installed = (line: lines.Line, consumer: string, ...others: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const project = yield* lines.project(line, join(consumers, consumer))
    yield* run(project, [...lines.npmInstall, ...line.packages, ...others])
    return project
  })

/** How bundlers make one module of a project's `main.ts`. Each fails where a built-in module of Node is left. */
const bundlers: Readonly<Record<string, (project: string) => Promise<string>>> = {
  esbuild: async (project) => {
    const { outputFiles } = await esbuild.build({
      entryPoints: [join(project, "main.ts")],
      bundle: true,
      format: "esm",
      platform: "browser",
      target: "es2022",
      write: false
    })
    return outputFiles.map(({ text }) => text).join("\n")
  },
  Vite: async (project) => {
    const built = await vite.build({
      root: project,
      configFile: false,
      logLevel: "error",
      build: { write: false, target: "es2022", rollupOptions: { input: join(project, "main.ts") } }
    })
    const outputs = Array.isArray(built) ? built : "output" in built ? [built] : []
    const chunks = outputs.flatMap(({ output }) => output.flatMap((part) => (part.type === "chunk" ? [part] : [])))
    // Vite puts an empty module in the place of a built-in one
    const empty = chunks.flatMap(({ moduleIds }) => moduleIds).filter((id) => id.includes("__vite-browser-external"))
    return empty.length === 0 ? chunks.map(({ code }) => code).join("\n") : Promise.reject(new Error(empty.join()))
  }
}

const page = "<!doctype html><title></title>"

/** The title of a page after a bundle has run in it, with a Lume at the same origin. */
const titleOf = (browser: Browser, script: string) =>
  Effect.scoped(
    Effect.gen(function* () {
      const { url } = yield* serve((request, response) =>
        request.url === "/"
          ? response.writeHead(200, { "content-type": "text/html" }).end(page)
          : answer(response, {
              id: "run_1",
              status: "SUCCEEDED",
              metadata: finishedMetadata("SUCCEEDED", "run_1"),
              run_metadata: {}
            })
      )
      return yield* Effect.tryPromise(async () => {
        const tab = await browser.newPage()
        await tab.goto(url)
        await tab.addScriptTag({ content: script, type: "module" })
        await tab.waitForFunction("document.title !== ''", undefined, { timeout: 20_000 })
        const title = await tab.title()
        await tab.close()
        return title
      })
    })
  )

const inBrowsers = (check: Check, line: lines.Line, browser: Browser) =>
  Effect.gen(function* () {
    const project = yield* check(`${line.name} is installed in a browser's application`, installed(line, "browser"))
    for (const [name, bundle] of Object.entries(bundlers)) {
      const works = Effect.gen(function* () {
        const script = yield* Effect.tryPromise(() => bundle(project))
        yield* same(yield* titleOf(browser, script), "run_1 Succeeded")
      })
      yield* hindersNoOther(
        check(`${line.name}, bundled by ${name}, has no built-in of Node and works in Chromium`, works)
      )
    }
  })

/** `@effect/schema` is on Effect 3, so there is no such application of 2.x. */
const onEffectSchema = (line: lines.Line) =>
  Effect.gen(function* () {
    const fileSystem = yield* FileSystem.FileSystem
    const project = yield* installed(line, "effect-schema", "@effect/schema@0.75.5")
    const compilerOptions = {
      strict: true,
      exactOptionalPropertyTypes: true,
      module: "nodenext",
      target: "ES2022",
      lib: ["ES2023", "DOM", "DOM.Iterable"],
      types: []
    }
    const config = { compilerOptions, files: ["main.ts"] }
    yield* fileSystem.writeFileString(join(project, "tsconfig.json"), JSON.stringify(config))
    yield* run(project, [join(repository, "node_modules/.bin/tsc"), "--project", project])
    yield* same(yield* run(project, ["node", "main.js"]), "7 Transforming without metadata, refused")
  })

main((check) =>
  Effect.gen(function* () {
    const { one, two } = yield* lines.packed(check)
    const what = "an application on @effect/schema embeds runs and metadata of 1.x; it can't be on 2.x"
    yield* hindersNoOther(check(what, onEffectSchema(one)))
    const browser = yield* check("Chromium is there", launch)
    yield* Effect.forEach([one, two], (line) => hindersNoOther(inBrowsers(check, line, browser)))
  })
)
