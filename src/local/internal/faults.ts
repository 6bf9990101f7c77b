/**
 * Faults on demand, for tests of programs that use Lume: a request that asks for one is answered late, wrongly or not at
 * all.
 */
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { ServerResponse } from "node:http"
import { preview } from "../../internal/text.js"

/** The header by which a request asks for faults. */
export const header = "x-lume-fault"

/** What is known of a request when its faults are chosen. */
export interface Request {
  /** Such as `POST`. */
  readonly method: string
  /** Such as `/runs`. */
  readonly path: string
  /** How many requests the server has had before this one. */
  readonly index: number
}

/** Which faults requests meet that do not ask for any: the same for each, or chosen for each. */
export type Choice = string | ((request: Request) => string | undefined)

// ---------------------------------------------------------------------------------------------------------------------
// What they do

/** Makes an app of one that answers as it should. */
type Fault = (app: HttpApp.Default) => HttpApp.Default

const socketOf = (request: HttpServerRequest.HttpServerRequest) =>
  NodeHttpServerRequest.toIncomingMessage(request).socket

const reset = Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) =>
  Effect.zipRight(
    Effect.sync(() => socketOf(request).resetAndDestroy()),
    Effect.never
  )
)

/** Writes half of an answer's body, then closes the connection. */
const cut = (response: HttpServerResponse.HttpServerResponse) =>
  Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) =>
    Effect.async<never>(() => {
      const node = NodeHttpServerRequest.toServerResponse(request)
      // one of HTTP/2 would be another class
      if (!(node instanceof ServerResponse)) return
      const body = response.body._tag === "Uint8Array" ? response.body.body : new Uint8Array()
      node.writeHead(response.status, { ...response.headers, "content-length": body.length })
      node.write(body.subarray(0, body.length / 2), () => socketOf(request).destroy())
    })
  )

const page = (response: HttpServerResponse.HttpServerResponse) =>
  HttpServerResponse.text("<!doctype html><title>A page</title><p>Not the answer that was asked for.", {
    status: response.status,
    contentType: "text/html"
  })

const refuse = (status: number, retryAfter: number | undefined): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.unsafeJson(
    { detail: `Answered with ${status}, as ${header} asked.` },
    { status, ...(retryAfter !== undefined && { headers: { "retry-after": String(Math.ceil(retryAfter / 1000)) } }) }
  )

const named: ReadonlyMap<string, Fault> = new Map<string, Fault>([
  ["reset", () => reset],
  ["hang", () => Effect.never],
  ["lost", (app) => Effect.zipRight(app, reset)],
  ["cut", (app) => Effect.flatMap(app, cut)],
  ["html", (app) => Effect.map(app, page)]
])

// ---------------------------------------------------------------------------------------------------------------------
// How they are asked for

const time = "\\d{1,6}(?:\\.\\d{1,3})?(?:ms|s|m)"
const one = `(?:[45]\\d\\d(?:=${time})?|slow=${time}|${[...named.keys()].join("|")})`

/** What a list of faults looks like. */
export const pattern = `^ *${one} *(?:, *${one} *)*$`

/** The faults there are, for a person. */
export const help =
  "a status from 400 to 599, or one with the time to try again after (429=5s); slow=2s; reset; hang; and lost, cut, html for a request that is handled all the same"

const isList = new RegExp(pattern)

const factor: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000 }

const millis = (text: string): number => {
  const [, amount = "", unit = ""] = /^([\d.]+)(.*)$/.exec(text) ?? []
  return Number(amount) * (factor[unit] ?? Number.NaN)
}

const parseOne = (text: string): Fault => {
  const [name = "", given] = text.split("=")
  const after = given === undefined ? undefined : millis(given)
  if (name === "slow") return (app) => Effect.delay(app, after ?? 0)
  return named.get(name) ?? (() => Effect.succeed(refuse(Number(name), after)))
}

/** The faults of a list, as one; or what is wrong with the list. */
export const parse = (list: string): Either.Either<Fault, string> =>
  isList.test(list)
    ? Either.right((app) =>
        list
          .split(",")
          .map((text) => parseOne(text.trim()))
          .reduceRight((app, fault) => fault(app), app)
      )
    : Either.left(`${preview(list)} is no list of faults, separated by commas. There are: ${help}`)

const unknown = (where: ReadonlyArray<string>, why: string): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.unsafeJson({ detail: [{ loc: where, msg: why, type: "value_error" }] }, { status: 422 })

/** The fault that is chosen, or what is wrong with the choice. */
const chosen = (choice: Choice, request: Request): Either.Either<Fault, string> =>
  Either.try({
    try: () => (typeof choice === "function" ? choice(request) : choice),
    catch: (error) => `the function that chooses faults has failed: ${String(error)}`
  }).pipe(Either.flatMap((list) => (list === undefined ? Either.right((app) => app) : parse(list))))

/** Lets requests meet the faults that they ask for by the header, and else those that are chosen for them. */
export const middleware = (choice: Choice = () => undefined): ((app: HttpApp.Default) => HttpApp.Default) => {
  let requests = 0
  return (app) =>
    Effect.flatMap(HttpServerRequest.HttpServerRequest, ({ headers, method, url }) => {
      const index = requests
      requests += 1
      const asked = headers[header]
      const fault =
        asked === undefined ? chosen(choice, { method, path: url.replace(/[?#].*/s, ""), index }) : parse(asked)
      return Either.match(fault, {
        onLeft: (why) => Effect.succeed(unknown(asked === undefined ? ["fault"] : ["header", header], why)),
        onRight: (fault) => fault(app)
      })
    })
}
