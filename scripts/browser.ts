/**
 * Debian's Chromium, installed where it is missing, driven by playwright-core, which brings no browser of its own.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { chromium } from "playwright-core"
import { run } from "./run.js"

const executable = "/usr/bin/chromium"

/** Installs Debian packages; fails where that is not possible. */
export const install = (...packages: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    yield* Console.log(`Installing ${packages.join(", ")}`)
    const environment = { DEBIAN_FRONTEND: "noninteractive" }
    yield* run("/", ["apt-get", "update", "-q"], environment)
    yield* run("/", ["apt-get", "install", "-q", "-y", "--no-install-recommends", ...packages], environment)
  })

/** A browser, as long as the scope is open. */
export const launch = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  if (!(yield* files.exists(executable))) yield* install("chromium")
  return yield* Effect.acquireRelease(
    // Its sandbox asks for more than a container allows. It opens nothing but our own page.
    Effect.promise(() => chromium.launch({ executablePath: executable, args: ["--no-sandbox"] })),
    (browser) => Effect.promise(() => browser.close())
  )
})
