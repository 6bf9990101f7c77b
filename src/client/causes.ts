/**
 * What the causes of a failed request say. They lie several deep, and differ by platform.
 */
import * as Predicate from "effect/Predicate"

/** A cause of this kind has no code of its own: what went wrong is further down. */
const causes = (cause: unknown, depth = 0): ReadonlyArray<unknown> => {
  if (depth === 8 || !Predicate.isObject(cause)) return []
  const inner =
    "errors" in cause && Array.isArray(cause.errors) ? cause.errors[0] : "cause" in cause ? cause.cause : undefined
  return [cause, ...causes(inner, depth + 1)]
}

const property = (causes: ReadonlyArray<unknown>, name: string): string | undefined =>
  causes
    .map((cause) => (Predicate.hasProperty(cause, name) ? cause[name] : undefined))
    .findLast((value): value is string => typeof value === "string" && value !== "")

/**
 * Codes that are given before a connection stands, a server's certificate that is refused included. Any other, or none,
 * says nothing of what has been sent.
 */
const neverConnected = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "UND_ERR_CONNECT_TIMEOUT",
  "CERT_HAS_EXPIRED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE"
])

/** The innermost code and message, and whether they say that no connection was made. */
export const read = (cause: unknown) => {
  const chain = causes(cause)
  const code = property(chain, "code")
  return {
    code,
    message: property(chain, "message"),
    neverSent: code !== undefined && (neverConnected.has(code) || property(chain, "syscall") === "connect")
  }
}
