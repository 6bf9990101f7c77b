/**
 * Lume's JSON of one run with full metadata.
 */

export const runId = "run_01HYE5ZJ4T8Q2W"

const metadata = (/** @type {string} */ status, seed = 0) => ({
  run: { run_id: runId, flow_version: "invoice_cleaner:v4", source_path: "s3://acme/2026/11/batch-001.csv", status },
  pipeline: {
    created_at: "2026-11-03T08:15:00Z",
    completed_at: `2026-11-03T08:17:03.${100 + seed}Z`,
    duration_seconds: 123 + seed / 1000,
    stages: { sync_source_seconds: 10.5, transform_seconds: 100.25, sync_target_seconds: 12.5 }
  },
  results: {
    input_rows: 1000 + seed,
    mapped_rows: 980 + seed,
    rejected_rows: 20,
    target_locations: {
      mapped: "s3://acme-out/mapped/batch-001.csv",
      rejects: "s3://acme-out/rejects/batch-001.csv"
    }
  },
  validation: {
    tests_executed: 5000 + seed,
    tests_failed: 20,
    error_rate: 0.004,
    top_errors: [
      { error_code: "INVALID_DATE", field: "invoice_date", count: 13 },
      { error_code: "MISSING_VALUE", field: "currency", count: 7 }
    ]
  },
  errors: []
})

/** The answer to a read; different seeds give texts that differ in their numbers. */
export const answer = (/** @type {string} */ status, seed = 0) =>
  JSON.stringify({ id: runId, status, metadata: metadata(status, seed), run_metadata: { batch: "001", attempt: seed } })
