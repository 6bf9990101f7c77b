/**
 * The bytes of a file that is open: a chunk at a time, never as a whole.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { isUtf8 } from "node:buffer"
import { type FileHandle, open } from "node:fs/promises"
import * as path from "node:path"
import { StageFailure } from "../failure.js"
import { Unreadable } from "./unreadable.js"

/** A file that is open for reading. */
export interface OpenFile {
  readonly handle: FileHandle
  /** The path at which DuckDB finds the same file. */
  readonly path: string
}

const chunkSize = 2 ** 20

/** The largest record of a text, in bytes. */
export const recordLimit = 16 * 2 ** 20

const diskRefuses = (error: unknown): Unreadable =>
  new Unreadable({
    why: `the disk refuses to read it (${error instanceof Error && "code" in error ? String(error.code) : "no reason given"}).`
  })

/** Some bytes at a position; fewer at the file's end. */
export const read = ({ handle }: OpenFile, buffer: Buffer, position: number): Effect.Effect<Buffer, Unreadable> =>
  Effect.tryPromise({ try: () => handle.read(buffer, 0, buffer.length, position), catch: diskRefuses }).pipe(
    Effect.map(({ bytesRead }) => buffer.subarray(0, bytesRead))
  )

/** The first bytes of a file. */
export const head = (file: OpenFile, length: number): Effect.Effect<Buffer, Unreadable> =>
  read(file, Buffer.alloc(length), 0)

/** How many bytes it has. */
export const size = ({ handle }: OpenFile): Effect.Effect<number, Unreadable> =>
  Effect.map(Effect.tryPromise({ try: () => handle.stat(), catch: diskRefuses }), ({ size }) => size)

/** How many of the last bytes begin a character of UTF-8 that is not whole. */
export const incompleteCharacter = (chunk: Uint8Array): number => {
  for (let back = 1; back <= 3; back++) {
    const byte = chunk.at(-back) ?? 0
    if (byte < 0x80) return 0
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 0
    if (length > 0) return length > back ? back : 0
  }
  return 0
}

/** How a file is cut into chunks. */
export interface Cut {
  /** The position of the first chunk. */
  readonly from?: number
  /** How many of a chunk's last bytes are to come again, at the beginning of the next one. */
  readonly incomplete?: (chunk: Uint8Array) => number
}

/** Gives a file's chunks to `use`, in their order. A chunk is valid only until `use` is done with it. */
export const eachChunk = <E, R>(
  file: OpenFile,
  use: (chunk: Buffer) => Effect.Effect<void, E, R>,
  { from = 0, incomplete = incompleteCharacter }: Cut = {}
): Effect.Effect<void, E | Unreadable, R> =>
  Effect.gen(function* () {
    const buffer = Buffer.allocUnsafe(chunkSize)
    const whole = yield* size(file)
    let position = from
    while (position < whole) {
      const bytes = yield* read(file, buffer, position)
      // A file that was cut meanwhile has changed, which is found out at the end.
      if (bytes.length === 0) return
      const rest = position + bytes.length < whole ? incomplete(bytes) : 0
      const chunk = bytes.subarray(0, bytes.length - (rest < bytes.length ? rest : 0))
      yield* use(chunk)
      position += chunk.length
    }
  })

/** The line of a position, counted from 1. A line ends with LF, CRLF or CR. */
const lineAt = (file: OpenFile, position: number): Effect.Effect<number, Unreadable> =>
  Effect.suspend(() => {
    let line = 1
    let at = 0
    let previous = 0
    return eachChunk(file, (chunk) => {
      for (let index = 0; index < chunk.length && at < position; index++, at++) {
        const byte = chunk[index] ?? 0
        if (byte === 0x0d || (byte === 0x0a && previous !== 0x0d)) line++
        previous = byte
      }
      return Effect.void
    }).pipe(Effect.map(() => line))
  })

/** The first byte that is part of no character, by halving. */
const firstInvalid = (chunk: Buffer): number => {
  let valid = 0
  let invalid = chunk.length
  while (invalid - valid > 1) {
    const middle = (valid + invalid) >> 1
    const part = chunk.subarray(0, middle)
    if (isUtf8(part.subarray(0, middle - incompleteCharacter(part)))) valid = middle
    else invalid = middle
  }
  return valid
}

/** As `eachChunk`, for a text: it must be UTF-8. */
export const eachText = <E>(
  file: OpenFile,
  use: (chunk: Buffer) => Effect.Effect<void, E>,
  cut: Cut = {}
): Effect.Effect<void, E | Unreadable> =>
  Effect.suspend(() => {
    let position = cut.from ?? 0
    const check = (chunk: Buffer): Effect.Effect<void, E | Unreadable> => {
      if (!isUtf8(chunk)) {
        return Effect.flatMap(
          lineAt(file, position + firstInvalid(chunk)),
          (line) =>
            new Unreadable({
              why: `line ${line} is not UTF-8. Name the file's encoding in the flow, such as "encoding": "windows-1252".`
            })
        )
      }
      position += chunk.length
      return use(chunk)
    }
    return eachChunk(file, check, cut)
  })

const notWritable = (error: unknown): StageFailure =>
  new StageFailure({
    errorCode: "TARGET_NOT_WRITABLE",
    message:
      `The targets folder can't be written (${error instanceof Error && "code" in error ? String(error.code) : "no reason given"}): ` +
      "what is compressed or in another encoding is undone there first. Check that there is space, and the permissions."
  })

/** A new file in a folder, open for writing and then for reading, until the scope closes. */
export const create = (folder: string, name: string): Effect.Effect<OpenFile, StageFailure, Scope.Scope> => {
  const file = path.join(folder, name)
  return Effect.acquireRelease(
    Effect.tryPromise({ try: () => open(file, "wx+", 0o600), catch: notWritable }),
    (handle) => Effect.ignore(Effect.tryPromise(() => handle.close()))
  ).pipe(Effect.map((handle) => ({ handle, path: file })))
}

/** Adds bytes to the end of a file that is being written. */
export const append = ({ handle }: OpenFile, bytes: Uint8Array): Effect.Effect<void, StageFailure> =>
  Effect.tryPromise({ try: () => handle.appendFile(bytes), catch: notWritable })
