/**
 * A client of a local Lume that may be gone at any time.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"

/** The server did not answer. */
export class Gone extends Data.TaggedError("Gone")<{}> {}

/** A run as it is answered. */
export interface Run {
  readonly id: string
  readonly status: string
  readonly run_metadata: unknown
  readonly metadata: { readonly errors?: ReadonlyArray<{ readonly error_code: string; readonly message: string }> }
}

interface Answer {
  readonly status: number
  readonly body: Run
}

/** A client. */
export interface Lume {
  readonly submit: (request: object) => Effect.Effect<Answer, Gone>
  readonly read: (id: string) => Effect.Effect<Answer, Gone>
}

export const make = (url: string, key: string): Lume => {
  const send = (place: string, init: RequestInit): Effect.Effect<Answer, Gone> =>
    Effect.tryPromise({
      try: async (signal) => {
        const response = await fetch(url + place, { ...init, headers: { "lume-api-key": key }, signal })
        return { status: response.status, body: (await response.json()) as Run }
      },
      catch: () => new Gone()
    })
  return {
    submit: (request) => send("/runs", { method: "POST", body: JSON.stringify(request) }),
    read: (id) => send(`/runs/${id}`, {})
  }
}
