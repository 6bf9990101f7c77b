/**
 * Bundles of the core, as an application has it.
 */
import { gzipSync } from "node:zlib"
import { build } from "esbuild"

const modules = ["LumeClient", "LumeRun", "LumeMetadata", "LumeError", "RunRequest"]

/** The core's modules, as they are imported from the package's folder. */
export const files = modules.map((name) => `./dist/${name}.js`)

/** All of the core. */
export const core = files.map((file, i) => `export * as ${modules[i]} from "${file}"`).join("\n")

/** Bundles a module that stands in the package's folder. */
export const bundle = async (/** @type {string} */ root, /** @type {string} */ contents) => {
  const { metafile, outputFiles } = await build({
    stdin: { contents, resolveDir: root, sourcefile: "entry.js" },
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    write: false,
    metafile: true,
    absWorkingDir: root
  })
  const code = outputFiles[0].contents
  return { metafile, minified: code.length, gzip: gzipSync(code, { level: 9 }).length }
}

/** The modules of Effect that the core imports. */
export const effectModules = async (/** @type {string} */ root) => {
  const { metafile } = await bundle(root, core)
  const specifiers = Object.entries(metafile.inputs)
    .filter(([file]) => file.startsWith("dist/"))
    .flatMap(([, { imports }]) => imports)
    .flatMap(({ original = "" }) => (/^(effect|@effect\/platform)\//.test(original) ? [original] : []))
  return [...new Set(specifiers)].toSorted()
}

/** A module that holds these, whole. */
export const whole = (/** @type {ReadonlyArray<string>} */ specifiers) =>
  specifiers.map((specifier, i) => `export * as effect${i} from "${specifier}"`).join("\n")
