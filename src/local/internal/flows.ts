/**
 * The flows that a local Lume knows, by flow version.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as ParseResult from "effect/ParseResult"
import * as path from "node:path"
import { repeatedKey } from "../../internal/json.js"
import { fromIssue } from "../../internal/problem.js"
import { preview, thrown } from "../../internal/text.js"
import { flowVersion, LocalFlow } from "../LocalFlow.js"
import { LocalLumeError } from "./error.js"

interface Named {
  /** Where the flow comes from, for messages. */
  readonly from: string
  readonly json: unknown
  /** Whether it was written by hand, so that what is misspelt must not be left out without a word. */
  readonly isFile: boolean
}

const decodeFlow = ParseResult.decodeUnknown(LocalFlow)

const decode = ({ from, isFile, json }: Named): Effect.Effect<readonly [string, LocalFlow], LocalLumeError> =>
  decodeFlow(json, { onExcessProperty: isFile ? "error" : "ignore" }).pipe(
    // a copy, because a flow version is immutable
    Effect.map((flow) => [flowVersion(flow), { ...flow, fields: { ...flow.fields } }] as const),
    Effect.mapError((issue) => {
      const { expected, path, received } = fromIssue(issue, json)
      const place = path === "" ? "" : `at ${path}, `
      return new LocalLumeError({ message: `${from} is no flow: ${place}expected ${expected}, got ${received}.` })
    })
  )

/** Whether a file of a folder of flows is one by its name. Hidden ones are of editors and of file systems. */
export const isFlowFile = (name: string): boolean => name.endsWith(".json") && !name.startsWith(".")

const readFolder = (folder: string): Effect.Effect<ReadonlyArray<Named>, LocalLumeError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const unreadable = (file: string) =>
      Effect.mapError(
        (error: { readonly message: string }) =>
          new LocalLumeError({ message: `The flows can't be read from ${file}: ${error.message}` })
      )
    const names = yield* unreadable(folder)(files.readDirectory(folder))
    return yield* Effect.forEach(names.filter(isFlowFile).toSorted(), (name) => {
      const file = path.join(folder, name)
      return Effect.gen(function* () {
        const text = yield* unreadable(file)(files.readFileString(file))
        const refuse = (why: string) => new LocalLumeError({ message: `${file} ${why}. Correct it, or move it away.` })
        const json = yield* Effect.try({
          try: (): unknown => JSON.parse(text),
          // Node's own words show the place
          catch: (error) => refuse(text.trim() === "" ? "is empty" : `is no JSON: ${thrown(error)}`)
        })
        const repeated = repeatedKey(text)
        if (repeated !== undefined) return yield* refuse(`is no flow: it has the key ${preview(repeated)} twice`)
        return { from: file, json, isFile: true }
      })
    })
  })

/** Reads flows from a folder of JSON files, or takes them as given. */
export const load = (
  flows: string | ReadonlyArray<LocalFlow>
): Effect.Effect<ReadonlyMap<string, LocalFlow>, LocalLumeError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const named =
      typeof flows === "string"
        ? yield* readFolder(flows)
        : flows.map((json, index) => ({ from: `flows[${index}]`, json, isFile: false }))
    if (named.length === 0) {
      const place = typeof flows === "string" ? `no *.json file in ${flows}` : "none is given"
      return yield* new LocalLumeError({ message: `There are no flows: ${place}. A local Lume needs one at least.` })
    }
    const decoded = yield* Effect.forEach(named, decode)
    const versions = decoded.map(([version]) => version)
    const duplicate = versions.find((version, index) => versions.indexOf(version) < index)
    if (duplicate !== undefined) {
      return yield* new LocalLumeError({
        message: `The flow version ${duplicate} is there twice. A flow version is immutable: give the other one a new version.`
      })
    }
    return new Map(decoded)
  })
