/**
 * Reads what is submitted, and says in FastAPI's way what is wrong with it.
 */
import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as Effect from "effect/Effect"
import * as ParseResult from "effect/ParseResult"
import { fromIssue } from "../../internal/problem.js"
import { oneLine } from "../../internal/text.js"
import { readUpTo } from "../../internal/requestBody.js"
import * as RunRequest from "../../RunRequest.js"
import * as refusals from "./refusals.js"
import { longestSourcePath } from "./runJson.js"

/** The largest body, in bytes. */
export const largestBody = 1024 ** 2

const decodeRequest = ParseResult.decodeUnknown(RunRequest.RunRequest)

const wrong = (loc: ReadonlyArray<string>, msg: string, type: string): refusals.Unprocessable =>
  new refusals.Unprocessable({ detail: [{ loc: ["body", ...loc], msg, type }] })

const noJson = wrong([], "JSON decode error", "json_invalid")

const readJson = (
  request: HttpServerRequest.HttpServerRequest
): Effect.Effect<unknown, refusals.TooLarge | refusals.Unprocessable> =>
  readUpTo(request, largestBody).pipe(
    Effect.mapError((why) =>
      why === "TooLarge" ? new refusals.TooLarge({ detail: `The body has more than ${largestBody} bytes` }) : noJson
    ),
    Effect.flatMap((body) =>
      Effect.try({
        try: (): unknown => JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body)),
        catch: () => noJson
      })
    )
  )

/** The schema checks some fields under the SDK's names; here is a body that has them under both. */
const withBothNames = (json: unknown): unknown =>
  typeof json === "object" && json !== null && !Array.isArray(json)
    ? {
        ...json,
        ...Object.fromEntries(Object.entries(wireNames).map(([name, wire]) => [name, Reflect.get(json, wire)]))
      }
    : json

const wireNames = { flowVersion: "flow_version", sourcePath: "source_path", runMetadata: "run_metadata" }

/** The places of a path, as far as they are worth telling. */
const placesOf = (path: string): ReadonlyArray<string> => {
  const [first = "", ...rest] = path === "" ? [] : path.split(".")
  const own = Object.entries(wireNames).find(([name]) => name === first)
  return first === "" ? [] : [own?.[1] ?? first, ...rest].slice(0, deepest).map((place) => oneLine(place))
}

/** How many places of a path are told. */
const deepest = 10

const decode = (json: unknown): Effect.Effect<RunRequest.RunRequest, refusals.Unprocessable> =>
  Effect.mapError(decodeRequest(json), (issue) => {
    const { expected, path, received } = fromIssue(issue, withBothNames(json))
    const loc = placesOf(path)
    return received === "nothing"
      ? wrong(loc, "Field required", "missing")
      : wrong(loc, `Expected ${expected}, got ${received}`, "value_error")
  })

const checkLength = ({ sourcePath }: RunRequest.RunRequest): Effect.Effect<void, refusals.Unprocessable> => {
  const length = Buffer.byteLength(sourcePath)
  return length <= longestSourcePath
    ? Effect.void
    : Effect.fail(
        wrong(["source_path"], `Expected at most ${longestSourcePath} bytes, got ${length}`, "string_too_long")
      )
}

/** What is submitted by a request. */
export const read = (
  request: HttpServerRequest.HttpServerRequest
): Effect.Effect<RunRequest.RunRequest, refusals.TooLarge | refusals.Unprocessable> =>
  readJson(request).pipe(Effect.flatMap(decode), Effect.tap(checkLength))
