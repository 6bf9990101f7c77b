/**
 * The tests that Stryker runs for each mutant: of the package's behaviour, in one process, but not those of the command, of
 * the repository's pages, and those that start other processes.
 */
import { mergeConfig, defineConfig } from "vitest/config"
import whole from "../vitest.config.js"

const { projects: _, reporters: __, sequence: ___, ...test } = whole.test ?? {}

export default mergeConfig(
  { ...whole, test },
  defineConfig({
    test: {
      isolate: false,
      include: ["test/*.test.ts"],
      exclude: ["test/{cli*,docs,imports,package,snippets,soak,versions}.test.ts"],
      // a mutant that hangs is a mutant that is found
      testTimeout: 20_000
    }
  })
)
