/**
 * Bundles the command, with the notices of everything that is in the bundle; into dist/cli, or the folder that is named.
 * The bundle reads the package.json two folders above it.
 */
import { build } from "esbuild"
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"

const root = new URL("..", import.meta.url)
const out = new URL(`${process.argv[2] ?? "dist/cli"}/`, root)
const path = (name) => fileURLToPath(new URL(name, root))

await rm(out, { recursive: true, force: true })
await mkdir(out, { recursive: true })

const { metafile } = await build({
  absWorkingDir: path("."),
  entryPoints: ["src/cli/main.ts"],
  outdir: fileURLToPath(out),
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20.19",
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: "none",
  external: ["@duckdb/node-api"],
  metafile: true,
  // parts of the bundle are CommonJS, and require Node's own modules
  banner: {
    js: 'import { createRequire as makeRequire } from "node:module"; const require = makeRequire(import.meta.url);'
  }
})

for (const name of ["lume.cjs", "start.cjs"]) await copyFile(path(`src/cli/${name}`), new URL(name, out))

const folders = new Set(
  Object.keys(metafile.inputs).flatMap((input) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0] ?? [])
)
const notices = await Promise.all(
  [...folders].toSorted().map(async (folder) => {
    const { license, name, version } = JSON.parse(await readFile(path(`${folder}/package.json`), "utf8"))
    const files = (await readdir(path(folder))).filter((file) => /^(licen[cs]e|notice)/i.test(file))
    const texts = await Promise.all(files.map((file) => readFile(path(`${folder}/${file}`), "utf8")))
    return `${name} ${version} (${license})\n\n${texts.map((text) => text.trim()).join("\n\n")}\n`
  })
)
await writeFile(
  new URL("NOTICES.txt", out),
  `The lume command contains these packages.\n\n${notices.join(`\n${"-".repeat(80)}\n\n`)}`
)
