/**
 * The SDK's errors as the command's sentences: what they call by an option's name has another one here. Only the SDK's
 * own words are changed, never a value that is quoted in them.
 */
import type { LumeError } from "../LumeError.js"

/** What the SDK says of its options. */
const phrases = [
  ["Check LUME_API_KEY, or the apiKey option.", "Check LUME_API_KEY."],
  ["set LUME_API_KEY or the apiKey option", "set LUME_API_KEY"],
  ["raise the requestTimeout option.", "raise LUME_REQUEST_TIMEOUT."],
  ["set baseUrl to where Lume really is.", "set LUME_BASE_URL to where Lume really is."],
  ["Submit with forceRerun only if", "Submit with --force-rerun only if"],
  ["wait for its webhook, matching runMetadata:", "wait for its webhook, matching --run-metadata:"],
  ["The metadata as it came is in rawMetadata;", "With --json you see the metadata as it came;"]
] as const

const names: Readonly<Record<string, string>> = {
  apiKey: "LUME_API_KEY",
  baseUrl: "LUME_BASE_URL",
  flowVersion: "--flow-version",
  forceRerun: "--force-rerun",
  requestTimeout: "LUME_REQUEST_TIMEOUT",
  runMetadata: "--run-metadata",
  sourcePath: "--source-path"
}

/** Of a request that can't be right, which begins with what is wrong. */
const subject = new RegExp(`^(Nothing was sent to Lume: )(${Object.keys(names).join("|")})\\b`)

/** What happened, to what, and what to do. */
export const sentence = ({ message }: LumeError): string =>
  phrases
    .reduce((text, [theirs, ours]) => text.replaceAll(theirs, ours), message)
    .replace(subject, (_, before: string, name: string) => before + (names[name] ?? name))
