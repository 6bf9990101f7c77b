/**
 * What a local Lume is given, checked before anything of it starts: every option with its default.
 *
 * TypeScript checks only some callers, so that each value is taken as unknown. A refusal names the option, says what it
 * must be, and what was given.
 */
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as path from "node:path"
import { visibleAscii } from "../../client/apiKey.js"
import { duration, or } from "../../client/options.js"
import { textOf } from "../../internal/redacted.js"
import { preview, withoutSecrets } from "../../internal/text.js"
import type { LocalFlow } from "../LocalFlow.js"
import { limitsOf } from "./job.js"
import { because, LocalLumeError } from "./error.js"
import * as faults from "./faults.js"
import * as flows from "./flows.js"
import * as http from "./http.js"
import type { Retention } from "./ledger.js"
import { isFolder, makeFolder } from "./makeFolder.js"

/** The options of a local Lume, checked. */
export interface Settings {
  readonly flows: ReadonlyMap<string, LocalFlow>
  /** An absolute path. */
  readonly sources: string
  /** An absolute path. */
  readonly targets: string
  readonly apiKey: Option.Option<Redacted.Redacted>
  readonly server: http.Options
  readonly concurrency: number
  readonly webhook: Option.Option<{ readonly url: string; readonly secret: Option.Option<Redacted.Redacted> }>
  readonly store: "disk" | "memory"
  readonly limits: Limits
  readonly retention: Retention
}

/** What a run may use. */
export interface Limits {
  /** In bytes; the engine's default where it is `undefined`. */
  readonly memoryLimit: bigint | undefined
  /** An absolute path; the engine's default where it is `undefined`. */
  readonly spillFolder: string | undefined
  readonly runTimeout: Duration.Duration
}

/** What is not checked yet. */
export type Given = { readonly flows: string | ReadonlyArray<LocalFlow> } & {
  readonly [K in keyof Settings | keyof Limits | "host" | "port" | "fault" | "keepFor" | "keepRuns"]?: unknown
}

type Checked<A> = Effect.Effect<A, LocalLumeError>

const refuse = (message: string): Checked<never> => Effect.fail(new LocalLumeError({ message }))

const must = (name: string, be: string, given: unknown): Checked<never> =>
  refuse(`${name} must be ${be}, but is ${preview(given)}.`)

// ---------------------------------------------------------------------------------------------------------------------
// Single values

const integer = (name: string, given: unknown, least: number, most = Number.MAX_SAFE_INTEGER): Checked<number> =>
  typeof given === "number" && Number.isSafeInteger(given) && given >= least && given <= most
    ? Effect.succeed(given)
    : must(
        name,
        `an integer ${most < Number.MAX_SAFE_INTEGER ? `from ${least} to ${most}` : `of at least ${least}`}`,
        given
      )

const oneOf = <A extends string>(name: string, given: unknown, values: ReadonlyArray<A>): Checked<A> =>
  Option.match(Option.fromNullable(values.find((value) => value === given)), {
    onNone: () => must(name, values.map((value) => JSON.stringify(value)).join(" or "), given),
    onSome: Effect.succeed
  })

/** In milliseconds; `Infinity` is allowed. */
const millis = (name: string, given: unknown): Checked<number> =>
  Option.match(Option.filter(duration(given), Duration.greaterThan(Duration.zero)), {
    onNone: () => must(name, 'a positive duration, such as "30 days" or a number of milliseconds', given),
    onSome: (duration) => Effect.succeed(Duration.toMillis(duration))
  })

const text = (name: string, be: string, given: unknown): Checked<string> =>
  typeof given === "string" && given !== "" ? Effect.succeed(given) : must(name, be, given)

/** What is refused here would fit to every request without one, or to none. */
const secret = (name: string, given: unknown, fits: RegExp): Checked<Option.Option<Redacted.Redacted>> => {
  if (given === undefined) return Effect.succeedNone
  if (!Redacted.isRedacted(given)) return must(name, "a Redacted text: wrap it in Redacted.make", typeof given)
  const value = textOf(given)
  return fits.test(value)
    ? Effect.succeedSome(Redacted.make(value))
    : refuse(
        `${name} must be a text of ${fits === visibleAscii ? "visible ASCII characters" : "one character at least"}. Leave it out to get one.`
      )
}

// ---------------------------------------------------------------------------------------------------------------------
// Groups of them

const isObject = (given: unknown): given is { readonly [key: string]: unknown } =>
  typeof given === "object" && given !== null

const webhookUrl = "an http or https URL without credentials"

const webhook = (given: unknown): Checked<Settings["webhook"]> =>
  Effect.gen(function* () {
    if (given === undefined) return Option.none()
    if (!isObject(given)) return yield* must("webhook", "an object with url", given)
    const url = yield* text("webhook.url", webhookUrl, given["url"])
    const parsed = URL.canParse(url) ? new URL(url) : undefined
    if (parsed === undefined || !/^https?:$/.test(parsed.protocol))
      return yield* must("webhook.url", webhookUrl, withoutSecrets(url))
    if (parsed.username + parsed.password !== "") return yield* refuse("webhook.url must not hold credentials.")
    return Option.some({ url, secret: yield* secret("webhook.secret", given["secret"], /^.+$/s) })
  })

const fault = (given: unknown): Checked<faults.Choice | undefined> => {
  // What a function gives is checked when it is given.
  if (given === undefined || typeof given === "function") return Effect.succeed(given as faults.Choice | undefined)
  return typeof given !== "string"
    ? must("fault", "a text or a function", given)
    : Either.match(faults.parse(given), {
        onLeft: (why) => refuse(`fault: ${why}.`),
        onRight: () => Effect.succeed(given)
      })
}

const server = ({ fault: givenFault, host: givenHost = "127.0.0.1", port = 0 }: Given): Checked<http.Options> =>
  Effect.all({
    host: text("host", "a name or an address", givenHost),
    port: integer("port", port, 0, 65_535),
    fault: fault(givenFault)
  })

const limits = (given: Given): Effect.Effect<Limits, LocalLumeError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const { memory, time } = yield* Effect.mapError(limitsOf(given), because(identity))
    const folder = given.spillFolder
    if (folder === undefined) return { memoryLimit: memory, spillFolder: folder, runTimeout: time }
    const spillFolder = path.resolve(yield* text("spillFolder", "the path of a folder", folder))
    yield* makeKind("spill", spillFolder)
    return { memoryLimit: memory, spillFolder, runTimeout: time }
  })

const makeKind = (kind: string, folder: string) =>
  Effect.mapError(
    makeFolder(folder),
    because((why) => `The ${kind} folder ${folder} can't be made: ${why}. Choose another one.`)
  )

const folders = (given: Given) =>
  Effect.gen(function* () {
    const sources = yield* text("sources", "the path of a folder", given.sources)
    const targets = yield* text("targets", "the path of a folder", given.targets)
    if (!(yield* isFolder(sources))) {
      return yield* refuse(`The sources folder ${sources} does not exist. Create it first.`)
    }
    if (typeof given.flows === "string" && !(yield* isFolder(given.flows))) {
      return yield* refuse(`The flows folder ${given.flows} does not exist. Create it first.`)
    }
    yield* makeKind("targets", targets)
    return { sources: path.resolve(sources), targets: path.resolve(targets) }
  })

// ---------------------------------------------------------------------------------------------------------------------
// All of them

/** Checks the options of a local Lume, reads its flows, and makes the targets folder. */
export const settings = (given: Given): Effect.Effect<Settings, LocalLumeError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const checked = yield* Effect.all({
      server: server(given),
      apiKey: secret("apiKey", given.apiKey, visibleAscii),
      concurrency: integer("concurrency", or(given.concurrency, 2), 1),
      webhook: webhook(given.webhook),
      store: oneOf("store", or(given.store, "disk"), ["disk", "memory"]),
      retention: Effect.all({
        keepFor: millis("keepFor", or(given.keepFor, "30 days")),
        keepRuns: integer("keepRuns", or(given.keepRuns, 10_000), 1)
      })
    })
    const { host } = checked.server
    if (!http.isLoopback(host) && Option.isNone(checked.apiKey)) {
      return yield* refuse(
        `Other machines can reach a server on ${host}, so that it needs an apiKey of your own. Or leave the host out.`
      )
    }
    const { sources, targets } = yield* folders(given)
    const allowed = yield* limits(given)
    if (allowed.spillFolder === targets) return yield* refuse("spillFolder must be another folder than targets.")
    return { ...checked, flows: yield* flows.load(given.flows), sources, targets, limits: allowed }
  })
