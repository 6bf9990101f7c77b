/**
 * Signatures by HMAC-SHA256: read, made and verified by WebCrypto, which browsers, Node, Bun, Deno and edge runtimes
 * share.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Redacted from "effect/Redacted"
import { type Bytes, encode } from "./bytes.js"
import { textOf } from "./redacted.js"

/** Why a signature does not show who has sent a body. */
export type Refusal =
  | "NoSignature"
  | "WrongLength"
  | "NotHex"
  | "EmptyBody"
  | "Mismatch"
  | "InvalidSecret"
  | "NoWebCrypto"

const digits = 64

/** Reads a signature: the hex of 32 bytes in either case, with or without `sha256=` in front. */
export const parse = (signature: unknown): Effect.Effect<Bytes, Refusal> =>
  Effect.suspend((): Effect.Effect<Bytes, Refusal> => {
    const text = typeof signature === "string" ? signature.trim() : ""
    if (text === "") return Effect.fail("NoSignature")
    const hex = text.replace(/^sha256=/i, "")
    if (hex.length !== digits) return Effect.fail("WrongLength")
    return Either.match(Encoding.decodeHex(hex.toLowerCase()), {
      onLeft: () => Effect.fail("NotHex"),
      onRight: (bytes) => Effect.succeed(new Uint8Array(bytes))
    })
  })

const webCrypto = <A>(call: (subtle: SubtleCrypto) => Promise<A>): Effect.Effect<A, "NoWebCrypto"> =>
  Effect.tryPromise({ try: () => call(globalThis.crypto.subtle), catch: (): "NoWebCrypto" => "NoWebCrypto" })

const importKey = (subtle: SubtleCrypto, secret: string): Promise<CryptoKey> =>
  subtle.importKey("raw", encode(secret), { name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"])

/** How many keys are kept. */
const mostKeys = 1_000

// By the secret's text, because a Config makes a new Redacted at each delivery. Keys and never promises of them: an edge
// runtime ends a request that awaits what another request has begun.
const keys = new Map<string, CryptoKey>()

const keyOf = async (subtle: SubtleCrypto, secret: Redacted.Redacted): Promise<CryptoKey> => {
  const text = Redacted.value(secret)
  const known = keys.get(text)
  if (known !== undefined) return known
  const key = await importKey(subtle, text)
  const [oldest] = keys.keys()
  if (oldest !== undefined && keys.size >= mostKeys) keys.delete(oldest)
  keys.set(text, key)
  return key
}

/** Whether this is a secret to verify with. An empty one is none: anybody could sign with it. Nor is a wiped one. */
const isSecret = (secret: unknown): secret is Redacted.Redacted => Redacted.isRedacted(secret) && textOf(secret) !== ""

/** Fails if the signature was made of the body with none of the secrets. Compares in constant time. */
export const verify = (
  secrets: ReadonlyArray<Redacted.Redacted>,
  signature: Bytes,
  body: Bytes
): Effect.Effect<void, Refusal> => {
  if (!Array.isArray(secrets) || secrets.length === 0 || !secrets.every(isSecret)) return Effect.fail("InvalidSecret")
  const verified = webCrypto(async (subtle) => {
    for (const secret of secrets) {
      if (await subtle.verify("HMAC", await keyOf(subtle, secret), signature, body)) return true
    }
    return false
  })
  return Effect.flatMap(verified, (verified): Effect.Effect<void, Refusal> =>
    verified ? Effect.void : Effect.fail(body.length === 0 ? "EmptyBody" : "Mismatch")
  )
}

/** The signature of a body, as lower-case hex. */
export const sign = (secret: string, body: Bytes): Effect.Effect<string, "NoWebCrypto"> =>
  webCrypto(async (subtle) => {
    // WebCrypto imports no empty key. HMAC fills keys up with zeros: a single zero is the same key.
    const key = await importKey(subtle, secret === "" ? "\0" : secret)
    return Encoding.encodeHex(new Uint8Array(await subtle.sign("HMAC", key, body)))
  })
