/**
 * HMAC-SHA256 by WebCrypto, which browsers, Node, Bun, Deno and edge runtimes share.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import { WebhookSignatureError } from "../LumeError.js"

/** Bytes that are shared with nobody. */
export type Bytes = Uint8Array<ArrayBuffer>

const encoder = new TextEncoder()

/** A text as UTF-8. */
export const encode = (text: string): Bytes => encoder.encode(text)

const webCrypto = <A>(call: (subtle: SubtleCrypto) => Promise<A>): Effect.Effect<A, WebhookSignatureError> =>
  Effect.tryPromise({
    try: () => call(globalThis.crypto.subtle),
    catch: () => new WebhookSignatureError({ reason: "NoWebCrypto" })
  })

const importKey = (subtle: SubtleCrypto, secret: string): Promise<CryptoKey> =>
  subtle.importKey("raw", encode(secret), { name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"])

// Held by the Redacted, so that no key outlives the secret that it is made of.
const keys = new WeakMap<Redacted.Redacted, CryptoKey>()

const keyOf = async (subtle: SubtleCrypto, secret: Redacted.Redacted): Promise<CryptoKey> => {
  const key = keys.get(secret) ?? (await importKey(subtle, Redacted.value(secret)))
  keys.set(secret, key)
  return key
}

/** Whether this is a secret to verify with. An empty one, which anybody could sign with, is none; nor is a wiped one. */
export const isSecret = (secret: unknown): secret is Redacted.Redacted => {
  if (!Redacted.isRedacted(secret)) return false
  const text = Either.getOrNull(Either.try(() => Redacted.value(secret)))
  return typeof text === "string" && text !== ""
}

/**
 * Whether the signature was made of the body with one of the secrets, compared in constant time. Each secret is
 * imported once.
 */
export const verify = (
  secrets: ReadonlyArray<Redacted.Redacted>,
  signature: Bytes,
  body: Bytes
): Effect.Effect<boolean, WebhookSignatureError> =>
  webCrypto(async (subtle) => {
    for (const secret of secrets) {
      if (await subtle.verify("HMAC", await keyOf(subtle, secret), signature, body)) return true
    }
    return false
  })

/** The signature of a body. */
export const sign = (secret: string, body: Bytes): Effect.Effect<Bytes, WebhookSignatureError> =>
  webCrypto(async (subtle) => {
    // WebCrypto imports no empty key; HMAC fills keys up with zeros, which makes a single zero the same key
    const key = await importKey(subtle, secret === "" ? "\0" : secret)
    return new Uint8Array(await subtle.sign("HMAC", key, body))
  })
