/**
 * What the waits of a client are where a call does not say: a durable wait writes its deadline down before it asks the
 * client to wait, and hears of each status.
 */
import * as Predicate from "effect/Predicate"
import type { Plan } from "./polling.js"

/** @see Plan */
type Defaults = Pick<Plan, "timeout" | "onStatus">

// a property, so that it survives a client that is spread into another one
const key: unique symbol = Symbol.for("effect-lume/LumeClient/waitDefaults")

/** Lume's own default, an hour; of a client that is not ours. */
const lumesOwn: Defaults = { timeout: 3_600_000, onStatus: undefined }

/** Notes what a client's waits are. */
export const noted = <A extends object>(client: A, { onStatus, timeout }: Defaults): A => {
  const defaults: Defaults = { timeout, onStatus }
  return { ...client, [key]: defaults }
}

// a mock of a client has something under every key
const isDefaults = (noted: unknown): noted is Defaults =>
  Predicate.hasProperty(noted, "timeout") && typeof noted.timeout === "number"

/** What a client's waits are. */
export const of = (client: object): Defaults =>
  Predicate.hasProperty(client, key) && isDefaults(client[key]) ? client[key] : lumesOwn
