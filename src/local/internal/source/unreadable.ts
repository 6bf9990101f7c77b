/**
 * Why a source can't be read.
 */
import * as Data from "effect/Data"

/** A source is not what its name, or its flow, says that it is. */
export class Unreadable extends Data.TaggedError("Unreadable")<{
  /**
   * What was found, where, and what to do, as whole sentences that follow "The source … can't be read: ". No value of
   * the source is in it.
   */
  readonly why: string
}> {}
