/**
 * SYNCING_TARGET: writes the rows that pass to the mapped file, and the original rows of those that fail, with the list
 * of their error codes, to the rejects file.
 */
import type * as PlatformError from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Array from "effect/Array"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as path from "node:path"
import { pathToFileURL } from "node:url"
import { refuseDamaged } from "./damage.js"
import type { DuckDBError } from "./duckdb.js"
import * as explain from "./explain.js"
import * as expression from "./expression.js"
import { fromDuckDB, refuseLack, StageFailure } from "./failure.js"
import * as sql from "./sql.js"
import type { Staging } from "./syncSource.js"
import * as targetType from "./targetType.js"
import { passes, type Transformed, type TypedField } from "./transform.js"

/** Where a run's output lies, as `file://` URIs. */
export interface Locations {
  /** `None` where all rows were rejected. */
  readonly mapped: Option.Option<string>
  /** `None` where nothing was rejected. */
  readonly rejects: Option.Option<string>
}

const notWritable = (why: string): StageFailure =>
  new StageFailure({
    errorCode: "TARGET_NOT_WRITABLE",
    message: `The run's output can't be written into the targets folder: ${why}.`
  })

/** Something of the run's id is in the targets folder. */
export const taken = notWritable("something of the run's id is there already. Take it away, or run under another id")

/** Why a folder or file can't be written, without its path. */
export const fromPlatform = (error: PlatformError.PlatformError): StageFailure => {
  const reason = error._tag === "SystemError" ? error.reason : error._tag
  switch (reason) {
    case "PermissionDenied":
      return notWritable("this process may not write there. Grant it the permission")
    case "AlreadyExists":
      return taken
    default:
      return notWritable(`the disk says ${reason}. Check that the folder exists and has space left`)
  }
}

/** Each code once, in the order of the flow's tests. */
const errorCodes = ({ tests }: Transformed): string => {
  const codes = [...new Set(tests.map(({ errorCode }) => errorCode))].map((code) => {
    const same = tests.filter(({ errorCode }) => errorCode === code)
    return `CASE WHEN NOT (${passes(same)}) THEN ${sql.text(code)} END`
  })
  return `list_filter([${codes.join(", ")}], lambda code: code IS NOT NULL)`
}

const rejectedRows = ({ rejects, relation, row }: Staging, transformed: Transformed): string => {
  const columns = rejects.columns(errorCodes(transformed))
  // The rows are joined by their positions, which is fast; that they are the same is checked row by row.
  const isRejected =
    `CASE WHEN ${row} IS DISTINCT FROM result.row THEN error('The rows are not aligned') ` +
    `ELSE NOT (${passes(transformed.tests)}) END`
  return `SELECT ${columns.join(", ")} FROM ${relation} AS staged POSITIONAL JOIN result WHERE ${isRejected}`
}

const copy = (query: string, file: string, options: string): string =>
  `COPY (${query}) TO ${sql.text(file)} (${options})`

const valueOf = ({ column }: TypedField): string => `result.${column}`

/** A field as the mapped file gets it. */
const written = ({ format }: Staging, { fields }: Transformed, field: TypedField): string => {
  const value = valueOf(field)
  // A line of one NULL would be an empty line, which readers of CSV skip.
  if (format.family === "delimited" && fields.length === 1) return `coalesce(${value}::VARCHAR, '')`
  const cast = format.family === "parquet" ? targetType.parquetCast(field.type) : undefined
  return cast === undefined ? value : `${value}::${cast}`
}

const mappedRows = (staging: Staging, transformed: Transformed): string => {
  const values = transformed.fields.map((field) => `${written(staging, transformed, field)} AS ${sql.name(field.name)}`)
  return `SELECT ${values.join(", ")} FROM result WHERE ${passes(transformed.tests)}`
}

const Firsts = Schema.Struct({ rows: Schema.Array(Schema.NullOr(Schema.Number)) })

/** Refuses NaN and Infinity in what shall be JSON: a parser of JSON would refuse the file. */
const refuseNoNumbers = ({ database }: Staging, { fields, tests }: Transformed) =>
  Effect.gen(function* () {
    const checks = fields.flatMap((field) => {
      const check = targetType.holdsNoNumber(field.type, valueOf(field))
      return check === undefined ? [] : [{ field, check }]
    })
    if (checks.length === 0) return
    const firsts = checks.map(({ check }) => `min(result.row) FILTER (WHERE ${check})::DOUBLE`)
    const { rows } = yield* Effect.catchAll(
      database.one(Firsts, `SELECT [${firsts.join(", ")}]::DOUBLE[] AS rows FROM result WHERE ${passes(tests)}`),
      fromDuckDB("TARGET_NOT_WRITABLE", () => notWritable("its numbers can't be checked").message)
    )
    for (const [{ field }, first] of Array.zip(checks, rows)) {
      if (first !== null)
        return yield* explain.refuse(
          field,
          "it is NaN or Infinity, which JSON does not know. Give NULL in its place, or cast it to VARCHAR.",
          first + 1
        )
    }
  })

/** Refuses the field whose values the target's format can't keep, which is found by writing parts of them to `probe`. */
const refuseUnwritable = (staging: Staging, transformed: Transformed, probe: string) =>
  Effect.gen(function* () {
    const { database, format, rows } = staging
    const { fields, tests } = transformed
    const culprit = yield* expression.findFailing(database, {
      expressions: fields.map((field) => ({ ...field, syntax: { ...field.syntax, seesOtherRows: false } })),
      query: (some, where = "true") => {
        const values = some.map((field) => `${written(staging, transformed, field)} AS ${field.column}`)
        return `SELECT ${["row", ...values].join(", ")} FROM result WHERE ${passes(tests)} AND ${where}`
      },
      use: (query) => copy(query, probe, format.write),
      row: "row",
      rows
    })
    if (culprit !== undefined) {
      const { expression, record } = culprit
      return yield* explain.refuse(expression, targetType.unwritable(expression.type), record)
    }
  })

const toDisk = ({ message }: DuckDBError): StageFailure =>
  notWritable(
    message.includes("No space left")
      ? "the disk is full. Make space"
      : "writing fails. Check the folder's permissions and the disk's space"
  )

/**
 * Writes the output into the folder `work`, then moves it to the folder `target` in one step, so that it is there whole or not at
 * all. Only this user can read it.
 */
export const syncTarget = (
  staging: Staging,
  transformed: Transformed,
  {
    onMoved,
    target,
    work
  }: {
    readonly target: string
    readonly work: string
    /** Told when the output is in its place. */ readonly onMoved: () => void
  }
): Effect.Effect<Locations, StageFailure, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const { database, extension, format, inPlace, rejects, relation } = staging
    const { mapped, rejected } = transformed.tally
    const output = path.join(work, "output")
    const onDisk = Effect.mapError(fromPlatform)

    const write = <R>(
      name: string,
      query: string,
      options: string,
      refuse: Effect.Effect<void, StageFailure, R>
    ): Effect.Effect<Option.Option<string>, StageFailure, R> =>
      Effect.gen(function* () {
        const file = path.join(output, name + extension)
        yield* Effect.catchAll(database.run(copy(query, file, options)), (error) =>
          Effect.all([refuseLack(error), error.kind === "IO" ? toDisk(error) : refuse, toDisk(error)], {
            discard: true
          })
        )
        yield* onDisk(files.chmod(file, 0o600))
        return Option.some(pathToFileURL(path.join(target, name + extension)).href)
      })

    yield* onDisk(files.makeDirectory(output, { mode: 0o700 }))
    const rejectsAt =
      rejected === 0
        ? Option.none()
        : yield* write("rejects", rejectedRows(staging, transformed), rejects.write, refuseDamaged(staging))
    // What is staged has served, and its memory is wanted for writing.
    yield* Effect.orDie(database.run(`DROP ${inPlace ? "VIEW" : "TABLE"} ${relation}`))
    if (format.family === "json") yield* refuseNoNumbers(staging, transformed)
    const refuse = refuseUnwritable(staging, transformed, path.join(work, "probe"))
    const mappedAt =
      mapped === 0 && rejected > 0
        ? Option.none()
        : yield* write("mapped", mappedRows(staging, transformed), format.write, refuse)
    yield* staging.unchanged
    // The system moves it even if nobody waits any more.
    yield* onDisk(Effect.uninterruptible(Effect.zipRight(files.rename(output, target), Effect.sync(onMoved))))
    return { mapped: mappedAt, rejects: rejectsAt }
  })
