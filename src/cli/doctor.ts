/**
 * `lume doctor`: what the environment says, whether Lume answers, and whether its answers are what this SDK expects.
 */
import * as HttpClient from "@effect/platform/HttpClient"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import process from "node:process"
import * as apiKey from "../client/apiKey.js"
import { requestTimeout } from "../client/environment.js"
import * as check from "../client/options.js"
import { statusWord, withoutSecrets } from "../internal/text.js"
import * as LumeClient from "../LumeClient.js"
import type { InvalidRequestError, MetadataDecodeError, RunNotFoundError, StatusError } from "../LumeError.js"
import * as LumeRun from "../LumeRun.js"
import { execute } from "./command.js"
import * as environment from "./environment.js"
import { sentence } from "./sentence.js"
import * as signals from "./signals.js"

/** Of no run: a service that knows the path says so in a way that this SDK knows. */
const noRun = "run_lume_doctor_asks_for_none"

/** Where a client wants a key that is not sent. */
const anyKey = Redacted.make("none")

/** What was found, and whether it is right. */
interface Finding {
  readonly ok: boolean
  readonly text: string
}

const fine = (text: string): Finding => ({ ok: true, text })
const wrong = (text: string): Finding => ({ ok: false, text })

/** Of an option that can't be right: which, and what it must be. */
const reason = (error: InvalidRequestError): string => sentence(error).replace(/^Nothing was sent to Lume: /, "")

const baseUrlFinding: Effect.Effect<Finding> = Effect.suspend(() => {
  const given = environment.variable("LUME_BASE_URL")
  if (given === undefined) {
    return Effect.succeed(fine(`Base URL ${check.defaultBaseUrl}, the default; LUME_BASE_URL is not set.`))
  }
  return Effect.match(check.settings({ apiKey: anyKey, baseUrl: given }), {
    onFailure: (error) => wrong(`Base URL ${withoutSecrets(given)}: ${reason(error)}`),
    onSuccess: () => fine(`Base URL ${given}, from LUME_BASE_URL.`)
  })
})

const keyFinding: Effect.Effect<Finding> = Effect.suspend(() => {
  const given = environment.variable("LUME_API_KEY")
  if (given === undefined) return Effect.succeed(wrong("No API key: set LUME_API_KEY."))
  return Effect.match(apiKey.check(Redacted.make(given)), {
    onFailure: (error) => wrong(`API key, from LUME_API_KEY: ${reason(error)}`),
    onSuccess: () => fine("An API key is present, from LUME_API_KEY.")
  })
})

const timeoutFinding: Effect.Effect<Finding> = Effect.match(requestTimeout, {
  onFailure: (error) => wrong(environment.configMessage(error)),
  onSuccess: (timeout) => {
    if (timeout === undefined) return fine("Request timeout 60 s, the default.")
    const seconds = Duration.toSeconds(timeout)
    return fine(`Request timeout ${seconds === Infinity ? "without end" : `${seconds} s`}, from LUME_REQUEST_TIMEOUT.`)
  }
})

const proxyFinding: Effect.Effect<Finding> = Effect.sync(() => {
  const route = environment.route()
  if (route.proxy === undefined) return fine(route.because === "" ? "No proxy." : `No proxy: ${route.because}.`)
  const { exceptions, proxy } = route
  const but = exceptions === undefined ? "" : `; not for ${exceptions.value}, from ${exceptions.name}`
  const problem = environment.problemOfProxy(proxy)
  return problem === ""
    ? fine(`Proxy ${withoutSecrets(proxy.value)}, from ${proxy.name}${but}.`)
    : wrong(`Proxy ${withoutSecrets(proxy.value)}: ${problem}`)
})

const readRun = (run: LumeRun.LumeRun): Effect.Effect<Finding> => {
  if (run._tag === "Unrecognized") {
    const advice = "which this SDK does not know. Waits go on. Update effect-lume."
    return Effect.succeed(wrong(`Run ${run.id} has the status ${statusWord(run.status)}, ${advice}`))
  }
  if (!LumeRun.isTerminal(run)) return Effect.succeed(fine(`Run ${run.id} is ${statusWord(run.status)}.`))
  const metadata: Effect.Effect<unknown, MetadataDecodeError> = run.metadata
  return Effect.match(metadata, {
    onFailure: (error) => wrong(sentence(error)),
    onSuccess: () => fine(`Run ${run.id} is ${statusWord(run.status)}, and its metadata is as documented.`)
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

/** How Lume is asked: of which run, and without the key where there is none that can be sent. */
interface Question {
  readonly id: string | undefined
  readonly hasKey: boolean
  readonly hasTimeout: boolean
}

const explain = (error: StatusError, { hasKey, id }: Question, contentType: string | undefined): Finding => {
  switch (error._tag) {
    case "AuthenticationError":
      return hasKey
        ? wrong(sentence(error))
        : fine(`Lume answers: a request without a key is refused (status ${error.status}), as it should be.`)
    case "RunNotFoundError":
      if (!isOfRun(error, contentType)) {
        return wrong(`${sentence(error)} This is how a server answers that does not know the path. ${setPaths}`)
      }
      return id === undefined
        ? fine(
            `Lume answers, ${hasKey ? "takes the key" : "asks for no key"}, and says of an unknown run what this SDK expects.`
          )
        : wrong(sentence(error))
    case "InvalidRequestError":
      return wrong(Option.isSome(error.status) ? `${sentence(error)} ${setPaths}` : sentence(error))
    case "DecodeError":
      return wrong(`${sentence(error)} ${setPaths}`)
    default:
      return wrong(sentence(error))
  }
}

const ask = (question: Question): Effect.Effect<Finding> =>
  Effect.gen(function* () {
    let contentType: string | undefined = undefined
    // what the client sends has no key above its own layer, so that this one sends none
    const keyless = yield* HttpClient.HttpClient
    const transformClient = (client: HttpClient.HttpClient) =>
      HttpClient.tap(question.hasKey ? client : keyless, ({ headers }) =>
        Effect.sync(() => {
          contentType = headers["content-type"]
        })
      )
    const lume = environment.clientWith({
      transformClient,
      apiKey: question.hasKey ? undefined : anyKey,
      requestTimeout: question.hasTimeout ? undefined : "60 seconds"
    })
    return yield* LumeClient.runStatus(question.id ?? noRun).pipe(
      Effect.provide(lume),
      Effect.matchEffect({
        onFailure: (error) =>
          Effect.succeed(error._tag === "Refused" ? wrong(error.message) : explain(error, question, contentType)),
        onSuccess: readRun
      })
    )
  }).pipe(
    Effect.provide(environment.http),
    Effect.catchAll(({ message }) => Effect.succeed(wrong(message)))
  )

/** `lume doctor`. */
export const command = (id: string | undefined): Promise<void> =>
  execute(false, (out) =>
    Effect.gen(function* () {
      const write = (findings: ReadonlyArray<Finding>) =>
        Effect.forEach(findings, ({ ok, text }) => out.data(`${ok ? "ok" : "!!"}  ${text}`), { discard: true })
      const baseUrl = yield* baseUrlFinding
      const key = yield* keyFinding
      const timeout = yield* timeoutFinding
      const proxy = yield* proxyFinding
      const known = [fine(`Node ${process.versions.node}.`), baseUrl, key, timeout, proxy]
      yield* write(known)
      // without a way there, nobody can be asked
      if (!baseUrl.ok || !proxy.ok) return 1
      const answer = yield* ask({ id, hasKey: key.ok, hasTimeout: timeout.ok })
      yield* write([answer])
      return [...known, answer].every(({ ok }) => ok) ? 0 : 1
    }).pipe(signals.orSignal)
  )
