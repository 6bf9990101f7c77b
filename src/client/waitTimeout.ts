/**
 * How long the waits of a client take where a call does not say: a durable wait writes its deadline down before it asks
 * the client to wait.
 */
import * as Predicate from "effect/Predicate"

// a property, so that it survives a client that is spread into another one
const key: unique symbol = Symbol.for("effect-lume/LumeClient/waitTimeout")

/** Lume's own default, in milliseconds; of a client that is not ours. */
const anHour = 3_600_000

/** Notes the time of a client's waits, in milliseconds. */
export const noted = <A extends object>(client: A, millis: number): A => ({ ...client, [key]: millis })

/** In milliseconds. */
export const of = (client: object): number =>
  Predicate.hasProperty(client, key) && typeof client[key] === "number" ? client[key] : anHour
