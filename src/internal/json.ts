/**
 * What JSON can hold, and where a text stops being JSON.
 *
 * `JSON.stringify` drops `undefined`, functions, symbols and hidden properties, turns NaN into null, -0 into 0 and a Date
 * into a string, calls `toJSON`, and throws at a bigint or a cycle. Half of a surrogate pair is no text that anybody can
 * receive. A caller's pairs must come back as they were sent, so each of these is refused.
 */
import * as Option from "effect/Option"

/** The first place that JSON can't hold. */
export interface Obstacle {
  readonly path: ReadonlyArray<PropertyKey>
  readonly message: string
}

const deepest = 100

const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype || prototype === Array.prototype
}

const halfPair = /\p{Cs}/u

/** Whether a text is whole: no half of a surrogate pair is in it. */
export const isWellFormed = (text: string): boolean => !halfPair.test(text)

const ofLeaf = (value: unknown): string | undefined => {
  switch (typeof value) {
    case "string":
      return isWellFormed(value) ? undefined : "a text without half surrogate pairs, which nobody can receive"
    case "boolean":
      return undefined
    case "number":
      return Object.is(value, -0)
        ? "a number that JSON keeps, which -0 is not"
        : Number.isFinite(value)
          ? undefined
          : "a value that JSON can hold"
    default:
      return "a value that JSON can hold"
  }
}

/** Whether JSON would leave something out: a symbol, a hidden property, or one that an array has beside its items. */
const leavesOut = (value: object): boolean =>
  Reflect.ownKeys(value).length !== (Array.isArray(value) ? value.length + 1 : Object.keys(value).length)

const ofHolder = (value: object, holders: ReadonlyArray<unknown>): string | undefined => {
  if (holders.includes(value)) return "a value that does not hold itself"
  if (holders.length === deepest) return `at most ${deepest} levels`
  if (!isPlain(value)) return "a plain object"
  if ("toJSON" in value && typeof value.toJSON === "function") return "an object without toJSON, which replaces it"
  return leavesOut(value) ? "an object of which JSON leaves nothing out" : undefined
}

/** The first obstacle in `value`, in the order in which JSON would write it. */
export const obstacle = (
  value: unknown,
  path: ReadonlyArray<PropertyKey> = [],
  holders: ReadonlyArray<unknown> = []
): Obstacle | undefined => {
  if (value === null) return undefined
  const message = typeof value === "object" ? ofHolder(value, holders) : ofLeaf(value)
  if (message !== undefined) return { path, message }
  if (typeof value !== "object") return undefined
  for (const [key, item] of Array.isArray(value) ? value.entries() : Object.entries(value)) {
    if (typeof key === "string" && !isWellFormed(key)) {
      return { path, message: "an object whose names have no half surrogate pairs, which nobody can receive" }
    }
    const found = obstacle(item, [...path, key], [...holders, value])
    if (found !== undefined) return found
  }
  return undefined
}

const token = /[\s{}[\],:]+|"(?:[^"\\]|\\.)*"|true|false|null|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y

const unplaced = "text that is not valid JSON"

const explain = (text: string): string => {
  if (text.trim() === "") return "nothing"
  let position = 0
  while (position < text.length) {
    token.lastIndex = position
    const length = token.exec(text)?.[0].length
    if (length === undefined) {
      const word = /^\w{1,20}/.exec(text.slice(position, position + 20))?.[0]
      return `${unplaced} (${word ?? JSON.stringify(text.slice(position, position + 1))} at position ${position})`
    }
    position += length
  }
  return unplaced
}

/** What a text that can't be parsed is, in words: where it stops being JSON, if a word or a mark shows it. */
export const explainUnparsed = (text: string): string =>
  // a regular expression can overflow the engine's stack at a text of millions of characters
  Option.getOrElse(Option.liftThrowable(explain)(text), () => unplaced)

// runs of plain characters are one step each, so that the engine's stack holds what a text without end has
const braceOrText = /[{}]|"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?/g

/** @see repeatedKey */
const findRepeated = (text: string): string | undefined => {
  // of each object that is open, its keys by now
  const open: Array<Set<string>> = []
  for (const [token, colon] of text.matchAll(braceOrText)) {
    if (token === "{") open.push(new Set())
    else if (token === "}") open.pop()
    else if (colon !== undefined) {
      const name = String(JSON.parse(token.slice(0, -colon.length)))
      if (open.at(-1)?.has(name)) return name
      open.at(-1)?.add(name)
    }
  }
  return undefined
}

/**
 * The first key that an object has twice, of which `JSON.parse` keeps the last without a word. The text is JSON; one with
 * millions of escapes can be too long to look through.
 */
export const repeatedKey = (text: string): string | undefined =>
  Option.getOrUndefined(Option.liftThrowable(findRepeated)(text))

/** Whether two values are the same JSON, whatever the order of keys. */
export const equals = (left: unknown, right: unknown): boolean => {
  // a list of what is left to compare: recursion would overflow on what is nested deep
  const pairs: Array<readonly [unknown, unknown]> = [[left, right]]
  for (let pair = pairs.pop(); pair !== undefined; pair = pairs.pop()) {
    const [a, b] = pair
    if (a === b || Object.is(a, b)) continue
    if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false
    if (Array.isArray(a) !== Array.isArray(b)) return false
    const keys = Object.keys(a)
    if (keys.length !== Object.keys(b).length) return false
    for (const key of keys) {
      if (!Object.hasOwn(b, key)) return false
      pairs.push([Reflect.get(a, key), Reflect.get(b, key)])
    }
  }
  return true
}
