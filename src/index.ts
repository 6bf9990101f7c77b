/**
 * The Lume SDK for Effect.
 */

export * as LumeClient from "./LumeClient.js"
export * as LumeError from "./LumeError.js"
export * as LumeMetadata from "./LumeMetadata.js"
export * as LumeRun from "./LumeRun.js"
export * as LumeTest from "./LumeTest.js"
export * as LumeWebhook from "./LumeWebhook.js"
export * as RunEvents from "./RunEvents.js"
export * as RunRequest from "./RunRequest.js"
export * as WebhookDeliveries from "./WebhookDeliveries.js"
