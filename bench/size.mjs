/**
 * What the core adds to an application that has effect already: gzip bytes of its bundle, and time to import.
 *
 * The application is one that holds every effect module that the core imports, whole; so what the core adds is its own
 * code. The other application, for comparison, holds only a small program, so that what the core uses of effect counts.
 */
import { execFile } from "node:child_process"
import { promisify } from "node:util"
import { bundle, core, effectModules, files, whole } from "./bundles.mjs"
import { alternate, finish, here, print, printSamples, printTable, ratio } from "./harness.mjs"

const rounds = 21
const root = here("..")
const small = `
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
const decode = Schema.decodeUnknown(Schema.parseJson(Schema.Struct({ id: Schema.String, at: Schema.Date })))
export const program = Effect.gen(function* () {
  const response = yield* HttpClient.get("https://example.com")
  return yield* decode(yield* response.text)
}).pipe(Effect.provide(FetchHttpClient.layer), Effect.runPromise)
`

const verify = (/** @type {string} */ imported) => `${imported}\nexport const verify = LumeWebhook.verify`

const specifiers = await effectModules(root)
const effect = whole(specifiers)

const bundles = {
  "effect as the core uses it, whole modules": await bundle(root, effect),
  "the same with effect-lume": await bundle(root, `${effect}\n${core}`),
  "a small program with effect": await bundle(root, small),
  "the same program with effect-lume": await bundle(root, `${small}\n${core}`),
  "LumeWebhook.verify, by the index": await bundle(root, verify('import { LumeWebhook } from "./dist/index.js"')),
  "LumeWebhook.verify, by effect-lume/LumeWebhook": await bundle(
    root,
    verify('import * as LumeWebhook from "./dist/LumeWebhook.js"')
  )
}
printTable(
  ["bundle", "minified bytes", "gzip bytes"],
  Object.entries(bundles).map(([name, { gzip, minified }]) => [name, String(minified), String(gzip)])
)
const [alone, wholeWithLume, program, programWithLume, byIndex, byModule] = Object.values(bundles).map(
  ({ gzip }) => gzip
)

// ---------------------------------------------------------------------------------------------------------------------

const importTime = async (/** @type {ReadonlyArray<string>} */ imported) => {
  const script = `
    const startedAt = performance.now()
    await Promise.all(${JSON.stringify(imported)}.map((module) => import(module)))
    console.log(performance.now() - startedAt)`
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script], { cwd: root })
  return Number(stdout)
}

const imports = { "effect modules": specifiers, "with effect-lume": [...specifiers, ...files] }
for (const name of Object.keys(imports)) await importTime(imports[name])
const samples = await alternate({
  names: Object.keys(imports),
  rounds,
  measure: (name) => importTime(imports[name])
})
print(`${rounds} rounds, each in a new process\n`)
printSamples({ title: "import", unit: "ms", samples })

finish([
  { name: "gzip kB added by effect-lume's own code", value: (wholeWithLume - alone) / 1000, most: 10 },
  {
    name: "gzip kB added to a small program, what the core uses of effect included",
    value: (programWithLume - program) / 1000
  },
  { name: "gzip kB of LumeWebhook.verify by the index, effect included", value: byIndex / 1000 },
  { name: "gzip kB of LumeWebhook.verify by effect-lume/LumeWebhook, effect included", value: byModule / 1000 },
  {
    name: "import: with effect-lume / effect modules",
    value: ratio(samples, "with effect-lume", "effect modules"),
    most: 1.15
  }
])
