/**
 * The refusal of what a caller gave, before anything is sent.
 */
import * as Effect from "effect/Effect"
import { InvalidRequestError } from "../LumeError.js"

/** Fails, saying what must be given and what was. */
export const refuse = (detail: string): Effect.Effect<never, InvalidRequestError> =>
  Effect.fail(new InvalidRequestError({ detail }))
