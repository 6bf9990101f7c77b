/**
 * Text from outside, made fit for a message: one line, bounded, its control characters left out or written out.
 */

const length = 200

// Half a surrogate pair, which a cut can leave, would make the message unfit for UTF-8.
const half = /\p{Cs}/gu
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\s]+/gu

/** One line of at most 200 characters. */
export const oneLine = (text: string, limit: number = length): string => {
  const line = text
    .slice(0, limit * 4)
    .replace(unprintable, " ")
    .trim()
  return line.length > limit || text.length > limit * 4 ? `${line.slice(0, limit - 1).replace(half, "")}…` : line
}

// Bidi_Control are the characters that change the direction of text.
const unseen = /[\p{Cc}\p{Cs}\p{Bidi_Control}\p{Zl}\p{Zp}]/gu

const writtenOut = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`

/** Text in one line, with every control character written out. JSON stays the same JSON. */
export const visible = (text: string): string => text.replace(unseen, writtenOut)

const hasCredentials = ({ password, username }: URL): boolean => password + username !== ""

const isWithoutCredentials = (text: string): boolean =>
  /^https?:\/\//i.test(text) && URL.canParse(text) && !hasCredentials(new URL(text))

/**
 * A URL as it may be shown: without what may be secret in it, which is name and password, query and fragment. Of text
 * that is no URL, all that is before its last @ may be a password.
 */
export const withoutSecrets = (url: string): string => {
  const shown = isWithoutCredentials(url) ? url : url.replace(/^([a-z][a-z\d+.-]*:\/\/)?.*@/is, "$1…@")
  return shown.replace(/([?#]).+$/s, "$1…")
}

const nameOf = (value: object): string => {
  const name: unknown = value.constructor?.name
  return typeof name === "string" && name !== "Object" && name !== "" ? `a ${oneLine(name, 40)}` : "an object"
}

/** A value as a message shows it: leaves as JSON writes them, containers by their kind. */
export const preview = (value: unknown): string => {
  switch (typeof value) {
    case "string":
      return JSON.stringify(oneLine(value, 80))
    case "object":
      return value === null ? "null" : Array.isArray(value) ? `an array of ${value.length}` : nameOf(value)
    case "undefined":
      return "nothing"
    case "bigint":
      return `the bigint ${value}`
    case "function":
    case "symbol":
      return `a ${typeof value}`
    default:
      return String(value)
  }
}
