/**
 * Lume's metadata of a finished run, in its JSON.
 */
export const finishedMetadata = (status: "SUCCEEDED" | "PARTIAL_FAILED" = "SUCCEEDED", id = "run_01HYE5ZJ4T8Q2W") => {
  const rejected = status === "SUCCEEDED" ? 0 : 20
  return {
    run: { run_id: id, flow_version: "invoice_cleaner:v4", source_path: "s3://acme/batch-001.csv", status },
    pipeline: {
      created_at: "2026-11-03T08:15:00Z",
      completed_at: "2026-11-03T08:17:03.250Z",
      duration_seconds: 123.25,
      stages: { sync_source_seconds: 10.5, transform_seconds: 100.25, sync_target_seconds: 12.5 }
    },
    results: {
      input_rows: 1000,
      mapped_rows: 1000 - rejected,
      rejected_rows: rejected,
      target_locations: {
        mapped: "s3://acme-out/mapped/batch-001.csv",
        rejects: rejected === 0 ? null : "s3://acme-out/rejects/batch-001.csv"
      }
    },
    validation: {
      tests_executed: 5000,
      tests_failed: rejected,
      error_rate: rejected / 5000,
      top_errors: rejected === 0 ? [] : [{ error_code: "INVALID_DATE", field: "invoice_date", count: rejected }]
    },
    errors: []
  }
}
