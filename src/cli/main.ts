/**
 * The `lume` command: its grammar. Each command is loaded when it is asked for, so that the help is there at once.
 */
import { Command, CommanderError } from "commander"
import { createRequire } from "node:module"
import process from "node:process"
import * as read from "./arguments.js"
import type { Flags } from "./local.js"
import * as standing from "./standing.js"
import * as usage from "./usage.js"
import type { Waiting } from "./wait.js"

standing.watchStreams()

const version = (): string => {
  const json: unknown = createRequire(import.meta.url)("../../package.json")
  return typeof json === "object" && json !== null && "version" in json ? String(json.version) : "unknown"
}

const durations = "a number of seconds, or 90s, 10m, 1h, 2 minutes"

const json = ["--json", "one JSON object a line, in Lume's own words"] as const

interface WaitFlags {
  readonly timeout?: number
  readonly pollInterval?: number
  readonly acceptPartial?: boolean
  readonly maxErrorRate?: number
  readonly maxRejectedShare?: number
  readonly json?: boolean
}

const withWaitOptions = (command: Command): Command =>
  command
    .option("--timeout <duration>", `how long to wait (${durations}); default: 1h`, read.duration)
    .option("--poll-interval <duration>", "the time between two reads; default: 5s", read.duration)
    .option("--accept-partial", "end with 0 if some rows were rejected")
    .option("--max-error-rate <ratio>", "the share of tests that may fail, from 0 to 1", read.ratio)
    .option("--max-rejected-share <ratio>", "the share of rows that may be rejected, from 0 to 1", read.ratio)
    .option(...json)

const waiting = ({
  acceptPartial = false,
  maxErrorRate,
  maxRejectedShare,
  pollInterval,
  timeout
}: WaitFlags): Waiting => ({
  timeout,
  pollInterval,
  acceptPartial,
  limits: { maxErrorRate, maxRejectedShare }
})

interface RunFlags extends WaitFlags {
  readonly flowVersion: string
  readonly sourcePath: string
  readonly runMetadata?: ReadonlyArray<readonly [string, string]>
  readonly forceRerun?: boolean
  readonly wait?: boolean
}

const codes = `
Exit codes: 0 succeeded, or (without --wait) submitted; 1 client error; 2 usage;
3 partially failed; 4 failed, crashed, or a limit is breached or can't be
measured; 5 timeout; 6 submitted or perhaps submitted, and the outcome is
unknown: never submit again automatically; 129, 130 and 143 ended by a signal.
The key is read from LUME_API_KEY.`

const program = new Command("lume")
  .description("Runs Lume data pipelines and waits for them.")
  .option("--version", "the version of effect-lume")
  .helpCommand("help [command]", "what a command does, and its options")
  .showSuggestionAfterError()
  .addHelpText("after", codes)

const run = withWaitOptions(
  program
    .command("run")
    .description("submit a run; prints its id")
    .requiredOption("-f, --flow-version <name:version>", "the flow version to run", read.value)
    .requiredOption("-s, --source-path <path>", "what to run it on: a URI or a batch id", read.value)
    .option("-m, --run-metadata <key=value...>", "your own pairs, given back with the run", read.pair)
    .option("--force-rerun", "run even if this source path has been processed: may duplicate data")
    .option("--wait", "go on as lume wait does")
).action(async ({ flowVersion, forceRerun, runMetadata, sourcePath, wait, ...flags }: RunFlags) => {
  if (wait !== true) {
    const unused = Object.keys(flags).find((name) => name !== "json")
    if (unused !== undefined) run.error("error: the options of a wait need --wait", { exitCode: 2 })
  }
  const { command } = await import("./run.js")
  const request = { flowVersion, sourcePath, forceRerun, runMetadata: runMetadata && Object.fromEntries(runMetadata) }
  await command(request, wait === true ? waiting(flags) : undefined, flags.json === true)
})

program
  .command("status")
  .description("read a run once")
  .argument("<id>", "the run's id", (text: string) => read.id(text)[0])
  .option(...json)
  .action(async (id: string, flags: { readonly json?: boolean }) => {
    const { command } = await import("./status.js")
    await command(id, flags.json === true)
  })

withWaitOptions(
  program
    .command("wait")
    .description("wait until the last of these runs has ended")
    .argument("<id...>", "the runs' ids", (text: string, before: ReadonlyArray<string> | undefined) =>
      read.id(text, before)
    )
).action(async (ids: ReadonlyArray<string>, flags: WaitFlags) => {
  const { command } = await import("./wait.js")
  await command(ids, waiting(flags), flags.json === true)
})

program
  .command("doctor")
  .description("check the environment, and that Lume answers; submits nothing")
  .argument("[id]", "a run to read", (text: string) => read.id(text)[0])
  .action(async (id: string | undefined) => {
    const { command } = await import("./doctor.js")
    await command(id)
  })

const missing =
  "lume local needs DuckDB, which is not installed here. Start it so: npx -p effect-lume -p @duckdb/node-api lume local"

/** DuckDB is a peer that not everybody needs, and has a part for each kind of machine. */
const explainMissing = (error: unknown): Promise<undefined> => {
  if (!(error instanceof Error && /@duckdb\/node-|duckdb\.node|duckdb native binding/.test(error.message)))
    return Promise.reject(error)
  const [line = ""] = error.message.split("\n")
  standing.say(
    /@duckdb\/node-api\b/.test(line)
      ? missing
      : `lume local needs DuckDB, which is installed and can't be loaded on this ${process.platform} with ${process.arch}: ${line}. Install it anew on this machine, with its optional dependencies.`
  )
  process.exitCode = 1
  return Promise.resolve(undefined)
}

program
  .command("local")
  .description("run a Lume on this machine, for trials and tests")
  .option("--flows <folder>", "the folder of flows, JSON files", read.value, "./flows")
  .option("--sources <folder>", "the folder that sources are read from", read.value, "./sources")
  .option("--targets <folder>", "the folder that runs write to; made if it is missing", read.value, "./targets")
  .option("--port <number>", "the port, 0 for any free one; default: 4747, another if that is taken", read.port)
  .option("--webhook <url>", "where the end of each run is delivered, signed with LUME_WEBHOOK_SECRET", read.url)
  .option("--memory", "forget the runs at the end")
  .option("--init", "make the folders, and write an example flow and its source")
  .action(async (flags: Flags) => {
    // by itself first: Node 20 reports a module of several that fail to load a second time, as nobody's
    const local = await import("@duckdb/node-api").then(() => import("./local.js")).catch(explainMissing)
    await local?.command(flags)
  })

const webhook = program
  .command("webhook")
  .description("for those who write a handler of Lume's webhooks; the secret is read from LUME_WEBHOOK_SECRET")

webhook
  .command("verify")
  .description("verify a body from stdin")
  .requiredOption("--signature <hex>", "the header X-Lume-Signature-256", read.value)
  .action(async ({ signature }: { readonly signature: string }) => {
    const { verify } = await import("./webhook.js")
    await verify(signature)
  })

webhook
  .command("send")
  .description("sign an event and post it to a handler")
  .argument("<url>", "the handler's URL, taken as it is", read.url)
  .option("--run-id <id>", "the run that the event is about", read.value, "run_example")
  .option("--status <word>", "Lume's word for its status", read.value, "SUCCEEDED")
  .action(async (url: string, event: { readonly runId: string; readonly status: string }) => {
    const { send } = await import("./webhook.js")
    await send(url, event)
  })

/** Commander's own refusals are usage errors, but for the help that was asked for. */
const refused = (error: unknown): number => {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  standing.say(standing.withAdvice(`This is a defect of lume, please report it: ${String(error)}.`))
  return standing.get().code
}

const main = async (given: ReadonlyArray<string>): Promise<void> => {
  const end = given.indexOf("--")
  const isJson = given.slice(0, end === -1 ? undefined : end).includes("--json")
  standing.setJson(isJson)
  usage.configure(program, isJson)
  if (given[0] === "--version") {
    process.stdout.write(`${version()}\n`)
    return
  }
  try {
    await program.parseAsync(usage.toWords(program, given), { from: "user" })
  } catch (error) {
    process.exitCode = refused(error)
  }
}

await main(process.argv.slice(2))
