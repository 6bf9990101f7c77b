/**
 * The page of a local Lume: who may see it, and which URL shows what.
 */
import type * as HttpApp from "@effect/platform/HttpApp"
import type * as FileSystem from "@effect/platform/FileSystem"
import type * as HttpPlatform from "@effect/platform/HttpPlatform"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import * as Array from "effect/Array"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { preview } from "../../../internal/text.js"
import type { LocalFlow } from "../../LocalFlow.js"
import * as ledger from "../ledger.js"
import { Store } from "../store.js"
import * as layout from "./layout.js"
import * as output from "./output.js"
import * as rejects from "./rejects.js"
import * as runPage from "./run.js"
import * as runsPage from "./runs.js"

/** What the page shows beside the store's runs. */
export interface Options {
  readonly flows: ReadonlyMap<string, LocalFlow>
  readonly targets: string
}

// ---------------------------------------------------------------------------------------------------------------------
// Who may see it

/** Whether a URL is of the page. */
export const has = (url: string): boolean => /^\/(\?|$|page\/)/.test(url)

const refusal = (status: number, detail: string, headers: { readonly [name: string]: string } = {}) =>
  HttpServerResponse.unsafeJson({ detail }, { status, headers })

const loopbackAddress = /^(::1|(::ffff:)?127(\.\d{1,3}){3})$/

/** What proxies add to what they pass on. */
const passedOn = ["forwarded", "via", "x-forwarded-for", "x-real-ip"]

/**
 * Lets through only what this machine reads: no other machine, not through a proxy on this one that says so, no other
 * site, no other method.
 */
const guard = <R>(app: HttpApp.Default<never, R>) =>
  Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => {
    const { localPort, remoteAddress = "" } = NodeHttpServerRequest.toIncomingMessage(request).socket
    const { origin } = request.headers
    const own = ["localhost", "127.0.0.1", "[::1]"].map((host) => `http://${host}:${localPort}`)
    if (!loopbackAddress.test(remoteAddress))
      return Effect.succeed(refusal(403, `The page is for this machine alone, not for ${preview(remoteAddress)}`))
    if (passedOn.some((name) => request.headers[name] !== undefined))
      return Effect.succeed(refusal(403, "The page is for this machine alone, not for what a proxy passes on"))
    if (origin !== undefined && !own.includes(origin))
      return Effect.succeed(refusal(403, `The page answers itself alone, not the origin ${preview(origin)}`))
    return request.method === "GET" || request.method === "HEAD"
      ? app
      : Effect.succeed(
          refusal(405, `The page can only be read, by GET, not by ${request.method}`, { allow: "GET, HEAD" })
        )
  })

// ---------------------------------------------------------------------------------------------------------------------
// What there is to see

/** The ledger, and its version as this process counts it. */
const versions = (started: string) => ({
  of: ({ order }: ledger.Ledger): string => `${started}.${order.version()}`,
  /** What has changed since a version; `undefined` where that is not known. */
  since: ({ order }: ledger.Ledger, version: string): ReadonlySet<string> | undefined => {
    const [start, number] = version.split(".")
    return start === started && /^\d{1,15}$/.test(number ?? "") ? order.changedSince(Number(number)) : undefined
  }
})

const runsOf = (kept: ledger.Ledger, ids: ReadonlyArray<string>): ReadonlyArray<ledger.Run> =>
  ids.flatMap((id) => kept.run(id) ?? [])

const searchOf = (request: HttpServerRequest.HttpServerRequest): URLSearchParams =>
  new URLSearchParams(/\?([^#]*)/.exec(request.url)?.[1])

/** The page and all that belongs to it, for this machine alone. */
export const make = ({
  flows,
  targets
}: Options): Effect.Effect<
  HttpApp.Default,
  never,
  FileSystem.FileSystem | HttpPlatform.HttpPlatform | Scope.Scope | Store
> =>
  Effect.gen(function* () {
    const store = yield* Store
    const context = yield* Effect.context<FileSystem.FileSystem | HttpPlatform.HttpPlatform | Scope.Scope>()
    const version = versions((yield* Clock.currentTimeMillis).toString(36))
    const [flowVersion = "NAME:VERSION"] = flows.keys()

    /** A page of runs: all of its window, or those that have changed. */
    const window = (kept: ledger.Ledger, before: string | undefined, changed: ReadonlySet<string> | undefined) =>
      Effect.map(Clock.currentTimeMillis, (now): runsPage.Window => {
        const found = kept.order.newest(runsPage.most + 1, before)
        const shown = found.slice(0, runsPage.most)
        const oldest = shown.at(-1)
        const isIn = (id: string) => id >= (oldest ?? "") && (before === undefined || id < before)
        const isWhole = changed === undefined || [...changed].some((id) => isIn(id) && kept.run(id) === undefined)
        return {
          runs: runsOf(kept, isWhole ? shown : [...changed].filter(isIn).toSorted().toReversed()),
          isWhole,
          oldest,
          hasOlder: found.length > shown.length,
          hasNewer: before !== undefined,
          counts: kept.counts(),
          now,
          flowVersion
        }
      })

    const rejectedRows = (run: ledger.Run, files: ReadonlyArray<output.File>) => {
      const file = files.find(({ kind }) => kind === "rejects")
      return file === undefined
        ? Effect.succeed(undefined)
        : Effect.orElseSucceed(
            rejects.read(file.path, flows.get(run.request.flowVersion)?.delimiter),
            () => `The rows of ${file.name} can't be read here. Download the file.`
          )
    }

    const details = (kept: ledger.Ledger, run: ledger.Run, host: string) =>
      Effect.gen(function* () {
        const files = ledger.hasEnded(run)
          ? yield* Effect.forEach(output.kinds, (kind) => output.find(targets, run, kind))
          : []
        const there = Array.getSomes(files)
        return runPage.content({
          run,
          flow: flows.get(run.request.flowVersion),
          files: there,
          rejects: yield* rejectedRows(run, there),
          isProcessed: kept.isProcessed(run.request),
          url: `http://${host}`,
          now: yield* Clock.currentTimeMillis
        })
      })

    const asked = Effect.gen(function* () {
      const request = yield* HttpServerRequest.HttpServerRequest
      const { id = "" } = yield* HttpRouter.params
      const kept = yield* store.ledger
      const search = searchOf(request)
      return {
        kept,
        host: request.headers["host"] ?? "",
        id,
        run: kept.run(id),
        before: search.get("before") ?? undefined,
        since: search.get("since") ?? ""
      }
    })

    const runs = Effect.gen(function* () {
      const { before, kept } = yield* asked
      const changes = before === undefined ? "/page/changes?" : `/page/changes?before=${encodeURIComponent(before)}&`
      const content = runsPage.content(yield* window(kept, before, undefined))
      return layout.page(content, { version: version.of(kept), changes: `${changes}since=` })
    })

    const runsChanges = Effect.gen(function* () {
      const { before, kept, since } = yield* asked
      const now = version.of(kept)
      if (since === now) return layout.unchanged(now)
      return layout.changes(runsPage.content(yield* window(kept, before, version.since(kept, since))), now)
    })

    const run = Effect.gen(function* () {
      const { host, id, kept, run } = yield* asked
      if (run === undefined) return layout.page(runPage.missing(id), undefined, 404)
      const changes = `/page/runs/${encodeURIComponent(id)}/changes?since=`
      return layout.page(yield* details(kept, run, host), { version: version.of(kept), changes })
    })

    const runChanges = Effect.gen(function* () {
      const { host, id, kept, run, since } = yield* asked
      const now = version.of(kept)
      if (since === now || version.since(kept, since)?.has(id) === false) return layout.unchanged(now)
      return layout.changes(run === undefined ? runPage.missing(id) : yield* details(kept, run, host), now)
    })

    const download = (kind: output.Kind) =>
      Effect.gen(function* () {
        const { id, run } = yield* asked
        if (run === undefined) return refusal(404, `There is no run ${preview(id)}`)
        const found = yield* output.find(targets, run, kind)
        const gone = refusal(404, `Run ${run.id} has no ${kind} file in the targets folder`)
        if (Option.isNone(found)) return gone
        return yield* Effect.orElseSucceed(output.download(run, found.value), () => gone)
      })

    const router = yield* HttpRouter.toHttpApp(
      HttpRouter.empty.pipe(
        HttpRouter.get("/", runs),
        HttpRouter.get("/page/changes", runsChanges),
        HttpRouter.get("/page/runs/:id", run),
        HttpRouter.get("/page/runs/:id/changes", runChanges),
        HttpRouter.get("/page/runs/:id/mapped", download("mapped")),
        HttpRouter.get("/page/runs/:id/rejects", download("rejects"))
      )
    )
    // all that fails is a path that is not there
    return Effect.provide(guard(Effect.orElseSucceed(router, () => refusal(404, "Not Found"))), context)
  })
