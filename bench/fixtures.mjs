/**
 * Lume's JSON of one run with full metadata.
 */

import { readFileSync } from "node:fs"

/** The example of the tests: of a run that rejected rows. */
const example = JSON.parse(readFileSync(new URL("../test/support/metadata.json", import.meta.url), "utf8"))

export const runId = "run_01HYE5ZJ4T8Q2W"

const metadata = (/** @type {string} */ status, seed = 0) => ({
  ...example,
  run: { ...example.run, run_id: runId, source_path: "s3://acme/2026/11/batch-001.csv", status },
  pipeline: {
    ...example.pipeline,
    completed_at: `2026-11-03T08:17:03.${100 + seed}Z`,
    duration_seconds: 123 + seed / 1000
  },
  results: { ...example.results, input_rows: 1000 + seed, mapped_rows: 980 + seed },
  validation: {
    ...example.validation,
    tests_executed: 5000 + seed,
    top_errors: [
      { error_code: "INVALID_DATE", field: "invoice_date", count: 13 },
      { error_code: "MISSING_VALUE", field: "currency", count: 7 }
    ]
  }
})

/** The answer to a read; different seeds give texts that differ in their numbers. */
export const answer = (/** @type {string} */ status, seed = 0) =>
  JSON.stringify({ id: runId, status, metadata: metadata(status, seed), run_metadata: { batch: "001", attempt: seed } })
