/**
 * The modules that people import, by their paths from the root.
 */
import { readdirSync } from "node:fs"

const root = new URL("../..", import.meta.url).pathname

/** `src/`, `src/local/` and `src/workflow/`: what is in upper case there. */
export const publicModules: ReadonlyArray<string> = ["src", "src/local", "src/workflow"].flatMap((folder) =>
  readdirSync(`${root}${folder}`)
    .filter((name) => /^[A-Z]\w*\.ts$/.test(name))
    .map((name) => `${folder}/${name}`)
)
