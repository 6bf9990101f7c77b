/**
 * An expression's tree, as DuckDB's parser gives it.
 */
import * as Predicate from "effect/Predicate"
import * as sql from "./sql.js"

/** A part of an expression, with what the parser tells of it. */
export type Node = Readonly<Record<string, unknown>>

/** Tables that an expression makes by WITH: the one that was made last, and those before it. */
export interface Made {
  readonly name: string
  readonly before: Made | undefined
}

/** A node, and where it stands. */
export interface Place {
  readonly node: Node
  readonly inSubquery: boolean
  /** What a FROM in this place can name of the tables that the expression makes. */
  readonly made: Made | undefined
}

/** Whether a name is that of a table that the expression makes. */
export const isMade = (made: Made | undefined, name: string): boolean => {
  for (let one = made; one !== undefined; one = one.before) if (one.name === sql.fold(name)) return true
  return false
}

/** The tables of a WITH, in their order. */
const tablesOf = (node: Node): ReadonlyArray<Node> => {
  const { cte_map: tables } = node
  return Predicate.isReadonlyRecord(tables) && Array.isArray(tables["map"])
    ? tables["map"].filter(Predicate.isReadonlyRecord)
    : []
}

interface Step extends Omit<Place, "node"> {
  readonly value: unknown
}

/** What is below a node. A table that is made by WITH is known to those after it, and to the recursive half of its own. */
const below = ({ inSubquery, made, node }: Place): ReadonlyArray<Step> => {
  const steps: Array<Step> = []
  let known = made
  const and = (name: unknown): Made => ({ name: sql.fold(String(name)), before: known })
  for (const table of tablesOf(node)) {
    steps.push({ value: table, inSubquery, made: known })
    known = and(table["key"])
  }
  for (const [key, value] of Object.entries(node)) {
    const isRecursive = key === "right" && node["type"] === "RECURSIVE_CTE_NODE"
    if (key !== "cte_map")
      steps.push({
        value,
        inSubquery: inSubquery || key === "subquery",
        made: isRecursive ? and(node["cte_name"]) : known
      })
  }
  return steps
}

/** Every node of a tree. How deep it is is up to its author, so this does not recurse. */
export const places = (root: unknown): ReadonlyArray<Place> => {
  const found: Array<Place> = []
  const steps: Array<Step> = [{ value: root, inSubquery: false, made: undefined }]
  for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
    const { inSubquery, made, value } = step
    if (Array.isArray(value)) {
      for (const item of value) steps.push({ ...step, value: item })
    } else if (Predicate.isReadonlyRecord(value)) {
      const place = { node: value, inSubquery, made }
      found.push(place)
      steps.push(...below(place))
    }
  }
  return found
}
