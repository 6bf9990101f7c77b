/**
 * A flow made ready for the source: its expressions, parsed, and the columns that they may name.
 */
import * as Array from "effect/Array"
import * as Effect from "effect/Effect"
import type { LocalFlow } from "../LocalFlow.js"
import type { Database } from "./duckdb.js"
import type { Expression } from "./expression.js"
import { fromDuckDB, type StageFailure } from "./failure.js"
import * as sql from "./sql.js"
import * as syntax from "./syntax.js"

/** A field of the target. */
export interface Field extends Expression {
  readonly name: string
}

/** A test of the flow. */
export interface Test extends Expression {
  readonly errorCode: string
  /** The field that it tests. */
  readonly field: string
}

/** A flow, parsed. */
export interface Program {
  readonly fields: ReadonlyArray<Field>
  readonly tests: ReadonlyArray<Test>
  /** Every name and text in the flow's SQL, folded. */
  readonly texts: ReadonlySet<string>
  /** Whether the flow may name a column of the source, in upper or lower case. It is never false of one that is named. */
  readonly names: (column: string) => boolean
}

/** Parses a flow. What is no expression is refused when the flow is bound, with what names nothing that is there. */
export const parse = (database: Database, flow: LocalFlow): Effect.Effect<Program, StageFailure> => {
  const fields = Object.entries(flow.fields).map(([name, sql]) => ({
    owner: `The field ${JSON.stringify(name)}`,
    name,
    sql
  }))
  const tests = flow.tests.map(({ check, error_code: errorCode, field }) => ({
    owner: `The test ${JSON.stringify(errorCode)} of the field ${JSON.stringify(field)}`,
    errorCode,
    field,
    sql: check,
    castTo: "BOOLEAN" as const
  }))
  const sources = [
    ...fields.map(({ sql }) => ({ sql, table: "source" as const })),
    ...tests.map(({ sql }) => ({ sql, table: "target" as const }))
  ]
  return syntax.parse(database, sources).pipe(
    Effect.map((parsed): Program => {
      const texts = new Set(parsed.flatMap(({ texts }) => [...texts]))
      const namesAll = parsed.some(({ namesByPosition, wholeRows }) => namesByPosition || wholeRows.size > 0)
      return {
        fields: Array.zipWith(fields, parsed, (field, syntax) => ({ ...field, syntax })),
        tests: Array.zipWith(tests, parsed.slice(fields.length), (test, syntax) => ({ ...test, syntax })),
        texts,
        names: (column) => namesAll || texts.has(sql.fold(column))
      }
    }),
    Effect.catchAll(fromDuckDB("FLOW_SQL_ERROR", () => "The flow's SQL can't be parsed. Write shorter expressions."))
  )
}
