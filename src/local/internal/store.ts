/**
 * Keeps the ledger of a local Lume: in memory, or in a journal on disk.
 */
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as ParseResult from "effect/ParseResult"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import * as path from "node:path"
import { fromIssue } from "../../internal/problem.js"
import { because, type LocalLumeError } from "./error.js"
import * as journal from "./journal.js"
import * as ledger from "./ledger.js"
import * as lock from "./lock.js"

/** The ledger, and the only way to change it. */
export interface Service {
  /** The ledger as it is now, without what need not be remembered any longer. */
  readonly ledger: Effect.Effect<ledger.Ledger>
  /** Adds an entry. It outlives the process, if anything does, when this is done, and can be seen from then on. */
  readonly add: (entry: ledger.Entry) => Effect.Effect<void, journal.JournalError>
}

/** @see Service */
export class Store extends Context.Tag("effect-lume/local/Store")<Store, Service>() {}

const forgetting = (kept: ledger.MutableLedger): Effect.Effect<ledger.Ledger> =>
  Effect.map(Clock.currentTimeMillis, (now) => {
    kept.forget(now)
    return kept
  })

/** Keeps nothing beyond the process. */
export const layerMemory = (retention: ledger.Retention): Layer.Layer<Store> =>
  Layer.sync(Store, () => {
    const kept = ledger.make(retention)
    return { ledger: forgetting(kept), add: (entry) => Effect.sync(() => void kept.add(entry)) }
  })

// ---------------------------------------------------------------------------------------------------------------------
// On disk

const Line = Schema.parseJson(ledger.Entry)
const decodeLine = ParseResult.decodeEither(Line)
const encodeLine = Schema.encodeSync(Line)

const read =
  (kept: ledger.MutableLedger) =>
  (line: string): Either.Either<void, string> =>
    Either.match(decodeLine(line), {
      onLeft: (issue) => {
        const { expected, path } = fromIssue(issue, line)
        return Either.left(`${path === "" ? "" : `at ${path}, `}expected ${expected}`)
      },
      onRight: (entry) => Either.flip(Either.fromNullable(kept.add(entry), () => undefined))
    })

function* lines(entries: Iterable<ledger.Entry>): Iterable<string> {
  for (const entry of entries) yield encodeLine(entry)
}

interface Addition {
  readonly entry: ledger.Entry
  readonly done: Deferred.Deferred<void, journal.JournalError>
}

/** How many entries the journal may have beyond twice what it needs, before it is written anew. */
const slack = 1_000

/** How many entries go to disk at a time. */
const most = 1_000

/**
 * Writes entries to the journal and then adds them to the ledger. All that wait share one write and one sync, which is what
 * takes time; so 200 runs accepted at once wait hardly longer than one.
 */
const writer = (kept: ledger.MutableLedger, file: journal.Journal, additions: Queue.Dequeue<Addition>) => {
  let written = kept.size()

  const compact = Effect.suspend(() => {
    if (written <= 2 * kept.size() + slack) return Effect.void
    written = kept.size()
    return Effect.catchAll(file.rewrite(lines(kept.entries())), ({ message }) =>
      Effect.logWarning(`The journal goes on as it is, because it could not be made smaller: ${message}`)
    )
  })

  const commit = (batch: Iterable<Addition>) =>
    Effect.gen(function* () {
      const entries = Array.from(batch, ({ entry }) => entry)
      const exit = yield* Effect.exit(file.append(lines(entries)))
      if (exit._tag === "Success") {
        written += entries.length
        for (const entry of entries) kept.add(entry)
      }
      yield* Effect.forEach(batch, ({ done }) => Deferred.done(done, exit), { discard: true })
      kept.forget(yield* Clock.currentTimeMillis)
      yield* compact
    })

  return Queue.takeBetween(additions, 1, most).pipe(
    Effect.flatMap((batch) => Effect.uninterruptible(commit(batch))),
    Effect.forever
  )
}

const fileName = "journal.jsonl"

/**
 * Keeps the ledger in the folder, which no other store has meanwhile.
 *
 * Fails where another one has it, or where what is there can't be read or written.
 */
export const layerDisk = (
  folder: string,
  retention: ledger.Retention
): Layer.Layer<Store, LocalLumeError, FileSystem.FileSystem> =>
  Layer.scoped(
    Store,
    Effect.gen(function* () {
      yield* lock.acquire(folder)
      const kept = ledger.make(retention)
      const name = path.join(folder, fileName)
      yield* journal.read(name, read(kept))
      kept.forget(yield* Clock.currentTimeMillis)
      const file = yield* Effect.mapError(
        journal.make(name, lines(kept.entries())),
        because((why) => `${why}. Check that there is space, and the permissions of the targets folder.`)
      )
      const additions = yield* Queue.unbounded<Addition>()
      yield* Effect.forkScoped(writer(kept, file, additions))
      return {
        ledger: forgetting(kept),
        add: (entry) =>
          Effect.gen(function* () {
            const done = yield* Deferred.make<void, journal.JournalError>()
            yield* Queue.offer(additions, { entry, done })
            yield* Deferred.await(done)
          })
      }
    })
  )
