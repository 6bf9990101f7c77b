/**
 * Text from outside, made fit for a terminal and a log: its control characters are shown, so that they can't drive one.
 *
 * Knows nothing of Effect: usage errors show what was given without loading it.
 */

// Bidi_Control are the characters that change the direction of text.
const unseen = /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/gu

const writtenOut = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`

/** Text in one line, with every control character written out. */
export const visible = (text: string): string => text.replace(unseen, writtenOut)
