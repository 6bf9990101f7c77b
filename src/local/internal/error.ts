/**
 * Why a local Lume can't start.
 */
import * as Data from "effect/Data"

/** A local Lume can't start. */
export class LocalLumeError extends Data.TaggedError("LocalLumeError")<{
  /** What is wrong, with what, and what to do. */
  readonly message: string
}> {}

/** Turns an error of the platform into a sentence. */
export const because = (explain: (why: string) => string) => (error: { readonly message: string }) =>
  new LocalLumeError({ message: explain(error.message) })
