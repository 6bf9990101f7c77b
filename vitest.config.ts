import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"

const src = fileURLToPath(new URL("src", import.meta.url))

export default defineConfig({
  resolve: {
    alias: [
      { find: /^effect-lume$/, replacement: `${src}/index.ts` },
      { find: /^effect-lume\/(.*)$/, replacement: `${src}/$1.ts` }
    ]
  },
  test: {
    include: ["test/**/*.test.ts", "examples/**/*.test.ts"]
  }
})
