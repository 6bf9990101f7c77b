/**
 * The two lines of the package, 1.x on Effect 3 and 2.x on Effect 4, each as a tarball, and projects that have installed one
 * by the README's own line.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import { basename } from "node:path"
import packageJson from "../package.json" with { type: "json" }
import { rules } from "../effect-4/rules.js"
import * as tree from "../effect-4/tree.js"
import type { Check } from "./checks.js"
import { type InstallLine, written } from "./installLines.js"
import { pack, repository } from "./repository.js"
import { run, type Words } from "./run.js"
import * as StrangersProject from "./strangersProject.js"

/** A line of the package. */
export interface Line {
  readonly name: "1.x" | "2.x"
  readonly tarball: string
  /** What the README installs for it, with the tarball in place of this package. */
  readonly packages: ReadonlyArray<string>
  /** A program for Effect 3 as one for the Effect of this line. */
  readonly turn: (program: string) => string
}

/** Both. */
export interface Lines {
  readonly one: Line
  readonly two: Line
}

/** What an install line names, with the tarball in place of this package. */
export const packages = (line: InstallLine, tarball: string): ReadonlyArray<string> =>
  line.packages.map((named) => (named.name === packageJson.name ? tarball : written(named)))

/** Whether an install line names this package. */
const isOfThis = ({ packages }: InstallLine): boolean => packages.some(({ name }) => name === packageJson.name)

/** Whether an install line is for 2.x: it says so, or names this package at npm's latest. */
export const isOfEffect4 = ({ effect, packages }: InstallLine): boolean =>
  effect === "4" || packages.some(({ name, version }) => name === packageJson.name && version === undefined)

/** The tarball of 2.x in a temporary folder: another check makes its own where it was made. */
const packTwo = Effect.gen(function* () {
  const fileSystem = yield* FileSystem.FileSystem
  const printed = yield* run(repository, ["npm", "run", "--silent", "effect-4"])
  // the last line that it prints
  const made = printed.split("\n").at(-1) ?? ""
  const tarball = `${yield* fileSystem.makeTempDirectoryScoped()}/${basename(made)}`
  yield* fileSystem.copyFile(made, tarball)
  return tarball
})

/** Packs both lines. */
export const packed = (check: Check) =>
  Effect.gen(function* () {
    const [one, two] = yield* Effect.all([check("1.x is packed", pack), check("2.x is packed", packTwo)], {
      concurrency: 2
    })
    const lines = yield* StrangersProject.readmeLines
    const line = (name: Line["name"], tarball: string, turn: Line["turn"]): Line => {
      const its = lines.find((line) => isOfThis(line) && isOfEffect4(line) === (name === "2.x"))
      return { name, tarball, turn, packages: its === undefined ? [] : packages(its, tarball) }
    }
    return {
      one: line("1.x", one, (program) => program),
      two: line("2.x", two, (program) => tree.turner({ line: `${repository}/effect-4` }, rules)(program))
    }
  })

/** Installs packages in a folder. */
export const npmInstall: Words = ["npm", "install", "--no-audit", "--no-fund"]

/** A project with the files of a folder, which may have a package.json, turned for the line. */
export const project = (line: Line, sources: string) =>
  Effect.gen(function* () {
    const fileSystem = yield* FileSystem.FileSystem
    const folder = yield* fileSystem.makeTempDirectoryScoped()
    yield* fileSystem.writeFileString(`${folder}/package.json`, '{ "private": true, "type": "module" }')
    for (const name of yield* fileSystem.readDirectory(sources)) {
      const text = yield* fileSystem.readFileString(`${sources}/${name}`)
      yield* fileSystem.writeFileString(`${folder}/${name}`, /\.[cm]?[jt]s$/.test(name) ? line.turn(text) : text)
    }
    return folder
  })
