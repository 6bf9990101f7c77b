import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"
import type { Reporter } from "vitest/node"

const src = fileURLToPath(new URL("src", import.meta.url))

const all = ["test/**/*.test.ts", "examples/**/*.test.ts"]
const slow = ["test/package.test.ts", "test/soak.test.ts", "test/durable/sqlite.test.ts"]
const local = ["test/local/**/*.test.ts"]
const postgres = ["test/postgres/**/*.test.ts"]
const workflow = ["test/workflow/**/*.test.ts", "examples/durable/**/*.test.ts"]

/** A part of the suite by its name: `vitest --project behaviour`. Groups run one after the other. */
const project = (name: string, groupOrder: number, include: Array<string>, exclude: Array<string> = []) => ({
  extends: true as const,
  test: { name, include, exclude, sequence: { groupOrder } }
})

/** Says how many passed in a line of its own, as the scripts of checks do: `.ci/run` adds these lines up. */
const count: Reporter = {
  onTestRunEnd: (modules, errors) => {
    const states = modules.flatMap((module) => Array.from(module.children.allTests(), (test) => test.result().state))
    const passed = states.filter((state) => state === "passed").length
    const failed = states.filter((state) => state === "failed").length
    const broken = modules.filter((module) => module.errors().length > 0).length + errors.length
    process.stdout.write(`${passed} passed, ${failed + broken} failed\n`)
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
    reporters: ["default", count],
    projects: [
      // first, so that no core is idle at the end
      project("slow", 0, slow),
      project("local", 1, local),
      project("workflow", 1, workflow),
      // asked for by name only: `npm run check:postgres`
      project("postgres", 1, postgres),
      project("behaviour", 1, all, [...slow, ...local, ...workflow, ...postgres])
    ],
    // Vitest leaves one core idle.
    maxWorkers: "100%",
    minWorkers: "100%",
    // Of a test that hangs; none is slow, but the machine may be.
    testTimeout: 120_000,
    hookTimeout: 120_000
  }
})
