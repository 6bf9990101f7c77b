/**
 * HMAC-SHA256 by WebCrypto, which browsers, Node, Bun, Deno and edge runtimes share.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import { WebhookSignatureError } from "../LumeError.js"

/** Bytes that nobody else can change. */
export type Bytes = Uint8Array<ArrayBuffer>

const encoder = new TextEncoder()

/** A text as UTF-8. */
export const encode = (text: string): Bytes => encoder.encode(text)

const refuse = (reason: WebhookSignatureError["reason"]) => new WebhookSignatureError({ reason })

const webCrypto = <A>(call: (subtle: SubtleCrypto) => Promise<A>): Effect.Effect<A, WebhookSignatureError> =>
  Effect.tryPromise({ try: () => call(globalThis.crypto.subtle), catch: () => refuse("NoWebCrypto") })

const importKey = (secret: Bytes): Effect.Effect<CryptoKey, WebhookSignatureError> =>
  webCrypto((subtle) => subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"]))

// By the Redacted, so that a key lives no longer than whoever holds its secret.
const keys = new WeakMap<Redacted.Redacted, CryptoKey>()

/** The secret as text; refused where it is empty, not Redacted, or wiped since. */
const textOf = (secret: unknown): Either.Either<string, WebhookSignatureError> =>
  Either.try({
    // of a wiped secret, the value is an exception
    try: (): unknown => (Redacted.isRedacted(secret) ? Redacted.value(secret) : undefined),
    catch: () => refuse("InvalidSecret")
  }).pipe(
    Either.filterOrLeft(
      (value) => typeof value === "string" && value !== "",
      () => refuse("InvalidSecret")
    )
  )

/** A secret's key, imported once for each `Redacted`. An empty secret, which anyone could sign with, is refused. */
export const keyOf = (secret: Redacted.Redacted): Effect.Effect<CryptoKey, WebhookSignatureError> =>
  Either.match(textOf(secret), {
    onLeft: Effect.fail,
    onRight: (text) => {
      const known = keys.get(secret)
      return known !== undefined
        ? Effect.succeed(known)
        : Effect.tap(importKey(encode(text)), (key) => Effect.sync(() => keys.set(secret, key)))
    }
  })

/** Whether `signature` was made of `body` with this key; compared in constant time. */
export const verify = (key: CryptoKey, signature: Bytes, body: Bytes): Effect.Effect<boolean, WebhookSignatureError> =>
  webCrypto((subtle) => subtle.verify("HMAC", key, signature, body))

/** The signature of `body`. */
export const sign = (secret: string, body: Bytes): Effect.Effect<Bytes, WebhookSignatureError> =>
  // WebCrypto takes no empty key; HMAC pads keys with zeros, so that a single zero is the same one
  importKey(encode(secret === "" ? "\0" : secret)).pipe(
    Effect.flatMap((key) => webCrypto((subtle) => subtle.sign("HMAC", key, body))),
    Effect.map((signature) => new Uint8Array(signature))
  )

/** Bytes as lower-case hex. */
export const toHex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")

/** Hex digits as bytes. */
export const fromHex = (hex: string): Bytes =>
  Uint8Array.from({ length: hex.length / 2 }, (_, index) => Number.parseInt(hex.slice(2 * index, 2 * index + 2), 16))
