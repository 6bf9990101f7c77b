/**
 * What a schema found wrong, in words: where it is, what was expected there, and what came.
 *
 * The one place that reads Effect's schema issues.
 */
import * as Predicate from "effect/Predicate"
import * as SchemaAST from "effect/SchemaAST"
import type * as SchemaIssue from "effect/SchemaIssue"
import { preview } from "./text.js"

/** The first problem, in the order of the schema's fields. */
export interface Problem {
  /** Such as `results.input_rows` or `errors[0].stage`; empty where the whole value is meant. */
  readonly path: string
  readonly expected: string
  readonly received: string
}

interface Place {
  readonly keys: ReadonlyArray<PropertyKey>
  readonly expected: string
}

const literal = (ast: SchemaAST.AST): string =>
  SchemaAST.isLiteral(ast)
    ? JSON.stringify(ast.literal)
    : SchemaAST.isNull(ast) || SchemaAST.isUndefined(ast)
      ? ast._tag.toLowerCase()
      : `a ${ast._tag.toLowerCase()}`

const kind = (ast: SchemaAST.AST): string => {
  if (SchemaAST.isObjects(ast)) return "an object"
  if (SchemaAST.isArrays(ast)) return "an array"
  // of a union, what its first member asks for
  const [first] = SchemaAST.isUnion(ast) ? ast.types : []
  return first === undefined ? literal(ast) : describe(first)
}

/** What a schema says itself: its last filter that says something goes before what it filters. */
const description = (ast: SchemaAST.AST): string | undefined =>
  [ast, ...(ast.checks ?? [])].map(({ annotations }) => annotations?.description).findLast(Predicate.isString)

const describe = (ast: SchemaAST.AST): string => description(ast) ?? kind(ast)

const member = (ast: SchemaAST.AST | undefined, key: PropertyKey): SchemaAST.AST | undefined =>
  ast !== undefined && SchemaAST.isObjects(ast)
    ? ast.propertySignatures.find(({ name }) => name === key)?.type
    : ast !== undefined && SchemaAST.isArrays(ast)
      ? ast.rest[0]
      : undefined

const find = (issue: SchemaIssue.Issue, keys: ReadonlyArray<PropertyKey>, ast: SchemaAST.AST | undefined): Place => {
  switch (issue._tag) {
    case "Pointer":
      return find(issue.issue, keys.concat(issue.path), issue.path.reduce(member, ast))
    case "Composite":
      return find(issue.issues[0], keys, issue.ast)
    case "AnyOf": {
      // what is wrong within a value, or what a filter says, goes before the type of the value as a whole
      const places = issue.issues.filter((one) => one._tag !== "InvalidType").map((one) => find(one, keys, ast))
      const place = places.find((one) => one.keys.length > keys.length) ?? places[0]
      return place ?? { keys, expected: describe(issue.ast) }
    }
    case "Filter":
      return find(issue.issue, keys, ast)
    case "Encoding": {
      const place = find(issue.issue, keys, issue.ast)
      // of the value as a whole, what the schema says itself goes before what its encoded side says
      const isWhole = place.keys.length === keys.length
      return isWhole ? { keys, expected: description(issue.ast) ?? place.expected } : place
    }
    case "InvalidValue":
      return { keys, expected: issue.annotations?.message ?? (ast === undefined ? "another value" : describe(ast)) }
    case "MissingKey":
    case "Forbidden":
      return { keys, expected: ast === undefined ? "something" : describe(ast) }
    case "InvalidType":
    case "OneOf":
      return { keys, expected: describe(issue.ast) }
    case "UnexpectedKey":
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
  found && { path: found.path, issue: found.message }

/** Reads the first problem of an issue with `value`. */
export const fromIssue = (issue: SchemaIssue.Issue, value: unknown): Problem => {
  const { expected, keys } = find(issue, [], undefined)
  return { path: formatPath(keys), expected, received: preview(at(value, keys)) }
}
