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

/** Lume's word for a status, of any version, as a message shows it. */
export const statusWord = (status: string | null): string => oneLine(String(status), 80)

// Bidi_Control are the characters that change the direction of text.
const unseen = /[\p{Cc}\p{Cs}\p{Bidi_Control}\p{Zl}\p{Zp}]/gu

/** As JSON escapes it: each of its units, of which a character beyond U+FFFF has two. */
const writtenOut = (character: string): string =>
  character.replace(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)

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
  if (typeof name !== "string" || name === "Object" || name === "") return "an object"
  return `${/^[AEIO]/.test(name) ? "an" : "a"} ${oneLine(name, 40)}`
}

// what is not seen, or looks like a space and is none
const deceptive = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu

/** A text as JSON writes it, in at most 80 characters: what is wrong with it may be the white space around it. */
const quote = (text: string): string => {
  const shown = text.length > 80 ? `${text.slice(0, 79).replace(/\p{Cs}$/u, "")}…` : text
  return JSON.stringify(shown).replace(deceptive, writtenOut)
}

/** A value as a message shows it: leaves as JSON writes them, containers by their kind. */
export const preview = (value: unknown): string => {
  switch (typeof value) {
    case "string":
      return quote(value)
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
      return Object.is(value, -0) ? "-0" : String(value)
  }
}

/** What was thrown, in one line. */
export const thrown = (cause: unknown): string => (cause instanceof Error ? oneLine(cause.message) : preview(cause))
