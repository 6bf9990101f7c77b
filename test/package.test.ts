/**
 * The published package, as a stranger's project meets it: packed, installed, imported, required, type-checked, read.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { assert, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as path from "node:path"
import packageJson from "../package.json" with { type: "json" }
import { installLines } from "../scripts/installLines.js"
import { pack, repository } from "../scripts/repository.js"
import { run } from "../scripts/run.js"
import * as StrangersProject from "../scripts/strangersProject.js"
import { surface } from "../scripts/surface.js"
import * as command from "./support/lume.js"
import { serve, until } from "./support/server.js"

interface Installed {
  readonly tarball: string
  readonly project: string
  /** The folder of the package in the project. */
  readonly folder: string
}

class Package extends Context.Tag("test/Package")<Package, Installed>() {}

const Published = Layer.scoped(
  Package,
  Effect.gen(function* () {
    const fileSystem = yield* FileSystem.FileSystem
    const tarball = yield* pack
    const project = yield* StrangersProject.make()
    // The peers come from here, so that nothing is fetched; the package itself is installed from its tarball.
    const offline = ["--offline", "--legacy-peer-deps", "--no-audit", "--no-fund"]
    yield* run(project, ["npm", "install", ...offline, tarball])
    yield* fileSystem.makeDirectory(`${project}/node_modules/@effect`)
    yield* Effect.forEach(["effect", "@effect/platform"], (peer) =>
      fileSystem.symlink(`${repository}node_modules/${peer}`, `${project}/node_modules/${peer}`)
    )
    return { folder: `${project}/node_modules/${packageJson.name}`, project, tarball }
  })
).pipe(Layer.provideMerge(NodeContext.layer))

/** The address of this repository, which stands in package.json once. */
const address = packageJson.repository.url.replace(/^git\+/, "").replace(/\.git$/, "")

const filesIn = (folder: string) =>
  Effect.flatMap(FileSystem.FileSystem, (fileSystem) => fileSystem.readDirectory(folder, { recursive: true }))

/** The pages in a folder that are documentation, and the sources of examples, by their paths from there. */
const pagesIn = (folder: string, pattern: RegExp) =>
  Effect.gen(function* () {
    const fileSystem = yield* FileSystem.FileSystem
    const paths = yield* Effect.forEach(["docs", "examples"], (part) =>
      Effect.flatMap(fileSystem.exists(`${folder}/${part}`), (exists) =>
        exists
          ? Effect.map(filesIn(`${folder}/${part}`), (names) => names.map((name) => `${part}/${name}`))
          : Effect.succeed([])
      )
    )
    const others = ["README.md", "AGENTS.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "bench/README.md"]
    const there = yield* Effect.filter(others, (page) => fileSystem.exists(`${folder}/${page}`))
    const pages = [...there, ...paths.flat().filter((page) => pattern.test(page))]
    return yield* Effect.forEach(pages, (page) =>
      Effect.map(fileSystem.readFileString(`${folder}/${page}`), (text) => ({ page, text }))
    )
  })

/** What a heading is called in links to it, as GitHub does. */
const anchors = (page: string): ReadonlyArray<string> =>
  Array.from(page.matchAll(/^#+ +(.*)$/gm), ([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(" ", "-")
  )

const links = (page: string): ReadonlyArray<string> =>
  Array.from(page.replaceAll(/^```.*?^```/gms, "").matchAll(/\]\(([^)\s]+)\)/g), ([, target = ""]) => target)

layer(Published, { excludeTestServices: true, timeout: "5 minutes" })("the package", (it) => {
  it.effect("has no fault that publint finds", () =>
    Effect.flatMap(Package, ({ tarball }) => run(repository, ["npx", "publint", "--strict", tarball]))
  )

  it.effect("has types that a resolver finds wherever it finds the module", () =>
    Effect.flatMap(Package, ({ tarball }) =>
      run(repository, ["npx", "attw", tarball, "--profile", "esm-only", "--exclude-entrypoints", "package.json"])
    )
  )

  it.effect("is imported and required", () =>
    Effect.gen(function* () {
      const { project } = yield* Package
      yield* StrangersProject.imports(project, ["node"])
      yield* StrangersProject.requires(project, ["node"])
    })
  )

  it.effect("has a command, of which DuckDB is asked for only by the local Lume", () =>
    Effect.gen(function* () {
      const { project } = yield* Package
      const lume = ["npx", "--no-install", packageJson.name] as const
      assert.strictEqual(yield* run(project, [...lume, "--version"]), packageJson.version)
      const refused = yield* Effect.flip(run(project, [...lume, "local"]))
      assert.include(refused.message, "npx -p effect-lume -p @duckdb/node-api lume local")
    })
  )

  const signals = [
    ["a key press, which npm and the command both get", "SIGINT", (pid: number) => -pid],
    ["a signal to npm alone", "SIGTERM", (pid: number) => pid]
  ] as const

  it.scoped.each(signals)("has a command that says how to go on after %s", ([, signal, target]) =>
    Effect.gen(function* () {
      const { project } = yield* Package
      const { url } = yield* serve(command.handler())
      const env = { LUME_API_KEY: "a-key", LUME_BASE_URL: url }
      // in a process group of its own, as on a terminal
      const npx = command.start("setsid", ["npx", "--no-install", packageJson.name, "wait", "running"], env, project)
      yield* until(() => npx.stderr().includes("TRANSFORMING") || npx.process.exitCode !== null)
      process.kill(target(npx.process.pid ?? 0), signal)
      const said = (yield* npx.ended).stderr.match(
        /Stopped waiting; the runs go on. Re-attach with: lume wait running\n/g
      )
      assert.lengthOf(said ?? [], 1)
    })
  )

  it.effect("has the licences of what its command contains", () =>
    Effect.gen(function* () {
      const { folder } = yield* Package
      const fileSystem = yield* FileSystem.FileSystem
      const notices = yield* fileSystem.readFileString(`${folder}/dist/cli/NOTICES.txt`)
      const [, ...parts] = notices.split(/^(?=\S+ \d+\.\d+\.\d+ \()/m)
      assert.includeMembers(
        parts.map((part) => part.split(" ")[0]),
        ["commander", "effect", "@effect/platform", "undici"]
      )
      for (const part of parts) assert.include(part.toLowerCase(), "permission", part)
    })
  )

  it.effect("has the public surface that api/ reports: `npm run api` writes what has changed", () =>
    Effect.gen(function* () {
      const { folder } = yield* Package
      const fileSystem = yield* FileSystem.FileSystem
      const declared = yield* surface(`${folder}/dist`)
      const reported = (yield* fileSystem.readDirectory(`${repository}api`, { recursive: true })).filter((name) =>
        name.endsWith(".d.ts")
      )
      assert.sameMembers(reported, Array.from(declared.keys()))
      for (const [name, text] of declared) {
        assert.strictEqual(yield* fileSystem.readFileString(`${repository}api/${name}`), text, name)
      }
    })
  )

  it.effect("holds what people need, and nothing else", () =>
    Effect.gen(function* () {
      const { folder } = yield* Package
      const fileSystem = yield* FileSystem.FileSystem
      const whole = ["AGENTS.md", "CHANGELOG.md", "LICENSE", "README.md", "SECURITY.md", "package.json"]
      assert.sameMembers(yield* fileSystem.readDirectory(folder), [...whole, "dist", "docs", "src"])
      const packed = yield* filesIn(folder)
      assert.isEmpty(packed.filter((file) => file.startsWith("docs/api") || file.endsWith(".tsbuildinfo")))
    })
  )

  it.effect("is type-checked in a strict project, the README's first program too", () =>
    Effect.flatMap(Package, ({ project }) =>
      StrangersProject.typeChecks(project, [`${repository}node_modules/.bin/tsc`], { files: ["program.cts"] })
    )
  )

  it.effect("lets nobody import its inner modules, and everybody its public ones", () =>
    Effect.gen(function* () {
      const { folder, project } = yield* Package
      const files = (yield* filesIn(`${folder}/dist`)).filter((file) => file.endsWith(".js"))
      const specifiers = files.map((file) => `${packageJson.name}/${file.slice(0, -".js".length)}`)
      const printed = yield* run(project, ["node", "open.mjs", ...specifiers])
      const isPublic = /^[\w-]+\/((local|workflow)\/)?([A-Z]\w*|index)$/
      assert.sameMembers(
        printed.split("\n"),
        specifiers.filter((specifier) => isPublic.test(specifier))
      )
      assert.include(specifiers, `${packageJson.name}/client/polling`)
    })
  )

  it.effect("has pages whose links lead somewhere, from the package itself", () =>
    Effect.gen(function* () {
      const { folder } = yield* Package
      const fileSystem = yield* FileSystem.FileSystem
      const pages = yield* pagesIn(folder, /\.md$/)
      assert.includeMembers(
        pages.map(({ page }) => page),
        ["README.md", "docs/testing.md", "docs/webhooks.md"]
      )
      for (const { page, text } of pages) {
        for (const link of links(text)) {
          const [target = "", anchor] = link.replace(/^mailto:.*/, "").split("#")
          const elsewhere = /^\w+:/.test(target)
          const inRepository = new RegExp(`^${address}/(?:blob|tree)/main/(.*)$`).exec(target)?.[1]
          if (elsewhere && inRepository === undefined) continue
          const file =
            inRepository !== undefined
              ? `${repository}${inRepository}`
              : target === ""
                ? `${folder}/${page}`
                : path.join(folder, path.dirname(page), target)
          assert.isTrue(
            yield* fileSystem.exists(file),
            `${page} links to ${link}, which is not in the package: write ${address}/blob/main/…`
          )
          if (anchor !== undefined)
            assert.include(anchors(yield* fileSystem.readFileString(file)), anchor, `${page}: ${link}`)
        }
      }
    })
  )

  it.effect("is installed by lines that name the versions that it was tested with", () =>
    Effect.gen(function* () {
      const fileSystem = yield* FileSystem.FileSystem
      const pages = yield* pagesIn(repository, /\.(md|ts)$/)
      const named = pages.flatMap(({ page, text }) =>
        installLines(text)
          // npm's latest of this package is on Effect 4, whose own tests are elsewhere
          .filter(
            ({ effect, packages }) =>
              effect !== "4" &&
              !packages.some(({ name, version = "latest" }) => name === packageJson.name && version === "latest")
          )
          .flatMap((line) => line.packages.map((one) => ({ ...one, place: `${page}: ${line.text}` })))
      )
      assert.includeMembers(
        named.map(({ name }) => name),
        ["effect", "@effect/platform", "@effect/platform-node", "@effect/vitest", "vitest", "@duckdb/node-api"]
      )
      for (const { name, place, version } of named.filter(({ name }) => name !== packageJson.name)) {
        const installed = yield* fileSystem.readFileString(`${repository}node_modules/${name}/package.json`)
        const { version: tested } = JSON.parse(installed) as { readonly version: string }
        const isTested = version !== undefined && (tested === version || tested.startsWith(`${version}.`))
        assert.isTrue(isTested, `${place} asks for ${name}@${version}, and ${tested} was tested`)
      }
    })
  )

  it.effect("says in its README what it needs, as package.json does", () =>
    Effect.gen(function* () {
      const fileSystem = yield* FileSystem.FileSystem
      const readme = yield* fileSystem.readFileString(`${repository}README.md`)
      const [, firstParagraph = ""] = readme.split("\n\n")
      assert.match(firstParagraph, /On Effect 4, `npm install effect-lume effect` gives 2\.x; on Effect 3,/)
      assert.include(firstParagraph, `npm install effect-lume@1 effect@3 `)
      const [, requirements = ""] = /^## Requirements$(.*?)(?=^## |$(?![\s\S]))/ms.exec(readme) ?? []
      const floors = Object.values(packageJson.peerDependencies).flatMap((range) => /\d[\d.]*\d/.exec(range) ?? [])
      for (const version of [...floors, ...(packageJson.engines.node.match(/\d[\d.]*\d/g) ?? [])]) {
        assert.include(requirements, version.replace(/\.0$/, ""))
      }
    })
  )

  it.effect("names one repository everywhere", () =>
    Effect.sync(() => {
      assert.strictEqual(packageJson.homepage, `${address}#readme`)
      assert.strictEqual(packageJson.bugs, `${address}/issues`)
    })
  )
})
