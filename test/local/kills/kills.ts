/**
 * Kills a local Lume at random points, again and again, and checks after each start that nothing was lost.
 *
 * One process after the other serves the same folders, while clients submit runs and read them. What they were told is
 * what must hold afterwards.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import { createHmac } from "node:crypto"
import * as path from "node:path"
import { isDeepStrictEqual } from "node:util"
import type { LocalFlow } from "../../../src/local/LocalFlow.js"
import { answer, serve, type Server } from "../../support/server.js"
import * as server from "../process.js"
import { type Lume, make, type Run } from "./client.js"

/** What does not hold. */
export class Lost extends Data.TaggedError("Lost")<{ readonly message: string }> {}

const must = (holds: boolean, message: () => string): Effect.Effect<void, Lost> =>
  holds ? Effect.void : Effect.fail(new Lost({ message: message() }))

// ---------------------------------------------------------------------------------------------------------------------
// The load

const clean = "Id,Born,Name\n1,1815-12-10,Ada\n2,1906-12-09,Grace\n"
const messy = `${clean}x,yesterday,\n`
const mappedRows = "id,born_on,name\n1,1815-12-10,Ada\n2,1906-12-09,Grace\n"

const people: LocalFlow = {
  name: "people",
  version: "v1",
  fields: { id: "try_cast(Id AS INTEGER)", born_on: "try_cast(Born AS DATE)", name: "Name" },
  tests: [{ error_code: "ID_INVALID", field: "id", check: "id > 0" }]
}

/** Takes long enough to be killed meanwhile. */
const slow: LocalFlow = {
  ...people,
  name: "slow",
  fields: {
    ...people.fields,
    id: "(SELECT count(*) FROM range(2000000) AS a WHERE a.range + Id::INT < 0) + Id::INT"
  }
}

const folders = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  const root = yield* files.makeTempDirectoryScoped()
  const sources = path.join(root, "sources")
  yield* files.makeDirectory(sources)
  yield* files.writeFileString(path.join(sources, "clean.csv"), clean)
  yield* files.writeFileString(path.join(sources, "messy.csv"), messy)
  return { sources, targets: path.join(root, "targets") }
})

/** What is submitted, and how it ends when nobody kills it. */
const requests = [
  { flow_version: "people:v1", source_path: "clean.csv", ends: "SUCCEEDED" },
  { flow_version: "people:v1", source_path: "messy.csv", ends: "PARTIAL_FAILED" },
  { flow_version: "people:v1", source_path: "nowhere.csv", ends: "FAILED" },
  { flow_version: "slow:v1", source_path: "clean.csv", ends: "SUCCEEDED" }
] as const

const endings: ReadonlySet<string> = new Set(["SUCCEEDED", "PARTIAL_FAILED", "FAILED", "CRASHED"])

/** A run as a client knows it. */
interface Known {
  readonly ends: string
  readonly number: number
  seen: Run
}

/** What the world knows. */
interface World {
  readonly runs: Map<string, Known>
  /** By run id, what the webhook was told. */
  readonly told: Map<string, Set<string>>
  readonly kills: { total: number; crashed: number; resumed: number }
  submits: number
}

const submitOne = (lume: Lume, world: World) =>
  Effect.gen(function* () {
    const number = (world.submits += 1)
    const { ends, ...request } = requests[number % requests.length] ?? requests[0]
    const run_metadata = { number, ключ: ["é", 1.5, null] }
    const { body, status } = yield* lume.submit({ ...request, run_metadata, force_rerun: true })
    yield* must(status === 201, () => `a submit was answered with ${status} ${JSON.stringify(body)}`)
    world.runs.set(body.id, { ends, number, seen: body })
  })

const readAll = (lume: Lume, world: World) =>
  Effect.forEach(
    [...world.runs.entries()].filter(([, { seen }]) => !endings.has(seen.status)),
    ([id, known]) => Effect.map(lume.read(id), ({ body }) => (known.seen = body)),
    { discard: true }
  )

/** Submits and reads until the server is gone. */
const load = (lume: Lume, world: World, gone: Effect.Effect<void>) =>
  Effect.all(
    [
      Effect.repeatN(submitOne(lume, world), 1),
      Effect.repeatN(submitOne(lume, world), 1),
      Effect.repeatN(submitOne(lume, world), 1),
      // Where all runs have ended, no read meets that it is gone.
      Effect.race(Effect.forever(Effect.zipRight(readAll(lume, world), Effect.sleep("10 millis"))), gone)
    ],
    { concurrency: "unbounded", discard: true }
  ).pipe(Effect.catchTag("Gone", () => Effect.void))

// ---------------------------------------------------------------------------------------------------------------------
// What must hold

/** Whether what a run is now can follow what it was when it was last seen. */
const canFollow = ({ ends, seen }: Known, now: Run): boolean => {
  if (endings.has(seen.status)) return isDeepStrictEqual(now, seen)
  if (seen.status === "CREATED") return true
  const [error] = now.metadata.errors ?? []
  return now.status === ends || (now.status === "CRASHED" && error?.error_code === "PROCESS_ENDED")
}

/** After a start: every run is there, and what it was says what it can be. */
const checkRuns = (lume: Lume, world: World) =>
  Effect.forEach(
    world.runs.entries(),
    ([id, known]) =>
      Effect.gen(function* () {
        const { body, status } = yield* lume.read(id)
        yield* must(status === 200, () => `run ${id}, last seen ${known.seen.status}, is answered with ${status}`)
        yield* must(
          canFollow(known, body) && isDeepStrictEqual(body.run_metadata, known.seen.run_metadata),
          () => `after ${JSON.stringify(known.seen)} came ${JSON.stringify(body)}`
        )
        if (body.status === "CRASHED" && known.seen.status !== "CRASHED") world.kills.crashed += 1
        if (body.status === "CREATED") world.kills.resumed += 1
        known.seen = body
      }),
    { concurrency: 16, discard: true }
  )

/** A source path that has succeeded is still refused. */
const checkProcessed = (lume: Lume, world: World) =>
  Effect.gen(function* () {
    const hasSucceeded = [...world.runs.values()].some(
      ({ number, seen }) => number % 4 === 0 && seen.status === "SUCCEEDED"
    )
    if (!hasSucceeded) return
    const { status } = yield* lume.submit({ flow_version: "people:v1", source_path: "clean.csv" })
    yield* must(status === 409, () => `a source path that has succeeded was answered with ${status}`)
  })

const checkOutput = (targets: string, world: World) =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const folders = (yield* files.readDirectory(targets)).filter((name) => name !== ".lume")
    yield* must(!folders.some((name) => name.startsWith(".")), () => `left behind: ${folders.join(", ")}`)
    for (const [id, { seen }] of world.runs) {
      const hasOutput = seen.status === "SUCCEEDED" || seen.status === "PARTIAL_FAILED"
      yield* must(
        folders.includes(id) === hasOutput,
        () => `run ${id} is ${seen.status}, output is there or not: ${folders.includes(id)}`
      )
      if (!hasOutput) continue
      const written = yield* files.readFileString(path.join(targets, id, "mapped.csv"))
      yield* must(written === mappedRows, () => `the output of ${id} is torn: ${JSON.stringify(written)}`)
    }
  })

const checkDeliveries = (world: World) =>
  Effect.forEach(
    world.runs.entries(),
    ([id, { seen }]) =>
      must(
        isDeepStrictEqual(world.told.get(id), new Set([seen.status])),
        () => `run ${id} is ${seen.status}, and the webhook was told ${[...(world.told.get(id) ?? [])].join(", ")}`
      ),
    { discard: true }
  )

// ---------------------------------------------------------------------------------------------------------------------
// The rounds

/** Takes deliveries, and refuses every third at first, so that some are always on their way. */
const receive = (world: World, secret: () => string): Effect.Effect<Server, never, Scope.Scope> =>
  serve((request, response, index) => {
    const chunks: Array<Buffer> = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", () => {
      const body = Buffer.concat(chunks)
      const signature = createHmac("sha256", secret()).update(body).digest("hex")
      if (request.headers["x-lume-signature-256"] !== signature) return answer(response, {}, 401)
      if (index % 3 === 0) return answer(response, {}, 500)
      const { run_id, status } = JSON.parse(body.toString())
      const told = world.told.get(run_id) ?? new Set()
      world.told.set(run_id, told.add(status))
      return answer(response, {})
    })
  })

/** Keys that a server made for itself. */
interface Keys {
  apiKey: string
  webhookSecret: string
}

/** Waits for a server, and checks all that it should know. */
const meet = (process: server.Process, world: World, keys: Keys) =>
  Effect.gen(function* () {
    const { apiKey = "", error, url = "", webhookSecret = "" } = yield* process.next
    yield* must(url !== "", () => `the server does not start: ${error ?? "it has ended"}`)
    yield* must(keys.apiKey === "" || keys.apiKey === apiKey, () => "the server has another key than before")
    Object.assign(keys, { apiKey, webhookSecret })
    const lume = make(url, apiKey)
    yield* checkRuns(lume, world)
    yield* checkProcessed(lume, world)
    return lume
  })

/** Serves, loads, kills; a quarter of them while they start. */
const round = (options: server.Options, world: World, keys: Keys) =>
  Effect.scoped(
    Effect.gen(function* () {
      const process = yield* server.serve(options)
      world.kills.total += 1
      if ((yield* Random.nextIntBetween(0, 4)) === 0) {
        yield* Effect.sleep(yield* Random.nextIntBetween(100, 600))
        return yield* process.signal("SIGKILL")
      }
      const lume = yield* meet(process, world, keys)
      // However slow the machine is, there is something to lose.
      yield* submitOne(lume, world)
      const loading = yield* Effect.fork(load(lume, world, process.ended))
      yield* Effect.sleep(yield* Random.nextIntBetween(0, 300))
      yield* process.signal("SIGKILL")
      yield* process.ended
      yield* Fiber.join(loading)
    })
  )

const isSettled = ({ runs, told }: World) =>
  [...runs].every(([id, { seen }]) => endings.has(seen.status) && told.has(id))

/** What has not ended or is not told. */
const unsettled = ({ runs, told }: World): string =>
  [...runs]
    .filter(([id, { seen }]) => !endings.has(seen.status) || !told.has(id))
    .map(
      ([id, { seen }]) => `${id} is ${seen.status}, and the webhook was told ${[...(told.get(id) ?? [])].join(", ")}`
    )
    .join("; ")

/** Serves without a kill until all runs have ended and the webhook was told, then closes. */
const settle = (options: server.Options, world: World, keys: Keys) =>
  Effect.scoped(
    Effect.gen(function* () {
      const process = yield* server.serve(options)
      const lume = yield* meet(process, world, keys)
      yield* Effect.repeat(Effect.delay(readAll(lume, world), "20 millis"), { until: () => isSettled(world) }).pipe(
        Effect.timeoutFail({
          duration: "2 minutes",
          onTimeout: () => new Lost({ message: `not settled after two minutes: ${unsettled(world)}` })
        })
      )
      yield* process.signal("SIGTERM")
      yield* process.ended
    })
  )

/** What was seen. */
export interface Report {
  /** How many times a process was killed. */
  readonly kills: number
  readonly runs: number
  /** How many runs were ended as crashed by the next start. */
  readonly crashed: number
  /** How many runs were still to be made at a start. */
  readonly resumed: number
}

/** Kills a local Lume `times` times, at points that the seed decides. Fails with `Lost`. */
export const kills = (times: number, seed: string) =>
  Effect.gen(function* () {
    const world: World = {
      runs: new Map(),
      told: new Map(),
      kills: { total: 0, crashed: 0, resumed: 0 },
      submits: 0
    }
    const keys: Keys = { apiKey: "", webhookSecret: "" }
    const places = yield* folders
    const { url } = yield* receive(world, () => keys.webhookSecret)
    const options = { ...places, flows: [people, slow], webhook: { url } }
    yield* Effect.repeatN(round(options, world, keys), times - 1)
    yield* settle(options, world, keys)
    yield* checkOutput(places.targets, world)
    yield* checkDeliveries(world)
    const { crashed, resumed, total } = world.kills
    return { kills: total, runs: world.runs.size, crashed, resumed } satisfies Report
  }).pipe(Effect.scoped, Effect.withRandom(Random.make(seed)))
