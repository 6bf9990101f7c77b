/**
 * `lume webhook verify` and `lume webhook send`: for those who write a handler of Lume's webhooks.
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Http from "node:http"
import * as Https from "node:https"
import process from "node:process"
import { oneLine, withoutSecrets } from "../internal/text.js"
import * as LumeWebhook from "../LumeWebhook.js"
import { execute } from "./command.js"
import { Refused, variable } from "./environment.js"
import * as signals from "./signals.js"

const secret: Effect.Effect<Redacted.Redacted, Refused> = Effect.suspend(() => {
  const text = variable("LUME_WEBHOOK_SECRET")
  return text === undefined
    ? Effect.fail(new Refused({ message: "LUME_WEBHOOK_SECRET is not set. Set it to the webhook's secret." }))
    : Effect.succeed(Redacted.make(text))
})

const readStdin: Effect.Effect<Uint8Array, Refused> = Effect.tryPromise({
  try: async () => {
    const chunks: Array<Buffer> = []
    for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk))
    return Buffer.concat(chunks)
  },
  catch: (error) => new Refused({ message: `stdin can't be read: ${String(error)}` })
  // else the process would wait for its end
}).pipe(Effect.onInterrupt(() => Effect.sync(() => void process.stdin.destroy())))

const withNewline = "The signature is right but for the newline at the body's end, such as echo adds: use printf '%s'."

/** The body without its last line end. */
const withoutNewline = (body: Uint8Array): Uint8Array => body.subarray(0, body.at(-2) === 0x0d ? -2 : -1)

/** `lume webhook verify`. */
export const verify = (signature: string): Promise<void> =>
  execute(false, (out) =>
    Effect.gen(function* () {
      const known = yield* secret
      if (process.stdin.isTTY) yield* out.say("Reading the body from this terminal. End it with Ctrl-D.")
      const body = yield* readStdin
      const isOf = (body: Uint8Array) => LumeWebhook.verify({ secrets: [known], body, signature })
      const endsWithNewline = body.at(-1) === 0x0a
      yield* Effect.catchTag(isOf(body), "WebhookSignatureError", (error) =>
        endsWithNewline
          ? Effect.matchEffect(isOf(withoutNewline(body)), {
              onFailure: () => error,
              onSuccess: () => new Refused({ message: withNewline })
            })
          : error
      )
      yield* out.say("The signature is right.")
      return 0
    }).pipe(signals.orSignal)
  )

/** How much of an answer is shown, in bytes, and how long it may take to come. */
const shownBytes = 2_048
const patience = "1 second"

/** The beginning of what an answer says, if that is text: it may have no end. */
const beginning = (response: Http.IncomingMessage): Effect.Effect<string> =>
  Effect.async<string>((resume) => {
    const chunks: Array<Buffer> = []
    let size = 0
    const done = () => resume(Effect.succeed(Buffer.concat(chunks).toString("utf8", 0, shownBytes)))
    response.once("end", done).once("error", done)
    response.on("data", (chunk: Buffer) => {
      chunks.push(chunk)
      size += chunk.length
      if (size >= shownBytes) done()
    })
  }).pipe(
    Effect.timeoutTo({ duration: patience, onSuccess: (text) => oneLine(text), onTimeout: () => "" }),
    Effect.ensuring(Effect.sync(() => response.destroy())),
    Effect.map((text) =>
      /^(text\/plain|application\/(\w+\+)?json)\b/.test(response.headers["content-type"] ?? "") ? text : ""
    )
  )

/** What was tried, of an error of Node's: an address and a port, more than one of each for a name. */
const triedAddresses = (error: unknown): string => {
  const all: ReadonlyArray<unknown> = error instanceof AggregateError ? error.errors : [error]
  const said = all.map((one) => (one instanceof Error ? one.message : String(one)))
  return said.join("; ")
}

// Not through an HttpClient, which would write the URL anew.
const post = (url: string, body: string, signature: string): Effect.Effect<Http.IncomingMessage, Refused> =>
  Effect.async<Http.IncomingMessage, Refused>((resume) => {
    const { request } = url.toLowerCase().startsWith("https:") ? Https : Http
    const sent = request(
      url,
      {
        method: "POST",
        agent: false,
        headers: {
          "content-type": "application/json",
          "content-length": Buffer.byteLength(body),
          [LumeWebhook.signatureHeader]: signature
        }
      },
      (response) => {
        // a connection that breaks after the status is no matter
        response.on("error", () => {})
        resume(Effect.succeed(response))
      }
    )
    sent.once("error", (error) =>
      resume(
        Effect.fail(new Refused({ message: `${withoutSecrets(url)} could not be reached: ${triedAddresses(error)}` }))
      )
    )
    sent.end(body)
    return Effect.sync(() => void sent.destroy())
  })

/** `lume webhook send`. */
export const send = (url: string, event: { readonly runId: string; readonly status: string }): Promise<void> =>
  execute(false, (out) =>
    Effect.gen(function* () {
      const body = JSON.stringify({ run_id: event.runId, status: event.status })
      const signature = yield* LumeWebhook.sign({ secret: yield* secret, body })
      const response = yield* post(url, body, signature).pipe(
        Effect.timeoutFail({
          duration: "30 seconds",
          onTimeout: () => new Refused({ message: `${withoutSecrets(url)} has not answered within 30 seconds.` })
        })
      )
      const { statusCode: status = 0, statusMessage: phrase = "" } = response
      const said = yield* beginning(response)
      const isHeard = status >= 200 && status < 300
      const advice = isHeard
        ? ""
        : status >= 500
          ? " Lume would send the event again."
          : " That asks for no other delivery."
      const why = isHeard || said === "" ? "" : `: ${said.replace(/\.$/, "")}`
      yield* out.say(`${withoutSecrets(url)} answered ${status} ${phrase}${why}.${advice}`)
      return isHeard ? 0 : 1
    }).pipe(signals.orSignal)
  )
