/**
 * Ways to verify the same delivery so many times, one after the other. Each gives the seconds that it took.
 */
import { createHmac } from "node:crypto"

const secret = "whsec-3b1f-0123456789abcdef"
const body = JSON.stringify({
  run_id: "run_01HYE5ZJ4T8Q2W",
  status: "SUCCEEDED",
  run_metadata: { pad: "x".repeat(950) }
})
const signature = createHmac("sha256", secret).update(body).digest("hex")

/** @param {() => Promise<unknown>} verify */
const timed = (verify) => async (/** @type {number} */ times) => {
  const startedAt = performance.now()
  for (let i = 0; i < times; i++) await verify()
  return (performance.now() - startedAt) / 1000
}

const lume = async (/** @type {any} */ secrets) => {
  const Effect = await import("effect/Effect")
  const LumeWebhook = await import("../dist/LumeWebhook.js")
  const verify = LumeWebhook.verify({ secrets, body, signature })
  return async (/** @type {number} */ times) => {
    const startedAt = performance.now()
    await Effect.runPromise(Effect.repeatN(verify, times - 1))
    return (performance.now() - startedAt) / 1000
  }
}

const octokit = (/** @type {string} */ build) => async () => {
  const { verify } = await import(`./node_modules/@octokit/webhooks-methods/${build}/index.js`)
  return timed(() => verify(secret, body, `sha256=${signature}`))
}

export const contenders = {
  "effect-lume": async () => {
    const Redacted = await import("effect/Redacted")
    return lume([Redacted.make(secret)])
  },
  "effect-lume, secrets from a Config": async () => {
    const Config = await import("effect/Config")
    process.env["LUME_WEBHOOK_SECRET"] = secret
    return lume(Config.map(Config.redacted("LUME_WEBHOOK_SECRET"), (secret) => [secret]))
  },
  "octokit, web build": octokit("dist-web"),
  "octokit, Node build": octokit("dist-node"),
  standardwebhooks: async () => {
    const { Webhook } = await import("standardwebhooks")
    const webhook = new Webhook(Buffer.from(secret).toString("base64"))
    const id = "msg_1"
    const at = new Date()
    const headers = {
      "webhook-id": id,
      "webhook-timestamp": String(Math.floor(at.getTime() / 1000)),
      "webhook-signature": webhook.sign(id, at, body)
    }
    return timed(async () => webhook.verify(body, headers))
  }
}
