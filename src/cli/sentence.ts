/**
 * The SDK's errors as the command's sentences: what they call by an option's name has another one here.
 */
import type { LumeError } from "../LumeError.js"

const names: Readonly<Record<string, string>> = {
  "LUME_API_KEY, or the apiKey option": "LUME_API_KEY",
  "the requestTimeout option": "LUME_REQUEST_TIMEOUT",
  apiKey: "LUME_API_KEY",
  baseUrl: "LUME_BASE_URL",
  flowVersion: "--flow-version",
  forceRerun: "--force-rerun",
  runMetadata: "--run-metadata",
  sourcePath: "--source-path"
}

const named = new RegExp(`\\b(${Object.keys(names).join("|")})\\b`, "g")

/** What happened, to what, and what to do. */
export const sentence = ({ message }: LumeError): string => message.replace(named, (name) => names[name] ?? name)
