/**
 * Lume's JSON of a run and of a request, exactly as a local Lume sends and takes them.
 *
 * They are written here and not taken from the SDK, which reads more than this server writes: so the server's document
 * says what is really sent, and each side can be checked against the other.
 */
import * as Schema from "effect/Schema"
import { derive } from "../../internal/derive.js"

/** A value as JSON Schema says it. Nothing is read or written by these schemas: the document is made of them. */
const described = (description: string, jsonSchema: object) =>
  Schema.declare(
    (value: unknown): value is unknown => value !== undefined,
    derive<unknown>({ description, jsonSchema: { ...jsonSchema, description } })
  )

const text = (description: string) => Schema.String.annotations({ description })
const count = (description: string) => described(description, { type: "integer", minimum: 0 })
const seconds = (description: string) => described(description, { type: "number", minimum: 0 })
const ratio = (description: string) => described(description, { type: "number", minimum: 0, maximum: 1 })
const timestamp = (description: string) => described(description, { type: "string", format: "date-time" })
const object = (description: string) => described(description, { type: "object" })

const absent = <S extends Schema.Schema.Any>(schema: S) => Schema.optional(Schema.NullOr(schema))

const RunMetadata = object("The caller's own pairs that were submitted with the run.")

const ids = {
  run_id: text("The run's id."),
  flow_version: text("The flow version that was executed."),
  source_path: text("The source path that it was executed on.")
}

const times = {
  created_at: timestamp("When the run was accepted."),
  completed_at: timestamp("When the run ended."),
  duration_seconds: seconds("The time from created_at to completed_at.")
}

const Stages = Schema.Struct({
  sync_source_seconds: absent(seconds("Time spent reading the source.")),
  transform_seconds: absent(seconds("Time spent in the transformation and the tests.")),
  sync_target_seconds: absent(seconds("Time spent writing the target."))
})

const inputRows = count("Rows of the source.")
const mappedRows = count("Rows that passed every test.")
const rejectedRows = count("Rows that failed a test.")
const mapped = text("The file:// URI of the rows that passed.")
const rejects = text("The file:// URI of the rows that failed a test, with their error codes.")

const validation = {
  tests_executed: count("Tests executed, of all rows."),
  tests_failed: count("Tests failed, of all rows."),
  error_rate: ratio("tests_failed by tests_executed."),
  top_errors: Schema.Array(
    Schema.Struct({
      error_code: text("The error code of the test."),
      field: text("The target field that it tests."),
      count: count("How many rows failed it.")
    })
  )
}

const errors = Schema.Array(
  Schema.Struct({
    stage: text("The run's status meanwhile."),
    error_code: text("A code for programs."),
    message: text("What happened and what to do.")
  })
)

const FinishedMetadata = Schema.Struct({
  run: Schema.Struct({ ...ids, status: Schema.Literal("SUCCEEDED", "PARTIAL_FAILED") }),
  pipeline: Schema.Struct({ ...times, stages: Stages }),
  results: Schema.Struct({
    input_rows: inputRows,
    mapped_rows: mappedRows,
    rejected_rows: rejectedRows,
    target_locations: Schema.Struct({ mapped, rejects: absent(rejects) })
  }),
  validation: Schema.Struct(validation),
  errors
}).annotations({ identifier: "FinishedMetadata", description: "What a run did that produced data." })

const BrokenMetadata = Schema.Struct({
  run: Schema.Struct({ ...ids, status: Schema.Literal("FAILED", "CRASHED") }),
  pipeline: Schema.Struct({ ...times, stages: absent(Stages) }),
  results: absent(
    Schema.Struct({
      input_rows: absent(inputRows),
      mapped_rows: absent(mappedRows),
      rejected_rows: absent(rejectedRows),
      target_locations: absent(Schema.Struct({ mapped: absent(mapped), rejects: absent(rejects) }))
    })
  ),
  validation: absent(Schema.Struct(validation)),
  errors
}).annotations({ identifier: "BrokenMetadata", description: "What is known of a run that failed or crashed." })

const NoMetadata = described("Nothing, until the run has ended.", { type: "object", maxProperties: 0 })

const run = <Status extends string, Metadata extends Schema.Schema.Any>(
  identifier: string,
  status: ReadonlyArray<Status>,
  metadata: Metadata
) =>
  Schema.Struct({
    id: text("The run's id."),
    status: Schema.Literal(...status).annotations({ description: "The run's state in its lifecycle." }),
    metadata,
    run_metadata: RunMetadata
  }).annotations({ identifier })

/** A run that was accepted. */
export const CreatedRun = run("CreatedRun", ["CREATED"], NoMetadata)

/** A run in any state. */
export const Run = Schema.Union(
  CreatedRun,
  run("RunningRun", ["SYNCING_SOURCE", "TRANSFORMING", "SYNCING_TARGET"], NoMetadata),
  run("FinishedRun", ["SUCCEEDED", "PARTIAL_FAILED"], FinishedMetadata),
  run("BrokenRun", ["FAILED", "CRASHED"], BrokenMetadata)
).annotations({ identifier: "Run" })

/** The longest source path, in bytes of UTF-8. */
export const longestSourcePath = 4096

/** What is submitted. */
export const Request = Schema.Struct({
  flow_version: described("The flow version to run, such as invoice_cleaner:v4.", {
    type: "string",
    pattern: "^[^:\\s]([^:]*[^:\\s])?:[^:\\s]([^:]*[^:\\s])?$"
  }),
  source_path: described(
    `What to run it on, at most ${longestSourcePath} bytes: s3://acme/a.csv is s3/acme/a.csv in the sources folder.`,
    { type: "string", minLength: 1, maxLength: longestSourcePath }
  ),
  run_metadata: absent(RunMetadata),
  force_rerun: absent(
    Schema.Boolean.annotations({ description: "Run even where the flow version has succeeded on the source path." })
  )
}).annotations({ identifier: "RunRequest" })

/** A document that describes these. */
export const Document = object("An OpenAPI 3.1 document.")
