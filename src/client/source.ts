/**
 * What is beneath a response of the platform: the runtime's own, which knows what the platform does not tell. Whether its
 * body was read before, and the socket that it came by.
 */
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"

/** The platform wraps responses in others, which have the inner one as `original`. */
export const originalOf = (response: object): unknown =>
  Predicate.hasProperty(response, "original") ? response.original : undefined

const sourceOf = (response: object): unknown => {
  const original = originalOf(response)
  if (Predicate.isObject(original)) return sourceOf(original)
  return Predicate.hasProperty(response, "source") ? response.source : undefined
}

const bodyOf = (source: unknown): unknown => (Predicate.hasProperty(source, "body") ? source.body : undefined)

const says = (value: unknown, property: string): boolean =>
  Predicate.hasProperty(value, property) && value[property] === true

/** Whether something has read the body before, or has begun to: its stream has nothing more to give, or dies of that. */
export const wasRead = (response: object): boolean => {
  const source = sourceOf(response)
  // of Fetch's it is known without its body, which some runtimes make when it is looked at
  if (Predicate.hasProperty(source, "bodyUsed")) return source.bodyUsed === true
  // Node's client has a stream as its source, Undici's as its source's body
  return [source, bodyOf(source)].some((stream) => says(stream, "readableDidRead") || says(stream, "readableFlowing"))
}

/** Whether it has been read to its end on Node, where another reading would wait for ever. */
export const wasReadToEnd = (response: object): boolean => {
  const source = sourceOf(response)
  return says(source, "readableEnded") || says(bodyOf(source), "readableEnded")
}

/**
 * Closes the connection of an answer that has no end: Node's client keeps the socket of a 101 open for good, because it
 * is meant to speak another protocol from there on.
 */
export const close = (response: object): Effect.Effect<void> =>
  Effect.suspend(() => {
    const source = sourceOf(response)
    const socket = Predicate.hasProperty(source, "socket") ? source.socket : undefined
    const destroy = Predicate.hasProperty(socket, "destroy") ? socket.destroy : undefined
    return typeof destroy === "function" ? Effect.sync(() => Reflect.apply(destroy, socket, [])) : Effect.void
  })
