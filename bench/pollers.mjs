/**
 * Ways to wait for the same run: read it, look at its status, sleep a millisecond, until it has ended. Each contender
 * is made with the server's URL and gives a function that does one wait.
 */
import { runId } from "./fixtures.mjs"
import { load } from "./lines.mjs"

const key = "lume_0123456789abcdef"
const headers = { accept: "application/json", "lume-api-key": key }
const pause = 1
const hour = 3_600_000

/** Waits at once: with one alone, half of what is measured is the process falling asleep and waking up. */
const atOnce = 20

const sleep = () => new Promise((resolve) => setTimeout(resolve, pause))
const hasEnded = (/** @type {string} */ status) =>
  status === "SUCCEEDED" || status === "PARTIAL_FAILED" || status === "FAILED" || status === "CRASHED"

/**
 * The loop that everybody writes, around a read that gives the run's status.
 *
 * @param {() => Promise<string>} read
 */
const loop = (read) => async () => {
  const deadline = Date.now() + hour
  while (!hasEnded(await read())) {
    if (Date.now() >= deadline) throw new Error("timed out")
    await sleep()
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// With Effect

/** The HttpClient of a layer, made once. */
const fromLayer = {
  fetch: async () => (await import("@effect/platform/FetchHttpClient")).layer,
  undici: async () => (await import("@effect/platform-node/NodeHttpClient")).layerUndici
}

/** @param {"fetch" | "undici"} platform */
const lume = (platform) => async (/** @type {string} */ url) => {
  const Effect = await import("effect/Effect")
  const ManagedRuntime = await import("effect/ManagedRuntime")
  const Layer = await import("effect/Layer")
  const Redacted = await import("effect/Redacted")
  const LumeClient = await import("../dist/LumeClient.js")
  const layer = LumeClient.layer({ apiKey: Redacted.make(key), baseUrl: url })
  const runtime = ManagedRuntime.make(Layer.provide(layer, await fromLayer[platform]()))
  const client = await runtime.runPromise(LumeClient.LumeClient)
  return () => Effect.runPromise(client.wait(runId, { pollInterval: pause }))
}

/** The same on Effect 4, from the tree that `npm run effect-4` has made. */
const lume4 = async (/** @type {string} */ url) => {
  const Effect = await load["2.x"]("effect/Effect")
  const ManagedRuntime = await load["2.x"]("effect/ManagedRuntime")
  const Layer = await load["2.x"]("effect/Layer")
  const Redacted = await load["2.x"]("effect/Redacted")
  const FetchHttpClient = await load["2.x"]("effect/http/FetchHttpClient")
  const LumeClient = await load["2.x"]("./dist/LumeClient.js")
  const layer = LumeClient.layer({ apiKey: Redacted.make(key), baseUrl: url })
  const runtime = ManagedRuntime.make(Layer.provide(layer, FetchHttpClient.layer))
  const client = await runtime.runPromise(LumeClient.LumeClient)
  return () => Effect.runPromise(client.wait(runId, { pollInterval: pause }))
}

/** @param {"fetch" | "undici"} platform @param {boolean} limited whether each read has `Effect.timeoutFail` around it */
const bareHttpClient = (platform, limited) => async (/** @type {string} */ url) => {
  const Effect = await import("effect/Effect")
  const ManagedRuntime = await import("effect/ManagedRuntime")
  const HttpClient = await import("@effect/platform/HttpClient")
  const HttpClientRequest = await import("@effect/platform/HttpClientRequest")
  const runtime = ManagedRuntime.make(await fromLayer[platform]())
  const client = HttpClient.withTracerDisabledWhen(await runtime.runPromise(HttpClient.HttpClient), () => true)
  const request = HttpClientRequest.get(`${url}/runs/${runId}`, { headers })
  const once = client.execute(request).pipe(
    Effect.flatMap((response) => (response.status === 200 ? response.text : Effect.fail(response.status))),
    Effect.map((text) => JSON.parse(text).status)
  )
  const read = limited ? Effect.timeoutFail(once, { duration: 60_000, onTimeout: () => "timed out" }) : once
  const wait = Effect.suspend(() => {
    const deadline = Date.now() + hour
    /** @type {import("effect/Effect").Effect<void, unknown>} */
    const next = Effect.flatMap(read, (status) =>
      hasEnded(status)
        ? Effect.void
        : Date.now() >= deadline
          ? Effect.fail("timed out")
          : Effect.zipRight(Effect.sleep(pause), next)
    )
    return next
  })
  return () => Effect.runPromise(wait)
}

// ---------------------------------------------------------------------------------------------------------------------
// Without

const readWithFetch = (/** @type {string} */ url) => async () => {
  const response = await fetch(`${url}/runs/${runId}`, { headers, redirect: "manual" })
  if (response.status !== 200) throw new Error(String(response.status))
  return JSON.parse(await response.text())
}

const fetchLoop = async (/** @type {string} */ url) => {
  const read = readWithFetch(url)
  return loop(async () => (await read()).status)
}

const undiciLoop = async (/** @type {string} */ url) => {
  const { Agent, request } = await import("undici")
  const dispatcher = new Agent()
  return loop(async () => {
    const { body, statusCode } = await request(`${url}/runs/${runId}`, { headers, dispatcher })
    if (statusCode !== 200) throw new Error(String(statusCode))
    return JSON.parse(await body.text()).status
  })
}

const axiosLoop = async (/** @type {string} */ url) => {
  const { default: axios } = await import("axios")
  const client = axios.create({ baseURL: url, headers, timeout: 60_000 })
  return loop(async () => (await client.get(`/runs/${runId}`)).data.status)
}

const utilWaiter = async (/** @type {string} */ url) => {
  const { createWaiter, WaiterState } = await import("@smithy/util-waiter")
  const read = readWithFetch(url)
  const options = { client: {}, minDelay: pause / 1000, maxDelay: pause / 1000, maxWaitTime: hour / 1000 }
  return () =>
    createWaiter(options, {}, async () => ({
      state: hasEnded((await read()).status) ? WaiterState.SUCCESS : WaiterState.RETRY
    }))
}

/** As the clients that are generated for Azure: core-lro over core-rest-pipeline, with its default policies. */
const coreLro = async (/** @type {string} */ url) => {
  const { createHttpPoller } = await import("@azure/core-lro")
  const { createDefaultHttpClient, createHttpHeaders, createPipelineFromOptions, createPipelineRequest } =
    await import("@azure/core-rest-pipeline")
  const pipeline = createPipelineFromOptions({})
  const client = createDefaultHttpClient()
  const send = async (/** @type {string} */ url, /** @type {any} */ options = {}) => {
    const request = createPipelineRequest({
      url,
      allowInsecureConnection: true,
      timeout: 60_000,
      headers: createHttpHeaders(headers),
      abortSignal: options.abortSignal
    })
    const { bodyAsText, headers: received, status } = await pipeline.sendRequest(client, request)
    const body = JSON.parse(bodyAsText ?? "null")
    return { flatResponse: body, rawResponse: { request, body, statusCode: status, headers: received.toJSON() } }
  }
  return coreLroOver(createHttpPoller, url, send)
}

/** The same engine over fetch. */
const coreLroFetch = async (/** @type {string} */ url) => {
  const { createHttpPoller } = await import("@azure/core-lro")
  const send = async (/** @type {string} */ url, /** @type {any} */ options = {}) => {
    const response = await fetch(url, { headers, redirect: "manual", signal: options.abortSignal ?? null })
    const body = JSON.parse(await response.text())
    const received = Object.fromEntries(response.headers)
    return {
      flatResponse: body,
      rawResponse: { request: { url, method: "GET" }, body, statusCode: response.status, headers: received }
    }
  }
  return coreLroOver(createHttpPoller, url, send)
}

/** @param {any} createHttpPoller @param {string} url @param {any} send */
const coreLroOver = (createHttpPoller, url, send) => async () => {
  const poller = createHttpPoller(
    {
      sendInitialRequest: async () => ({
        flatResponse: {},
        rawResponse: {
          request: { url: `${url}/runs`, method: "POST" },
          body: {},
          statusCode: 202,
          headers: { "operation-location": `${url}/runs/${runId}` }
        }
      }),
      sendPollRequest: send
    },
    { intervalInMs: pause, resolveOnUnsuccessful: true }
  )
  await poller.pollUntilDone()
}

const openai = async (/** @type {string} */ url) => {
  const { default: OpenAI } = await import("openai")
  const client = new OpenAI({ apiKey: key, baseURL: url, timeout: 60_000 })
  return loop(async () => /** @type {any} */ (await client.get(`/runs/${runId}`)).status)
}

/** @type {Record<string, (url: string) => Promise<() => Promise<unknown>>>} */
const waits = {
  "effect-lume, fetch": lume("fetch"),
  "HttpClient + timeoutFail, fetch": bareHttpClient("fetch", true),
  "HttpClient, fetch": bareHttpClient("fetch", false),
  "hand-written, fetch": fetchLoop,
  "effect-lume, undici": lume("undici"),
  "HttpClient + timeoutFail, undici": bareHttpClient("undici", true),
  "HttpClient, undici": bareHttpClient("undici", false),
  "hand-written, undici": undiciLoop,
  axios: axiosLoop,
  "util-waiter, fetch": utilWaiter,
  "core-lro, core-rest-pipeline": coreLro,
  "core-lro, fetch": coreLroFetch,
  openai
}

export const names = Object.keys(waits)

/** Only `majors.mjs` has this one: it needs the tree of `npm run effect-4`. */
export const onEffect4 = "effect-lume 2.x, fetch"
waits[onEffect4] = lume4

/** Each contender as a function from a number of polls to the CPU time of one, in microseconds. */
export const contenders = Object.fromEntries(
  Object.entries(waits).map(([name, make]) => [
    name,
    async (/** @type {string} */ url) => {
      const { cpuOf } = await import("./harness.mjs")
      const wait = await make(url)
      return async (/** @type {number} */ polls) => {
        const go = async (/** @type {number} */ polls) => {
          // with a socket of its own, which is closed before anything is measured
          await fetch(`${url}/begin/${polls - atOnce}`, { method: "POST", headers: { connection: "close" } })
          return (await cpuOf(() => Promise.all(Array.from({ length: atOnce }, wait)))) / polls
        }
        // the others' turns have cooled this process down
        await go(polls / 4)
        return go(polls)
      }
    }
  ])
)
