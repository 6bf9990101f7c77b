/**
 * What a `Redacted` holds, whatever it is.
 */
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"

/** Its text; empty if it holds none, or was wiped, which makes reading it throw. */
export const textOf = (redacted: Redacted.Redacted<unknown>): string => {
  const value = Either.getOrNull(Either.try(() => Redacted.value(redacted)))
  return typeof value === "string" ? value : ""
}
