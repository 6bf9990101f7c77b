/**
 * The modules that people import, by their paths from the root.
 */
import { existsSync, readdirSync } from "node:fs"

const root = new URL("../..", import.meta.url).pathname

/** `src/`, `src/local/` and `src/workflow/`: what is in upper case there. The last one is not there on Effect 4. */
export const publicModules: ReadonlyArray<string> = ["src", "src/local", "src/workflow"]
  .filter((folder) => existsSync(`${root}${folder}`))
  .flatMap((folder) =>
    readdirSync(`${root}${folder}`)
      .filter((name) => /^[A-Z]\w*\.ts$/.test(name))
      .map((name) => `${folder}/${name}`)
  )
