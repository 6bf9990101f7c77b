import { createHash } from "node:crypto"
import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"
import { BaseSequencer, type Reporter, type TestSpecification } from "vitest/node"

const src = fileURLToPath(new URL("src", import.meta.url))

const all = ["test/**/*.test.ts", "examples/**/*.test.ts"]
const slow = [
  "test/package.test.ts",
  "test/soak.test.ts",
  "test/local/LocalLumeKills.test.ts",
  // waits for what it types, so that something else is to go on beside it
  "test/local/recordings.test.ts"
]
const local = ["test/local/**/*.test.ts"]
const postgres = ["test/postgres/**/*.test.ts"]
const sqlite = ["test/durable/**/*.test.ts"]
const workflow = ["test/workflow/**/*.test.ts", "examples/durable/**/*.test.ts"]

interface Part {
  readonly name: string
  readonly include: Array<string>
  readonly exclude?: Array<string>
  /** Each file has a process of its own, or threads go from file to file, which spares loading Effect for each. */
  readonly pool: "forks" | "threads"
}

/** A part of the suite by its name: `vitest --project behaviour`. */
const project = (part: Part) => ({
  extends: true as const,
  test: { exclude: [], isolate: part.pool === "forks", ...part }
})

/** Begins with the slow files, so that no core is idle at the end. The others come in Vitest's order, or shuffled. */
class SlowFirst extends BaseSequencer {
  override async sort(files: Array<TestSpecification>): Promise<Array<TestSpecification>> {
    const { seed, shuffle } = this.ctx.config.sequence
    const place = ({ moduleId }: TestSpecification) => createHash("sha256").update(`${seed} ${moduleId}`).digest("hex")
    const sorted = shuffle
      ? files.toSorted((one, other) => (place(one) < place(other) ? -1 : 1))
      : // oxlint-disable-next-line unicorn/no-array-sort -- this one is Vitest's, and gives another array
        await super.sort(files)
    const isSlow = ({ project }: TestSpecification) => project.name === "slow"
    return [...sorted.filter(isSlow), ...sorted.filter((file) => !isSlow(file))]
  }
}

/** Says what was skipped, and how many passed in a line of its own, as the scripts of checks do: `.ci/run` adds these lines up. */
const count = (): Reporter => {
  let isOfSome = false
  return {
    onInit: ({ config }) => void (isOfSome = config.testNamePattern !== undefined),
    onTestRunEnd: (modules, errors) => {
      const tests = modules.flatMap((module) => [...module.children.allTests()])
      const inState = (state: string) => tests.filter((test) => test.result().state === state)
      if (!isOfSome) for (const { fullName } of inState("skipped")) process.stdout.write(`skipped: ${fullName}\n`)
      const broken = modules.filter((module) => module.errors().length > 0).length + errors.length
      process.stdout.write(`${inState("passed").length} passed, ${inState("failed").length + broken} failed\n`)
    }
  }
}

export default defineConfig({
  resolve: {
    alias: [
      { find: /^effect-lume$/, replacement: `${src}/index.ts` },
      { find: /^effect-lume\/(.*)$/, replacement: `${src}/$1.ts` }
    ]
  },
  test: {
    reporters: ["default", count()],
    projects: [
      project({ name: "slow", include: slow, pool: "forks" }),
      // An expression that DuckDB can't stop ends with its process.
      project({ name: "local", include: local, exclude: slow, pool: "forks" }),
      project({ name: "workflow", include: workflow, pool: "forks" }),
      // asked for by name only: `npm run check:postgres`, `npm run check:sqlite`
      project({ name: "postgres", include: postgres, pool: "forks" }),
      project({ name: "sqlite", include: sqlite, pool: "forks" }),
      project({
        name: "behaviour",
        include: all,
        exclude: [...slow, ...local, ...workflow, ...postgres, ...sqlite],
        pool: "threads"
      })
    ],
    sequence: { sequencer: SlowFirst },
    // Vitest leaves one core idle.
    maxWorkers: "100%",
    // Of a test that hangs; none is slow, but the machine may be.
    testTimeout: 120_000,
    hookTimeout: 120_000
  }
})
