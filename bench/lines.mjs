/**
 * The package on either of Effect's majors: how its modules, and those of its Effect, are loaded. 2.x needs the tree of
 * `npm run effect-4`.
 */
import { createRequire } from "node:module"
import { pathToFileURL } from "node:url"
import { here } from "./harness.mjs"

/** Where the package is. */
export const roots = { "1.x": here(".."), "2.x": here("../effect-4/build") }

/** @typedef {keyof typeof roots} Line */
/** @typedef {(module: string) => Promise<any>} Load a module of Effect by its name, or of the package by `./dist/…` */

/** @type {Record<Line, Load>} */
export const load = {
  "1.x": (module) => import(module.startsWith("./") ? `.${module}` : module),
  "2.x": (module) => {
    const { resolve } = createRequire(`${roots["2.x"]}/package.json`)
    return import(pathToFileURL(resolve(module)).href)
  }
}
