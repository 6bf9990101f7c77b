/**
 * A file of tests that can't be loaded, or a `describe` that can't be collected, fails as a test of its own. Without one
 * Stryker sees no test that failed, and counts a mutant that breaks a module where it is loaded, or what a test is made
 * from, among the survivors.
 */
import { describe, test } from "vitest"
import { VitestTestRunner } from "vitest/runners"
import { getCurrentSuite } from "vitest/suite"

type Collector = ReturnType<typeof describe>

const failing = (what: string, error: unknown) =>
  test(what, () => {
    throw error
  })

/** Collects the tests of a `describe`; in place of its failure a test that fails. */
const caught = (collector: Collector): void => {
  const { collect } = collector
  collector.collect = async (file) => {
    try {
      return await collect(file)
    } catch (error) {
      return await describe(collector.name, () => {
        failing("is collected", error)
      }).collect(file)
    }
  }
}

export default class extends VitestTestRunner {
  override async importFile(path: string, source: "collect" | "setup"): Promise<unknown> {
    if (source === "setup") return super.importFile(path, source)
    try {
      await super.importFile(path, source)
      for (const task of getCurrentSuite().tasks) if (task.type === "collector") caught(task)
    } catch (error) {
      failing("is loaded", error)
    }
    return undefined
  }
}
