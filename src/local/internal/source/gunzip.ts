/**
 * gzip, undone by Node, which finds out what breaks off and what is damaged.
 */
import * as NodeStream from "@effect/platform-node/NodeStream"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { createGunzip } from "node:zlib"
import type { StageFailure } from "../failure.js"
import { append, create, head, type OpenFile, read, size } from "./bytes.js"
import { Unreadable } from "./unreadable.js"

/**
 * The most bytes that a compressed file may become: a hundred times its own, and 64 MiB in any case. Tables shrink to a
 * tenth or less; what shrinks to a thousandth is made to fill a disk.
 */
export const limitOf = (compressed: number): number => Math.max(100 * compressed, 64 * 2 ** 20)

const fromZlib = (error: unknown): Unreadable =>
  new Unreadable({
    why:
      error instanceof Error && "code" in error && error.code === "Z_BUF_ERROR"
        ? "its gzip data break off. Send the whole file."
        : "its gzip data are damaged: they do not match their checksum or their form. Send the file again."
  })

const followed = (end: number): string =>
  `after ${end.toLocaleString("en")} bytes its gzip data end, and something else follows, beginning with a zero byte. Send the whole file, and nothing behind it.`

// A readable stream of Node would close the file, which is still needed.
const chunks = (file: OpenFile): Stream.Stream<Uint8Array, Unreadable> =>
  Stream.unfoldEffect(0, (position) =>
    Effect.map(read(file, Buffer.allocUnsafe(2 ** 18), position), (bytes) =>
      bytes.length === 0 ? Option.none() : Option.some([bytes, position + bytes.length] as const)
    )
  )

/** A file without its gzip: a new file in `work`. */
export const gunzip = (file: OpenFile, work: string): Effect.Effect<OpenFile, Unreadable | StageFailure, Scope.Scope> =>
  Effect.gen(function* () {
    const first = yield* head(file, 2)
    if (first.length === 2 && first.readUInt16BE() !== 0x1f8b)
      return yield* new Unreadable({ why: "it is not gzip, as its name says. Take .gz off its name, or compress it." })
    const compressed = yield* size(file)
    const limit = limitOf(compressed)
    const engine = createGunzip({ chunkSize: 2 ** 20 })
    const target = yield* create(work, "source.plain")
    const tooLarge = new Unreadable({
      why: `unpacked it is larger than ${Math.floor(limit / 2 ** 20)} MiB, the limit for a file of its size. Unpack it, and take .gz off its name.`
    })
    const unpacked: Stream.Stream<Uint8Array, Unreadable> = NodeStream.pipeThroughDuplex(
      chunks(file),
      () => engine,
      fromZlib
    )
    const write = (length: number, bytes: Uint8Array): Effect.Effect<number, Unreadable | StageFailure> =>
      length + bytes.length > limit ? tooLarge : Effect.as(append(target, bytes), length + bytes.length)
    yield* Stream.runFoldEffect(unpacked, 0, write)
    // Node takes a zero byte after a member for padding, and leaves the rest: a tail that has not arrived looks so.
    if (engine.bytesWritten < compressed) return yield* new Unreadable({ why: followed(engine.bytesWritten) })
    return target
  })
