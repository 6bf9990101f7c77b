/**
 * `npm run check:install`: the README's install lines, run as they stand there, with the tarball that would be published
 * in place of the package's name: in an empty project each, by each package manager. What they have installed is imported,
 * required, and makes a run on the local Lume. The command, by npx alone, and what its runs end with. Then the versions of
 * TypeScript and Node that the README names.
 *
 * `npm run check:install -- quick`, which CI runs, leaves out those between: they resolve and check as the others do, which
 * takes its time. A weekly job runs them all.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import packageJson from "../package.json" with { type: "json" }
import { type Check, hindersNoOther, main } from "./checks.js"
import { checkCommand } from "./commandByNpx.js"
import { commandsOf } from "./fetched.js"
import type { InstallLine } from "./installLines.js"
import * as lines from "./lines.js"
import { type PackageManager, packageManagers } from "./packageManagers.js"
import { repository } from "./repository.js"
import { run, type Words } from "./run.js"
import * as StrangersProject from "./strangersProject.js"

/** The Node that packages of Effect 4 ask for: npm's. */
const laterNode = { PATH: `${repository}/effect-4/node_modules/node/bin:${process.env["PATH"] ?? ""}` }

const byManager = (
  check: Check,
  manager: PackageManager,
  installLines: ReadonlyArray<InstallLine>,
  { one, two }: lines.Lines
) =>
  Effect.gen(function* () {
    const { environment, name } = manager
    const bin = yield* check(`${name} is there as ${manager.package}`, commandsOf(manager.package))
    /** A command that may be one of the manager's own. */
    const by = ([command, ...rest]: Words): Words => [command === "node" ? command : `${bin}/${command}`, ...rest]
    const node = by(manager.node)
    const project = yield* StrangersProject.make({ files: manager.files })
    const adds = (project: string, line: InstallLine, tarball: string, environment: PackageManager["environment"]) =>
      check(
        `${name} runs: ${line.text}`,
        run(project, [...by(manager.add), ...line.options, ...lines.packages(line, tarball)], environment)
      )
    const project4 = yield* StrangersProject.make({ files: manager.files, turn: two.turn })
    const later = { ...environment, ...laterNode }
    yield* Effect.forEach(installLines.filter(lines.isOfEffect4), (line) => adds(project4, line, two.tarball, later))
    yield* check(`${name}: it is imported on Effect 4`, StrangersProject.imports(project4, node, environment))
    yield* check(`${name}: it runs locally on Effect 4`, StrangersProject.runsLocally(project4, node, later))
    yield* check(
      `${name}: the README's program runs on Effect 4, against a local Lume`,
      StrangersProject.runsReadme(project4, node, later)
    )
    yield* Effect.forEach(
      installLines.filter((line) => !lines.isOfEffect4(line)),
      (line) => adds(project, line, one.tarball, environment)
    )
    yield* check(`${name}: it is imported`, StrangersProject.imports(project, node, environment))
    if (manager.requires) {
      yield* check(`${name}: it is required`, StrangersProject.requires(project, node, environment))
    }
    yield* check(`${name}: workflow/ is imported`, StrangersProject.importsWorkflow(project, node, environment))
    yield* check(`${name}: it runs locally`, StrangersProject.runsLocally(project, node, environment))
    if (name === "Bun") yield* check("Bun itself imports it", StrangersProject.imports(project, [`${bin}/bun`]))
  })

const isQuick = process.argv[2] === "quick"

const between = (...versions: ReadonlyArray<string>): ReadonlyArray<string> => (isQuick ? [] : versions)

/** The versions of TypeScript that the README's requirements tell apart. */
const typeScripts = [
  ...["5.4", ...between("5.5"), "5.6"].map((version) => ({ version, skipLibCheck: true, commonJs: false })),
  { version: "5.7", skipLibCheck: false, commonJs: false },
  ...[...between("5.8", "5.9"), "6.0", "7.0"].map((version) => ({ version, skipLibCheck: false, commonJs: true }))
]

const byTypeScript = (check: Check, typeScript: (typeof typeScripts)[number], name: string, project: string) => {
  const { commonJs, skipLibCheck, version } = typeScript
  const how = skipLibCheck ? ", with skipLibCheck," : ""
  const checked = Effect.gen(function* () {
    const bin = yield* commandsOf(`typescript@~${version}.0`)
    const tsc = [`${bin}/tsc`] as const
    const files = commonJs ? ["program.cts"] : []
    yield* StrangersProject.typeChecks(project, tsc, { skipLibCheck, files })
    yield* StrangersProject.typeChecks(project, tsc, { skipLibCheck, moduleResolution: "bundler" })
  })
  return check(`TypeScript ${version}${how} accepts programs with ${name}, as Node and as bundlers resolve`, checked)
}

/** The oldest Node of each range that `engines` admits. */
const nodes = packageJson.engines.node.match(/\d+\.\d+\.\d+/g) ?? []

const byNode = (check: Check, project: string, version: string) => {
  const checked = Effect.gen(function* () {
    const bin = yield* commandsOf(`node-${process.platform}-${process.arch}@${version}`)
    yield* StrangersProject.imports(project, [`${bin}/node`])
    yield* StrangersProject.requires(project, [`${bin}/node`])
  })
  return check(`Node ${version} imports and requires it`, checked)
}

main((check) =>
  Effect.gen(function* () {
    const fileSystem = yield* FileSystem.FileSystem
    const cache = yield* fileSystem.makeTempDirectoryScoped()
    const both = yield* lines.packed(check)
    const installLines = yield* StrangersProject.readmeLines
    const install = (line: lines.Line) =>
      Effect.tap(StrangersProject.make(line), (project) => run(project, [...lines.npmInstall, ...line.packages]))
    const forOtherVersions = (line: lines.Line) =>
      check(`${line.name} is installed for other versions of TypeScript and Node`, install(line))
    const project = yield* forOtherVersions(both.one)
    const project4 = yield* forOtherVersions(both.two)
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
        checkCommand(check, both.one, "all"),
        checkCommand(check, both.two, "first"),
        ...packageManagers(cache, isQuick).map((manager) => byManager(check, manager, installLines, both)),
        ...typeScripts.map((typeScript) => byTypeScript(check, typeScript, "1.x", project)),
        // those between resolve and check as these do, which takes its time
        ...[...typeScripts.slice(0, 1), ...typeScripts.slice(-1)].map((typeScript) =>
          byTypeScript(check, typeScript, "2.x", project4)
        ),
        ...nodes.map((version) => byNode(check, project, version))
      ],
      hindersNoOther,
      { concurrency: 2 }
    )
  })
)
