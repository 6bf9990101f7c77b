/**
 * What the environment says, and the client that follows from it. An empty variable counts as not set.
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import type * as HttpClient from "@effect/platform/HttpClient"
import * as ConfigError from "effect/ConfigError"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import process from "node:process"
import * as LumeClient from "../LumeClient.js"
import type * as LumeError from "../LumeError.js"

/** The command can't do what it is asked to; the message is a sentence for people. */
export class Refused extends Data.TaggedError("Refused")<{ readonly message: string }> {}

/** A variable, `undefined` if it is not set or empty. */
export const variable = (name: string): string | undefined => {
  const text = process.env[name]
  return text === undefined || text.trim() === "" ? undefined : text
}

/** The base URL of Lume's own service. */
export const defaultBaseUrl = "https://api.lume.ai"

const loopback = /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/

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

/** A URL without what may be a password in it: of text that is no URL, all that is before the last @. */
export const withoutPassword = (text: string): string => {
  if (/^https?:\/\//i.test(text) && URL.canParse(text)) {
    const { password, username } = new URL(text)
    if (username + password === "") return text
  }
  return text.replace(/^([a-z][a-z\d+.-]*:\/\/)?.*@/is, "$1…@")
}

/** What is wrong with a variable, as a sentence. */
const configMessage = (error: ConfigError.ConfigError): string =>
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
  if (loopback.test(url.hostname)) return direct("the base URL is on this machine")
  const exceptions = eitherCase("NO_PROXY")
  return exceptions !== undefined && isExcepted(url, exceptions.value)
    ? direct(`${exceptions.name} names the base URL's host`)
    : { proxy, exceptions }
}

/** Whether this can be a proxy. */
export const isProxy = ({ value }: Named): boolean => /^https?:\/\//i.test(value) && URL.canParse(value)

/** Fetch; through the proxy if there is one, which Node's own Fetch does not do. */
const httpLayer: Layer.Layer<HttpClient.HttpClient, Refused> = Layer.unwrapEffect(
  Effect.gen(function* () {
    const { proxy } = route()
    if (proxy === undefined) return FetchHttpClient.layer
    if (!isProxy(proxy)) return yield* new Refused({ message: `${proxy.name} must be an http or https URL.` })
    const { proxied } = yield* Effect.promise(() => import("./proxy.js"))
    return proxied(proxy.value)
  })
)

/** The client, from the environment and the options that are given. */
export const layerWith = (
  options: LumeClient.Configs
): Layer.Layer<LumeClient.LumeClient, Refused | LumeError.InvalidRequestError> =>
  Layer.unwrapEffect(
    Effect.suspend(() =>
      variable("LUME_API_KEY") === undefined
        ? Effect.fail(
            new Refused({
              message:
                "LUME_API_KEY is not set. Set it to your API key, or evaluate the export line of lume local. There is no option for it, because others can see arguments."
            })
          )
        : Effect.succeed(
            LumeClient.layerConfig(options).pipe(
              Layer.mapError((error) =>
                ConfigError.isConfigError(error) ? new Refused({ message: configMessage(error) }) : error
              ),
              Layer.provide(httpLayer)
            )
          )
    )
  )

/** The client, from the environment. */
export const layer: Layer.Layer<LumeClient.LumeClient, Refused | LumeError.InvalidRequestError> = layerWith({})
