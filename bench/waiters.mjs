/**
 * So many waits at once, over requests that are answered in memory: woken by events, or polling. Each gives the requests
 * that were sent, the CPU time in microseconds, and for every wait how long after its run's end it went on, in
 * milliseconds.
 */
import { answer, runId } from "./fixtures.mjs"
import { cpuOf } from "./harness.mjs"

const shortest = 240_000
const longest = 300_000

const make = async (/** @type {string} */ name, /** @type {boolean} */ withEvents) => {
  const Effect = await import("effect/Effect")
  const Layer = await import("effect/Layer")
  const ManagedRuntime = await import("effect/ManagedRuntime")
  const Redacted = await import("effect/Redacted")
  const HttpClient = await import("@effect/platform/HttpClient")
  const HttpClientResponse = await import("@effect/platform/HttpClientResponse")
  const LumeClient = await import("../dist/LumeClient.js")
  const RunEvents = await import("../dist/RunEvents.js")

  let requests = 0
  /** @type {Map<string, number>} */
  const endsAt = new Map()
  const http = HttpClient.make((request, url) =>
    Effect.sync(() => {
      requests++
      const id = url.pathname.split("/").at(-1) ?? ""
      const body = answer(performance.now() < (endsAt.get(id) ?? 0) ? "TRANSFORMING" : "SUCCEEDED").replaceAll(
        runId,
        id
      )
      const headers = { "content-type": "application/json", "content-length": String(Buffer.byteLength(body)) }
      return HttpClientResponse.fromWeb(request, new Response(body, { headers }))
    })
  )
  const options = { apiKey: Redacted.make("lume_0123456789abcdef") }
  const layer = (withEvents ? LumeClient.layerWithEvents : LumeClient.layer)(options).pipe(
    Layer.provide(Layer.succeed(HttpClient.HttpClient, http)),
    Layer.provideMerge(RunEvents.layer)
  )
  const runtime = ManagedRuntime.make(layer)
  const lume = await runtime.runPromise(LumeClient.LumeClient)
  const events = await runtime.runPromise(RunEvents.RunEvents)

  return async (/** @type {number} */ waits) => {
    const ids = Array.from({ length: waits }, (_, index) => `run_${index}`)
    const startedAt = performance.now()
    for (const id of ids) endsAt.set(id, startedAt + shortest + Math.random() * (longest - shortest))
    /** @type {Array<number>} */
    const late = []
    const one = (/** @type {string} */ id) =>
      Effect.map(lume.wait(id), () => late.push(performance.now() - (endsAt.get(id) ?? 0)))
    const publish = (/** @type {string} */ id) =>
      Effect.suspend(() => {
        const due = Math.max(0, Math.ceil((endsAt.get(id) ?? 0) - performance.now()))
        return Effect.delay(events.publish({ runId: id }), due)
      })
    const all = Effect.forEach(ids, one, { concurrency: "unbounded", discard: true })
    const deliveries = Effect.forEach(withEvents ? ids : [], publish, { concurrency: "unbounded", discard: true })
    const cpu = await cpuOf(() => Effect.runPromise(Effect.zip(all, deliveries, { concurrent: true })))
    return { name, requests, cpu, late }
  }
}

export const contenders = {
  "polling every 5 s": () => make("polling every 5 s", false),
  "woken by events": () => make("woken by events", true)
}
