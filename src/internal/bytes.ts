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

/** Room for `size` bytes, and if it must grow for twice as many as before, up to `most`. */
const withRoom = (bytes: Bytes, size: number, most: number): Bytes => {
  if (size <= bytes.length) return bytes
  const larger = new Uint8Array(Math.max(size, Math.min(most, bytes.length * 2)))
  larger.set(bytes)
  return larger
}

/** What was collected of a stream. */
export interface Collected {
  /** Its first bytes, at most as many as were asked for. */
  readonly bytes: Bytes
  /** Whether these are all of its bytes. */
  readonly whole: boolean
}

/**
 * Collects the first `most` bytes of a stream, in as much memory, however small its chunks are: anybody can send a webhook
 * a body of one byte a chunk.
 *
 * A stream that has more is cancelled, but not before `excess` further bytes were taken in and dropped.
 */
export const collect = <E, R>(
  stream: Stream.Stream<Uint8Array, E, R>,
  most: number,
  excess: number = 0
): Effect.Effect<Collected, E, R> =>
  Effect.suspend(() => {
    let bytes: Bytes = new Uint8Array()
    let kept = 0
    let size = 0
    const take = (chunk: Uint8Array): boolean => {
      const part = chunk.subarray(0, most - kept)
      bytes = withRoom(bytes, kept + part.length, most)
      bytes.set(part, kept)
      kept += part.length
      size += chunk.length
      return size <= most + excess
    }
    // not runForEachWhile, which keeps something of every chunk until it ends
    const taken = Stream.takeWhile(Stream.map(stream, take), (goesOn) => goesOn)
    return Effect.map(Stream.runDrain(taken), () => ({ bytes: bytes.slice(0, kept), whole: size <= most }))
  })
