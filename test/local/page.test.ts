/**
 * The page of a local Lume, by what it answers. What a browser does with that is in `npm run check:page`.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Redacted from "effect/Redacted"
import { execFile } from "node:child_process"
import { networkInterfaces } from "node:os"
import * as path from "node:path"
import * as ts from "typescript"
import * as order from "../../src/local/internal/order.js"
import { script } from "../../src/local/internal/page/script.js"
import { property } from "../support/property.js"
import { send } from "./http.js"
import { clean, live, quickly, serve, start } from "./lume.js"
import { flow, folders, people, query } from "./support.js"

const people1 = { flowVersion: "people:v1", sourcePath: "people.csv" }

const attribute = (html: string, name: string): string => new RegExp(` ${name}="([^"]*)"`).exec(html)?.[1] ?? ""

/** The ids of the rows, in their order. */
const rowsIn = (html: string): ReadonlyArray<string> =>
  Array.from(html.matchAll(/<tr id="([^"]*)"/g), ([, id = ""]) => id)

/** What a reader sees, in one line. */
const textOf = (html: string): string =>
  html
    .replace(/<(style|script|title)[\s\S]*?<\/\1>/g, " ")
    .replace(/<wbr \/>/g, "")
    .replace(/<[^>]*>/g, " ")
    .replace(/&(lt|gt|amp|quot|#39);/g, (_, name: string) => ({ lt: "<", gt: ">", amp: "&", quot: '"' })[name] ?? "'")
    .replace(/\s+/g, " ")

const see = (url: string, place = "/") =>
  Effect.map(send(url + place), ({ body, headers, status }) => ({ html: body, text: textOf(body), headers, status }))

/** Asks for what has changed since a page was made; `answer` has the version to ask with next. */
const ask = (url: string, html: string, version = attribute(html, "data-version")) =>
  Effect.map(
    see(url, attribute(html, "data-changes").replaceAll("&amp;", "&") + encodeURIComponent(version)),
    (answer) => ({
      ...answer,
      version: String(answer.headers["lume-page-version"])
    })
  )

const pageOf = (id: string) => `/page/runs/${id}`

describe("the runs", () => {
  live("stand there newest first, with status, rows and top errors", () =>
    Effect.gen(function* () {
      const { lume, url } = yield* start()
      const empty = yield* see(url)
      assert.strictEqual(empty.status, 200)
      assert.include(empty.text, "No runs yet")
      assert.include(empty.text, "npx effect-lume run --flow-version people:v1 --source-path SOURCE --wait")
      const first = yield* lume.runAndWait(people1, quickly)
      const second = yield* lume.runAndWait({ ...people1, sourcePath: "clean.csv" }, quickly)
      const third = yield* lume.runAndWait({ ...people1, sourcePath: "nowhere.csv" }, quickly)
      const { html, text } = yield* see(url)
      assert.deepStrictEqual(rowsIn(html), [third.id, second.id, first.id])
      assert.match(text, /Runs 3 runs /)
      assert.match(text, /Accepted \(UTC\)/)
      assert.match(text, /nowhere\.csv run_\w+ Failed .* – – – SOURCE_NOT_FOUND/)
      assert.match(text, /clean\.csv run_\w+ Succeeded .* 1 1 0 people:v1/)
      assert.match(text, /people\.csv run_\w+ Partial failed .* 5 3 2 DATE_INVALID ×2 ID_INVALID ×1 1 more/)
      assert.match(html, /aria-label="Source [\d.]+ m?s, Transform [\d.]+ m?s, Target [\d.]+ m?s"/)
    })
  )

  live("that go on are told as changes, each for itself", () =>
    Effect.gen(function* () {
      const { lume, url } = yield* start({ concurrency: 1 })
      const before = yield* lume.runAndWait(people1, quickly)
      const slow = yield* lume.run({ flowVersion: "slow:v1", sourcePath: "clean.csv" })
      const { html } = yield* see(url)
      const waiting = yield* lume.run(people1)
      const change = yield* ask(url, html)
      assert.notInclude(rowsIn(change.html), before.id)
      assert.include(rowsIn(change.html), waiting.id)
      assert.match(change.text, /people\.csv run_\w+ Created/)
      assert.match(change.html, /data-rows="some"/)
      yield* Effect.repeat(lume.runStatus(slow.id), { until: ({ status }) => status === "TRANSFORMING" })
      const { html: all } = yield* see(url)
      assert.match(all, /aria-label="In stage 2 of 3, Transform"/)
      assert.match(textOf(all), /3 runs, 2 unfinished/)
    })
  )

  live("cost nothing where nothing has changed", () =>
    Effect.gen(function* () {
      const { lume, url } = yield* start()
      const { id } = yield* lume.runAndWait(people1, quickly)
      for (const place of ["/", `/?before=${id}`, pageOf(id)]) {
        const { html } = yield* see(url, place)
        const answer = yield* ask(url, html)
        assert.deepStrictEqual([answer.status, answer.html], [204, ""], place)
        assert.strictEqual(answer.version, attribute(html, "data-version"))
      }
    })
  )

  live("are all told again to a page of another process, and to one with no version", () =>
    Effect.gen(function* () {
      const places = yield* folders({ "people.csv": people })
      const options = { flows: [flow], ...places }
      const { html, id } = yield* Effect.scoped(
        Effect.gen(function* () {
          const { lume, url } = yield* serve(options)
          const { id } = yield* lume.runAndWait(people1, quickly)
          return { id, html: (yield* see(url)).html }
        })
      )
      const { url } = yield* serve(options)
      for (const version of [attribute(html, "data-version"), "", "x", "1.2.3", "../..", "0.-1"]) {
        const answer = yield* ask(url, html, version)
        assert.deepStrictEqual([answer.status, rowsIn(answer.html)], [200, [id]], version)
        assert.match(answer.html, /data-rows="whole"/)
      }
    })
  )
})

// ---------------------------------------------------------------------------------------------------------------------

/** A journal of runs that have ended, in an order of their own. */
const journalOf = (count: number, place: (index: number) => number): string => {
  const request = { flowVersion: "people:v1", sourcePath: "people.csv" }
  const lines = Array.from({ length: count }, (_, index) => {
    const [id, at] = [idOf(place(index)), Date.UTC(2026, 10, 1) + index]
    const metadata = { run: { run_id: id }, results: { input_rows: 5, mapped_rows: 3, rejected_rows: 2 }, errors: [] }
    return [
      { _tag: "Accepted", id, at, request },
      { _tag: "Ended", id, at, status: "PARTIAL_FAILED", metadata, deliver: false }
    ]
  })
  return [{ effect_lume: 1 }, ...lines.flat()].map((line) => `${JSON.stringify(line)}\n`).join("")
}

const idOf = (index: number): string => `run_${String(index).padStart(26, "0")}`

const serveRemembering = (
  count: number,
  options: { readonly keepRuns?: number } = {},
  place: (index: number) => number = (index) => index
) =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const places = yield* folders({ "people.csv": people })
    yield* files.makeDirectory(path.join(places.targets, ".lume"), { recursive: true })
    yield* files.writeFileString(path.join(places.targets, ".lume", "journal.jsonl"), journalOf(count, place))
    return yield* serve({ flows: [flow], ...places, keepFor: "3650 days", ...options })
  })

describe("ten thousand runs", () => {
  live("are shown by 200, and by links to those before", () =>
    Effect.gen(function* () {
      const { url } = yield* serveRemembering(10_000)
      const expected = Array.from({ length: 10_000 }, (_, index) => idOf(9_999 - index))
      const { html, text } = yield* see(url)
      assert.include(text, "10,000 runs")
      const seen = [...rowsIn(html)]
      assert.strictEqual(seen.length, 200)
      let [, older] = /<a href="(\/\?before=[^"]*)"\s*>\s*Older/.exec(html) ?? []
      while (older !== undefined) {
        const next = yield* see(url, older)
        seen.push(...rowsIn(next.html))
        older = /<a href="(\/\?before=[^"]*)"\s*>\s*Older/.exec(next.html)?.[1]
      }
      assert.deepStrictEqual(seen, expected)
    })
  )

  live("make a change no larger than ten do", () =>
    Effect.gen(function* () {
      const change = (count: number) =>
        Effect.scoped(
          Effect.gen(function* () {
            const { lume, url } = yield* serveRemembering(count)
            const { html } = yield* see(url)
            const { id } = yield* lume.runAndWait(people1, quickly)
            const answer = yield* ask(url, html)
            assert.deepStrictEqual(rowsIn(answer.html), [id])
            return answer.html.length
          })
        )
      assert.closeTo(yield* change(10_000), yield* change(10), 50)
    })
  )

  live("are forgotten one by one, and so they are on the page", () =>
    Effect.gen(function* () {
      const { lume, url } = yield* serveRemembering(10, { keepRuns: 10 })
      const { html } = yield* see(url)
      const first = yield* see(url, pageOf(idOf(0)))
      assert.strictEqual(first.status, 200)
      const { id } = yield* lume.runAndWait(people1, quickly)
      const answer = yield* ask(url, html)
      // the page drops what is older than its oldest
      assert.deepStrictEqual(rowsIn(answer.html), [id])
      assert.strictEqual(attribute(answer.html, "data-oldest"), idOf(1))
      assert.include((yield* ask(url, first.html)).text, "No such run")
      assert.strictEqual((yield* see(url, pageOf(idOf(0)))).status, 404)
    })
  )

  live("may be forgotten in another order than the page's: then all of its rows are told", () =>
    Effect.gen(function* () {
      const { lume, url } = yield* serveRemembering(10, { keepRuns: 10 }, (index) => 9 - index)
      const { html } = yield* see(url)
      const { id } = yield* lume.runAndWait(people1, quickly)
      const answer = yield* ask(url, html)
      assert.deepStrictEqual(rowsIn(answer.html), [id, ...Array.from({ length: 9 }, (_, index) => idOf(8 - index))])
      assert.match(answer.html, /data-rows="whole"/)
    })
  )
})

describe("the order of runs", () => {
  const steps = FastCheck.array(
    FastCheck.tuple(FastCheck.constantFrom("add" as const, "change" as const, "remove" as const), FastCheck.nat(20)),
    {
      maxLength: 200
    }
  )

  property.all(
    "is that of a sorted list, and what has changed since a version is what was touched since",
    [steps],
    ([steps]) => {
      const made = order.make()
      let ids: ReadonlyArray<string> = []
      const touched: Array<string> = []
      for (const [kind, number] of steps) {
        const id = idOf(number)
        if (ids.includes(id) === (kind === "add")) continue
        made[kind](id)
        touched.push(id)
        if (kind === "add") ids = [...ids, id].toSorted()
        if (kind === "remove") ids = ids.filter((other) => other !== id)
      }
      assert.strictEqual(made.version(), touched.length)
      assert.deepStrictEqual(made.newest(5), ids.slice(-5).toReversed())
      assert.deepStrictEqual(
        made.newest(3, idOf(10)),
        ids
          .filter((id) => id < idOf(10))
          .slice(-3)
          .toReversed()
      )
      for (let since = 0; since <= touched.length; since += 1) {
        assert.deepStrictEqual(made.changedSince(since), new Set(touched.slice(since)))
      }
      assert.strictEqual(made.changedSince(touched.length + 1), undefined)
    }
  )

  it("knows the last thousand changes, and says of more that it does not", () => {
    const made = order.make()
    made.add("run_1")
    for (let count = 1; count < 10_000; count += 1) made.change("run_1")
    assert.deepStrictEqual(made.changedSince(9_000), new Set(["run_1"]))
    assert.strictEqual(made.changedSince(0), undefined)
  })
})

// ---------------------------------------------------------------------------------------------------------------------

describe("a run's page", () => {
  live("has all that is known of it", () =>
    Effect.gen(function* () {
      const { lume, url } = yield* start()
      const run = yield* lume.runAndWait({ ...people1, runMetadata: { batch: "b-7", size: [1, null] } }, quickly)
      const { html, text } = yield* see(url, pageOf(run.id))
      assert.include(text, `Id ${run.id} Flow version people:v1 Source path people.csv Accepted (UTC) 20`)
      assert.match(text, /Input rows 5 Mapped rows 3 Rejected rows 2 4 of 15 tests failed: an error rate of 0\.267/)
      assert.match(
        text,
        /Error code Field Rows Share of input DATE_INVALID born_on 2 ID_INVALID id 1 NAME_MISSING name 1/
      )
      assert.match(
        text,
        /Error codes Id Born Name DATE_INVALID 2 yesterday Alan ID_INVALID, DATE_INVALID, NAME_MISSING -4 1912-02-30 NULL/
      )
      assert.include(text, "batch b-7 size [1,null]")
      assert.include(text, "born_on try_cast(Born AS DATE)")
      assert.include(text, "NAME_MISSING name name <> ''")
      const shown = /<pre tabindex="0"><code>([^<]*)<\/code>/.exec(html)?.[1] ?? ""
      assert.deepStrictEqual(JSON.parse(textOf(shown)), run.rawMetadata)
    })
  )

  live("of one that failed says why", () =>
    Effect.gen(function* () {
      const { lume, url } = yield* start()
      const { id } = yield* lume.runAndWait({ ...people1, sourcePath: "nowhere.csv" }, quickly)
      const { html, text } = yield* see(url, pageOf(id))
      assert.match(text, /Errors SOURCE_NOT_FOUND SYNCING_SOURCE .*nowhere\.csv/)
      assert.match(html, /aria-label="Source .*; ended in stage 1 of 3, Source"/)
      assert.match(text, /Stages Source [\d.]+ m?s , failed here/)
    })
  )

  live("of one that goes on and of one that failed has the colours of its legend in its bar", () =>
    Effect.gen(function* () {
      const { lume, url } = yield* start({ concurrency: 1 })
      const failed = yield* lume.runAndWait({ ...people1, sourcePath: "nowhere.csv" }, quickly)
      const slow = yield* lume.run({ flowVersion: "slow:v1", sourcePath: "clean.csv" })
      yield* Effect.repeat(lume.runStatus(slow.id), { until: ({ status }) => status === "TRANSFORMING" })
      for (const { count, id } of [
        { count: 1, id: failed.id },
        { count: 2, id: slow.id }
      ]) {
        const { html } = yield* see(url, pageOf(id))
        const stagesOf = (element: string) =>
          Array.from(html.matchAll(new RegExp(`<${element}\\s+class="(stage\\d)`, "g")), ([, stage]) => stage)
        assert.strictEqual(stagesOf("rect").length, count)
        assert.deepStrictEqual(stagesOf("rect"), stagesOf("i"))
      }
    })
  )

  live("follows its run alone, to its end", () =>
    Effect.gen(function* () {
      const { lume, url } = yield* start({ concurrency: 1 })
      const slow = yield* lume.run({ flowVersion: "slow:v1", sourcePath: "clean.csv" })
      const waiting = yield* lume.run(people1)
      const { html } = yield* see(url, pageOf(waiting.id))
      yield* Effect.repeat(lume.runStatus(slow.id), { until: ({ status }) => status === "TRANSFORMING" })
      const same = yield* ask(url, html)
      assert.strictEqual(same.status, 204)
      assert.notStrictEqual(same.version, "undefined")
      const { html: of } = yield* see(url, pageOf(slow.id))
      assert.match(of, /<h1>slow:v1<\/h1>/)
      assert.notMatch(of, /<main data-outcome/)
    })
  )

  const formats = {
    "people.csv": people,
    "people.tsv": people.replaceAll(",", "\t"),
    "people.json": '[{"Id": 1.50, "Born": "x", "Name": "a"},\n {"Id": 2, "Born": "2026-01-01", "Name": "b"}]',
    "people.jsonl": '{"Id": 1.50, "Born": "x", "Name": "a"}\n{"Id": 2, "Born": "2026-01-01", "Name": "b"}\n',
    "people.ndjson": '{"Id": 1.50, "Born": "x", "Name": "a", "error_codes": 7}\n'
  }

  const expected: Readonly<Record<keyof typeof formats | "people.parquet" | "half.csv", RegExp>> = {
    "people.csv": /Error codes Id Born Name DATE_INVALID 2 yesterday Alan/,
    "people.tsv": /Error codes Id Born Name .*DATE_INVALID 2 yesterday Alan/,
    "people.json":
      /Error codes Record DATE_INVALID {"Id": 1\.50, "Born": "x", "Name": "a","error_codes":\["DATE_INVALID"\]}/,
    "people.jsonl":
      /Error codes Record DATE_INVALID {"Id": 1\.50, "Born": "x", "Name": "a","error_codes":\["DATE_INVALID"\]}/,
    "people.ndjson": /Error codes Record DATE_INVALID {"Id": 1\.50.*,"error_codes_":\["DATE_INVALID"\]}/,
    "people.parquet": /Error codes Id Born Name ID_INVALID, NAME_MISSING -1 2026-01-01 NULL/,
    "half.csv": /Error codes Id Born Name DATE_INVALID, NAME_MISSING 2 half(?! NULL)/
  }

  live("shows rejected rows of every format", () =>
    Effect.gen(function* () {
      const places = yield* folders({ ...formats, "half.csv": 'Id;Born;Name\n2;half;""\n3;2026-01-01;no\n' })
      yield* query(
        `COPY (SELECT -1 AS Id, DATE '2026-01-01' AS Born, NULL::VARCHAR AS Name) TO '${path.join(places.sources, "people.parquet")}' (FORMAT parquet)`
      )
      const half = { ...flow, name: "half", delimiter: ";" }
      const { lume, url } = yield* serve({ flows: [flow, half], ...places })
      for (const [sourcePath, rows] of Object.entries(expected)) {
        const flowVersion = sourcePath === "half.csv" ? "half:v1" : "people:v1"
        const { id } = yield* lume.runAndWait({ flowVersion, sourcePath }, quickly)
        assert.match((yield* see(url, pageOf(id))).text, rows, sourcePath)
      }
    })
  )

  live("shows the first 50 of many rejected rows, long values cut off", () =>
    Effect.gen(function* () {
      const rows = Array.from({ length: 120 }, (_, index) => `${index + 1},never,${"x".repeat(1000)}`)
      const places = yield* folders({ "many.csv": ["Id,Born,Name", ...rows, ""].join("\n") })
      const { lume, url } = yield* serve({ flows: [flow], ...places })
      const { id } = yield* lume.runAndWait({ ...people1, sourcePath: "many.csv" }, quickly)
      const { text } = yield* see(url, pageOf(id))
      assert.strictEqual(text.match(/ never x+…/g)?.length, 50)
      assert.include(text, "The first 50 of 120 rows")
    })
  )

  live("gives its files to keep, by its id alone", () =>
    Effect.gen(function* () {
      const { lume, places, url } = yield* start()
      const files = yield* FileSystem.FileSystem
      const { id } = yield* lume.runAndWait(people1, quickly)
      for (const kind of ["mapped", "rejects"]) {
        const { html, headers, status } = yield* see(url, `${pageOf(id)}/${kind}`)
        assert.strictEqual(status, 200)
        assert.strictEqual(html, yield* files.readFileString(path.join(places.targets, id, `${kind}.csv`)))
        assert.strictEqual(headers["content-disposition"], `attachment; filename="${id}-${kind}.csv"`)
        assert.strictEqual(headers["content-type"], "text/csv; charset=utf-8")
        assert.strictEqual(headers["x-content-type-options"], "nosniff")
      }
      for (const place of [
        `${pageOf(id)}/keys`,
        `${pageOf(".lume")}/mapped`,
        `${pageOf("..%2f..")}/mapped`,
        "/page/runs/../../.lume/keys.json",
        `${pageOf("%2e%2e")}/mapped`,
        `${pageOf("%zz")}/mapped`
      ]) {
        assert.strictEqual((yield* see(url, place)).status, 404, place)
      }
      yield* files.remove(path.join(places.targets, id), { recursive: true })
      assert.strictEqual((yield* see(url, `${pageOf(id)}/mapped`)).status, 404)
      assert.notInclude((yield* see(url, pageOf(id))).html, `${pageOf(id)}/mapped`)
    })
  )

  live("has the curl that submits it again, whatever its source path is", () =>
    Effect.gen(function* () {
      const sourcePath = "it's $HOME `id` \u001b[2J\u202e !.csv"
      const places = yield* folders({ [sourcePath]: clean })
      const { apiKey, lume, send, url } = yield* serve({ flows: [flow], ...places })
      const request = { flowVersion: "people:v1", sourcePath, runMetadata: { note: "50% of 'it'\n" } }
      const { id } = yield* lume.runAndWait(request, quickly)
      const { html } = yield* see(url, pageOf(id))
      const command = textOf(/<pre class="command"[^>]*><code>([\s\S]*?)<\/code>/.exec(html)?.[1] ?? "").replaceAll(
        " \\ ",
        " "
      )
      const words = yield* Effect.async<ReadonlyArray<string>>((resume) => {
        const shell = `curl() { printf '%s\\0' "$@"; }; ${command}`
        execFile("sh", ["-c", shell], { env: { LUME_API_KEY: "the-key" } }, (_error, stdout) =>
          resume(Effect.succeed(stdout.split("\0").slice(0, -1)))
        )
      })
      const [to = "", ...rest] = words
      assert.deepStrictEqual(rest.slice(0, 5), [
        "-H",
        "lume-api-key: the-key",
        "-H",
        "content-type: application/json",
        "--data-raw"
      ])
      assert.strictEqual(to, `${url}/runs`)
      assert.deepStrictEqual(JSON.parse(rest[5] ?? ""), {
        flow_version: "people:v1",
        source_path: sourcePath,
        run_metadata: request.runMetadata,
        force_rerun: true
      })
      assert.strictEqual((yield* send("/runs", { method: "POST", body: rest[5] ?? "" })).status, 201)
      assert.notInclude(html, Redacted.value(apiKey))
    })
  )
})

// ---------------------------------------------------------------------------------------------------------------------

describe("what came from elsewhere", () => {
  const nasty = `<script>alert(1)</script>"'&\u001b[31m\u202e\u0085.csv`

  live("is text, with its control characters written out", () =>
    Effect.gen(function* () {
      const places = yield* folders({ [nasty]: `Id,Born,<b>"\n1,<img src=x onerror=alert(1)>,\u0007\n` })
      const odd = {
        name: "<i>",
        version: "v1",
        fields: { "<u>": "Born", ok: "Id" },
        tests: [{ error_code: "<s>&", field: "<u>", check: "false AND 1 < 2" }]
      }
      const { lume, url } = yield* serve({ flows: [odd], ...places })
      const runMetadata = { "<k>": "</pre><script>", nested: { "<": ["\u2028"] } }
      const { id } = yield* lume.runAndWait({ flowVersion: "<i>:v1", sourcePath: nasty, runMetadata }, quickly)
      for (const place of ["/", pageOf(id), "/page/changes?since=", `${pageOf(id)}/changes?since=`]) {
        const { html, text } = yield* see(url, place)
        assert.include(text, `<script>alert(1)</script>"'&\\u001b[31m\\u202e\\u0085.csv`, place)
        assert.include(text, "<i>:v1")
        assert.notMatch(html, /<(script|img|b|i|u|s|k)[ >](?!nonce)(?=.*alert)|<img|<u>|<s>|<k>/, place)
        assert.notMatch(html.replace(/\n/g, ""), /[\p{Cc}\p{Bidi_Control}\p{Zl}]/u, place)
        assert.strictEqual(html.match(/<script/g)?.length ?? 0, place.includes("changes") ? 0 : 1)
      }
      assert.include((yield* see(url, pageOf(id))).text, "<img src=x onerror=alert(1)>")
      assert.include((yield* see(url, pageOf("<script>"))).text, "There is no run <script> .")
    })
  )

  live("can't run: nothing is loaded, and only what has the answer's nonce runs", () =>
    Effect.gen(function* () {
      const { lume, url } = yield* start()
      const { id } = yield* lume.runAndWait(people1, quickly)
      const nonces = new Set<string>()
      for (const place of ["/", "/", pageOf(id)]) {
        const { headers, html } = yield* see(url, place)
        const policy = String(headers["content-security-policy"])
        const [, nonce = ""] = /'nonce-([^']{22,})'/.exec(policy) ?? []
        nonces.add(nonce)
        assert.strictEqual(
          policy,
          `default-src 'none'; script-src 'nonce-${nonce}'; style-src 'nonce-${nonce}'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`
        )
        assert.strictEqual(
          html.match(/<(script|style)[^>]*>/g)?.every((tag) => attribute(tag, "nonce") === nonce),
          true
        )
        assert.notMatch(html, / style=| on\w+=|\bsrc=|@import|https?:(?!\/\/(www\.w3\.org\/2000\/svg|127\.0\.0\.1))/)
        assert.strictEqual(headers["cache-control"], "no-store")
        assert.strictEqual(headers["x-content-type-options"], "nosniff")
        assert.strictEqual(headers["referrer-policy"], "no-referrer")
      }
      assert.strictEqual(nonces.size, 3)
    })
  )
})

describe("who may see it", () => {
  live("only who asks for this machine by its own names, and the refusal says which name it got", () =>
    Effect.gen(function* () {
      const { url } = yield* start()
      const { port } = new URL(url)
      const statusOf = (headers: Record<string, string>) => send(url, { headers })
      for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`]) {
        assert.strictEqual((yield* statusOf({ host })).status, 200, host)
      }
      // a rebound name has the same origin as host, and is refused all the same
      const rebound = yield* statusOf({ host: `evil.example:${port}`, origin: `http://evil.example:${port}` })
      assert.strictEqual(rebound.status, 421)
      assert.include(rebound.body, 'not for \\"evil.example')
    })
  )

  live("no other site, and the refusal says which origin it got", () =>
    Effect.gen(function* () {
      const { url } = yield* start()
      const { port } = new URL(url)
      for (const origin of ["http://evil.example", "null", "http://localhost:1", `https://localhost:${port}`, ""]) {
        for (const place of ["/", "/page/changes?since=", pageOf("x"), `${pageOf("x")}/mapped`]) {
          const { body, status } = yield* send(url + place, { headers: { origin } })
          assert.deepStrictEqual(
            [status, JSON.parse(body)],
            [403, { detail: `The page answers itself alone, not the origin ${JSON.stringify(origin)}` }]
          )
        }
      }
      assert.strictEqual((yield* send(url, { headers: { origin: url } })).status, 200)
    })
  )

  live("nobody behind a proxy on this machine", () =>
    Effect.gen(function* () {
      const { url } = yield* start()
      for (const name of ["x-forwarded-for", "X-Real-IP", "Forwarded", "via"]) {
        const { body, status } = yield* send(url, { headers: { [name]: "203.0.113.5" } })
        assert.deepStrictEqual([status, body.includes("a proxy passes on")], [403, true])
      }
    })
  )

  live("who reads: nothing can be written", () =>
    Effect.gen(function* () {
      const { url } = yield* start()
      for (const method of ["POST", "PUT", "DELETE", "PATCH"]) {
        const { body, headers, status } = yield* send(url, { method })
        assert.deepStrictEqual([status, headers.allow], [405, "GET, HEAD"])
        assert.include(body, `not by ${method}`)
      }
      assert.deepStrictEqual((yield* send(url, { method: "HEAD" })).status, 200)
      assert.deepStrictEqual((yield* send(`${url}/page/nothing`)).status, 404)
    })
  )

  const other = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ family, internal }) => family === "IPv4" && !internal)

  live("nobody on another machine, even where the endpoints are for them", () =>
    Effect.gen(function* () {
      const { url } = yield* start({ host: "0.0.0.0", apiKey: Redacted.make("my-own-key") })
      const { port } = new URL(url)
      const at = (address: string, host: string) => send(`http://${address}:${port}/`, { headers: { host } })
      assert.strictEqual((yield* at("127.0.0.1", `127.0.0.1:${port}`)).status, 200)
      assert.strictEqual((yield* at("127.0.0.1", "lume.internal")).status, 421)
      if (other === undefined) return
      const { body, status } = yield* at(other.address, `localhost:${port}`)
      assert.deepStrictEqual([status, body.includes(other.address)], [403, true])
    })
  )

  live("without the faults that programs meet", () =>
    Effect.gen(function* () {
      const asked: Array<string> = []
      const fault = ({ path }: { readonly path: string }) => {
        asked.push(path)
        return "503"
      }
      const { send, url } = yield* start({ fault })
      assert.strictEqual((yield* see(url)).status, 200)
      assert.strictEqual((yield* send("/runs/x")).status, 503)
      assert.deepStrictEqual(asked, ["/runs/x"])
    })
  )
})

// ---------------------------------------------------------------------------------------------------------------------

describe("its script", () => {
  it("has no mistake that types show", () => {
    const options: ts.CompilerOptions = {
      allowJs: true,
      checkJs: true,
      strict: true,
      noImplicitAny: false,
      noEmit: true,
      skipLibCheck: true,
      noUnusedLocals: true,
      target: ts.ScriptTarget.ES2022,
      lib: ["lib.es2023.d.ts", "lib.dom.d.ts", "lib.dom.iterable.d.ts"],
      types: []
    }
    const host = ts.createCompilerHost(options)
    const read = host.getSourceFile
    host.getSourceFile = (name, ...rest) =>
      name === "page.js" ? ts.createSourceFile(name, script, ts.ScriptTarget.ES2022) : read(name, ...rest)
    const program = ts.createProgram(["page.js"], options, host)
    const found = ts.getPreEmitDiagnostics(program)
    assert.deepStrictEqual(
      found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n")),
      []
    )
  })
})
