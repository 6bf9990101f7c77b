/**
 * `lume local`: a Lume on this machine, until a signal ends it.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Option from "effect/Option"
import * as fs from "node:fs/promises"
import * as Net from "node:net"
import process from "node:process"
import { isFlowFile } from "../local/internal/flows.js"
import * as LocalLume from "../local/LocalLume.js"
import { execute } from "./command.js"
import { Refused, variable } from "./environment.js"
import * as example from "./example.js"
import type { Output } from "./output.js"
import { word } from "../internal/shell.js"
import * as signals from "./signals.js"

/** The options of `lume local`. */
export interface Flags {
  readonly flows: string
  readonly sources: string
  readonly targets: string
  readonly port?: number
  readonly webhook?: string
  readonly memory?: boolean
  readonly init?: boolean
}

const host = "127.0.0.1"
const usualPort = 4747

/** Whether npx has started the command, which has no name of its own then. */
const byNpx = process.env["npm_command"] === "exec"

const isFree = (port: number): Effect.Effect<boolean> =>
  Effect.async<boolean>((resume) => {
    const server = Net.createServer()
    server.once("error", () => resume(Effect.succeed(false)))
    server.listen(port, host, () => {
      server.close(() => resume(Effect.succeed(true)))
    })
  })

/** The port that was asked for; else the usual one, or another if that is taken. */
const choosePort = (given: number | undefined, out: Output): Effect.Effect<number> =>
  given === undefined
    ? Effect.flatMap(isFree(usualPort), (free) =>
        free ? Effect.succeed(usualPort) : Effect.as(out.say(`Port ${usualPort} is taken, so another one is used.`), 0)
      )
    : Effect.succeed(given)

const requireFlows = (folder: string): Effect.Effect<void, Refused> =>
  Effect.promise(() => fs.readdir(folder).catch(() => undefined)).pipe(
    Effect.filterOrFail(
      (names) => names?.some(isFlowFile) === true,
      (names) =>
        new Refused({
          message: `There are no flows: ${names === undefined ? `there is no folder ${folder}` : `no *.json file in ${folder}`}. Put one there, or start with --init, which writes an example.`
        })
    ),
    Effect.asVoid
  )

const write = ({ apiKey, url, webhookSecret }: LocalLume.Service, out: Output) =>
  Effect.gen(function* () {
    const variables = {
      LUME_BASE_URL: url,
      LUME_API_KEY: Redacted.value(apiKey),
      // one that the environment has given is the user's own, and is not shown
      ...(Option.isSome(webhookSecret) &&
        variable("LUME_WEBHOOK_SECRET") === undefined && {
          LUME_WEBHOOK_SECRET: Redacted.value(webhookSecret.value)
        })
    }
    const assignments = Object.entries(variables).map(([name, value]) => `${name}=${word(value)}`)
    yield* out.data(`Lume is at ${url}`)
    yield* out.data(`Its key is ${Redacted.value(apiKey)}`)
    yield* out.data(`export ${assignments.join(" ")}`)
  })

const serve = (flags: Flags, out: Output) =>
  Effect.gen(function* () {
    if (flags.init === true) {
      const sentences = yield* example.write(flags)
      yield* Effect.forEach(sentences, out.say)
    }
    yield* requireFlows(flags.flows)
    const port = yield* choosePort(flags.port, out)
    const { flows, sources, targets, webhook } = flags
    const secret = Option.map(Option.fromNullable(variable("LUME_WEBHOOK_SECRET")), Redacted.make)
    const layer = LocalLume.layer({
      flows,
      sources,
      targets,
      host,
      port,
      ...(flags.memory === true && { store: "memory" as const }),
      webhook: webhook === undefined ? undefined : { url: webhook, secret: Option.getOrUndefined(secret) }
    })
    const context = yield* Effect.mapError(Layer.build(layer), ({ message }) => new Refused({ message }))
    yield* write(Context.get(context, LocalLume.LocalLume), out)
    if (flags.init === true) yield* out.say(`In another terminal, after that export: ${example.runLine(byNpx)}`)
    return signals.codeOf(yield* signals.first)
  }).pipe(Effect.scoped)

/** `lume local`. */
export const command = (flags: Flags): Promise<void> => execute(false, (out) => serve(flags, out))
