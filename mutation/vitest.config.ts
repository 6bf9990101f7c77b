/**
 * The tests that Stryker runs for each mutant: of the package's behaviour, in one process, but not those of the command, of
 * the repository's pages, and those that start other processes.
 */
import { relative } from "node:path"
import { defineConfig, mergeConfig } from "vitest/config"
import { BaseSequencer, type TestSpecification } from "vitest/node"
import whole from "../vitest.config.js"

// tests that start processes are left out, unless they are asked for
const asked = process.env["MUTATION_TESTS"] || undefined

const { projects: _, reporters: __, sequence: ___, ...test } = whole.test ?? {}

/** A mutant is done with at the first test that fails: so what failed last comes first, and then what takes least. */
class LikelyAndShortFirst extends BaseSequencer {
  override async sort(files: Array<TestSpecification>): Promise<Array<TestSpecification>> {
    const last = ({ moduleId, project }: TestSpecification) =>
      this.ctx.cache.getFileTestResults(`${project.name}:${relative(this.ctx.config.root, moduleId)}`)
    const place = (file: TestSpecification) => (last(file)?.failed ? -1 : (last(file)?.duration ?? 0))
    return files.toSorted((one, other) => place(one) - place(other))
  }
}

export default mergeConfig(
  { ...whole, test },
  defineConfig({
    test: {
      isolate: false,
      setupFiles: ["mutation/setup.ts"],
      runner: "mutation/runner.ts",
      include: asked?.split(",") ?? ["test/*.test.ts", "test/workflow/*.test.ts"],
      exclude:
        asked === undefined
          ? ["test/{cli,cliDoctor,cliSignals,cliTerminal,cliWait,docs,imports,package,snippets,soak,versions}.test.ts"]
          : [],
      sequence: { sequencer: LikelyAndShortFirst },
      // a mutant that hangs is a mutant that is found
      testTimeout: asked === undefined ? 6_000 : 20_000
    }
  })
)
