/**
 * A request to be submitted: checked, and written as Lume's JSON.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as problem from "../internal/problem.js"
import { thrown } from "../internal/text.js"
import type { InvalidRequestError } from "../LumeError.js"
import * as RunRequest from "../RunRequest.js"
import { refuse } from "./refuse.js"

/** A checked request, and the same as Lume's JSON. */
export interface Submission {
  readonly request: RunRequest.RunRequest
  readonly json: string
}

const check = ParseResult.validateEither(Schema.typeSchema(RunRequest.RunRequest))
const encode = ParseResult.encodeEither(RunRequest.RunRequest)

const prepareEither = (input: RunRequest.Input): Either.Either<Submission, problem.Problem> => {
  // a copy, so that a getter throws here and not within the schema
  const given = typeof input === "object" && input !== null ? { ...input } : input
  return Either.mapLeft(
    Either.flatMap(check(given), (request) =>
      Either.map(encode(request), (encoded) => ({ request, json: JSON.stringify(encoded) }))
    ),
    (issue) => problem.fromIssue(issue, input)
  )
}

/** Checks what a caller gave, which can be anything at run time, a getter that throws included. */
export const prepare = (input: RunRequest.Input): Effect.Effect<Submission, InvalidRequestError> =>
  Either.match(
    Either.flatMap(
      Either.try({
        try: () => prepareEither(input),
        catch: (cause): problem.Problem => ({
          path: "",
          expected: "a plain object",
          received: `one that can't be read: ${thrown(cause)}`
        })
      }),
      (result) => result
    ),
    {
      onLeft: ({ expected, path, received }) =>
        refuse(`${path === "" ? "the request" : path} must be ${expected}, but is ${received}`),
      onRight: Effect.succeed
    }
  )
