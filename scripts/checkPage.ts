/**
 * `npm run check:page`: the local Lume's page in a real browser.
 */
import type * as FileSystem from "@effect/platform/FileSystem"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { strict as assert } from "node:assert"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import type { Browser, Page } from "playwright-core"
import { RunId } from "../src/LumeRun.js"
import * as http from "../src/local/internal/http.js"
import type { Entry } from "../src/local/internal/ledger.js"
import * as localPage from "../src/local/internal/page/app.js"
import * as store from "../src/local/internal/store.js"
import { launch } from "./browser.js"
import { hindersNoOther, main } from "./checks.js"
import { ends, flows, folders, hostile, start } from "./localLume.js"

// ---------------------------------------------------------------------------------------------------------------------
// What is looked at

/** What a browser should never say: errors of scripts, refused styles, failed requests. */
const complaints: Array<string> = []

/** Opens a tab on a page. */
const open = (browser: Browser, url: string, width = 1280) =>
  Effect.gen(function* () {
    const context = yield* Effect.acquireRelease(
      Effect.promise(() => browser.newContext({ viewport: { width, height: 700 } })),
      (context) => Effect.promise(() => context.close())
    )
    return yield* Effect.promise(async () => {
      const page = await context.newPage()
      return visit(page, url)
    })
  })

const visit = async (page: Page, url: string): Promise<Page> => {
  page.setDefaultTimeout(20_000)
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text())
  })
  page.on("pageerror", (error) => complaints.push(String(error)))
  await page.goto(url)
  return page
}

/** Waits until a page's text has this in it. */
const sees = (page: Page, text: string | RegExp) =>
  Effect.promise(() => page.locator("main").filter({ hasText: text }).waitFor())

/** A page over a store of its own, whose runs are what is written there. */
const staged = Effect.gen(function* () {
  const context = yield* Layer.build(store.layerMemory({ keepFor: Infinity, keepRuns: 10_000 }))
  const places = yield* folders
  const services = Layer.merge(Layer.succeedContext(context), NodeHttpServer.layerContext)
  const url = yield* Effect.gen(function* () {
    const known = new Map(flows.map((flow) => [`${flow.name}:${flow.version}`, flow]))
    const app = yield* localPage.make({ flows: known, targets: places.targets })
    const nothing = HttpServerResponse.empty({ status: 404 })
    return yield* http.serve(nothing, { host: "127.0.0.1", port: 0, fault: undefined }, { has: localPage.has, app })
  }).pipe(Effect.provide(services))
  const add = (entry: Entry) => Effect.flatMap(store.Store, (kept) => kept.add(entry)).pipe(Effect.provide(context))
  const request = { flowVersion: "invoice_cleaner:v4", sourcePath: "s3://acme/a.csv" }
  const accept = (id: RunId) => add({ _tag: "Accepted", id, at: Date.now(), request })
  const end = (id: RunId) =>
    add({
      _tag: "Ended",
      id,
      at: Date.now(),
      status: "PARTIAL_FAILED",
      metadata: { results: { input_rows: 7, mapped_rows: 4, rejected_rows: 3 }, errors: [] },
      deliver: false
    })
  return { add, accept, end, url }
})

const runId = (number: number): RunId => RunId.make(`run_${String(number).padStart(26, "0")}`)

// ---------------------------------------------------------------------------------------------------------------------
// Checks

/** Each stage is seen before the next one begins; the list, and the page of the run, without a reload. */
const stages = (browser: Browser) =>
  Effect.gen(function* () {
    const { accept, add, end, url } = yield* staged
    const id = runId(1)
    const list = yield* open(browser, url)
    yield* sees(list, "No runs yet")
    yield* accept(id)
    yield* sees(list, "Created")
    const one = yield* open(browser, `${url}/page/runs/${id}`)
    yield* Effect.promise(() => list.locator("tbody a").focus())
    for (const [stage, word] of [
      ["SYNCING_SOURCE", "Syncing source"],
      ["TRANSFORMING", "Transforming"],
      ["SYNCING_TARGET", "Syncing target"]
    ] as const) {
      yield* add({ _tag: "Entered", id, stage })
      yield* Effect.all([sees(list, word), sees(one, word)])
    }
    yield* end(id)
    yield* Effect.all([sees(list, /Partial failed.*7\s*4\s*3/s), sees(one, /7\s*Input rows\s*|Input rows\s*7/)])
    for (const page of [list, one]) {
      const announced = page.getByText("Partial failed: invoice_cleaner:v4 on s3://acme/a.csv, 3 of 7 rows rejected.")
      yield* Effect.promise(() => announced.waitFor({ state: "attached" }))
      assert.match(yield* Effect.promise(() => page.title()), /^(Partial failed|Runs) · /)
    }
    // the link has kept its focus through five changes of its row
    assert.equal(
      yield* Effect.promise(() => list.evaluate(() => document.activeElement?.getAttribute("href"))),
      `/page/runs/${id}`
    )
  })

/** Rows come in above, and what is read stays where it is; after 200 the oldest go. */
const place = (browser: Browser) =>
  Effect.gen(function* () {
    const { accept, end, url } = yield* staged
    yield* Effect.forEach(Array.from({ length: 205 }), (_, index) =>
      Effect.zipRight(accept(runId(index)), end(runId(index)))
    )
    const page = yield* open(browser, url)
    const rows = page.locator("tbody tr")
    assert.equal(yield* Effect.promise(() => rows.count()), 200)
    const read = page.locator(`#${runId(150)}`)
    yield* Effect.promise(() => read.scrollIntoViewIfNeeded())
    const top = () => Effect.promise(() => read.evaluate((row) => Math.round(row.getBoundingClientRect().top)))
    const before = yield* top()
    yield* accept(runId(1000))
    yield* Effect.promise(() => page.locator(`#${runId(1000)}`).waitFor({ state: "attached" }))
    assert.equal(yield* top(), before)
    assert.equal(yield* Effect.promise(() => rows.count()), 200)
    yield* Effect.promise(() => page.getByRole("link", { name: "Older" }).click())
    yield* sees(page, "Older runs")
    assert.equal(yield* Effect.promise(() => rows.count()), 6)
  })

/** A source path that is a script is shown, and not run. */
const text = (browser: Browser) =>
  Effect.gen(function* () {
    const { sources, targets, write } = yield* folders
    yield* write(hostile.replaceAll("/", "_"), "Invoice,Issued,Net\n1,01.10.2026,1\n")
    const { submit, until, url } = yield* start({ sources, targets })
    const list = yield* open(browser, url)
    const id = yield* submit("invoice_cleaner:v4", hostile)
    yield* until(id, ...ends)
    yield* sees(list, hostile)
    const one = yield* open(browser, `${url}/page/runs/${id}`)
    yield* sees(one, hostile)
    for (const page of [list, one]) assert.notEqual(yield* Effect.promise(() => page.title()), "taken")
  })

/** More tabs than a browser has connections to a host. */
const tabs = (browser: Browser) =>
  Effect.gen(function* () {
    const { accept, url } = yield* staged
    const first = yield* open(browser, url)
    const others = yield* Effect.promise(() =>
      Promise.all(Array.from({ length: 7 }, async () => visit(await first.context().newPage(), url)))
    )
    for (const number of [1, 2]) {
      yield* accept(runId(number))
      yield* Effect.forEach([first, ...others], (page) => sees(page, runId(number)), { concurrency: "unbounded" })
    }
  })

/** A server that goes away is missed, with the time; one that comes back is followed again. */
const away = (browser: Browser) =>
  Effect.gen(function* () {
    const places = yield* folders
    const serve = (port: number) =>
      Effect.gen(function* () {
        const scope = yield* Scope.make()
        const server = yield* Scope.extend(start({ ...places, port }), scope)
        return { ...server, stop: Scope.close(scope, Exit.void) }
      })
    const before = yield* serve(0)
    const page = yield* open(browser, before.url)
    yield* sees(page, "No runs yet")
    const said = complaints.length
    yield* before.stop
    const notice = page.locator("#connection")
    yield* Effect.promise(() =>
      notice.filter({ hasText: /^Not connected since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\./ }).waitFor()
    )
    const after = yield* serve(Number(new URL(before.url).port))
    yield* Effect.promise(() => notice.filter({ hasText: "Connected again" }).waitFor())
    // a browser says of each request that it was refused: that is no fault of the page
    const refused = complaints.splice(said).filter((text) => !text.includes("net::ERR_"))
    assert.deepEqual(refused, [])
    yield* after.submit("invoice_cleaner:v4", "small.csv")
    yield* sees(page, "Succeeded")
    yield* after.stop
  })

/** Tells a page that it is hidden, or shown: without a screen, no tab of Chromium's ever is behind another one. */
const setHidden = (page: Page, isHidden: boolean) =>
  Effect.promise(() =>
    page.evaluate((isHidden) => {
      Object.defineProperty(document, "hidden", { configurable: true, value: isHidden })
      document.dispatchEvent(new Event("visibilitychange"))
    }, isHidden)
  )

/** A tab that is hidden asks nothing, and at once when it is shown. */
const hidden = (browser: Browser) =>
  Effect.gen(function* () {
    const { accept, url } = yield* staged
    const page = yield* open(browser, url)
    let asked = 0
    page.on("request", () => (asked += 1))
    yield* Effect.promise(() => page.waitForResponse((response) => response.status() === 204))
    assert.ok(asked > 0)
    yield* setHidden(page, true)
    // one that had begun may end
    yield* Effect.sleep("500 millis")
    asked = 0
    yield* accept(runId(1))
    yield* Effect.sleep("4 seconds")
    assert.equal(asked, 0)
    yield* setHidden(page, false)
    yield* sees(page, runId(1))
    // shown and hidden again and again, it still asks once a second
    for (const isHidden of [true, false, true, false, true, false]) yield* setHidden(page, isHidden)
    yield* Effect.sleep("500 millis")
    asked = 0
    yield* Effect.sleep("3 seconds")
    assert.ok(asked >= 1 && asked <= 4, `asked ${asked} times in 3 seconds`)
  })

/** Every place is reached, and every action done, by keys alone. */
const keyboard = (browser: Browser) =>
  Effect.gen(function* () {
    const { submit, until, url } = yield* start(yield* folders)
    const id = yield* submit("invoice_cleaner:v4", "s3://acme/batch-003.csv")
    yield* until(id, ...ends)
    const page = yield* open(browser, url)
    /** Goes on by the Tab key until a place has the focus. */
    const reach = (selector: string) =>
      Effect.promise(async () => {
        for (let count = 0; count < 40; count += 1) {
          await page.keyboard.press("Tab")
          const is = await page.evaluate((selector) => document.activeElement?.matches(selector) === true, selector)
          if (!is) continue
          const outline = await page.evaluate(
            () => getComputedStyle(document.activeElement ?? document.body).outlineStyle
          )
          assert.notEqual(outline, "none", `${selector} does not show its focus`)
          return
        }
        assert.fail(`${selector} is not reached`)
      })
    const press = (key: string) => Effect.promise(() => page.keyboard.press(key))
    yield* reach("tbody a")
    yield* press("Enter")
    yield* sees(page, "Rejected rows")
    yield* reach("a.back")
    yield* reach("a[href$='/mapped']")
    const download = page.waitForEvent("download")
    yield* press("Enter")
    assert.equal((yield* Effect.promise(() => download)).suggestedFilename(), `${id}-mapped.csv`)
    yield* reach(".scroll")
    yield* reach(".command")
    yield* reach("summary")
    yield* press("Enter")
    yield* Effect.promise(() => page.locator("details[open] pre").waitFor())
    yield* reach("details pre")
  })

/** Nothing is wider than the window, from a telephone on; nothing of the list is cut off by its frame. */
const widths = (browser: Browser) =>
  Effect.gen(function* () {
    const { submit, until, url } = yield* start(yield* folders)
    const id = yield* submit("invoice_cleaner:v4", "s3://acme/batch-002.csv", { note: "x".repeat(200) })
    yield* until(id, ...ends)
    yield* until(yield* submit("invoice_cleaner:v4", `s3://acme/${"long".repeat(60)}.csv`), ...ends)
    for (const place of ["/", `/page/runs/${id}`]) {
      const page = yield* open(browser, url + place)
      for (const width of [400, 768, 901, 1024, 1200, 1280]) {
        const wider = yield* Effect.promise(async () => {
          await page.setViewportSize({ width, height: 700 })
          return page.evaluate(() =>
            [document.documentElement, ...document.querySelectorAll(".card, .card td, section")]
              .filter((element) => element.scrollWidth > element.clientWidth && element.clientWidth > 0)
              .map(
                (element) => `${element.tagName} ${element.className}: ${element.scrollWidth} > ${element.clientWidth}`
              )
          )
        })
        assert.deepEqual(wider, [], `${place} at ${width} pixels`)
      }
    }
  })

type Looking = (browser: Browser) => Effect.Effect<void, unknown, FileSystem.FileSystem | Scope.Scope>

const all: ReadonlyArray<readonly [string, Looking]> = [
  ["a run is seen going through its stages, and its outcome is announced", stages],
  ["what is read keeps its place while rows come in above it", place],
  ["a source path that is a script is text", text],
  ["eight tabs are all live", tabs],
  ["a server that is stopped and started again is missed, and followed again", away],
  ["a hidden tab asks nothing", hidden],
  ["everything is done by keys alone", keyboard],
  ["nothing is wider than the window, or cut off, from 400 pixels on", widths]
]

main((check) =>
  Effect.gen(function* () {
    const browser = yield* check("a browser is there", launch)
    const checks = all.map(([name, look]) => check(name, Effect.scoped(Effect.timeout(look(browser), "60 seconds"))))
    const silence = check(
      "the browser's console has no error",
      Effect.sync(() => assert.deepEqual(complaints, []))
    )
    yield* Effect.forEach([...checks, silence], hindersNoOther, { discard: true })
  })
)
