/**
 * `npm run check:install`: the README's install lines, run as they stand there, with the tarball that would be published
 * in place of the package's name: in an empty project each, by each package manager. What they have installed is imported,
 * required, and makes a run on the local Lume. The command, by npx alone, and what its runs end with. Then the versions of
 * TypeScript and Node that the README names.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import packageJson from "../package.json" with { type: "json" }
import { type Check, main } from "./checks.js"
import { checkCommand } from "./commandByNpx.js"
import { type InstallLine, written } from "./installLines.js"
import { type PackageManager, packageManagers } from "./packageManagers.js"
import { rules } from "../effect-4/rules.js"
import * as tree from "../effect-4/tree.js"
import { pack, repository } from "./repository.js"
import { run, type Words } from "./run.js"
import * as StrangersProject from "./strangersProject.js"

/** A package of the npm registry, installed in a folder of its own; gives the folder of its commands. */
const fetched = (name: string) =>
  Effect.gen(function* () {
    const fileSystem = yield* FileSystem.FileSystem
    const folder = yield* fileSystem.makeTempDirectoryScoped()
    yield* fileSystem.writeFileString(`${folder}/package.json`, "{}")
    yield* run(folder, ["npm", "install", "--no-audit", "--no-fund", name])
    return `${folder}/node_modules/.bin`
  })

/** What a line names, with the tarball in place of this package. */
const packages = (line: InstallLine, tarball: string): ReadonlyArray<string> =>
  line.packages.map((named) => (named.name === packageJson.name ? tarball : written(named)))

/** Whether a line is that of 2.x: it names this package, at npm's latest. */
const isOfEffect4 = ({ packages }: InstallLine): boolean =>
  packages.some(({ name, version }) => name === packageJson.name && version === undefined)

/** A project on Effect 4, whose program is that of the other line, turned. */
const onEffect4 = (
  check: Check,
  { add, environment, files, name, node }: PackageManager,
  bin: string,
  line: InstallLine,
  tarball: string
) =>
  Effect.gen(function* () {
    const fileSystem = yield* FileSystem.FileSystem
    const by = ([command, ...rest]: Words): Words => [command === "node" ? command : `${bin}/${command}`, ...rest]
    const project = yield* StrangersProject.make({ files })
    const program = `${project}/imported.mjs`
    const turn = tree.turner({ line: `${repository}/effect-4` }, rules)
    yield* fileSystem.writeFileString(program, turn(yield* fileSystem.readFileString(program)))
    yield* check(
      `${name} runs: ${line.text}`,
      run(project, [...by(add), ...line.options, ...packages(line, tarball)], environment)
    )
    yield* check(`${name}: it is imported on Effect 4`, StrangersProject.imports(project, by(node), environment))
  })

const byManager = (
  check: Check,
  manager: PackageManager,
  lines: ReadonlyArray<InstallLine>,
  tarball: string,
  tarball4: string
) =>
  Effect.gen(function* () {
    const { environment, name } = manager
    const bin = yield* check(`${name} is there as ${manager.package}`, fetched(manager.package))
    /** A command that may be one of the manager's own. */
    const by = ([command, ...rest]: Words): Words => [command === "node" ? command : `${bin}/${command}`, ...rest]
    const node = by(manager.node)
    const project = yield* StrangersProject.make({ files: manager.files })
    yield* Effect.forEach(lines.filter(isOfEffect4), (line) => onEffect4(check, manager, bin, line, tarball4))
    yield* Effect.forEach(
      lines.filter((line) => !isOfEffect4(line)),
      (line) =>
        check(
          `${name} runs: ${line.text}`,
          run(project, [...by(manager.add), ...line.options, ...packages(line, tarball)], environment)
        )
    )
    yield* check(`${name}: it is imported`, StrangersProject.imports(project, node, environment))
    if (manager.requires) {
      yield* check(`${name}: it is required`, StrangersProject.requires(project, node, environment))
    }
    yield* check(`${name}: it runs locally`, StrangersProject.runsLocally(project, node, environment))
    if (name === "Bun") yield* check("Bun itself imports it", StrangersProject.imports(project, [`${bin}/bun`]))
  })

/** The versions of TypeScript that the README's requirements tell apart. */
const typeScripts = [
  ...["5.4", "5.5", "5.6"].map((version) => ({ version, skipLibCheck: true, commonJs: false })),
  { version: "5.7", skipLibCheck: false, commonJs: false },
  ...["5.8", "5.9", "6.0", "7.0"].map((version) => ({ version, skipLibCheck: false, commonJs: true }))
]

const byTypeScript = (check: Check, project: string, typeScript: (typeof typeScripts)[number]) => {
  const { commonJs, skipLibCheck, version } = typeScript
  const checked = Effect.gen(function* () {
    const bin = yield* fetched(`typescript@~${version}.0`)
    const files = commonJs ? ["program.cts"] : []
    yield* StrangersProject.typeChecks(project, [`${bin}/tsc`], { skipLibCheck, files })
  })
  return check(`TypeScript ${version}${skipLibCheck ? ", with skipLibCheck," : ""} accepts programs with it`, checked)
}

/** The oldest Node of each range that `engines` admits. */
const nodes = packageJson.engines.node.match(/\d+\.\d+\.\d+/g) ?? []

const byNode = (check: Check, project: string, version: string) => {
  const checked = Effect.gen(function* () {
    const bin = yield* fetched(`node-${process.platform}-${process.arch}@${version}`)
    yield* StrangersProject.imports(project, [`${bin}/node`])
    yield* StrangersProject.requires(project, [`${bin}/node`])
  })
  return check(`Node ${version} imports and requires it`, checked)
}

main((check) =>
  Effect.gen(function* () {
    const fileSystem = yield* FileSystem.FileSystem
    const cache = yield* fileSystem.makeTempDirectoryScoped()
    const tarball = yield* check("the package is packed", pack)
    const printed = yield* check(
      "the package for Effect 4 is packed",
      run(repository, ["npm", "run", "--silent", "effect-4"])
    )
    const tarball4 = printed.split("\n").at(-1) ?? ""
    const lines = yield* StrangersProject.readmeLines
    const project = yield* StrangersProject.make()
    const first = lines.find((line) => !isOfEffect4(line))
    const words = ["npm", "install", "--no-audit", "--no-fund", ...(first ? packages(first, tarball) : [])] as const
    yield* check("it is installed for other versions of TypeScript and Node", run(project, words))
    yield* check(
      "it brings no @effect/workflow",
      Effect.filterOrFail(
        fileSystem.exists(`${project}/node_modules/@effect/workflow`),
        (exists) => !exists,
        () => "@effect/workflow is there, and nothing asked for it"
      )
    )
    yield* Effect.forEach(
      [
        Effect.ignore(checkCommand(check, tarball)),
        ...packageManagers(cache).map((manager) => byManager(check, manager, lines, tarball, tarball4)),
        ...typeScripts.map((typeScript) => byTypeScript(check, project, typeScript)),
        ...nodes.map((version) => byNode(check, project, version))
      ],
      // what fails has been said, and hinders no other
      (checks) => Effect.ignore(checks),
      { concurrency: 2 }
    )
  })
)
