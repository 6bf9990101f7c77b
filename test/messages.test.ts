/**
 * What messages make of what comes from outside: a value that a caller gave, a text that an answer holds.
 */
import * as HttpClientError from "@effect/platform/HttpClientError"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as LumeClient from "../src/LumeClient.js"
import { clientLayer, fakeHttp, runId, states } from "./support/fakeHttp.js"

const instanceOf = (name: string): object => Object.create({ constructor: { name } })

const given: ReadonlyArray<readonly [value: unknown, shown: string]> = [
  [undefined, "nothing"],
  [null, "null"],
  [5, "5"],
  [-0, "-0"],
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
  [new Error("broken"), "an Error"],
  [new Uint8Array(2), "a Uint8Array"],
  [instanceOf(`Very${"Long".repeat(10)}`), `a Very${"Long".repeat(8)}Lon…`],
  [" a\n\u0000 b ", '" a\\n\\u0000 b "'],
  ['a "\\b', '"a \\"\\\\b"'],
  [
    "a\u007f\u00ad\u00a0\u200b\u2003\u2028\u202e\u3000\ufeff",
    '"a\\u007f\\u00ad\\u00a0\\u200b\\u2003\\u2028\\u202e\\u3000\\ufeff"'
  ],
  ["caf\u00e9 \u{1f600}\u{e0041}\ud800", '"caf\u00e9 \u{1f600}\\udb40\\udc41\\ud800"'],
  [`/${"x".repeat(79)}`, `"/${"x".repeat(79)}"`],
  [`/${"x".repeat(80)}`, `"/${"x".repeat(78)}…"`],
  [`/${"x".repeat(77)}\u{1f600}y`, `"/${"x".repeat(77)}…"`]
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

/** How a read fails that is answered so. */
const refusalOf = (answer: Response) =>
  Effect.flatMap(LumeClient.LumeClient, (lume) => lume.runStatus(runId)).pipe(
    Effect.flip,
    Effect.provide(
      clientLayer(
        fakeHttp(() => answer),
        { retry: { times: 0 } }
      )
    )
  )

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
      const error = yield* refusalOf(new Response(text, { status: 500 }))
      assert(error._tag === "ApiError")
      assert.strictEqual(error.detail, shown)
    })
  )
})

const pages: ReadonlyArray<readonly [page: string, shown: string]> = [
  ["<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>", "502 Bad Gateway"],
  [' \r\n<HTML lang="en"><TITLE data-a="b">Not Here</TITLE>x', "Not Here"],
  ["<p>one</title><title>two</title>", "two"],
  // in lower case it is longer
  ["<p>İİİİİİİİİ</p><title>Sign in</title>", "Sign in"],
  ["<title>Sign in</title>one", "Sign in"],
  ["<p>one</p><p>two</p>", "one two"],
  ["<title></title><p>of no title</p>", "of no title"],
  ["<title>never ends<p>one", "never ends one"],
  ["<p>one<b>two</b></title>", "one two"],
  ["<p>1 < 2</p>", "1"],
  ['<script>var a = "<b>"; <style></script>after', "after"],
  ["<STYLE>p { color: red }<script></STYLE >after", "after"],
  ["<p>one</script>two<script>three", "one two"],
  ["<scripted>one</scripted>", "one"],
  ["<!-- one --><p>two</p>", "two"]
]

describe("an answer with a text of millions of characters, of which the end is missing", () => {
  const body = `"${"a".repeat(10_000_000)}`
  const http = fakeHttp(() => new Response(body))
  const layer = clientLayer(http, { maxResponseBytes: 100_000_000, retry: { times: 0 } })

  it.effect("is an error of a read, and leaves the outcome of a submit unknown", () =>
    Effect.gen(function* () {
      const read = yield* Effect.flip(LumeClient.runStatus(runId))
      assert(read._tag === "DecodeError")
      assert.include(read.received, "text that is not valid JSON")
      const submit = yield* Effect.flip(LumeClient.run({ flowVersion: "a:v1", sourcePath: "b" }))
      assert.strictEqual(submit._tag, "SubmitOutcomeUnknownError")
    }).pipe(Effect.provide(layer))
  )
})

describe("an answer's body", () => {
  it.effect("has at most 8 MiB, if nothing else is said", () =>
    Effect.gen(function* () {
      const answer = `{"id":"${runId}","status":"CREATED"}`
      const read = (bytes: number) =>
        LumeClient.runStatus(runId).pipe(
          Effect.map(({ _tag }) => _tag),
          Effect.catchAll((error) => Effect.succeed(error._tag === "TransportError" ? error.reason : error._tag)),
          Effect.provide(clientLayer(fakeHttp(() => new Response(answer.padEnd(bytes)))))
        )
      assert.deepStrictEqual(yield* Effect.all([read(8 * 2 ** 20), read(8 * 2 ** 20 + 1)]), ["Created", "TooLarge"])
    })
  )
})

describe("a page that was received", () => {
  it.effect.each(pages)("%s", ([page, shown]) =>
    Effect.gen(function* () {
      const error = yield* refusalOf(new Response(page, { status: 500 }))
      assert(error._tag === "ApiError")
      assert.strictEqual(error.detail, shown)
    })
  )
})

const problems: ReadonlyArray<readonly [body: string, shown: string]> = [
  ['{"error_code": "NOT_SO", "message": "for a reason", "detail": "else"}', "NOT_SO: for a reason"],
  ['{"detail": "no such flow", "message": "else"}', "no such flow"],
  ['{"message": "no such flow"}', "no such flow"],
  [
    '{"detail": [{"loc": ["body", 0, "a"], "msg": "one"}, {"loc": ["query"], "msg": "two"}]}',
    "body.0.a: one; query: two"
  ],
  ['{"detail": [{"loc": "body", "msg": "one"}]}', '{"detail": [{"loc": "body", "msg": "one"}]}'],
  ["one < two", "one < two"],
  [" [1] ", "[1]"]
]

describe("a refusal's body", () => {
  it.effect.each(problems)("%s", ([body, shown]) =>
    Effect.gen(function* () {
      const error = yield* refusalOf(new Response(body, { status: 422 }))
      assert(error._tag === "InvalidRequestError")
      assert.strictEqual(error.detail, shown)
    })
  )
})

/** So many errors, each the cause of the one before, and the last one of this cause. */
const deep = (levels: number, cause: unknown): object => (levels === 1 ? { cause } : { cause: deep(levels - 1, cause) })

const lost: ReadonlyArray<readonly [name: string, error: object, detail: string]> = [
  ["a message and a code", { cause: { message: "it broke", code: "EBROKEN" } }, "EBROKEN: it broke"],
  ["a message that has its code", { cause: { message: "write EPIPE", code: "EPIPE" } }, "write EPIPE"],
  ["a message that is empty", { cause: { message: "outer", cause: { message: "" } } }, "outer"],
  ["a message that is no text", { cause: { message: "outer", cause: { message: 5, code: 6 } } }, "outer"],
  ["the innermost of messages", { cause: { message: "a", cause: { message: "b", cause: "c" } } }, "b"],
  ["the first of several", { cause: { message: "all", errors: [{ message: "one" }, { message: "two" }] } }, "one"],
  ["none of several", { cause: { message: "all", errors: [] } }, "all"],
  ["errors that are no list", { cause: { errors: "none", cause: { message: "inner" } } }, "inner"],
  ["eight causes", { cause: deep(7, { message: "the eighth" }) }, "the eighth"],
  ["nine causes", { cause: { message: "the first", ...deep(8, { message: "the ninth" }) } }, "the first"],
  ["a cause that is no object", { cause: "it broke", description: "described" }, "described"],
  ["no cause", {}, "the request failed"]
]

describe("a request that was lost", () => {
  it.effect.each(lost)("says %s", ([, error, detail]) =>
    Effect.gen(function* () {
      const http = fakeHttp((_, __, request) =>
        Effect.fail(new HttpClientError.RequestError({ request, reason: "Transport", ...error }))
      )
      const read = Effect.flatMap(LumeClient.LumeClient, (lume) => lume.runStatus(runId))
      const failed = yield* Effect.flip(read).pipe(Effect.provide(clientLayer(http, { retry: { times: 0 } })))
      assert(failed._tag === "TransportError")
      assert.strictEqual(failed.detail, detail)
    })
  )
})

const redirects: ReadonlyArray<readonly [status: number, location: string | undefined, to: string]> = [
  [301, "https://other.example:8443/runs?a=secret", "https://other.example:8443"],
  [302, "/elsewhere", "https://api.lume.ai"],
  [303, "//other.example/a", "https://other.example"],
  [307, "https://[", "an unknown place"],
  [308, undefined, "an unknown place"]
]

describe("a redirect", () => {
  it.effect.each(redirects)("of status %s to %s is not followed", ([status, location, to]) =>
    Effect.gen(function* () {
      const headers = location === undefined ? {} : { location }
      const error = yield* refusalOf(new Response(null, { status, headers }))
      assert(error._tag === "TransportError" && error.reason === "Redirect")
      assert.strictEqual(error.detail, `status ${status} is a redirect to ${to}`)
    })
  )

  it.effect("is what a browser shows of one, too", () =>
    Effect.gen(function* () {
      const error = yield* refusalOf(Response.error())
      assert(error._tag === "TransportError" && error.reason === "Redirect")
      assert.strictEqual(error.detail, "status 0 is a redirect to an unknown place")
    })
  )

  it.effect("that says where a submit's run is, may have started it; others have not", () =>
    Effect.gen(function* () {
      const request = { flowVersion: "invoice_cleaner:v4", sourcePath: "s3://acme/batch-001.csv" }
      for (const [status, tag] of [
        [301, "TransportError"],
        [302, "TransportError"],
        [303, "SubmitOutcomeUnknownError"],
        [307, "TransportError"],
        [308, "TransportError"]
      ] as const) {
        const http = fakeHttp(() => new Response(null, { status, headers: { location: "/elsewhere" } }))
        const error = yield* Effect.flatMap(LumeClient.LumeClient, (lume) => lume.run(request)).pipe(
          Effect.flip,
          Effect.provide(clientLayer(http))
        )
        assert.strictEqual(error._tag, tag)
        assert.strictEqual(http.sent.length, 1)
      }
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
      assert.deepInclude(error, { path: "", expected: "a run as JSON", received })
    })
  )
})
