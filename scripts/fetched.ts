/**
 * Packages of the npm registry that only a check needs, each in a folder of its own.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import { run } from "./run.js"

/** Installs a package, by its name and version; gives the folder. */
export const fetched = (name: string) =>
  Effect.gen(function* () {
    const fileSystem = yield* FileSystem.FileSystem
    const folder = yield* fileSystem.makeTempDirectoryScoped()
    yield* fileSystem.writeFileString(`${folder}/package.json`, '{ "type": "module" }')
    yield* run(folder, ["npm", "install", "--no-audit", "--no-fund", name])
    return folder
  })

/** Installs a package; gives the folder of its commands. */
export const commandsOf = (name: string) => Effect.map(fetched(name), (folder) => `${folder}/node_modules/.bin`)
