/**
 * Whether JSON can hold a value, and where it can't.
 *
 * `JSON.stringify` drops `undefined` and functions, turns NaN into null and a Date into a string, and throws at a
 * bigint or a cycle. A caller's pairs must come back as they were sent, so each of these is refused.
 */

/** The first place that JSON can't hold. */
export interface Obstacle {
  readonly path: ReadonlyArray<PropertyKey>
  readonly message: string
}

const deepest = 100

const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}

/** The first obstacle in `value`, in the order in which JSON would write it. */
export const obstacle = (
  value: unknown,
  path: ReadonlyArray<PropertyKey> = [],
  holders: ReadonlyArray<unknown> = []
): Obstacle | undefined => {
  if (value === null || typeof value === "string" || typeof value === "boolean" || Number.isFinite(value))
    return undefined
  if (typeof value !== "object") return { path, message: "a value that JSON can hold" }
  if (holders.includes(value)) return { path, message: "a value that does not hold itself" }
  if (holders.length === deepest) return { path, message: `at most ${deepest} levels` }
  if (!Array.isArray(value) && !isPlain(value)) return { path, message: "a plain object" }
  for (const [key, item] of Array.isArray(value) ? value.entries() : Object.entries(value)) {
    const found = obstacle(item, [...path, key], [...holders, value])
    if (found !== undefined) return found
  }
  return undefined
}
