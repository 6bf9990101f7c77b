/**
 * A Lume on this machine, as a process of its own: Lume's service does not end when your process is killed. `main.ts`
 * starts it where it is not there.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as LocalLume from "effect-lume/local/LocalLume"
import { writeFileSync } from "node:fs"

const [folder = "", port = ""] = process.argv.slice(2)

const Lume = LocalLume.layer({
  flows: [
    {
      name: "orders",
      version: "v1",
      fields: { order_id: '"Order"', total: 'try_cast("Total" AS DECIMAL(12, 2))' },
      tests: [{ error_code: "INVALID_TOTAL", field: "total", check: "total IS NOT NULL" }]
    }
  ],
  sources: `${folder}/sources`,
  targets: `${folder}/targets`,
  apiKey: Redacted.make("local-key"),
  port: Number(port)
})

// so that it can be ended
writeFileSync(`${folder}/lume.pid`, String(process.pid))

NodeRuntime.runMain(Layer.launch(Lume))
