/**
 * A run that produced data, in words and bars.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { LumeMetadata, LumeRun } from "effect-lume"
import { fileURLToPath } from "node:url"

const count = (value: number): string => value.toLocaleString("en")

const seconds = (duration: Duration.Duration): string => `${Duration.toSeconds(duration).toFixed(3)} s`

const line = (label: string, text: string): string => `  ${label.padEnd(13)}${text}`

const width = 32

const bar = (part: Duration.Duration, whole: Duration.Duration): string =>
  "█".repeat(Math.max(1, Math.round((width * Duration.toMillis(part)) / Duration.toMillis(whole))))

const stages = ({ duration, stages }: LumeMetadata.LumeMetadata["pipeline"]): ReadonlyArray<string> => {
  const stage = (label: string, time: Option.Option<Duration.Duration>) => {
    const taken = Option.getOrElse(time, () => Duration.zero)
    return line(label, `${bar(taken, duration).padEnd(width)} ${seconds(taken)}`)
  }
  return [
    stage("sync source", stages.syncSource),
    stage("transform", stages.transform),
    stage("sync target", stages.syncTarget)
  ]
}

const place = (uri: string): string => fileURLToPath(uri)

/** Describes what a run has done, if it produced data. */
export const describe = (run: LumeRun.Succeeded | LumeRun.PartialFailed) =>
  Effect.map(run.metadata, ({ pipeline, results, validation }) =>
    [
      line(
        "rows",
        `${count(results.inputRows)} in, ${count(results.mappedRows)} mapped, ${count(results.rejectedRows)} rejected`
      ),
      line("tests", `${count(validation.testsExecuted)} executed, ${count(validation.testsFailed)} failed`),
      ...stages(pipeline),
      ...validation.topErrors.map((error, index) =>
        line(index === 0 ? "top errors" : "", `${error.errorCode} in ${error.field}: ${count(error.count)}`)
      ),
      line("mapped", place(results.targetLocations.mapped)),
      line("rejects", Option.match(results.targetLocations.rejects, { onNone: () => "none", onSome: place }))
    ].join("\n")
  )
