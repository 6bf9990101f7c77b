/**
 * Bytes: a text's, and those of a stream up to a bound.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

/** Bytes that are shared with nobody. */
export type Bytes = Uint8Array<ArrayBuffer>

const encoder = new TextEncoder()

/** A text as UTF-8. */
export const encode = (text: string): Bytes => encoder.encode(text)

const concat = (chunks: ReadonlyArray<Uint8Array>, size: number): Bytes => {
  const all = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    all.set(chunk, at)
    at += chunk.length
  }
  return all
}

/** What was collected of a stream. */
export interface Collected {
  /** Its first bytes, at most as many as were asked for. */
  readonly bytes: Bytes
  /** Whether these are all of its bytes. */
  readonly whole: boolean
}

/**
 * Collects the first `most` bytes of a stream.
 *
 * A stream that has more is cancelled, but not before `excess` further bytes were taken in and dropped.
 */
export const collect = <E, R>(
  stream: Stream.Stream<Uint8Array, E, R>,
  most: number,
  excess: number = 0
): Effect.Effect<Collected, E, R> =>
  Effect.suspend(() => {
    const chunks: Array<Uint8Array> = []
    let kept = 0
    let size = 0
    const take = (chunk: Uint8Array): boolean => {
      size += chunk.length
      if (kept < most) {
        const part = chunk.subarray(0, most - kept)
        chunks.push(part)
        kept += part.length
      }
      return size <= most + excess
    }
    return Effect.map(
      Stream.runForEachWhile(stream, (chunk) => Effect.sync(() => take(chunk))),
      () => ({ bytes: concat(chunks, kept), whole: size <= most })
    )
  })
