// Makes the checks in workerd: runs a worker that holds them.
import { Miniflare } from "miniflare"
import { readFileSync } from "node:fs"

const [bundle, url] = process.argv.slice(2)
const worker = new Miniflare({
  modules: true,
  compatibilityDate: "2026-04-15",
  script: `${readFileSync(bundle, "utf8")}
    export default { fetch: async () => Response.json(await checks.report(${JSON.stringify(url)})) }`
})
const response = await worker.dispatchFetch("http://worker/")
console.log(await response.text())
await worker.dispose()
