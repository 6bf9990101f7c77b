/**
 * What the environment says, and the client that follows from it. An empty variable counts as not set.
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import type * as HttpClient from "@effect/platform/HttpClient"
import * as ConfigError from "effect/ConfigError"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import process from "node:process"
import { requestTimeout } from "../client/environment.js"
import { defaultBaseUrl, isLoopback } from "../client/options.js"
import * as LumeClient from "../LumeClient.js"
import type * as LumeError from "../LumeError.js"

/** The command can't do what it is asked to; the message is a sentence for people. */
export class Refused extends Data.TaggedError("Refused")<{ readonly message: string }> {}

/** A variable, `undefined` if it is not set or empty. */
export const variable = (name: string): string | undefined => {
  const text = process.env[name]
  return text === undefined || text.trim() === "" ? undefined : text
}

/** A variable that is set, and its name. */
export interface Named {
  readonly name: string
  readonly value: string
}

/** A variable whose name may be in either case of letters. */
const eitherCase = (upper: string): Named | undefined => {
  for (const name of [upper.toLowerCase(), upper]) {
    const value = variable(name)
    if (value !== undefined) return { name, value }
  }
  return undefined
}

/** What is wrong with a variable, as a sentence. */
export const configMessage = (error: ConfigError.ConfigError): string =>
  error._op === "InvalidData" || error._op === "MissingData"
    ? `${error.path.join(".")}: ${error.message}.`
    : String(error)

/** Whether `NO_PROXY` names a URL's host, or a domain above it, with its port or without. */
const isExcepted = ({ hostname, port, protocol }: URL, exceptions: string): boolean =>
  exceptions.split(/[,\s]+/).some((exception) => {
    const [, host = "", itsPort] = /^(?:\*?\.)?(.*?)(?::(\d+))?$/.exec(exception.toLowerCase()) ?? []
    if (itsPort !== undefined && itsPort !== (port === "" ? (protocol === "https:" ? "443" : "80") : port)) return false
    return host === "*" || (host !== "" && `.${hostname}`.endsWith(`.${host}`))
  })

/** How requests reach Lume: through a proxy, or directly and why. */
export type Route =
  | { readonly proxy: Named; readonly exceptions: Named | undefined }
  | { readonly proxy: undefined; readonly because: string }

/** As curl does it: `HTTPS_PROXY` is for https, `HTTP_PROXY` for http; none for this machine, and for `NO_PROXY`. */
export const route = (): Route => {
  const direct = (because: string): Route => ({ proxy: undefined, because })
  const baseUrl = variable("LUME_BASE_URL") ?? defaultBaseUrl
  if (!URL.canParse(baseUrl)) return direct("")
  const url = new URL(baseUrl)
  const isHttps = url.protocol === "https:"
  const [http, https] = [eitherCase("HTTP_PROXY"), eitherCase("HTTPS_PROXY")]
  const [proxy, other] = isHttps ? [https, http] : [http, https]
  if (proxy === undefined) {
    return direct(other === undefined ? "" : `${other.name} is not for ${isHttps ? "https" : "http"}`)
  }
  if (isLoopback(url.hostname)) return direct("the base URL is on this machine")
  const exceptions = eitherCase("NO_PROXY")
  return exceptions !== undefined && isExcepted(url, exceptions.value)
    ? direct(`${exceptions.name} names the base URL's host`)
    : { proxy, exceptions }
}

const isEncoded = (text: string): boolean => Option.isSome(Option.liftThrowable(decodeURIComponent)(text))

/** What is wrong with a proxy's URL; empty if nothing is. */
export const problemOfProxy = ({ name, value }: Named): string => {
  if (!/^https?:\/\//i.test(value) || !URL.canParse(value)) return `${name} must be an http or https URL.`
  const { password, username } = new URL(value)
  return isEncoded(username + password) ? "" : `${name} must have a % of its name or password written as %25.`
}

/** The longest that a proxy may take to open a tunnel, which comes before the request. In whole milliseconds. */
const tunnelPatience: Effect.Effect<number> = requestTimeout.pipe(
  Effect.map((timeout) =>
    timeout === undefined ? longestPatience : Math.min(longestPatience, Math.ceil(Duration.toMillis(timeout) / 2))
  ),
  // the client says what is wrong with it
  Effect.orElseSucceed(() => longestPatience)
)

const longestPatience = 10_000

/** Fetch; through the proxy if there is one, which Node's own Fetch does not do. */
export const http: Layer.Layer<HttpClient.HttpClient, Refused> = Layer.unwrapEffect(
  Effect.gen(function* () {
    const { proxy } = route()
    if (proxy === undefined) return FetchHttpClient.layer
    const problem = problemOfProxy(proxy)
    if (problem !== "") return yield* new Refused({ message: problem })
    const { proxied } = yield* Effect.promise(() => import("./proxy.js"))
    return proxied(proxy.value, yield* tunnelPatience)
  })
)

/** The client, from the options that are given and the environment. */
export const clientWith = (
  options: LumeClient.Configs
): Layer.Layer<LumeClient.LumeClient, Refused | LumeError.InvalidRequestError, HttpClient.HttpClient> =>
  Layer.mapError(LumeClient.layerConfig(options), (error) =>
    ConfigError.isConfigError(error) ? new Refused({ message: configMessage(error) }) : error
  )

const noKey =
  "LUME_API_KEY is not set. Set it to your API key, or evaluate the export line of lume local. There is no option for it, because others can see arguments."

/** The client, from the environment. */
export const layer: Layer.Layer<LumeClient.LumeClient, Refused | LumeError.InvalidRequestError> = Layer.unwrapEffect(
  Effect.suspend(() =>
    variable("LUME_API_KEY") === undefined
      ? Effect.fail(new Refused({ message: noKey }))
      : Effect.succeed(Layer.provide(clientWith({}), http))
  )
)
