/**
 * Local Lumes in the scope of a test.
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import type * as FileSystem from "@effect/platform/FileSystem"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as LocalLume from "../../src/local/LocalLume.js"
import * as LumeClient from "../../src/LumeClient.js"
import { endless, flow, folders, people } from "./support.js"

export const clean = "Id,Born,Name\n1,1815-12-10,Ada\n"

/** Goes on until it is interrupted. */
export const slowFlow = {
  ...flow,
  name: "slow",
  fields: {
    ...flow.fields,
    id: endless
  }
}

/** Takes a second, or is never done: what a wait in a test can do, also where the machine has much else to do. */
export const quickly = { pollInterval: "5 millis", timeout: "1 minute" } as const

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: unknown
}

/** A local Lume in the current scope, and ways to it. */
export const serve = (options: LocalLume.Options) =>
  Effect.gen(function* () {
    const context = yield* Layer.build(LocalLume.layer(options))
    const { apiKey, url, webhookSecret } = Context.get(context, LocalLume.LocalLume)
    const lume = yield* LumeClient.make({ apiKey, baseUrl: url }).pipe(Effect.provide(FetchHttpClient.layer))
    const headers = { "lume-api-key": Redacted.value(apiKey) }
    /** Bare HTTP. */
    const send = (place: string, init: RequestInit = {}): Effect.Effect<Answer> =>
      Effect.promise(async (signal) => {
        const response = await fetch(url + place, { signal, ...init, headers: { ...headers, ...init.headers } })
        const body: unknown = await response.json()
        return { status: response.status, headers: response.headers, body }
      })
    const submit = (request: object, headers: Record<string, string> = {}) =>
      send("/runs", { method: "POST", body: JSON.stringify(request), headers })
    return { apiKey, lume, send, submit, url, webhookSecret }
  })

/** A local Lume that has two sources, `people.csv` and `clean.csv`, and two flows, `people:v1` and `slow:v1`. */
export const start = (options: Partial<LocalLume.Options> = {}) =>
  Effect.gen(function* () {
    const places = yield* folders({ "people.csv": people, "clean.csv": clean })
    return { places, ...(yield* serve({ flows: [flow, slowFlow], ...places, ...options })) }
  })

/** Why a local Lume does not start. */
export const refusal = (options: LocalLume.Options) =>
  Effect.map(Effect.flip(Effect.scoped(Layer.build(LocalLume.layer(options)))), ({ message }) => message)

type Live = FileSystem.FileSystem | Scope.Scope

/** A test in real time, with its own scope and the real file system. */
export const live = Object.assign(
  <A, E>(name: string, effect: () => Effect.Effect<A, E, Live>) =>
    it.scopedLive(name, () => Effect.provide(effect(), NodeFileSystem.layer)),
  {
    each:
      <Case extends readonly [name: string, ...ReadonlyArray<unknown>]>(cases: ReadonlyArray<Case>) =>
      <A, E>(name: string, effect: (each: Case) => Effect.Effect<A, E, Live>) =>
        it.scopedLive.each(cases)(name, (each) => Effect.provide(effect(each), NodeFileSystem.layer))
  }
)
