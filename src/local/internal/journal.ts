/**
 * A file of lines that survives its process: a line that was written is on disk, and a line that was cut off by a crash
 * is no line.
 *
 * The first line says which version of the format the others have. Rewriting the file makes another one beside it,
 * which takes its place in one step.
 */
import type * as PlatformError from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as path from "node:path"
import { because, LocalLumeError } from "./error.js"
import { isMissing } from "./makeFolder.js"

/** What can't be written. */
export class JournalError extends Data.TaggedError("JournalError")<{
  readonly message: string
}> {}

/** An open journal. One fiber at a time may use it. */
export interface Journal {
  /** Adds lines; they are on disk when this is done, all of them or, where it fails, none. Fails where the file is no longer there. */
  readonly append: (lines: Iterable<string>) => Effect.Effect<void, JournalError>
  /** Replaces all lines; where it fails, they stay as they are. It never replaces a journal of another one. */
  readonly rewrite: (lines: Iterable<string>) => Effect.Effect<void, JournalError>
}

const version = 1

const Header = Schema.parseJson(Schema.Struct({ effect_lume: Schema.Number }))
const decodeHeader = Schema.decodeEither(Header)
const header = JSON.stringify({ effect_lume: version })

const newline = 0x0a
const encoder = new TextEncoder()
const decoder = new TextDecoder("utf-8", { fatal: true })

// ---------------------------------------------------------------------------------------------------------------------
// Reading

const broken = (file: string, line: number, why: string) =>
  new LocalLumeError({
    message: `Line ${line} of ${file} is broken: ${why}. Restore the file from a copy, or move it away, which forgets all runs.`
  })

const checkHeader = (file: string, line: string): Effect.Effect<void, LocalLumeError> =>
  Either.match(decodeHeader(line), {
    onLeft: () => broken(file, 1, "it is not the first line of a local Lume's journal"),
    onRight: ({ effect_lume }) =>
      effect_lume === version
        ? Effect.void
        : new LocalLumeError({
            message: `${file} was written by another version of effect-lume: its format is ${effect_lume}, this one reads ${version}. Use that version, or another targets folder.`
          })
  })

/**
 * Gives the lines of a journal to `read`, which says what is wrong with one. A last line that was cut off was never
 * confirmed to anybody, and is dropped; any other that is wrong is refused.
 */
const parse = (file: string, bytes: Uint8Array, read: Read): Effect.Effect<void, LocalLumeError> =>
  Effect.gen(function* () {
    let from = 0
    for (let number = 1; from < bytes.length || number === 1; number += 1) {
      const end = bytes.indexOf(newline, from)
      const line = Either.try({
        try: () => decoder.decode(bytes.subarray(from, end < 0 ? bytes.length : end)),
        catch: () => "it is not in UTF-8"
      })
      from = end < 0 ? bytes.length : end + 1
      if (number === 1)
        yield* checkHeader(
          file,
          Either.getOrElse(line, () => "")
        )
      else {
        const entry = Either.flatMap(line, read)
        if (Either.isLeft(entry) && end >= 0) return yield* broken(file, number, entry.left)
      }
    }
  })

/** Takes a line; says what is wrong with it. */
type Read = (line: string) => Either.Either<void, string>

/** Gives the lines of the journal in `file`, if there is one, to `read`. */
export const read = (file: string, read: Read): Effect.Effect<void, LocalLumeError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const unreadable = because((why) => `${file} can't be read: ${why}. Grant this process the permission.`)
    if (!(yield* Effect.mapError(files.exists(file), unreadable))) return
    yield* parse(file, yield* Effect.mapError(files.readFile(file), unreadable), read)
  })

// ---------------------------------------------------------------------------------------------------------------------
// Writing

const most = 256 * 1024

/** The lines as bytes, in pieces that are not large. */
function* encode(lines: Iterable<string>): Iterable<Uint8Array> {
  let text = ""
  for (const line of lines) {
    text += `${line}\n`
    if (text.length < most) continue
    yield encoder.encode(text)
    text = ""
  }
  if (text !== "") yield encoder.encode(text)
}

/** Writes lines to the end of a file; how many bytes they are. */
const write = (file: FileSystem.File, lines: Iterable<string>): Effect.Effect<number, PlatformError.PlatformError> =>
  Effect.gen(function* () {
    let size = 0
    for (const piece of encode(lines)) {
      yield* file.writeAll(piece)
      size += piece.length
    }
    yield* file.sync
    return size
  })

/** A renamed file stays renamed only once its folder is on disk too; where a folder can't be opened, it is anyway. */
const syncFolder = (folder: string) =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    yield* Effect.scoped(Effect.flatMap(files.open(folder), (opened) => opened.sync))
  }).pipe(Effect.ignore)

interface Open {
  readonly file: FileSystem.File
  readonly scope: Scope.CloseableScope
  /** How many bytes are known to be on disk. */
  readonly size: number
}

/** Makes a journal of these lines in `file`, in place of the one that is there. */
const replace = (file: string, lines: Iterable<string>) =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const scope = yield* Scope.make()
    return yield* Effect.gen(function* () {
      const opened = yield* Scope.extend(files.open(`${file}.new`, { flag: "w", mode: 0o600 }), scope)
      const size = yield* write(opened, withHeader(lines))
      yield* files.rename(`${file}.new`, file)
      yield* syncFolder(path.dirname(file))
      return { file: opened, scope, size } satisfies Open
    }).pipe(Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause))))
  })

function* withHeader(lines: Iterable<string>): Iterable<string> {
  yield header
  yield* lines
}

/** Opens the journal in `file`, which then has these lines and no others. */
export const make = (
  file: string,
  lines: Iterable<string>
): Effect.Effect<Journal, JournalError, FileSystem.FileSystem | Scope.Scope> =>
  Effect.gen(function* () {
    const context = yield* Effect.context<FileSystem.FileSystem>()
    const failure = (error: PlatformError.PlatformError) =>
      new JournalError({ message: `${file} can't be written: ${error.message}` })
    const failed = Effect.mapError(failure)
    let open: Open = yield* failed(replace(file, lines))
    yield* Effect.addFinalizer((exit) => Scope.close(open.scope, exit))
    /** Whether the file may hold more than what is known to be on disk. */
    let isTorn = false

    // What is written to a file that has lost its name is lost. A server in another thread can take the name: no lock of
    // the kernel's holds between the threads of a process.
    const isNamed = Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const named = yield* failed(Effect.catchIf(Effect.asSome(files.stat(file)), isMissing, () => Effect.succeedNone))
      const { dev, ino } = yield* failed(open.file.stat)
      const isSame = Option.exists(
        named,
        (found) => found.dev === dev && Option.getOrUndefined(found.ino) === Option.getOrUndefined(ino)
      )
      if (!isSame) {
        return yield* new JournalError({
          message: `${file} was deleted, or replaced by another local Lume in a thread of this process. Nothing can be kept meanwhile: put it back, or close this local Lume and start it again`
        })
      }
    })

    const repair = Effect.suspend(() =>
      isTorn
        ? Effect.map(Effect.zipRight(open.file.truncate(open.size), open.file.sync), () => {
            isTorn = false
          })
        : Effect.void
    )

    return {
      append: (lines) =>
        Effect.gen(function* () {
          yield* repair
          isTorn = true
          const size = yield* write(open.file, lines)
          // Only afterwards is it certain that the lines are in the file that the next start reads.
          yield* isNamed
          open = { ...open, size: open.size + size }
          isTorn = false
        }).pipe(
          // What is not known to be kept must not be there, or it would be there twice.
          Effect.tapError(() => Effect.ignore(repair)),
          Effect.mapError((error) => (error._tag === "JournalError" ? error : failure(error))),
          Effect.provide(context)
        ),
      rewrite: (lines) =>
        Effect.gen(function* () {
          const { scope } = open
          open = yield* replace(file, lines)
          isTorn = false
          yield* Scope.close(scope, Exit.void)
        }).pipe(failed, (replaced) => Effect.zipRight(isNamed, replaced), Effect.provide(context))
    }
  })
