/**
 * The published package, as a stranger's project meets it: packed, installed, imported, required, type-checked.
 */
import * as Command from "@effect/platform/Command"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as String from "effect/String"

const repository = new URL("..", import.meta.url).pathname

/** Runs a command to its end; fails with all that it printed unless it ends well. */
const run = (directory: string, command: string, ...args: ReadonlyArray<string>) =>
  Effect.scoped(
    Effect.gen(function* () {
      const process = yield* Command.start(Command.workingDirectory(Command.make(command, ...args), directory))
      const [output, errors, exitCode] = yield* Effect.all(
        [
          Stream.runFold(Stream.decodeText(process.stdout), "", String.concat),
          Stream.runFold(Stream.decodeText(process.stderr), "", String.concat),
          process.exitCode
        ],
        { concurrency: "unbounded" }
      )
      assert.strictEqual(exitCode, 0, `${command} ${args.join(" ")}\n${output}\n${errors}`)
      return output.trim()
    })
  )

const program = `
  const program = Effect.gen(function* () {
    const lume = yield* LumeClient.LumeClient
    const run = yield* lume.run({ flowVersion: "invoice_cleaner:v4", sourcePath: "s3://acme/batch-001.csv" })
    const finished = yield* lume.wait(run, { timeout: "10 minutes", pollInterval: "10 seconds" })
    switch (finished._tag) {
      case "Succeeded":
      case "PartialFailed": {
        const metadata = yield* finished.metadata
        return metadata.results.mappedRows
      }
      case "Failed":
      case "Crashed":
        return 0
    }
  }).pipe(Effect.catchTag("TransportError", () => Effect.succeed(-1)))
`

const layers = `
  program.pipe(
    Effect.provide(LumeClient.layer({
      apiKey: Redacted.make("a-key"), baseUrl: "http://127.0.0.1:9999", retry: { times: 0 }
    })),
    Effect.provide(FetchHttpClient.layer)
  )
`

const files = {
  "package.json": JSON.stringify({ name: "a-strangers-project", private: true, type: "module" }),
  "tsconfig.json": JSON.stringify({
    compilerOptions: { strict: true, module: "NodeNext", target: "ES2022", noEmit: true, types: [] },
    include: ["program.ts", "readme.ts"]
  }),
  "imported.mjs": `
    import { LumeClient } from "effect-lume"
    import * as LumeError from "effect-lume/LumeError"
    import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
    import * as Effect from "effect/Effect"
    import * as Redacted from "effect/Redacted"
    ${program}
    console.log(await Effect.runPromise(${layers}), typeof LumeError.isTransient)
  `,
  "required.cjs": `
    const { LumeClient, LumeError, LumeMetadata, LumeRun, RunRequest } = require("effect-lume")
    const sameClient = require("effect-lume/LumeClient")
    const named = LumeError && LumeMetadata && LumeRun && RunRequest
    console.log(typeof LumeClient.layer, sameClient.LumeClient === LumeClient.LumeClient, typeof named)
  `,
  "internals.mjs": `
    await import("effect-lume/client/polling").then(() => console.log("open"), (error) => console.log(error.code))
  `,
  "program.ts": `
    import { LumeClient, type LumeError } from "effect-lume"
    import type * as LumeRun from "effect-lume/LumeRun"
    import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
    import * as Effect from "effect/Effect"
    import * as Redacted from "effect/Redacted"
    ${program}
    const runnable: Effect.Effect<number, Exclude<LumeError.LumeError, LumeError.TransportError | LumeError.RunFailedError>> = ${layers}
    export const ids = (run: LumeRun.LumeRun): string => run.id
    export default runnable
  `
}

describe("the package", () => {
  it.scopedLive(
    "is installed, imported, required and type-checked by a stranger's project",
    () =>
      Effect.gen(function* () {
        const fileSystem = yield* FileSystem.FileSystem
        const path = yield* Path.Path
        const project = yield* fileSystem.makeTempDirectoryScoped()
        const packed = yield* run(repository, "npm", "pack", "--silent", "--pack-destination", project)
        const tarball = path.join(project, packed.split("\n").at(-1) ?? "")

        yield* run(repository, "npx", "publint", "--strict", tarball)
        yield* run(repository, "npx", "attw", tarball, "--profile", "esm-only", "--exclude-entrypoints", "package.json")

        yield* Effect.forEach(Object.entries(files), ([name, text]) =>
          fileSystem.writeFileString(path.join(project, name), text)
        )
        const readme = yield* fileSystem.readFileString(path.join(repository, "README.md"))
        const firstProgram = /```ts\n([\s\S]*?)\n```/.exec(readme)?.[1] ?? ""
        assert.include(firstProgram, "LumeClient.layerConfig()")
        yield* fileSystem.writeFileString(path.join(project, "readme.ts"), firstProgram)
        // The peers come from here, so that nothing is fetched; the package itself is installed from its tarball.
        yield* run(project, "npm", "install", "--offline", "--legacy-peer-deps", "--no-audit", "--no-fund", tarball)
        yield* fileSystem.makeDirectory(path.join(project, "node_modules/@effect"))
        yield* Effect.forEach(["effect", "@effect/platform"], (peer) =>
          fileSystem.symlink(path.join(repository, "node_modules", peer), path.join(project, "node_modules", peer))
        )

        assert.strictEqual(yield* run(project, "node", "imported.mjs"), "-1 function")
        assert.strictEqual(yield* run(project, "node", "required.cjs"), "function true object")
        assert.match(yield* run(project, "npx", "--no-install", "effect-lume", "--version"), /^\d+\.\d+\.\d+$/)
        assert.strictEqual(yield* run(project, "node", "internals.mjs"), "ERR_PACKAGE_PATH_NOT_EXPORTED")
        yield* run(project, path.join(repository, "node_modules/.bin/tsc"))
      }).pipe(Effect.provide(NodeContext.layer)),
    120_000
  )
})
