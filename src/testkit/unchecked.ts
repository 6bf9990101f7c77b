/**
 * Encoding without checks: a test may want Lume to write what its schema refuses, such as an error rate of 2.
 */
import * as Array from "effect/Array"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"

const mapFields = (ast: SchemaAST.TypeLiteral, f: (ast: SchemaAST.AST) => SchemaAST.AST): SchemaAST.AST =>
  new SchemaAST.TypeLiteral(
    ast.propertySignatures.map(
      ({ isOptional, isReadonly, name, type }) => new SchemaAST.PropertySignature(name, f(type), isOptional, isReadonly)
    ),
    []
  )

/** The same transformations between types of which nothing is asked. */
const unchecked = (ast: SchemaAST.AST): SchemaAST.AST => {
  switch (ast._tag) {
    case "Transformation": {
      const to = SchemaAST.isTypeLiteral(ast.to)
        ? mapFields(ast.to, () => SchemaAST.unknownKeyword)
        : SchemaAST.unknownKeyword
      return new SchemaAST.Transformation(unchecked(ast.from), to, ast.transformation)
    }
    case "TypeLiteral":
      return mapFields(ast, unchecked)
    case "TupleType":
      return new SchemaAST.TupleType(
        [],
        ast.rest.map(({ type }) => new SchemaAST.Type(unchecked(type))),
        ast.isReadonly
      )
    case "Union":
      // the last member is `Nothing`, which goes before the one that takes anything
      return SchemaAST.Union.make(
        Array.reverse(ast.types).map((member) => (SchemaAST.isDeclaration(member) ? member : unchecked(member)))
      )
    case "Refinement":
      return unchecked(ast.from)
    default:
      return SchemaAST.unknownKeyword
  }
}

/** Writes a value as the schema does, whether or not the schema allows it. */
export const encode = <A, I>(schema: Schema.Schema<A, I>): ((value: A) => I) =>
  ParseResult.encodeSync(Schema.make<A, I, never>(unchecked(schema.ast)))
