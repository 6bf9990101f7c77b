/**
 * `lume status`: one read of a run.
 */
import * as Effect from "effect/Effect"
import * as LumeClient from "../LumeClient.js"
import { execute } from "./command.js"
import * as environment from "./environment.js"
import { codeOfStatus } from "./judgement.js"
import * as signals from "./signals.js"

/** `lume status`. */
export const command = (id: string, json: boolean): Promise<void> =>
  execute(json, (out) =>
    LumeClient.runStatus(id).pipe(
      Effect.tap(out.run),
      Effect.map(codeOfStatus),
      Effect.provide(environment.layer),
      signals.orSignal
    )
  )
