/**
 * Encoding without checks: a test may want Lume to write what its schema refuses, such as an error rate of 2.
 */
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import * as SchemaParser from "effect/SchemaParser"

/** Whether a member of a union is that for what is absent: nothing but null. */
const isNothing = (ast: SchemaAST.AST): boolean => {
  const is = SchemaParser.is(Schema.make<Schema.Schema<unknown>>(SchemaAST.toType(ast)))
  return SchemaAST.isDeclaration(ast) && is(null) && !is("") && !is(0)
}

/** The same transformations between types of which nothing is asked. */
const unchecked = (ast: SchemaAST.AST): SchemaAST.AST => {
  const encoding = ast.encoding?.map(({ to, transformation }) => new SchemaAST.Link(unchecked(to), transformation))
  // as many as before
  const links = encoding as SchemaAST.Encoding | undefined
  if (SchemaAST.isObjects(ast)) {
    const fields = ast.propertySignatures.map(
      ({ name, type }) => new SchemaAST.PropertySignature(name, unchecked(type))
    )
    return new SchemaAST.Objects(fields, [], undefined, undefined, links, ast.context)
  }
  if (SchemaAST.isArrays(ast)) {
    return new SchemaAST.Arrays(ast.isMutable, [], ast.rest.map(unchecked), undefined, undefined, links, ast.context)
  }
  if (SchemaAST.isUnion(ast)) {
    // the last member is `Nothing`, which goes before the one that takes anything
    const members = ast.types.toReversed().map((member) => (isNothing(member) ? member : unchecked(member)))
    return new SchemaAST.Union(members, ast.options, undefined, undefined, links, ast.context)
  }
  return new SchemaAST.Unknown(undefined, undefined, links, ast.context)
}

/** Writes a value as the schema does, whether or not the schema allows it. */
export const encode = <A, I>(schema: Schema.Codec<A, I>): ((value: A) => I) =>
  SchemaParser.encodeSync(Schema.make<Schema.Codec<A, I>>(unchecked(schema.ast)))
