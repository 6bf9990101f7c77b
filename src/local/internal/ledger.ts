/**
 * What a local Lume remembers: its runs, which source paths have succeeded, which webhooks are still to be delivered.
 *
 * All of it is the sum of entries. A ledger is changed only by adding one, so that the same entries, read again, give
 * the same ledger.
 */
import * as Schema from "effect/Schema"
import * as wire from "../../internal/leaf.js"
import { RunId } from "../../LumeRun.js"
import type { Stage } from "./failure.js"

/** Milliseconds since 1970. */
const Instant = Schema.Number

const Stage = Schema.Literal("SYNCING_SOURCE", "TRANSFORMING", "SYNCING_TARGET") satisfies Schema.Schema<Stage>
const End = Schema.Literal("SUCCEEDED", "PARTIAL_FAILED", "FAILED", "CRASHED")

const Request = Schema.Struct({
  flowVersion: Schema.String,
  sourcePath: Schema.String,
  runMetadata: Schema.optional(wire.JsonObject)
})

/** What was submitted, as far as it is remembered. It was checked when it was accepted. */
export type Request = typeof Request.Type

/** What a webhook says of a run that has ended. */
const Event = Schema.Struct({ runId: RunId, status: End, ...Request.fields })

/** @see Event */
export type Event = typeof Event.Type

/** The entries by their tags: what each adds to a ledger. */
export const Entry = Schema.Union(
  /** A run was accepted. */
  Schema.TaggedStruct("Accepted", { id: RunId, at: Instant, request: Request }),
  /** A run entered a stage. */
  Schema.TaggedStruct("Entered", { id: RunId, stage: Stage }),
  /** A run ended; `metadata` is Lume's JSON, `deliver` whether a webhook is to tell of it. */
  Schema.TaggedStruct("Ended", {
    id: RunId,
    at: Instant,
    status: End,
    metadata: wire.JsonObject,
    deliver: Schema.Boolean
  }),
  /** The webhook that told of a run's end was heard. */
  Schema.TaggedStruct("Delivered", { id: RunId }),
  /** A flow version has succeeded on a source path, in a run that may be forgotten. */
  Schema.TaggedStruct("Processed", { flowVersion: Schema.String, sourcePath: Schema.String }),
  /** A webhook is still to be delivered, of a run that may be forgotten. */
  Schema.TaggedStruct("Undelivered", { event: Event })
).annotations({ description: "an entry of a local Lume's journal" })

/** @see Entry */
export type Entry = typeof Entry.Type

interface Accepted {
  readonly id: RunId
  readonly request: Request
  /** Milliseconds since 1970. */
  readonly acceptedAt: number
}

/** What is remembered of a run that has not ended. */
export interface UnfinishedRun extends Accepted {
  readonly status: "CREATED" | Stage
}

/** What is remembered of a run that has ended. */
export interface EndedRun extends Accepted {
  readonly status: typeof End.Type
  /** Lume's JSON. */
  readonly metadata: { readonly [key: string]: unknown }
  /** Milliseconds since 1970. */
  readonly endedAt: number
}

/** A run as it is remembered. */
export type Run = UnfinishedRun | EndedRun

/** Whether a run has ended. */
export const hasEnded = (run: Run): run is EndedRun => "endedAt" in run

/** How long runs that have ended are remembered. */
export interface Retention {
  /** For how many milliseconds. */
  readonly keepFor: number
  /** How many of them. */
  readonly keepRuns: number
}

/** What can be read of a ledger. */
export interface Ledger {
  readonly run: (id: string) => Run | undefined
  /** The runs that have not ended, in the order in which they were accepted. */
  readonly unfinished: () => ReadonlyArray<UnfinishedRun>
  /** Moves with each change of a run. */
  readonly version: () => number
  /** The runs that have changed after a version, or all of them after 0; those first that were accepted last. */
  readonly changesSince: (version: number) => ReadonlyArray<Run>
  /** Whether a flow version has succeeded on a source path. */
  readonly isProcessed: (request: Processed) => boolean
  readonly undelivered: () => ReadonlyArray<Event>
}

/** A ledger that can be changed. */
export interface MutableLedger extends Ledger {
  /** Adds an entry; says what is wrong with one that can't follow those before it. */
  readonly add: (entry: Entry) => string | undefined
  /** Forgets ended runs that need not be remembered any longer. */
  readonly forget: (now: number) => void
  /** The fewest entries that make up this ledger. */
  readonly entries: () => Iterable<Entry>
  /** How many those are, at most. */
  readonly size: () => number
}

interface Processed {
  readonly flowVersion: string
  readonly sourcePath: string
}

/** What a webhook says of a run that has ended. */
export const eventOf = ({ id, request, status }: Pick<EndedRun, "id" | "request" | "status">): Event => ({
  runId: id,
  status,
  flowVersion: request.flowVersion,
  sourcePath: request.sourcePath,
  ...(request.runMetadata !== undefined && { runMetadata: request.runMetadata })
})

const keyOf = ({ flowVersion, sourcePath }: Processed): string => JSON.stringify([flowVersion, sourcePath])

/** An empty ledger. */
export const make = ({ keepFor, keepRuns }: Retention): MutableLedger => {
  const unfinished = new Map<string, UnfinishedRun>()
  /** In the order in which they ended. */
  const ended = new Map<string, EndedRun>()
  const processed = new Map<string, Processed>()
  const undelivered = new Map<string, Event>()
  /** For each run, the version that its last change has made. */
  const changes = new Map<string, number>()
  let version = 0

  const change = (id: string) => {
    version += 1
    changes.set(id, version)
  }

  const accept = ({ at: acceptedAt, id, request }: Extract<Entry, { readonly _tag: "Accepted" }>) => {
    change(id)
    unfinished.set(id, { id, request, acceptedAt, status: "CREATED" })
  }

  const end = ({ at: endedAt, deliver, metadata, status }: Extract<Entry, { readonly _tag: "Ended" }>, run: Run) => {
    const { acceptedAt, id, request } = run
    change(id)
    const after = { id, request, acceptedAt, status, metadata, endedAt }
    unfinished.delete(id)
    ended.set(id, after)
    if (status === "SUCCEEDED") processed.set(keyOf(request), request)
    if (deliver) undelivered.set(id, eventOf(after))
  }

  const add = (entry: Entry): string | undefined => {
    switch (entry._tag) {
      case "Accepted":
        if (unfinished.has(entry.id) || ended.has(entry.id)) return `run ${entry.id} is already there`
        accept(entry)
        return undefined
      case "Entered": {
        const run = unfinished.get(entry.id)
        if (run === undefined) return `run ${entry.id} does not go on`
        change(entry.id)
        unfinished.set(entry.id, { ...run, status: entry.stage })
        return undefined
      }
      case "Ended": {
        const run = unfinished.get(entry.id)
        if (run === undefined) return `run ${entry.id} does not go on`
        end(entry, run)
        return undefined
      }
      case "Delivered":
        undelivered.delete(entry.id)
        return undefined
      case "Processed":
        processed.set(keyOf(entry), entry)
        return undefined
      case "Undelivered":
        undelivered.set(entry.event.runId, entry.event)
        return undefined
    }
  }

  const forget = (now: number): void => {
    for (const { endedAt, id } of ended.values()) {
      if (ended.size <= keepRuns && endedAt >= now - keepFor) return
      ended.delete(id)
      changes.delete(id)
    }
  }

  function* entries(): Iterable<Entry> {
    for (const { flowVersion, sourcePath } of processed.values()) yield { _tag: "Processed", flowVersion, sourcePath }
    for (const { acceptedAt: at, endedAt, id, metadata, request, status } of ended.values()) {
      yield { _tag: "Accepted", id, at, request }
      yield { _tag: "Ended", id, at: endedAt, status, metadata, deliver: false }
    }
    for (const { acceptedAt: at, id, request, status } of unfinished.values()) {
      yield { _tag: "Accepted", id, at, request }
      if (status !== "CREATED") yield { _tag: "Entered", id, stage: status }
    }
    for (const event of undelivered.values()) yield { _tag: "Undelivered", event }
  }

  return {
    run: (id) => unfinished.get(id) ?? ended.get(id),
    unfinished: () => [...unfinished.values()],
    version: () => version,
    changesSince: (since) =>
      since === version
        ? []
        : [...ended.values(), ...unfinished.values()]
            .filter(({ id }) => (changes.get(id) ?? 0) > since)
            .toSorted((one, other) => (one.id < other.id ? 1 : -1)),
    isProcessed: (request) => processed.has(keyOf(request)),
    undelivered: () => [...undelivered.values()],
    add,
    forget,
    entries,
    size: () => processed.size + 2 * (unfinished.size + ended.size) + undelivered.size
  }
}
