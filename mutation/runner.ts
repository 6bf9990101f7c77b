/**
 * A file of tests that can't be loaded fails as a test of its own. Without one Stryker sees no test that failed, and counts a
 * mutant that breaks a module where it is loaded among the survivors.
 */
import { test } from "vitest"
import { VitestTestRunner } from "vitest/runners"

export default class extends VitestTestRunner {
  override async importFile(path: string, source: "collect" | "setup"): Promise<unknown> {
    try {
      return await super.importFile(path, source)
    } catch (error) {
      if (source === "setup") throw error
      return test("is loaded", () => {
        throw error
      })
    }
  }
}
