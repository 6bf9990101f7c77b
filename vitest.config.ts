import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"

const src = fileURLToPath(new URL("src", import.meta.url))

const all = ["test/**/*.test.ts", "examples/**/*.test.ts"]
const slow = ["test/package.test.ts", "test/soak.test.ts"]
const local = ["test/local/**/*.test.ts"]

/** A part of the suite by its name: `vitest --project behaviour`. Groups run one after the other. */
const project = (name: string, groupOrder: number, include: Array<string>, exclude: Array<string> = []) => ({
  extends: true as const,
  test: { name, include, exclude, sequence: { groupOrder } }
})

export default defineConfig({
  resolve: {
    alias: [
      { find: /^effect-lume$/, replacement: `${src}/index.ts` },
      { find: /^effect-lume\/(.*)$/, replacement: `${src}/$1.ts` }
    ]
  },
  test: {
    projects: [
      // first, so that no core is idle at the end
      project("slow", 0, slow),
      project("local", 1, local),
      project("behaviour", 1, all, [...slow, ...local])
    ],
    // Vitest leaves one core idle.
    maxWorkers: "100%",
    minWorkers: "100%",
    // Of a test that hangs; none is slow, but the machine may be.
    testTimeout: 60_000,
    hookTimeout: 60_000
  }
})
