/**
 * The runs of a local Lume: accepted at once, made a few at a time in their order, told to a webhook.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import type * as Tracer from "effect/Tracer"
import { RunId } from "../../LumeRun.js"
import type { RunRequest } from "../../RunRequest.js"
import * as execution from "./execution.js"
import type { Stage } from "./failure.js"
import type { JournalError } from "./journal.js"
import * as ledger from "./ledger.js"
import { type Service, Store } from "./store.js"
import type { Deliver } from "./webhook.js"

/** As many runs wait as can. */
export class QueueFull extends Data.TaggedError("QueueFull")<{ readonly most: number }> {}

/** How many runs can wait at a time. */
const mostWaiting = 10_000

/** What runs need. */
export interface Options extends execution.Options {
  /** How many runs are made at a time. */
  readonly concurrency: number
  readonly deliver: Option.Option<Deliver>
}

/** A run as Lume's JSON: what `runJson.Run` describes. */
export interface Json {
  readonly id: string
  readonly status: string
  readonly metadata: { readonly [key: string]: unknown }
  readonly run_metadata: { readonly [key: string]: unknown }
}

/** A span that others can be a part of. */
type Parent = Option.Option<Tracer.AnySpan>

/** The runs. */
export interface Runs {
  /** Accepts a run; it is made later, in the background. */
  readonly submit: (request: RunRequest, parent: Parent) => Effect.Effect<Json, QueueFull | JournalError>
  readonly get: (id: string) => Effect.Effect<Option.Option<Json>>
  /** Whether this flow version has already processed this source path successfully. */
  readonly isProcessed: (request: RunRequest) => Effect.Effect<boolean>
  /** Makes and delivers what is waiting, and from then on what comes, until the scope closes. */
  readonly start: Effect.Effect<void, never, Scope.Scope>
}

const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

const base32 = (value: number, length: number): string =>
  Array.from({ length }, (_, index) => alphabet[Math.floor(value / 32 ** (length - 1 - index)) % 32]).join("")

/** `run_` and a ULID: ids sort by the time at which their runs were accepted. */
const makeId = (time: number): Effect.Effect<RunId> =>
  Effect.map(Effect.replicateEffect(Random.nextIntBetween(0, 32 ** 4), 4), (random) =>
    RunId.make(`run_${base32(time, 10)}${random.map((part) => base32(part, 4)).join("")}`)
  )

const view = (run: ledger.Run): Json => ({
  id: run.id,
  status: run.status,
  metadata: ledger.hasEnded(run) ? run.metadata : {},
  run_metadata: run.request.runMetadata ?? {}
})

const withSpan = <A, E, R>(effect: Effect.Effect<A, E, R>, { id, request }: ledger.UnfinishedRun, parent: Parent) =>
  Effect.withSpan(effect, "LocalLume.run", {
    ...Option.match(parent, { onNone: () => ({ root: true }), onSome: (parent) => ({ parent }) }),
    attributes: {
      "lume.run_id": id,
      "lume.flow_version": request.flowVersion,
      "lume.source_path": request.sourcePath
    },
    captureStackTrace: false
  })

// ---------------------------------------------------------------------------------------------------------------------
// Accepting

/** A run whose turn will come. */
interface Waiting {
  readonly run: ledger.UnfinishedRun
  readonly parent: Parent
}

/** Accepts runs as long as the queue has room; one that is about to be accepted has its place already. */
const accepting = (store: Service, waiting: Queue.Queue<Waiting>): Runs["submit"] => {
  let coming = 0
  const hold = Effect.sync(() => void (coming += 1))
  const release = Effect.sync(() => void (coming -= 1))

  const submit = (request: RunRequest, parent: Parent) =>
    Effect.gen(function* () {
      if ((yield* Queue.size(waiting)) + coming >= mostWaiting) return yield* new QueueFull({ most: mostWaiting })
      const at = yield* Clock.currentTimeMillis
      const id = yield* makeId(at)
      yield* Effect.acquireUseRelease(
        hold,
        () => store.add({ _tag: "Accepted", id, at, request }),
        () => release
      )
      const run = { id, request, acceptedAt: at, status: "CREATED" } as const
      yield* Queue.offer(waiting, { run, parent })
      return view(run)
    })

  // A client that goes away meanwhile can't keep a run from being made that is already on disk.
  return (request, parent) => Effect.uninterruptible(submit(request, parent))
}

// ---------------------------------------------------------------------------------------------------------------------
// Making

/** Adds an entry without which nothing can go on: where the disk is full, once it no longer is. */
const persist = (store: Service, entry: ledger.Entry): Effect.Effect<void> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.catchAll(store.add(entry), ({ message }) =>
      Effect.zipRight(
        Effect.logWarning(`${message}. It is tried again every second.`),
        restore(Effect.eventually(Effect.delay(store.add(entry), "1 second")))
      )
    )
  )

/** Makes a run and remembers its end; gives what is to be told of it. */
const execute = (
  store: Service,
  options: Options,
  run: ledger.UnfinishedRun
): Effect.Effect<ledger.Event, never, FileSystem.FileSystem> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const onStage = (stage: Stage) => persist(store, { _tag: "Entered", id: run.id, stage })
      const ending = yield* restore(execution.execute(options, run, onStage))
      const at = yield* Clock.currentTimeMillis
      const deliver = Option.isSome(options.deliver)
      yield* restore(persist(store, { _tag: "Ended", id: run.id, at, ...ending, deliver }))
      yield* Effect.annotateCurrentSpan("lume.status", ending.status)
      return ledger.eventOf({ ...run, status: ending.status })
    })
  )

/** Delivers the end of a run. Where it can't be written down that this was heard, it is told again. */
const tell = (store: Service, deliver: Deliver, event: ledger.Event): Effect.Effect<void> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(restore(deliver(event)), (heard) =>
      heard ? Effect.ignoreLogged(store.add({ _tag: "Delivered", id: event.runId })) : Effect.void
    )
  )

/** How long the end waits for runs that do not heed their interruption. */
const patience = "5 seconds"

const interrupt = (fibers: Iterable<Fiber.Fiber<unknown>>): Effect.Effect<void> =>
  Fiber.interruptAll(fibers).pipe(
    Effect.forkDaemon,
    Effect.flatMap((interrupting) => Effect.interruptible(Fiber.join(interrupting))),
    Effect.timeout(patience),
    Effect.ignore
  )

const working = (
  store: Service,
  options: Options,
  waiting: Queue.Dequeue<Waiting>
): Effect.Effect<void, never, FileSystem.FileSystem | Scope.Scope> =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    const background = (event: ledger.Event) =>
      Option.match(options.deliver, {
        onNone: () => Effect.void,
        onSome: (deliver) => Effect.asVoid(Effect.forkIn(tell(store, deliver, event), scope))
      })
    yield* Effect.forEach((yield* store.ledger).undelivered(), background, { discard: true })
    const worker = Effect.forever(
      Effect.flatMap(Queue.take(waiting), ({ parent, run }) =>
        Effect.flatMap(withSpan(execute(store, options, run), run, parent), background)
      )
    )
    const workers = yield* Effect.replicateEffect(Effect.forkDaemon(worker), options.concurrency)
    yield* Effect.addFinalizer(() => interrupt(workers))
  })

/** The runs of the store. Those that are `CREATED` there are the first to be made. */
export const make = (options: Options): Effect.Effect<Runs, never, FileSystem.FileSystem | Store> =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const store = yield* Store
    const waiting = yield* Queue.unbounded<Waiting>()
    yield* Queue.offerAll(
      waiting,
      (yield* store.ledger).unfinished().map((run) => ({ run, parent: Option.none() }))
    )
    return {
      submit: accepting(store, waiting),
      get: (id) => Effect.map(store.ledger, (ledger) => Option.map(Option.fromNullable(ledger.run(id)), view)),
      isProcessed: (request) => Effect.map(store.ledger, (ledger) => ledger.isProcessed(request)),
      start: Effect.provideService(working(store, options, waiting), FileSystem.FileSystem, files)
    }
  })
