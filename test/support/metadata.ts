/**
 * Lume's metadata of a finished run, in its JSON.
 */
import example from "./metadata.json" with { type: "json" }

/** The example of `metadata.json`, of a run of this status and id. */
export const finishedMetadata = (
  status: "SUCCEEDED" | "PARTIAL_FAILED" = "SUCCEEDED",
  id: string = example.run.run_id
) => {
  const { results, run, validation } = example
  const rejected = status === "SUCCEEDED" ? 0 : results.rejected_rows
  return {
    ...example,
    run: { ...run, run_id: id, status },
    results: {
      ...results,
      mapped_rows: results.input_rows - rejected,
      rejected_rows: rejected,
      target_locations: {
        ...results.target_locations,
        rejects: rejected === 0 ? null : results.target_locations.rejects
      }
    },
    validation: {
      ...validation,
      tests_failed: rejected,
      error_rate: rejected / validation.tests_executed,
      top_errors: rejected === 0 ? [] : validation.top_errors
    }
  }
}
