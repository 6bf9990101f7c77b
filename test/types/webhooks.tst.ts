/**
 * What the types promise of webhooks: exact errors, exact requirements, and what does not compile.
 */
import type * as HttpApp from "@effect/platform/HttpApp"
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Schema from "effect/Schema"
import { describe, expect, test } from "tstyche"
import type * as LumeError from "../../src/LumeError.js"
import * as LumeWebhook from "../../src/LumeWebhook.js"
import * as RunEvents from "../../src/RunEvents.js"
import * as WebhookDeliveries from "../../src/WebhookDeliveries.js"

const secrets = [Redacted.make("whsec")] as const
const fromConfig = Config.map(Config.redacted("LUME_WEBHOOK_SECRET"), (secret) => [secret] as const)
const delivery = { body: "{}", signature: "" }

describe("a delivery", () => {
  test("is refused with exactly these errors, and those of its secrets", () => {
    expect(LumeWebhook.verify({ ...delivery, secrets })).type.toBe<
      Effect.Effect<void, LumeError.WebhookSignatureError>
    >()
    expect(LumeWebhook.unwrap({ ...delivery, secrets: fromConfig })).type.toBe<
      Effect.Effect<
        LumeWebhook.WebhookEvent,
        LumeError.WebhookSignatureError | LumeError.WebhookPayloadError | ConfigError.ConfigError
      >
    >()
  })

  test("takes no parsed body, and no empty list of secrets", () => {
    expect(LumeWebhook.verify).type.not.toBeCallableWith({ ...delivery, secrets, body: {} })
    expect(LumeWebhook.verify).type.not.toBeCallableWith({ ...delivery, secrets: [] })
    expect(LumeWebhook.verify).type.not.toBeCallableWith({ ...delivery, secrets: ["whsec"] })
  })

  test("has an event that is a schema, whose encoded side is JSON", () => {
    expect(LumeWebhook.WebhookEvent).type.toBeAssignableTo<
      Schema.Schema<LumeWebhook.WebhookEvent, { readonly [key: string]: unknown }>
    >()
  })
})

describe("the HTTP app", () => {
  test("never fails, and needs what its options need", () => {
    expect(LumeWebhook.httpApp({ secrets, handler: () => Effect.fail("no") })).type.toBe<HttpApp.Default>()
    expect(
      LumeWebhook.httpApp({
        secrets: fromConfig,
        handler: RunEvents.publish,
        deliveries: WebhookDeliveries.WebhookDeliveries,
        timeout: "1 minute"
      })
    ).type.toBe<HttpApp.Default<never, RunEvents.RunEvents | WebhookDeliveries.WebhookDeliveries>>()
  })
})

describe("a memory of deliveries", () => {
  test("can be refused", () => {
    expect(WebhookDeliveries.makeInMemory({ capacity: 10 })).type.toBe<
      Effect.Effect<WebhookDeliveries.Service, LumeError.InvalidRequestError>
    >()
  })
})
