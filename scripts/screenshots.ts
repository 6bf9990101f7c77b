/**
 * `npm run screenshots`: the pictures of the local Lume's page in docs/images, made anew.
 */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import type { Browser, BrowserContextOptions } from "playwright-core"
import { join } from "node:path"
import { install, launch } from "./browser.js"
import { ends, folders, start } from "./localLume.js"
import { repository } from "./repository.js"

const images = join(repository, "docs", "images")

const picture = (browser: Browser, url: string, name: string, options: BrowserContextOptions) =>
  Effect.promise(async () => {
    const context = await browser.newContext({ deviceScaleFactor: 1.5, ...options })
    const page = await context.newPage()
    await page.goto(url)
    await page.screenshot({ path: join(images, `${name}.png`), animations: "disabled" })
    await context.close()
  })

Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  yield* files.makeDirectory(images, { recursive: true })
  // the page's first fonts: without them the pictures have whatever the machine has
  yield* install("fonts-inter", "fonts-jetbrains-mono")
  const browser = yield* launch
  const wide = { viewport: { width: 1280, height: 800 } }
  const narrow = { viewport: { width: 400, height: 800 } }

  const nothing = yield* start(yield* folders)
  yield* picture(browser, nothing.url, "page-empty", { viewport: { width: 1280, height: 440 } })

  const places = yield* folders
  // a run that its process has left behind
  yield* Effect.scoped(
    Effect.gen(function* () {
      const { submit, until } = yield* start(places)
      yield* until(yield* submit("reconciler:v4", "s3://acme/batch-001.csv"), "TRANSFORMING")
    })
  )
  const { submit, until, url } = yield* start({ ...places, concurrency: 1 })
  const metadata = { batch: "2026-10", requested_by: "nightly" }
  const run = (source: string) => Effect.tap(submit("invoice_cleaner:v4", source, metadata), (id) => until(id, ...ends))
  yield* run("s3://acme/batch-001.csv")
  const partial = yield* run("s3://acme/batch-002.csv")
  yield* run("s3://acme/batch-009.csv")
  yield* run("s3://acme/batch-003.csv")
  yield* until(yield* submit("reconciler:v4", "s3://acme/batch-002.csv"), "TRANSFORMING")
  yield* submit("invoice_cleaner:v4", "s3://acme/batch-003.csv")

  yield* picture(browser, url, "page", wide)
  yield* picture(browser, url, "page-dark", { ...wide, colorScheme: "dark" })
  yield* picture(browser, url, "page-narrow", narrow)
  yield* picture(browser, `${url}/page/runs/${partial}`, "page-run", { viewport: { width: 1280, height: 1120 } })
}).pipe(Effect.scoped, Effect.provide(NodeContext.layer), NodeRuntime.runMain)
