/**
 * What an answer means: a run, or one of the typed errors.
 *
 * The status decides which error it is; a body never decides more than what the error says.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as LumeError from "../LumeError.js"
import * as LumeRun from "../LumeRun.js"
import { type Answer, isRefusal } from "./exchange.js"
import type { Scrub } from "./apiKey.js"
import { explainUnparsed } from "../internal/json.js"
import * as problem from "../internal/problem.js"
import type { NoAnswer } from "./transportFailure.js"
import { oneLine, preview } from "../internal/text.js"

// ---------------------------------------------------------------------------------------------------------------------
// What a body says

const Problems = Schema.parseJson(
  Schema.Union(
    Schema.Struct({ error_code: Schema.String, message: Schema.String }),
    Schema.Struct({ detail: Schema.String }),
    Schema.Struct({
      detail: Schema.Array(
        Schema.Struct({ loc: Schema.Array(Schema.Union(Schema.String, Schema.Number)), msg: Schema.String })
      )
    }),
    Schema.Struct({ message: Schema.String })
  )
)

const readProblems = ParseResult.decodeUnknownOption(Problems)

/** Of a page, its title, else its text without markup. In time that grows with its length and no faster. */
const pageText = (page: string): string => {
  // searched for in the page itself: in lower case, a text can have another length
  const tag = page.search(/<title/i)
  const from = page.indexOf(">", tag) + 1
  const length = page.slice(from).search(/<\/title/i)
  return tag >= 0 && from > 0 && length > 0 ? page.slice(from, from + length) : withoutMarkup(page)
}

const withoutMarkup = (page: string): string => {
  const [before = "", ...tags] = page.split("<")
  let unread: string | undefined = undefined
  let text = before
  for (const tag of tags) {
    const name = /^\/?[a-z]*/i.exec(tag)?.[0].toLowerCase()
    if (unread === undefined && (name === "script" || name === "style")) unread = `/${name}`
    else if (name === unread) unread = undefined
    if (unread === undefined) text += ` ${tag.includes(">") ? tag.slice(tag.indexOf(">") + 1) : ""}`
  }
  return text
}

/** The sentence in an error's body: Lume's or FastAPI's forms of JSON, a page's title, or the text itself. */
const sentence = (body: string): string => {
  const json = Option.getOrUndefined(readProblems(body))
  if (json === undefined) return body.trimStart().startsWith("<") ? pageText(body) : body
  if ("error_code" in json) return `${json.error_code}: ${json.message}`
  if ("message" in json) return json.message
  return typeof json.detail === "string"
    ? json.detail
    : json.detail.map(({ loc, msg }) => `${loc.join(".")}: ${msg}`).join("; ")
}

// ---------------------------------------------------------------------------------------------------------------------
// Runs

const decodeRun = ParseResult.decodeUnknownEither(LumeRun.Wire)

/** Reads a 2xx answer as a run; as the run with this id, if one is given. */
export const toRun = (
  { body, headers, status }: Answer,
  runId: LumeRun.RunId | undefined,
  scrub: Scrub
): Effect.Effect<LumeRun.LumeRun, LumeError.DecodeError> => {
  const refuse = (reason: problem.Problem) =>
    Effect.fail(
      new LumeError.DecodeError({
        path: scrub.text(reason.path),
        expected: reason.expected,
        received: scrub.text(reason.received),
        runId: Option.fromNullable(runId),
        status,
        contentType: Option.map(Option.fromNullable(headers["content-type"]), (type) => oneLine(scrub.text(type))),
        preview: oneLine(scrub.text(body.text), 100)
      })
    )
  const parsed = Either.try((): unknown => JSON.parse(body.text))
  if (Either.isLeft(parsed)) {
    const encoding = headers["content-encoding"]
    const received =
      encoding === undefined
        ? explainUnparsed(scrub.text(body.text))
        : `bytes that are still encoded (content-encoding: ${oneLine(scrub.text(encoding), 40)})`
    return refuse({ path: "", expected: "a run as JSON", received })
  }
  if (!body.isUtf8) return refuse({ path: "", expected: "a run as JSON", received: "bytes that are not UTF-8" })
  const json = scrub.json(parsed.right, body.text)
  const run = decodeRun(json)
  if (Either.isLeft(run)) return refuse(problem.fromIssue(run.left, json))
  return runId === undefined || run.right.id === runId
    ? Effect.succeed(LumeRun.fromWire(run.right))
    : refuse({ path: "id", expected: preview(runId), received: preview(run.right.id) })
}

// ---------------------------------------------------------------------------------------------------------------------
// Errors

/** What the errors of a read and of a submit have in common. */
export type Refusal =
  | LumeError.AuthenticationError
  | LumeError.InvalidRequestError
  | LumeError.RateLimitedError
  | LumeError.ApiError

/** No answer can make a client wait longer than this, in milliseconds. */
const longestRetryAfter = 120_000

const httpDate = /^[a-z]{3,9}, .+ GMT$/i

/**
 * What a `Retry-After` header asks for: seconds or an HTTP date, from zero to two minutes; `None` if it can't be
 * read. `now` is in milliseconds since 1970.
 */
const parseRetryAfter = (header: string | undefined, now: number): Option.Option<Duration.Duration> => {
  const text = header?.trim() ?? ""
  const asked = /^\d+$/.test(text) ? Number(text) * 1000 : httpDate.test(text) ? Date.parse(text) - now : Number.NaN
  return Number.isNaN(asked)
    ? Option.none()
    : Option.some(Duration.millis(Math.min(Math.max(asked, 0), longestRetryAfter)))
}

/** Reads an answer that is not 2xx, by what its status means everywhere. */
export const toRefusal = (
  { body, headers, status }: Answer,
  runId: LumeRun.RunId | undefined,
  scrub: Scrub
): Effect.Effect<Refusal> =>
  Effect.map(Clock.currentTimeMillis, (now) => {
    const about = { detail: oneLine(scrub.text(sentence(body.text))), runId: Option.fromNullable(runId) }
    const after = parseRetryAfter(headers["retry-after"], now)
    if (status === 401 || status === 403) return new LumeError.AuthenticationError({ ...about, status })
    if (status === 429) return new LumeError.RateLimitedError({ ...about, retryAfter: after })
    if (!isRefusal(status)) {
      const requestId = Option.map(Option.fromNullable(headers["x-request-id"]), (id) => oneLine(scrub.text(id)))
      return new LumeError.ApiError({ ...about, status, requestId, retryAfter: after })
    }
    return new LumeError.InvalidRequestError({ ...about, status: Option.some(status) })
  })

/** Says that nothing usable came back. */
export const toTransportError = (
  { detail, reason }: NoAnswer,
  runId: LumeRun.RunId | undefined,
  scrub: Scrub
): LumeError.TransportError | LumeError.InvalidRequestError => {
  const about = { detail: oneLine(scrub.text(detail)), runId: Option.fromNullable(runId) }
  return reason === "Unsendable"
    ? new LumeError.InvalidRequestError(about)
    : new LumeError.TransportError({ ...about, reason })
}
