/**
 * Compares as Node does, wherever a test compares deeply: chai takes a `Some` of Effect 3 for a `None`, because it compares
 * what both iterate over.
 */
import { isDeepStrictEqual } from "node:util"
import { chai } from "vitest"

chai.config.deepEqual = isDeepStrictEqual
