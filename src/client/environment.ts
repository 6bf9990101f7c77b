/**
 * The client's options from `Config` values and from the environment. An empty variable counts as not set, but for an
 * empty `LUME_API_KEY`: the client refuses it as any key that can't be one.
 */
import * as Cause from "effect/Cause"
import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as check from "./options.js"

const nonEmpty = (name: string): Config.Config<string | undefined> =>
  Config.string(name).pipe(
    Config.option,
    Config.map((text) => Option.getOrUndefined(Option.filter(text, (text) => text.trim() !== "")))
  )

/** Runtimes can refuse to show the environment: Deno does without `--allow-env`. */
const orUnavailable = <A>(
  reading: Effect.Effect<A, ConfigError.ConfigError>,
  isRefusal: (defect: unknown) => boolean = () => true
): Effect.Effect<A, ConfigError.ConfigError> =>
  Effect.catchAllDefect(reading, (defect) =>
    isRefusal(defect)
      ? Effect.fail(
          ConfigError.SourceUnavailable(
            [],
            `The environment can't be read: ${String(defect)}. Allow it (Deno: --allow-env), or give the options themselves`,
            Cause.die(defect)
          )
        )
      : Effect.die(defect)
  )

/** Deno's own words; a caller's Config can have defects of its own. */
const isEnvironmentRefused = (defect: unknown): boolean => /env access/i.test(String(defect))

/** `LUME_API_KEY`. Not `Config.redacted`, whose errors leave out what is missing; no error of a text shows the text. */
const apiKey: Config.Config<Redacted.Redacted> = Config.map(Config.string("LUME_API_KEY"), (text) =>
  Redacted.make(text)
)

/** `LUME_BASE_URL`. */
const baseUrl: Config.Config<string | undefined> = nonEmpty("LUME_BASE_URL")

/** `LUME_REQUEST_TIMEOUT`: seconds, as everywhere in Lume, or a duration with its unit. */
export const requestTimeout: Effect.Effect<Duration.Duration | undefined, ConfigError.ConfigError> = Effect.gen(
  function* () {
    const text = (yield* nonEmpty("LUME_REQUEST_TIMEOUT"))?.trim()
    if (text === undefined) return undefined
    const given = check.duration(/^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : text)
    if (Option.isSome(given) && Duration.toMillis(given.value) > 0) return given.value
    return yield* Effect.fail(
      ConfigError.InvalidData(
        ["LUME_REQUEST_TIMEOUT"],
        `Expected a positive number of seconds, or a duration such as "2 minutes", but received ${JSON.stringify(text)}`
      )
    )
  }
)

/** Every option that is a `Config`, read one by one; `Config.unwrap` can hold no plain values, functions or schedules. */
const fromConfigs = (
  configs: Readonly<Record<string, unknown>>
): Effect.Effect<Record<string, unknown>, ConfigError.ConfigError> =>
  Effect.map(
    Effect.forEach(Object.entries(configs), ([name, given]) =>
      Effect.map(Config.isConfig(given) ? given : Effect.succeed(given), (value) => [name, value] as const)
    ),
    (entries) => Object.fromEntries(entries)
  )

/** The client's options: as they are given, and from the environment those of its three that are not. */
export const read = (
  configs: Readonly<Record<string, unknown>>
): Effect.Effect<Record<string, unknown>, ConfigError.ConfigError> =>
  Effect.flatMap(orUnavailable(fromConfigs(configs), isEnvironmentRefused), (given) =>
    // null is something that can't be right, and makes no way for the environment
    Effect.map(
      orUnavailable(
        Effect.all({
          apiKey: given["apiKey"] === undefined ? apiKey : Effect.succeed(given["apiKey"]),
          baseUrl: given["baseUrl"] === undefined ? baseUrl : Effect.succeed(given["baseUrl"]),
          requestTimeout:
            given["requestTimeout"] === undefined ? requestTimeout : Effect.succeed(given["requestTimeout"])
        })
      ),
      (found) => ({ ...given, ...found })
    )
  )
