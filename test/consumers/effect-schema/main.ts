// An application on `@effect/schema` that keeps runs and metadata in a struct of its own. It prints what is left of them
// after a trip through JSON, and how a wrong one is refused.
import * as OldSchema from "@effect/schema/Schema"
import * as Either from "effect/Either"
import { LumeMetadata, LumeRun } from "effect-lume"
import { bridge } from "./bridge.js"

const Invoice = OldSchema.Struct({
  number: OldSchema.NumberFromString,
  run: bridge(LumeRun.LumeRun),
  metadata: OldSchema.NullOr(bridge(LumeMetadata.LumeMetadata))
})

/** The types come through: a run's state narrows as it does elsewhere. */
const state = ({ metadata, run }: typeof Invoice.Type): string =>
  run._tag === "Succeeded" ? run.status : `${run._tag} ${metadata?.results.inputRows ?? "without metadata"}`

const run = { id: "run_1", status: "TRANSFORMING", metadata: null, run_metadata: {} } as const
const invoice = OldSchema.decodeUnknownSync(Invoice)({ number: "7", run, metadata: null })
const again = OldSchema.decodeUnknownSync(Invoice)(JSON.parse(JSON.stringify(OldSchema.encodeSync(Invoice)(invoice))))
const wrong = OldSchema.decodeUnknownEither(Invoice)({ number: "7", run, metadata: { results: {} } })

console.log(`${again.number} ${state(again)}, ${Either.isLeft(wrong) ? "refused" : "taken"}`)
