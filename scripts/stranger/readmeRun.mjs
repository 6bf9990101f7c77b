// The README's first program, against a local Lume that has its flow and its source: prints what it logs.
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as LocalLume from "effect-lume/local/LocalLume"
import { execFile } from "node:child_process"
import { copyFileSync, mkdirSync } from "node:fs"
import { promisify } from "node:util"

const flow = {
  name: "invoice_cleaner",
  version: "v4",
  fields: { name: '"Name"', age: 'try_cast("Age" AS INTEGER)' },
  tests: [{ error_code: "NO_AGE", field: "age", check: "age IS NOT NULL" }]
}

mkdirSync("sources/s3/acme", { recursive: true })
copyFileSync("people.csv", "sources/s3/acme/batch-001.csv")

const program = Effect.gen(function* () {
  const { apiKey, url } = yield* LocalLume.LocalLume
  const env = { ...process.env, LUME_API_KEY: Redacted.value(apiKey), LUME_BASE_URL: url }
  const { stdout } = yield* Effect.promise(() => promisify(execFile)(process.execPath, ["readme.ts"], { env }))
  console.log(/\d+ of \d+ rows mapped/.exec(stdout)?.[0] ?? stdout)
})

const local = LocalLume.layer({ flows: [flow], sources: "./sources", targets: "./targets" })

await program.pipe(Effect.provide(local), Effect.runPromise)
