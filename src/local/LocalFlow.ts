/**
 * A flow version as a file: how rows of a source become rows of a target, and which of them are good enough.
 *
 * ```json
 * {
 *   "name": "invoice_cleaner",
 *   "version": "v4",
 *   "fields": { "invoice_date": "try_strptime(\"Date\", '%d.%m.%Y')::DATE", "total": "try_cast(\"Total\" AS DECIMAL(12, 2))" },
 *   "tests": [{ "error_code": "INVALID_DATE", "field": "invoice_date", "check": "invoice_date IS NOT NULL" }]
 * }
 * ```
 *
 * @module
 * @since 1.0.0
 */
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { derive } from "../internal/derive.js"
import { isWellFormed } from "../internal/json.js"
import { toIssue } from "../internal/problem.js"
import { JsonObject } from "../internal/leaf.js"
import { FlowVersion } from "../RunRequest.js"
import { fold } from "./internal/sql.js"

/** A text, or something else: one predicate, which the encoded side keeps. Its arbitrary values are of a simple pattern. */
const textOr =
  <Or>(isOther: (value: unknown) => value is Or) =>
  (description: string, is: (text: string) => boolean, arbitrary: RegExp, jsonSchema: object = {}) =>
    Schema.declare(
      (value: unknown): value is string | Or => (typeof value === "string" ? is(value) : isOther(value)),
      derive<string | Or>({
        description,
        arbitrary: (fc) => fc.stringMatching(arbitrary),
        pretty: (text) => JSON.stringify(text),
        jsonSchema: { type: "string", minLength: 1, ...jsonSchema }
      })
    )

const text = textOr(Predicate.isNever)

/** A field that may be left out, or undefined, which no JSON holds. */
const optional = (...given: Parameters<typeof text>) =>
  Schema.optionalWith(textOr(Predicate.isUndefined)(...given), { exact: true })

// whoever reads it would get another text in place of one with half a surrogate pair
const isTrimmed = (text: string): boolean => text !== "" && text.trim() === text && isWellFormed(text)

const Part = text(
  "a non-empty text without a colon and without white space around it",
  (text) => isTrimmed(text) && !text.includes(":"),
  /^[a-z]{1,12}$/
)

const sql = "an SQL expression without white space around it"
const expression = /^"[A-Z]"$/
const Sql = text(sql, isTrimmed, expression)
const isSql = Schema.is(Sql)

const isEncoding = (label: string): boolean => {
  try {
    return new TextDecoder(label).encoding !== ""
  } catch {
    return false
  }
}

const encoding = optional("an encoding that TextDecoder takes, such as windows-1252", isEncoding, /^iso-8859-[1-8]$/)

const separator = /^(?![\w"\r\n\0])\p{ASCII}$/u

const delimiter = optional(
  "one character of ASCII that is no letter, no digit, no double quote and no line end",
  (text) => separator.test(text),
  /^[,;|\t]$/,
  { pattern: separator.source }
)

const ErrorCode = text(
  "a non-empty error code without a semicolon and without white space around it",
  (text) => isTrimmed(text) && !text.includes(";"),
  /^[A-Z]{1,12}$/
)

// any text: `problem` looks whether there is such a field
const FieldName = text("the name of a field", () => true, /^total$/)

const isJsonObject = Schema.is(JsonObject)

const write = (fields: { readonly [name: string]: string }): string => JSON.stringify(fields)

/** The fields as they came: copying them key by key would lose a key named `__proto__`. What is in them, `problem` says. */
const Fields = Schema.declare(
  (value: unknown): value is { readonly [name: string]: string } => isJsonObject(value),
  derive<{ readonly [name: string]: string }>({
    description: "an object with at least one field",
    arbitrary: (fc) => fc.record({ total: fc.stringMatching(expression) }),
    pretty: write,
    // in another order they are another target
    equivalence: (one, other) => write(one) === write(other),
    jsonSchema: {
      type: "object",
      minProperties: 1,
      additionalProperties: { type: "string", minLength: 1, description: sql }
    }
  })
)

const Test = Schema.Struct({
  /** What a row that fails is reported with (`error_code`), such as `INVALID_DATE`. */
  error_code: ErrorCode,
  /** The target field that is tested. */
  field: FieldName,
  /**
   * An SQL predicate over the target fields, which must be true of every row; null counts as failed, so that a test of
   * a value also catches its absence. It sees the values that the target gets, also random ones. The table of the
   * target's rows is called `target`: `(SELECT count(*) FROM target t WHERE t.id = target.id) = 1`. A subquery may take
   * rows from that, and from what it may in a field.
   */
  check: Sql
})

const Flow = Schema.Struct({
  /** The flow's name: the part of a flow version before the colon. */
  name: Part,
  /** The version: the part of a flow version after the colon. */
  version: Part,
  /**
   * The target's fields, in their order: for each its name, and the SQL expression (DuckDB's SQL) that computes it from
   * the columns of one source row. Columns of CSV, TSV and JSON are text; those of Parquet have the file's types.
   *
   * The table of the source's rows is called `source`, so that an expression can look at other rows:
   * `row_number() OVER (PARTITION BY "Id" ORDER BY "Date")`, or `(SELECT max(s.v) FROM source s WHERE s.g = source.g)`.
   * A subquery may take rows from `source`, from tables that it makes itself (WITH, VALUES, subqueries), and from
   * `unnest`, `range`, `generate_series`, `json_each`, `json_tree`, `repeat` and `repeat_row`.
   *
   * A name that is a whole number, such as `2024`, is refused: JavaScript would put it before the others.
   *
   * What an expression itself takes out of JSON, by `->`, `->>` or `::JSON`, follows DuckDB: a number with a fraction or
   * an exponent goes through a double there and can lose digits. A time without a zone is UTC.
   */
  fields: Fields,
  /** What every row of the target must satisfy; a row that fails any test is rejected. */
  tests: Schema.Array(Test),
  /**
   * The encoding of CSV, TSV and JSON sources that have no byte-order mark: any label that `TextDecoder` takes, such as
   * `windows-1252`. Default: UTF-8. A byte-order mark tells the encoding whatever this says. Targets are always UTF-8,
   * without a mark.
   */
  encoding,
  /** What separates the fields of CSV and TSV sources, and so of their targets. Default: a comma in CSV, a tab in TSV. */
  delimiter
})

/**
 * A flow version.
 *
 * @since 1.0.0
 * @category models
 */
export interface LocalFlow extends Schema.Schema.Type<typeof Flow> {}

/** The first of the names that DuckDB takes for one before it. */
const firstDuplicate = (names: ReadonlyArray<string>): string | undefined => {
  const seen = new Set<string>()
  return names.find((name) => seen.size === seen.add(fold(name)).size)
}

const wholeNumber = /^(0|[1-9][0-9]*)$/

/**
 * The first field whose name is a whole number: JavaScript's objects put those before the others, so that the order is lost.
 *
 * @internal
 */
export const numberedField = ({ fields }: Pick<LocalFlow, "fields">): string | undefined =>
  Object.keys(fields).find((name) => wholeNumber.test(name))

const problem = ({ fields, tests }: LocalFlow) => {
  const names = Object.keys(fields)
  if (names.length === 0) return { path: ["fields"], message: "at least one field" }
  // DuckDB reads a name only to its first NUL character
  const nameless = names.find((name) => name === "" || name.includes("\0") || !isWellFormed(name))
  if (nameless !== undefined)
    return {
      path: ["fields", nameless],
      message: "a non-empty name without a NUL character and without half surrogate pairs"
    }
  const duplicate = firstDuplicate(names)
  if (duplicate !== undefined)
    return {
      path: ["fields", duplicate],
      message: "a name that differs from the others in more than upper and lower case"
    }
  const numbered = numberedField({ fields })
  if (numbered !== undefined)
    return {
      path: ["fields", numbered],
      message: `a name that is no whole number, such as ${JSON.stringify(`n${numbered}`)}: the order of such fields would be lost`
    }
  const other = names.find((name) => !isSql(fields[name]))
  if (other !== undefined) return { path: ["fields", other], message: sql }
  const index = tests.findIndex((test) => !names.includes(test.field))
  return index < 0
    ? undefined
    : {
        path: ["tests", index, "field"],
        message: `one of the fields: ${names.map((name) => JSON.stringify(name)).join(", ")}`
      }
}

/**
 * Schema of a flow file.
 *
 * @since 1.0.0
 * @category schemas
 */
export const LocalFlow: Schema.Schema<LocalFlow> = Flow.pipe(
  Schema.filter((flow) => toIssue(problem(flow)))
).annotations({
  identifier: "LumeLocalFlow",
  description: "a flow: an object with name, version, fields and tests"
})

/**
 * The name under which a flow is run, such as `invoice_cleaner:v4`.
 *
 * @example
 * ```ts
 * import { LumeClient } from "effect-lume"
 * import * as LocalFlow from "effect-lume/local/LocalFlow"
 *
 * const flow: LocalFlow.LocalFlow = { name: "people", version: "v1", fields: { name: 'trim("Name")' }, tests: [] }
 *
 * const run = LumeClient.run({ flowVersion: LocalFlow.flowVersion(flow), sourcePath: "people.csv" })
 * ```
 *
 * @since 1.0.0
 * @category getters
 */
export const flowVersion = (flow: LocalFlow): FlowVersion => FlowVersion.make(`${flow.name}:${flow.version}`)
