// Durable waits: prints what is exported, which takes all that they import.
import * as LumeWorkflow from "effect-lume/workflow/LumeWorkflow"
import * as PgRunEvents from "effect-lume/workflow/PgRunEvents"

console.log(typeof LumeWorkflow.runAndWait, typeof PgRunEvents.layer)
