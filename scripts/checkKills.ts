/**
 * `npm run check:kills`: kills a local Lume 50 times, and checks that nothing is lost. Takes a minute or two.
 */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { kills } from "../test/local/kills/kills.js"
import { main } from "./checks.js"

main((check) =>
  Effect.gen(function* () {
    const { crashed, resumed, runs } = yield* check(
      "a local Lume that is killed 50 times loses nothing",
      kills(50, "50")
    )
    yield* Console.log(`${runs} runs: kills met ${crashed} that went on, and ${resumed} that were waiting`)
    yield* check("kills met both", crashed > 0 && resumed > 0 ? Effect.void : Effect.fail("they did not: try again"))
  })
)
