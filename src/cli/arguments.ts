/**
 * What stands on the command line, read. What can't be right is a usage error that says what was meant.
 *
 * Knows nothing of Effect: the help is shown without loading it.
 */
import { InvalidArgumentError } from "commander"
import { withoutSecrets } from "../internal/text.js"

// Commander takes its refusals as exceptions, in the functions that read a value.
const refuse = (message: string): never => {
  throw new InvalidArgumentError(message)
}

const units: ReadonlyArray<readonly [RegExp, number]> = [
  [/^(ms|milli(second)?s?)$/, 1],
  [/^(|s|secs?|seconds?)$/, 1000],
  [/^(m|mins?|minutes?)$/, 60_000],
  [/^(h|hours?)$/, 3_600_000],
  [/^(d|days?)$/, 86_400_000]
]

/** A positive duration in milliseconds: a bare number of seconds, as in Lume's own SDK, or a number with its unit. */
export const duration = (text: string): number => {
  const [, amount = "", unit = ""] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim()) ?? []
  const factor = units.find(([name]) => name.test(unit.toLowerCase()))?.[1]
  const millis = Number(amount) * (factor ?? Number.NaN)
  return amount !== "" && millis > 0 && Number.isFinite(millis)
    ? millis
    : refuse("It must be a positive number of seconds, or one with its unit: 90s, 10m, 1h, 2 minutes.")
}

/** A ratio from 0 to 1. */
export const ratio = (text: string): number => {
  const [, number = "", percent = ""] = /^(\d*\.?\d+(?:e-?\d+)?)(%?)$/i.exec(text.trim()) ?? []
  const value = number === "" ? Number.NaN : Number(number)
  if (percent === "" && value >= 0 && value <= 1) return value
  const meant = value >= 0 && value <= 100 ? ` Did you mean ${Number((value / 100).toPrecision(12))}?` : ""
  return refuse(`It must be a ratio from 0 to 1, such as 0.05 for 5%.${meant}`)
}

/** A port; 0 is any free one. */
export const port = (text: string): number =>
  /^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : refuse("It must be an integer from 0 to 65535.")

const spaceMeant = "It begins with =, as after a short option: write a space in its place."

/** A value that has not swallowed the next option. */
export const value = (text: string): string => {
  if (text === "") return refuse("It must not be empty.")
  if (text.startsWith("=")) return refuse(spaceMeant)
  return text.startsWith("-") ? refuse("It begins with a dash: is the value missing?") : text
}

/** A pair `key=value`, after those before it. The value may be empty. */
export const pair = (
  text: string,
  before: ReadonlyArray<readonly [string, string]> = []
): ReadonlyArray<readonly [string, string]> => {
  if (text.startsWith("=")) return refuse(spaceMeant)
  const [, key = "", value = ""] = /^([^=]+)=(.*)$/s.exec(text) ?? []
  if (key === "" || key.startsWith("-")) return refuse("It must be a pair: key=value.")
  if (before.some(([name]) => name === key)) return refuse(`The key ${key} is given twice.`)
  return [...before, [key, value]]
}

/** A run id, after those before it. The same id twice is one run. */
export const id = (text: string, before: ReadonlyArray<string> = []): ReadonlyArray<string> => {
  if (text.startsWith("-"))
    return refuse(`A run id does not begin with a dash. Did you mean ${text.replace(/^-+/, "")}?`)
  if (text.trim() === "") return refuse("A run id must not be empty.")
  return before.includes(text) ? before : [...before, text]
}

/** A URL of a webhook's handler. */
export const url = (text: string): string => {
  if (/^https?:\/\//i.test(text) && URL.canParse(text)) return text
  const meant = /^[\w.-]+(:\d+)?(\/|$)/.test(text) ? ` Did you mean http://${withoutSecrets(text)}?` : ""
  return refuse(`It must be an http or https URL.${meant}`)
}
