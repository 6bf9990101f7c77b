/**
 * An answer as `transformClient` sees it: without the key, and so that what is read of it there can be read again.
 */
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Inspectable from "effect/Inspectable"

type Response = HttpClientResponse.HttpClientResponse

/** A text is kept and can be had again. Bytes are gone. */
type Kind = "text" | "bytes"

/** As what each of these reads the body. */
const readers: ReadonlyMap<PropertyKey, Kind> = new Map<PropertyKey, Kind>([
  ["text", "text"],
  ["json", "text"],
  ["urlParamsBody", "text"],
  ["arrayBuffer", "bytes"],
  ["formData", "bytes"],
  ["stream", "bytes"]
])

const read = new WeakMap<Response, Kind>()

/** As what `transformClient` has read the body of an answer; `undefined` if it has not. */
export const readAs = (response: Response): Kind | undefined => read.get(response)

/** An answer, and the request as it was given. */
class Answered {
  readonly response: Response
  readonly request: HttpClientRequest.HttpClientRequest

  constructor(response: Response, request: HttpClientRequest.HttpClientRequest) {
    this.response = response
    this.request = request
  }

  /** Node shows what is behind a proxy. */
  [Inspectable.NodeInspectSymbol](): unknown {
    return this.toJSON()
  }

  /** Nothing of the body, which the platform's own would begin to read, beyond every bound. */
  readonly toJSON = (): unknown => ({ request: this.request.toJSON(), status: this.response.status })
}

const handler: ProxyHandler<Answered> = {
  get: (answered, property, seen: Response): unknown => {
    if (property === "request" || property === "toJSON") return answered[property]
    const kind = readers.get(property)
    if (kind !== undefined && !read.has(seen)) read.set(seen, kind)
    return Reflect.get(answered.response, property)
  },
  has: ({ response }, property) => property in response
}

/** The answer to a request, as it is seen. */
export const make = (response: Response, request: HttpClientRequest.HttpClientRequest): Response =>
  // it has whatever the response has
  new Proxy(new Answered(response, request), handler) as unknown as Response
