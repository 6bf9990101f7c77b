/**
 * What a local Lume refuses: FastAPI's bodies, and the error that stands for each status.
 */
import * as Data from "effect/Data"
import * as Schema from "effect/Schema"

/** FastAPI's body of a refusal: a sentence. */
export const Refusal = Schema.Struct({
  detail: Schema.String.annotations({ description: "What is wrong." })
}).annotations({ identifier: "Refusal" })

/** FastAPI's body of a refused request: what is wrong, and where. */
export const Problems = Schema.Struct({
  detail: Schema.NonEmptyArray(
    Schema.Struct({
      loc: Schema.Array(Schema.String).annotations({ description: "Where, such as body, source_path." }),
      msg: Schema.String.annotations({ description: "What is wrong there." }),
      type: Schema.String.annotations({ description: "A code for programs." })
    })
  ).annotations({ description: "What is wrong with the request." })
}).annotations({ identifier: "Problems" })

/** 401. */
export class Unauthorized extends Data.TaggedError("Unauthorized")<typeof Refusal.Type> {}
/** 404. */
export class NotFound extends Data.TaggedError("NotFound")<typeof Refusal.Type> {}
/** 409. */
export class AlreadyProcessed extends Data.TaggedError("AlreadyProcessed")<typeof Refusal.Type> {}
/** 413. */
export class TooLarge extends Data.TaggedError("TooLarge")<typeof Refusal.Type> {}
/** 422. */
export class Unprocessable extends Data.TaggedError("Unprocessable")<typeof Problems.Type> {}
/** 429. */
export class TooMany extends Data.TaggedError("TooMany")<typeof Refusal.Type> {}
/** 503. */
export class Unavailable extends Data.TaggedError("Unavailable")<typeof Refusal.Type> {}
