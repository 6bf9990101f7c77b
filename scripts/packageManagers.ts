/**
 * The package managers that people install with, each at a version of its own, itself from the npm registry.
 */
import type { Words } from "./run.js"

/** A package manager, and how its projects are set up. */
export interface PackageManager {
  readonly name: string
  /** As npm installs it. */
  readonly package: string
  /** How it adds packages to a project, by its words. */
  readonly add: Words
  /** Files that a project has from the beginning, by name. */
  readonly files: Readonly<Record<string, string>>
  readonly environment: Readonly<Record<string, string>>
  /** How a project's programs are run. */
  readonly node: Words
  /** Whether its projects can require packages that are modules. */
  readonly requires: boolean
}

const usual = { files: {}, environment: {}, node: ["node"], requires: true } as const

/**
 * All of them, or only one of each that resolves in a way of its own. What they download is kept in the given folder; npm has
 * a cache already.
 */
export const packageManagers = (cache: string, isQuick: boolean): ReadonlyArray<PackageManager> => {
  const npm = { ...usual, add: ["npm", "install"] } as const
  const pnpm = {
    ...usual,
    add: ["pnpm", "add"],
    // From pnpm 11 on, a build script that nobody has decided on is an error, after everything has been installed.
    files: { "pnpm-workspace.yaml": `storeDir: ${cache}/pnpm\nstrictDepBuilds: false\n` }
  } as const
  const yarn4 = (linker: "node-modules" | "pnp") =>
    ({
      ...usual,
      package: "@yarnpkg/cli-dist@4.18.1",
      add: ["yarn", "add"],
      files: {
        "yarn.lock": "",
        ".yarnrc.yml": `nodeLinker: ${linker}\nglobalFolder: ${cache}/yarn\nenableTelemetry: false\n`
      }
    }) as const
  const others = [
    { ...npm, name: "npm 11", package: "npm@11.19.1" },
    { ...pnpm, name: "pnpm 10", package: "pnpm@10.34.9" },
    { ...yarn4("node-modules"), name: "Yarn 4" }
  ]
  return [
    ...(isQuick ? [] : others),
    { ...npm, name: "npm 10", package: "npm@10.9.9" },
    { ...pnpm, name: "pnpm 12", package: "pnpm@12.21.0" },
    {
      ...usual,
      name: "Yarn 1",
      package: "yarn@1.22.22",
      add: ["yarn", "add"],
      environment: { YARN_CACHE_FOLDER: `${cache}/yarn1` }
    },
    // Node reads modules from zip files where they are imported, not where they are required.
    { ...yarn4("pnp"), name: "Yarn 4 with Plug'n'Play", node: ["yarn", "node"], requires: false },
    {
      ...usual,
      name: "Bun",
      package: "bun@1.4.5",
      add: ["bun", "add"],
      environment: { BUN_INSTALL_CACHE_DIR: `${cache}/bun` }
    }
  ]
}
