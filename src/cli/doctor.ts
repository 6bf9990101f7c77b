/**
 * `lume doctor`: what the environment says, whether Lume answers, and whether its answers are what this SDK expects.
 */
import * as HttpClient from "@effect/platform/HttpClient"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import process from "node:process"
import * as LumeClient from "../LumeClient.js"
import type { MetadataDecodeError, RunNotFoundError, StatusError } from "../LumeError.js"
import * as LumeRun from "../LumeRun.js"
import { execute } from "./command.js"
import * as environment from "./environment.js"
import { sentence } from "./sentence.js"
import * as signals from "./signals.js"

/** Of no run: a service that knows the path says so in a way that this SDK knows. */
const noRun = "run_lume_doctor_asks_for_none"

/** What was found, and whether it is right. */
interface Finding {
  readonly ok: boolean
  readonly text: string
}

const fine = (text: string): Finding => ({ ok: true, text })
const wrong = (text: string): Finding => ({ ok: false, text })

const proxyFinding = (): Finding => {
  const route = environment.route()
  if (route.proxy === undefined) return fine(route.because === "" ? "No proxy." : `No proxy: ${route.because}.`)
  const { exceptions, proxy } = route
  const but = exceptions === undefined ? "" : `; not for ${exceptions.value}, from ${exceptions.name}`
  return environment.isProxy(proxy)
    ? fine(`Proxy ${environment.withoutPassword(proxy.value)}, from ${proxy.name}${but}.`)
    : wrong(`Proxy ${environment.withoutPassword(proxy.value)}: ${proxy.name} must be an http or https URL.`)
}

const settings = (): ReadonlyArray<Finding> => {
  const baseUrl = environment.variable("LUME_BASE_URL")
  const timeout = environment.variable("LUME_REQUEST_TIMEOUT")
  return [
    fine(`Node ${process.versions.node}.`),
    baseUrl === undefined
      ? fine(`Base URL ${environment.defaultBaseUrl}, the default; LUME_BASE_URL is not set.`)
      : fine(`Base URL ${environment.withoutPassword(baseUrl)}, from LUME_BASE_URL.`),
    environment.variable("LUME_API_KEY") === undefined
      ? wrong("No API key: set LUME_API_KEY.")
      : fine("An API key is present, from LUME_API_KEY."),
    timeout === undefined
      ? fine("Request timeout 60 s, the default.")
      : fine(`Request timeout ${/^[\d.]+$/.test(timeout) ? `${timeout} s` : timeout}, from LUME_REQUEST_TIMEOUT.`),
    proxyFinding()
  ]
}

const readRun = (run: LumeRun.LumeRun): Effect.Effect<Finding> => {
  if (run._tag === "Unrecognized") {
    const advice = "which this SDK does not know. Waits go on. Update effect-lume."
    return Effect.succeed(wrong(`Run ${run.id} has the status ${run.status}, ${advice}`))
  }
  if (!LumeRun.isTerminal(run)) return Effect.succeed(fine(`Run ${run.id} is ${run.status}.`))
  const metadata: Effect.Effect<unknown, MetadataDecodeError> = run.metadata
  return Effect.match(metadata, {
    onFailure: (error) => wrong(sentence(error)),
    onSuccess: () => fine(`Run ${run.id} is ${run.status}, and its metadata is as documented.`)
  })
}

const setPaths =
  "If this deployment has other paths, set the option paths of LumeClient.layer, or put their beginning into LUME_BASE_URL."

/**
 * Whether a 404 is Lume's of an unknown run, which is JSON. FastAPI says `Not Found` of a path that it does not know,
 * other servers answer with a page.
 */
const isOfRun = ({ detail }: RunNotFoundError, contentType: string | undefined): boolean =>
  /\bjson\b/i.test(contentType ?? "") && detail !== "" && !/^not found$/i.test(detail)

const explain = (error: StatusError, id: string | undefined, contentType: string | undefined): Finding => {
  switch (error._tag) {
    case "RunNotFoundError":
      if (!isOfRun(error, contentType)) {
        return wrong(`${sentence(error)} This is how a server answers that does not know the path. ${setPaths}`)
      }
      return id === undefined
        ? fine("Lume answers, takes the key, and says of an unknown run what this SDK expects.")
        : wrong(sentence(error))
    case "InvalidRequestError":
      return wrong(Option.isSome(error.status) ? `${sentence(error)} ${setPaths}` : sentence(error))
    case "DecodeError":
      return wrong(`${sentence(error)} ${setPaths}`)
    default:
      return wrong(sentence(error))
  }
}

const ask = (id: string | undefined): Effect.Effect<Finding> =>
  Effect.suspend(() => {
    let contentType: string | undefined = undefined
    const transformClient = HttpClient.tap(({ headers }) =>
      Effect.sync(() => {
        contentType = headers["content-type"]
      })
    )
    return Effect.flatMap(LumeClient.LumeClient, (lume) => lume.runStatus(id ?? noRun)).pipe(
      Effect.provide(environment.layerWith({ transformClient })),
      Effect.matchEffect({
        onFailure: (error) =>
          Effect.succeed(error._tag === "Refused" ? wrong(error.message) : explain(error, id, contentType)),
        onSuccess: readRun
      })
    )
  })

/** `lume doctor`. */
export const command = (id: string | undefined): Promise<void> =>
  execute(false, (out) =>
    Effect.gen(function* () {
      const known = settings()
      const write = (findings: ReadonlyArray<Finding>) =>
        Effect.forEach(findings, ({ ok, text }) => out.data(`${ok ? "ok" : "!!"}  ${text}`), { discard: true })
      yield* write(known)
      if (known.some(({ ok }) => !ok)) return 1
      const answer = yield* ask(id)
      yield* write([answer])
      return answer.ok ? 0 : 1
    }).pipe(signals.orSignal)
  )
