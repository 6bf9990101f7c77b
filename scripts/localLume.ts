/**
 * A local Lume with an example, for looking at its page.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { join } from "node:path"
import type { LocalFlow } from "../src/local/LocalFlow.js"
import * as LocalLume from "../src/local/LocalLume.js"

const flow = (name: string, fields: LocalFlow["fields"] = {}): LocalFlow => ({
  name,
  version: "v4",
  fields: {
    invoice: "trim(Invoice)",
    issued_on: "try_strptime(Issued, '%d.%m.%Y')::DATE",
    net: "try_cast(Net AS DECIMAL(12, 2))",
    ...fields
  },
  tests: [
    { error_code: "INVOICE_MISSING", field: "invoice", check: "invoice <> ''" },
    { error_code: "INVALID_DATE", field: "issued_on", check: "issued_on IS NOT NULL" },
    { error_code: "NEGATIVE_AMOUNT", field: "net", check: "net >= 0" }
  ]
})

/** Goes on until it is interrupted. */
const endless = "net + (SELECT count(*) FROM range(100000000) AS a, range(1000) AS b WHERE a.range + b.range < 0)"

/** Two flow versions: of the second, no run ends by itself. */
export const flows = [
  flow("invoice_cleaner"),
  flow("reconciler", { net: endless.replace("net +", "try_cast(Net AS INT) +") })
]

const invoices = (count: number, isGood: (index: number) => boolean): string => {
  const rows = Array.from({ length: count }, (_, index) => {
    const day = String((index % 28) + 1).padStart(2, "0")
    const [date, sign] = isGood(index)
      ? [`${day}.10.2026`, ""]
      : index % 2 === 0
        ? [`2026-10-${day}`, ""]
        : [`${day}.10.2026`, "-"]
    return `INV-${10_000 + index},${date},${sign}${(index * 37) % 900}.${String(index % 100).padStart(2, "0")}`
  })
  return ["Invoice,Issued,Net", ...rows, ""].join("\n")
}

/** A source path that would be a script in HTML that does not escape it. */
export const hostile = "<script>document.title='taken'</script>.csv"

/** Folders for it, with sources. */
export const folders = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  const root = yield* files.makeTempDirectoryScoped()
  const sources = join(root, "sources")
  yield* files.makeDirectory(join(sources, "s3", "acme"), { recursive: true })
  const write = (name: string, text: string) => files.writeFileString(join(sources, name), text)
  yield* write(
    "s3/acme/batch-001.csv",
    invoices(48_210, () => true)
  )
  yield* write(
    "s3/acme/batch-002.csv",
    invoices(51_377, (index) => index % 23 !== 0)
  )
  yield* write(
    "s3/acme/batch-003.csv",
    invoices(240, (index) => index % 7 !== 0)
  )
  yield* write(
    "small.csv",
    invoices(3, () => true)
  )
  return { sources, targets: join(root, "targets"), write }
})

/** Starts one; gives how to submit to it. */
export const start = (options: Omit<LocalLume.Options, "flows">) =>
  Effect.gen(function* () {
    const context = yield* Layer.build(LocalLume.layer({ flows, ...options }))
    const { apiKey, url } = Context.get(context, LocalLume.LocalLume)
    const headers = { "lume-api-key": Redacted.value(apiKey), "content-type": "application/json" }
    const read = async (
      place: string,
      init: RequestInit = {}
    ): Promise<{ readonly id: string; readonly status: string }> => {
      const response = await fetch(url + place, { headers, ...init })
      // what the server's own document describes
      return (await response.json()) as { readonly id: string; readonly status: string }
    }
    const submit = (flow_version: string, source_path: string, run_metadata: object = {}) => {
      const body = JSON.stringify({ flow_version, source_path, run_metadata, force_rerun: true })
      return Effect.promise(async () => (await read("/runs", { method: "POST", body })).id)
    }
    /** Waits until a run is in one of these states. */
    const until = (id: string, ...states: ReadonlyArray<string>) =>
      Effect.repeat(
        Effect.delay(
          Effect.promise(() => read(`/runs/${id}`)),
          "50 millis"
        ),
        { until: ({ status }) => states.includes(status) }
      )
    return { apiKey, url, submit, until }
  })

/** How runs end. */
export const ends = ["SUCCEEDED", "PARTIAL_FAILED", "FAILED", "CRASHED"]
