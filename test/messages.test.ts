/**
 * What messages make of what comes from outside: a value that a caller gave, a text that an answer holds.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as LumeClient from "../src/LumeClient.js"
import { clientLayer, fakeHttp, runId, states } from "./support/fakeHttp.js"

const instanceOf = (name: string): object => Object.create({ constructor: { name } })

const given: ReadonlyArray<readonly [value: unknown, shown: string]> = [
  [undefined, "nothing"],
  [null, "null"],
  [5, "5"],
  [true, "true"],
  [5n, "the bigint 5"],
  [() => runId, "a function"],
  [Symbol("run"), "a symbol"],
  [["run", "other"], "an array of 2"],
  [{}, "an object"],
  [Object.create(null), "an object"],
  [{ constructor: { name: 5 } }, "an object"],
  [instanceOf(""), "an object"],
  [new Date(0), "a Date"],
  [instanceOf(`Very${"Long".repeat(10)}`), `a Very${"Long".repeat(8)}Lon…`],
  ["a \n\u0000 b", '"a b"'],
  [`/${"x".repeat(80)}`, `"/${"x".repeat(78)}…"`]
]

describe("a value that was given", () => {
  it.effect("is shown by its kind, or as JSON writes it", () =>
    Effect.gen(function* () {
      const lume = yield* LumeClient.LumeClient
      for (const [value, shown] of given) {
        // types can't stop a caller in JavaScript
        const { message } = yield* Effect.flip(lume.runStatus(value as string))
        assert.include(message, `, but is ${shown}`)
        assert.match(message.slice(message.indexOf(shown) + shown.length), /^(?:\.|$)/)
      }
    }).pipe(Effect.provide(clientLayer(fakeHttp(states("CREATED")))))
  )
})

const received: ReadonlyArray<readonly [name: string, text: string, shown: string]> = [
  ["of 200 characters is whole", "x".repeat(200), "x".repeat(200)],
  ["of one more is cut", "x".repeat(201), `${"x".repeat(199)}…`],
  ["is cut before a character, not within it", `${"x".repeat(198)}😀y`, `${"x".repeat(198)}…`],
  ["is one line", " \t a\r\n\u0000\u001b\u200e\u202e\u2028\u2029\u00a0b\n", "a b"],
  ["that is mostly white space is whole", `x${" ".repeat(799)}`, "x"],
  ["that is looked at in part only is cut", `x${" ".repeat(800)}`, "x…"]
]

describe("a text that was received", () => {
  it.effect.each(received)("%s", ([, text, shown]) =>
    Effect.gen(function* () {
      const http = fakeHttp(() => new Response(text, { status: 500 }))
      const error = yield* Effect.flatMap(LumeClient.LumeClient, (lume) => lume.runStatus(runId)).pipe(
        Effect.flip,
        Effect.provide(clientLayer(http, { retry: { times: 0 } }))
      )
      assert(error._tag === "ApiError")
      assert.strictEqual(error.detail, shown)
    })
  )
})

const unparsed: ReadonlyArray<readonly [text: string, received: string]> = [
  ["", "nothing"],
  [" \r\n\t", "nothing"],
  ['{"id": }', "text that is not valid JSON"],
  ['{"id": "a b\\"c\\\\", }', "text that is not valid JSON"],
  ["[-1.5e+10, 20E-3, 0.25, 1E9, true, false, null,]", "text that is not valid JSON"],
  ['{"id": NaN}', "text that is not valid JSON (NaN at position 7)"],
  ["[1, None, 2]", "text that is not valid JSON (None at position 4)"],
  [`[${"word".repeat(6)}]`, `text that is not valid JSON (${"word".repeat(5)} at position 1)`],
  ["[1.]", 'text that is not valid JSON ("." at position 2)'],
  ["[-]", 'text that is not valid JSON ("-" at position 1)'],
  ["[1e]", "text that is not valid JSON (e at position 2)"],
  ["['a']", 'text that is not valid JSON ("\'" at position 1)'],
  ['{"id": "run', 'text that is not valid JSON ("\\"" at position 7)'],
  ["<html>", 'text that is not valid JSON ("<" at position 0)']
]

describe("an answer that is not JSON", () => {
  it.effect.each(unparsed)("%j", ([text, received]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flatMap(LumeClient.LumeClient, (lume) => lume.runStatus(runId)).pipe(
        Effect.flip,
        Effect.provide(
          clientLayer(
            fakeHttp(() => new Response(text)),
            { retry: { times: 0 } }
          )
        )
      )
      assert(error._tag === "DecodeError")
      assert.strictEqual(error.received, received)
    })
  )
})
