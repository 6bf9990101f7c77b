/**
 * What a schema found wrong, in words: where it is, what was expected there, and what came.
 *
 * The one place that reads Effect's parse issues.
 */
import * as Option from "effect/Option"
import type * as ParseResult from "effect/ParseResult"
import * as SchemaAST from "effect/SchemaAST"
import { preview } from "./text.js"

/** The first problem, in the order of the schema's fields. */
export interface Problem {
  /** Such as `results.input_rows` or `errors[0].stage`; empty if the whole value is meant. */
  readonly path: string
  readonly expected: string
  readonly received: string
}

interface Place {
  readonly keys: ReadonlyArray<PropertyKey>
  readonly expected: string
}

const kind = (ast: SchemaAST.AST): string => {
  if (SchemaAST.isTypeLiteral(ast)) return "an object"
  if (SchemaAST.isTupleType(ast)) return "an array"
  return SchemaAST.isTransformation(ast) ? describe(ast.from) : String(ast)
}

const description: (ast: SchemaAST.AST) => Option.Option<string> = SchemaAST.getDescriptionAnnotation

const describe = (ast: SchemaAST.AST): string => Option.getOrElse(description(ast), () => kind(ast))

const find = (issue: ParseResult.ParseIssue, keys: ReadonlyArray<PropertyKey>): Place => {
  switch (issue._tag) {
    case "Pointer":
      return find(issue.issue, keys.concat(issue.path))
    case "Composite":
      // of what may be null or undefined too, those come last
      return find("_tag" in issue.issues ? issue.issues : issue.issues[0], keys)
    case "Refinement":
      return find(issue.issue, keys)
    case "Transformation": {
      const place = find(issue.issue, keys)
      // of the value as a whole, what the schema says itself goes before what its encoded side says
      const isWhole = place.keys.length === keys.length
      return isWhole ? { keys, expected: Option.getOrElse(description(issue.ast), () => place.expected) } : place
    }
    case "Missing":
      return { keys, expected: describe(issue.ast.type) }
    case "Type":
    case "Forbidden":
      return { keys, expected: issue.message ?? describe(issue.ast) }
    // only a schema that is asked to refuses fields that it does not know
    case "Unexpected":
      return { keys, expected: "no such field" }
  }
}

const formatPath = (keys: ReadonlyArray<PropertyKey>): string =>
  keys.reduce<string>(
    (path, key) => (typeof key === "number" ? `${path}[${key}]` : path === "" ? String(key) : `${path}.${String(key)}`),
    ""
  )

const at = (value: unknown, keys: ReadonlyArray<PropertyKey>): unknown =>
  keys.reduce<unknown>(
    (value, key) => (typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined),
    value
  )

/** What a filter of a schema says is wrong. */
export const toIssue = (found: { readonly path: ReadonlyArray<PropertyKey>; readonly message: string } | undefined) =>
  found

/** Reads the first problem of an issue with `value`. */
export const fromIssue = (issue: ParseResult.ParseIssue, value: unknown): Problem => {
  const { expected, keys } = find(issue, [])
  return { path: formatPath(keys), expected, received: preview(at(value, keys)) }
}
