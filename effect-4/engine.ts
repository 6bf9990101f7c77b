/**
 * Turns TypeScript on Effect 3 into TypeScript on Effect 4, by rules.
 *
 * A rule is a pattern and what stands in its place, both written as TypeScript. It is matched against the syntax tree:
 * white space, comments and local names of modules don't matter. What a pattern's variables stand for is turned too. The
 * imports follow from what is used afterwards.
 */
import ts from "typescript"

/** Rules, as data. */
export interface Rules {
  /** Modules of Effect 3, and where they are in Effect 4. A module that is not listed is where it was. */
  readonly modules: Readonly<Record<string, string>>
  /** Names of members, wherever a member has that name: only for names that nothing else has. */
  readonly members: Readonly<Record<string, string>>
  /**
   * Patterns and their replacements. `$name` is one expression or type, `$$name` the rest of a list. A pattern that begins
   * with `type ` is a type. The first that fits is taken, from the outermost expression inwards.
   */
  readonly rewrites: ReadonlyArray<Rewrite>
}

/** One rule. With a third item, it holds only in files that import this module. */
export type Rewrite = readonly [pattern: string, replacement: string, inFilesWith?: string]

/** The modules of Effect 4, by the name under which they are imported. */
export type Modules = ReadonlyMap<string, string>

/** Turns files. */
export interface Engine {
  /** The text of a module on Effect 4. */
  readonly module: (text: string) => string
  /** The text of a page in Markdown whose examples are on Effect 4. */
  readonly page: (text: string) => string
  /** The rules that have not been used. */
  readonly unused: () => ReadonlyArray<string>
}

const isOfEffect = (module: string): boolean => /^(?:effect|@effect|fast-check)(?:\/|$)/.test(module)

/** The name under which a module is usually imported: the last part of its path. */
const usualName = (module: string): string =>
  module === "fast-check" ? "FastCheck" : (module.split("/").at(-1) ?? module)

const parse = (text: string): ts.SourceFile => ts.createSourceFile("module.ts", text, ts.ScriptTarget.Latest, true)

const isComplete = (source: ts.SourceFile): boolean =>
  // TypeScript's types don't show it
  (source as { readonly parseDiagnostics?: ReadonlyArray<unknown> }).parseDiagnostics?.length === 0

const children = (node: ts.Node): ReadonlyArray<ts.Node> => {
  const all: Array<ts.Node> = []
  ts.forEachChild(node, (child) => void all.push(child))
  return all.toSorted((one, other) => one.pos - other.pos)
}

// ---------------------------------------------------------------------------------------------------------------------
// Patterns

interface Pattern {
  readonly name: string
  readonly root: ts.Node
  readonly replacement: string
  readonly inFilesWith: string | undefined
}

const toPattern = ([pattern, replacement, inFilesWith]: Rewrite): Pattern => {
  const isType = pattern.startsWith("type ")
  const [statement] = parse(isType ? `type T = ${pattern.slice(5)}` : `(${pattern})`).statements
  const root =
    statement !== undefined && ts.isTypeAliasDeclaration(statement)
      ? statement.type
      : statement !== undefined &&
          ts.isExpressionStatement(statement) &&
          ts.isParenthesizedExpression(statement.expression)
        ? statement.expression.expression
        : undefined
  if (root === undefined) throw new Error(`This pattern is neither an expression nor a type: ${pattern}`)
  return { name: pattern, root, replacement, inFilesWith }
}

/** What the variables of a pattern stand for; of the rest of a list, all of it. */
type Bindings = Map<string, ReadonlyArray<ts.Node>>

/** The variable that a node of a pattern is, also where it stands alone in a list of types. */
const variable = (node: ts.Node): string | undefined => {
  if (ts.isIdentifier(node) && node.text.startsWith("$")) return node.text
  if (ts.isTypeReferenceNode(node) && node.typeArguments === undefined) return variable(node.typeName)
  return ts.isShorthandPropertyAssignment(node) ? variable(node.name) : undefined
}

/** `A.b` in an expression and in a type are the same to a pattern. */
const kindOf = (node: ts.Node): ts.SyntaxKind =>
  ts.isQualifiedName(node) ? ts.SyntaxKind.PropertyAccessExpression : node.kind

const namesOf = (node: ts.Node): string =>
  ts.isPropertyAssignment(node) && !ts.isComputedPropertyName(node.name) ? node.name.getText() : ""

/** A module's own name for an imported namespace becomes the usual one. */
type Names = ReadonlyMap<string, string>

const matches = (pattern: ts.Node, node: ts.Node, names: Names, bindings: Bindings): boolean => {
  const bound = variable(pattern)
  if (bound !== undefined) return bind(bound, [node], bindings)
  // `{ a }` is `{ a: a }`
  if (ts.isPropertyAssignment(pattern) && ts.isShorthandPropertyAssignment(node)) {
    return pattern.name.getText() === node.name.text && matches(pattern.initializer, node.name, names, bindings)
  }
  if (kindOf(pattern) !== kindOf(node)) return false
  if (ts.isIdentifier(pattern) && ts.isIdentifier(node)) {
    const isMember = ts.isPropertyAccessExpression(node.parent) && node.parent.name === node
    return pattern.text === (isMember ? node.text : (names.get(node.text) ?? node.text))
  }
  if (namesOf(pattern) !== namesOf(node)) return false
  const parts = children(pattern)
  if (parts.length === 0) return pattern.getText() === node.getText()
  const nodes = ts.isObjectLiteralExpression(pattern) ? inOrderOf(parts, children(node)) : children(node)
  return matchesAll(parts, nodes, names, bindings)
}

/** The properties of an object in the order in which a pattern names them, then the others: an object's keys have no order. */
const inOrderOf = (pattern: ReadonlyArray<ts.Node>, nodes: ReadonlyArray<ts.Node>): ReadonlyArray<ts.Node> => {
  const keys = pattern.map(namesOf)
  const place = (node: ts.Node): number => {
    const key = ts.isShorthandPropertyAssignment(node) ? node.name.text : namesOf(node)
    return key !== "" && keys.includes(key) ? keys.indexOf(key) : keys.length
  }
  return nodes.toSorted((one, other) => place(one) - place(other))
}

const matchesAll = (
  patterns: ReadonlyArray<ts.Node>,
  nodes: ReadonlyArray<ts.Node>,
  names: Names,
  bindings: Bindings
): boolean => {
  const restNames = patterns
    .map((pattern) => variable(pattern))
    .map((name) => (name?.startsWith("$$") === true ? name : undefined))
  const rest = restNames.findIndex((name) => name !== undefined)
  const name = restNames[rest]
  if (name === undefined) {
    return (
      patterns.length === nodes.length &&
      patterns.every((pattern, index) => {
        const node = nodes[index]
        return node !== undefined && matches(pattern, node, names, bindings)
      })
    )
  }
  const after = patterns.length - rest - 1
  return (
    nodes.length >= rest + after &&
    matchesAll(patterns.slice(0, rest), nodes.slice(0, rest), names, bindings) &&
    matchesAll(patterns.slice(rest + 1), nodes.slice(nodes.length - after), names, bindings) &&
    bind(name, nodes.slice(rest, nodes.length - after), bindings)
  )
}

const bind = (name: string, nodes: ReadonlyArray<ts.Node>, bindings: Bindings): boolean => {
  const before = bindings.get(name)
  if (before !== undefined)
    return before.map((node) => node.getText()).join() === nodes.map((node) => node.getText()).join()
  bindings.set(name, nodes)
  return true
}

// ---------------------------------------------------------------------------------------------------------------------
// One file

/** Where an expression or a type can be replaced: not the name that is declared, and not a label. */
const isReplaceable = (node: ts.Node): boolean => !ts.isImportDeclaration(node)

class Turning {
  private readonly source: ts.SourceFile
  private readonly engine: Compiled
  /** The module's own names of imported namespaces, to the usual ones. */
  private readonly names: Names
  /** Usual names of Effect 4's modules, to the module's own. */
  private readonly ownNames = new Map<string, string>()
  private readonly imported: ReadonlySet<string>
  /** Modules of Effect 4 that a replacement has brought in, by the module's own name. */
  readonly introduced = new Map<string, string>()

  constructor(source: ts.SourceFile, engine: Compiled, outside: Names) {
    this.source = source
    this.engine = engine
    const names = new Map(outside)
    const imported = new Set<string>()
    for (const { module, name } of importsOf(source)) {
      imported.add(module)
      if (name === undefined || !isOfEffect(module)) continue
      names.set(name, usualName(module))
      const after = engine.moduleOf(module)
      if (usualName(after) === usualName(module)) this.ownNames.set(usualName(after), name)
    }
    this.names = names
    this.imported = imported
  }

  /** The text of a node, turned. */
  render(node: ts.Node): string {
    return this.replace(node) ?? this.spliced(node)
  }

  private spliced(node: ts.Node): string {
    if (ts.isIdentifier(node)) return this.member(node)
    const { text } = this.source
    let rendered = ""
    let at = node.getStart(this.source)
    for (const child of children(node)) {
      const start = child.getStart(this.source)
      rendered += text.slice(at, start) + this.render(child)
      at = child.end
    }
    return rendered + text.slice(at, node.end)
  }

  private member(node: ts.Identifier): string {
    const isMember = "name" in node.parent && node.parent.name === node && !ts.isVariableDeclaration(node.parent)
    const renamed = isMember ? this.engine.members.get(node.text) : undefined
    if (renamed === undefined) return node.text
    this.engine.used.add(node.text)
    return renamed
  }

  private replace(node: ts.Node): string | undefined {
    if (!isReplaceable(node)) return node.getText(this.source)
    for (const pattern of this.engine.byKind.get(kindOf(node)) ?? []) {
      if (pattern.inFilesWith !== undefined && !this.imported.has(pattern.inFilesWith)) continue
      const bindings: Bindings = new Map()
      if (!matches(pattern.root, node, this.names, bindings)) continue
      this.engine.used.add(pattern.name)
      return this.fill(pattern.replacement, bindings, node)
    }
    return undefined
  }

  private fill(replacement: string, bindings: Bindings, root: ts.Node): string {
    const start = root.getStart(this.source)
    const withModules = replacement.replace(/(?<![\w.$"])[A-Z]\w*(?=\.\w)/g, (name) => this.own(name))
    return withModules.replace(
      /(,\s*)?(\$\$?[a-z]\w*)(?=(\.?))/gi,
      (_, comma: string | undefined, name: string, dot) => {
        const nodes = bindings.get(name)
        if (nodes === undefined)
          throw new Error(`The replacement ${replacement} has ${name}, which its pattern has not`)
        const isAlone = withModules === name || dot === "."
        const text = nodes
          .map((node) => this.comments(node, start) + (isAlone ? this.inParentheses(node) : this.render(node)))
          .join(", ")
        return text === "" ? "" : (comma ?? "") + text
      }
    )
  }

  /** The text of a node that something may be called on, in parentheses where it would mean something else without. */
  private inParentheses(node: ts.Node): string {
    const needsThem = ts.isExpression(node) && !ts.isLeftHandSideExpression(node)
    return needsThem ? `(${this.render(node)})` : this.render(node)
  }

  /** The comments before a node, which are part of what a variable stands for. */
  private comments(node: ts.Node, from: number): string {
    return (ts.getLeadingCommentRanges(this.source.text, node.pos) ?? [])
      .filter(({ pos }) => pos >= from)
      .map(({ end, pos }) => `${this.source.text.slice(pos, end)}\n`)
      .join("")
  }

  /** The name under which this file knows a module of Effect 4. */
  private own(name: string): string {
    const known = this.ownNames.get(name)
    if (known !== undefined) return known
    const module = this.engine.modules.get(name)
    if (module !== undefined) this.introduced.set(name, module)
    return name
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Imports

interface Import {
  readonly module: string
  /** The namespace's name, where it is one. */
  readonly name: string | undefined
  readonly node: ts.ImportDeclaration
}

const importsOf = (source: ts.SourceFile): ReadonlyArray<Import> =>
  source.statements.flatMap((node) => {
    if (!ts.isImportDeclaration(node) || !ts.isStringLiteral(node.moduleSpecifier)) return []
    const bindings = node.importClause?.namedBindings
    const name = bindings !== undefined && ts.isNamespaceImport(bindings) ? bindings.name.text : undefined
    return [{ module: node.moduleSpecifier.text, name, node }]
  })

/** Whether a file uses a namespace, and whether as more than a type. */
const usesOf = (source: ts.SourceFile): ReadonlyMap<string, "type" | "value"> => {
  const uses = new Map<string, "type" | "value">()
  const visit = (node: ts.Node, isType: boolean): void => {
    if (ts.isImportDeclaration(node)) return
    if (ts.isIdentifier(node)) {
      const { parent } = node
      const isName = ("name" in parent && parent.name === node) || (ts.isQualifiedName(parent) && parent.right === node)
      const isShorthand = ts.isShorthandPropertyAssignment(parent)
      if ((!isName || isShorthand) && !(isType && uses.has(node.text))) uses.set(node.text, isType ? "type" : "value")
    }
    const isHeritageOfType =
      ts.isHeritageClause(node) &&
      (ts.isInterfaceDeclaration(node.parent) || node.token === ts.SyntaxKind.ImplementsKeyword)
    for (const child of children(node)) {
      visit(child, isType || isHeritageOfType || (ts.isTypeNode(child) && !ts.isExpressionWithTypeArguments(child)))
    }
  }
  visit(source, false)
  return uses
}

/** Puts the imports right: what is used is imported from where it is now, as a type where it is only that. */
const withImports = (
  text: string,
  introduced: ReadonlyMap<string, string>,
  moduleOf: (module: string) => string
): string => {
  const source = parse(text)
  const uses = usesOf(source)
  const wanted = new Map(introduced)
  const edits: Array<{ readonly from: number; readonly to: number; readonly text: string }> = []
  let place: number | undefined
  for (const { module, name, node } of importsOf(source)) {
    place ??= node.getStart(source)
    const specifier = node.moduleSpecifier
    if (name === undefined || !isOfEffect(module)) {
      edits.push({ from: specifier.getStart(source), to: specifier.end, text: JSON.stringify(moduleOf(module)) })
      continue
    }
    const after = moduleOf(module)
    wanted.set(usualName(after) === usualName(module) || !uses.has(usualName(after)) ? name : usualName(after), after)
    const end = text.charAt(node.end) === "\n" ? node.end + 1 : node.end
    edits.push({ from: node.getStart(source), to: end, text: "" })
  }
  const lines = [...wanted]
    .filter(([name]) => uses.has(name))
    .toSorted(([, one], [, other]) => (one < other ? -1 : 1))
    .map(([name, module]) => `import ${uses.get(name) === "type" ? "type " : ""}* as ${name} from "${module}"\n`)
  const at = place ?? 0
  edits.push({ from: at, to: at, text: lines.join("") })
  return edits
    .toSorted((one, other) => other.from - one.from || other.to - one.to)
    .reduce((text, edit) => text.slice(0, edit.from) + edit.text + text.slice(edit.to), text)
}

// ---------------------------------------------------------------------------------------------------------------------
// Comments and pages

const fence = /^([ \t]*(?:\*[ \t])?)```tsx?\n([\s\S]*?)^\1```/gm

/** Turns the examples in a text: fenced ones, and what is between backticks. `prefix` is what begins each line. */
const withExamples = (text: string, example: (code: string) => string): string =>
  text
    .replace(fence, (_, prefix: string, code: string) => {
      const plain = prefix.endsWith("* ")
        ? code.replaceAll(new RegExp(`^${prefix.replaceAll("*", "\\*").trimEnd()} ?`, "gm"), "")
        : code.replaceAll(new RegExp(`^${prefix}`, "gm"), "")
      const turned = example(plain)
      // without white space at the end of empty lines
      const lines = turned.replaceAll(/^(?=.)/gm, prefix).replaceAll(/^(?=\n)/gm, prefix.trimEnd())
      return `${prefix}\`\`\`ts\n${lines}${prefix}\`\`\``
    })
    .replace(/(?<!`)`([^`\n]+)`(?!`)/g, (_, code: string) => `\`${example(code)}\``)

const commentsOf = (text: string): ReadonlyArray<{ readonly pos: number; readonly end: number }> => {
  const source = parse(text)
  const found = new Map<number, { readonly pos: number; readonly end: number }>()
  const visit = (node: ts.Node): void => {
    for (const range of ts.getLeadingCommentRanges(text, node.pos) ?? []) found.set(range.pos, range)
    for (const range of ts.getTrailingCommentRanges(text, node.end) ?? []) found.set(range.pos, range)
    node.getChildren(source).forEach(visit)
  }
  visit(source)
  return [...found.values()].toSorted((one, other) => other.pos - one.pos)
}

// ---------------------------------------------------------------------------------------------------------------------
// The engine

interface Compiled {
  /** Names of members. */
  readonly members: ReadonlyMap<string, string>
  readonly modules: Modules
  readonly byKind: ReadonlyMap<ts.SyntaxKind, ReadonlyArray<Pattern>>
  readonly used: Set<string>
  readonly moduleOf: (module: string) => string
}

/** Makes an engine of rules. `modules` are those of Effect 4. */
export const make = (rules: Rules, modules: Modules): Engine => {
  const used = new Set<string>()
  const moved = new Map(Object.entries(rules.modules))
  const members = new Map(Object.entries(rules.members))
  const byKind = new Map<ts.SyntaxKind, Array<Pattern>>()
  for (const pattern of rules.rewrites.map(toPattern)) {
    const kind = kindOf(pattern.root)
    byKind.set(kind, [...(byKind.get(kind) ?? []), pattern])
  }
  const moduleOf = (module: string): string => {
    const after = moved.get(module)
    if (after === undefined) return module
    used.add(module)
    return after
  }
  const engine: Compiled = { members, modules, byKind, used, moduleOf }

  const code = (text: string, outside: Names): string => {
    const source = parse(text)
    const turning = new Turning(source, engine, outside)
    const body = text.slice(0, source.getStart()) + turning.render(source) + text.slice(source.end)
    return withImports(body, turning.introduced, moduleOf)
  }

  // an example in a comment needs no imports to be understood
  const usual = new Map(
    [...Object.keys(rules.modules), ...modules.values()].map((module) => [usualName(module), usualName(module)])
  )
  const example = (text: string): string => {
    const source = parse(text)
    if (!isComplete(source)) return text
    const imports = importsOf(source)
    // nothing in what only imports uses what it imports, so that nothing would be left of it
    if (imports.length > 0 && imports.length === source.statements.length) {
      return imports.reduceRight((text, { module, node: { moduleSpecifier } }) => {
        const [from, to] = [moduleSpecifier.getStart(source), moduleSpecifier.end]
        return text.slice(0, from) + JSON.stringify(moduleOf(module)) + text.slice(to)
      }, text)
    }
    if (imports.length > 0) return code(text, new Map())
    return text.slice(0, source.getStart()) + new Turning(source, engine, usual).render(source) + text.slice(source.end)
  }

  return {
    module: (text) => {
      const turned = code(text, new Map())
      return commentsOf(turned).reduce(
        (text, { end, pos }) => text.slice(0, pos) + withExamples(text.slice(pos, end), example) + text.slice(end),
        turned
      )
    },
    page: (text) => withExamples(text, example),
    unused: () =>
      [
        ...rules.rewrites.map(([pattern]) => pattern),
        ...Object.keys(rules.modules),
        ...Object.keys(rules.members)
      ].filter((rule) => !used.has(rule))
  }
}
