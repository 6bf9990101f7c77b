/**
 * `npm run check:peers`: the package at the floors of its peer ranges, the oldest versions that they admit. `npm test`
 * has it at the ceilings, which are those of package-lock.json.
 */
import * as Effect from "effect/Effect"
import packageJson from "../package.json" with { type: "json" }
import { hindersNoOther, main } from "./checks.js"
import { copy, pack, repository } from "./repository.js"
import { run } from "./run.js"
import * as StrangersProject from "./strangersProject.js"

/** The first version that a range names. */
const floor = (name: keyof typeof packageJson.peerDependencies): string => {
  const [version] = /\d+\.\d+\.\d+/.exec(packageJson.peerDependencies[name]) ?? []
  return `${name}@${version}`
}

const peers = [floor("effect"), floor("@effect/platform")]

/**
 * From undici 7.26 on, loading it makes it the fetch of Node 20 too, which then refuses the requests that platform before
 * 0.96.2 makes. Its own packages name later patches of each other than their first ones have: npm is not to mind that.
 */
const nodePeers = [floor("@effect/platform-node"), "undici@7.25.0", "--legacy-peer-deps"]

const install = ["npm", "install", "--no-audit", "--no-fund", "--save-exact"] as const

main((check) => {
  const floors = [...peers, floor("@effect/platform-node")].join(", ")

  const stranger = Effect.gen(function* () {
    const tarball = yield* check("the package is packed, built at the ceilings", pack)
    const project = yield* StrangersProject.make()
    yield* check(`a stranger's project installs it with ${floors}`, run(project, [...install, tarball, ...peers]))
    yield* check("is imported there", StrangersProject.imports(project, ["node"]))
    yield* check("is required there", StrangersProject.requires(project, ["node"]))
    yield* check("has types there", StrangersProject.typeChecks(project, [`${repository}/node_modules/.bin/tsc`]))
    const duckdb = `@duckdb/node-api@${packageJson.devDependencies["@duckdb/node-api"]}`
    yield* check("installs the local Lume's peers", run(project, [...install, duckdb, ...nodePeers]))
    yield* check("runs a local Lume there", StrangersProject.runsLocally(project, ["node"]))
  })

  const source = Effect.gen(function* () {
    const source = yield* copy
    yield* check("the source installs them", run(source, [...install, "--save-dev", ...peers, ...nodePeers]))
    yield* check("is built with them", run(source, ["npm", "run", "build"]))
    yield* check(
      "behaves with them",
      // the command has its own Effect in it, and the pages and the repository have none
      run(source, ["npx", "vitest", "run", "--project", "behaviour", "--exclude", "test/{cli,docs,snippets,versions}*"])
    )
  })

  return Effect.forEach([stranger, source], hindersNoOther, { concurrency: 2 })
})
