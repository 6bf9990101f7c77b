/**
 * What the causes of a failed request say, above all whether they are certain: nothing of the request has left.
 *
 * Causes lie several deep, and differ by platform. What is not listed here is not certain: a connection can also break
 * after the request was delivered. So no family of codes is listed as a whole: `ERR_SSL_…` holds alerts that come after
 * data too.
 */
import * as Predicate from "effect/Predicate"

/**
 * The chain of causes, outermost first, at most 8. Of an `AggregateError`, which has one for each address that was tried,
 * there is a chain for each of its errors.
 */
const chains = (cause: unknown, depth = 0): ReadonlyArray<ReadonlyArray<unknown>> => {
  if (depth === 8 || !Predicate.isObject(cause)) return [[]]
  const inner: ReadonlyArray<unknown> =
    // not as deep, because one that holds itself would have chains without number
    depth < 3 && "errors" in cause && Array.isArray(cause.errors) && cause.errors.length > 0
      ? cause.errors
      : ["cause" in cause ? cause.cause : undefined]
  return inner.flatMap((one) => chains(one, depth + 1)).map((chain) => [cause, ...chain])
}

const property = (causes: ReadonlyArray<unknown>, name: string): string | undefined =>
  causes
    .map((cause) => (Predicate.hasProperty(cause, name) ? cause[name] : undefined))
    .findLast((value): value is string => typeof value === "string" && value !== "")

/** Codes that are given only before a request can be sent. */
const neverConnected: ReadonlySet<string> = new Set([
  "ECONNREFUSED", // nobody listens
  "ENOTFOUND", // the name has no address
  "EAI_AGAIN", // the name could not be looked up
  "UND_ERR_CONNECT_TIMEOUT", // no connection in time
  // the client refuses the server's certificate in the handshake, which comes before any data
  "CERT_HAS_EXPIRED",
  "CERT_NOT_YET_VALID",
  "CERT_REVOKED",
  "CERT_UNTRUSTED",
  "CERT_REJECTED", // the certificate is rejected for this use
  "CERT_CHAIN_TOO_LONG",
  "INVALID_PURPOSE", // the certificate is for another purpose
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY", // an issuer's certificate is missing here
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "ERR_TLS_CERT_ALTNAME_INVALID", // the certificate is another host's
  // the handshake itself can't be made
  "ERR_SSL_WRONG_VERSION_NUMBER", // the server does not speak TLS: https to a plain port
  "ERR_SSL_UNSUPPORTED_PROTOCOL", // no TLS version in common
  "ERR_SSL_NO_PROTOCOLS_AVAILABLE", // no TLS version is allowed here
  "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION", // no TLS version in common: the answer to the first message
  "ERR_SSL_NO_CIPHERS_AVAILABLE", // no cipher is allowed here
  "ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE" // no cipher in common: the answer to the first message
])

/** System calls that come before a request can be sent, whatever their code. */
const callsBeforeSending: ReadonlySet<string> = new Set(["connect", "getaddrinfo"])

/** What is said only before a request can be sent, if the code says too little. */
const saidBeforeSending: ReadonlyArray<RegExp> = [
  // Undici, of a proxy that refuses to connect through
  /^Proxy response \(\d{3}\) ?!== 200 when HTTP Tunneling/,
  // Fetch, of a port that it never connects to
  /^bad port$/,
  // Deno, of everything before a connection stands
  /client error \(Connect\)/
]

/** OpenSSL's own words for a problem, between a thread's number and a line of its source. */
const sslProblem = (message: string): string | undefined => /:SSL routines:[^:]*:([^:]+):/.exec(message)?.[1]

/** Node's HTTP client gives handshakes that fail the code `EPROTO`; OpenSSL's own name for it is in the message. */
const sslCode = (problem: string): string => `ERR_SSL_${problem.replaceAll(/\W/g, "_").toUpperCase()}`

const readChain = (chain: ReadonlyArray<unknown>) => {
  const message = property(chain, "message")
  const given = property(chain, "code")
  const problem = sslProblem(message ?? "")
  const code = given === "EPROTO" && problem !== undefined ? sslCode(problem) : given
  const neverSent =
    neverConnected.has(code ?? "") ||
    callsBeforeSending.has(property(chain, "syscall") ?? "") ||
    saidBeforeSending.some((said) => said.test(message ?? ""))
  return { code: given, message: problem ?? message, neverSent }
}

/** The innermost code and message, and whether they say that nothing was sent; of several, the first that does not. */
export const read = (cause: unknown) => {
  const [first = readChain([]), ...others] = chains(cause).map(readChain)
  return [first, ...others].find(({ neverSent }) => !neverSent) ?? first
}
