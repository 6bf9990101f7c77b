/**
 * Text as a word of a shell's command line.
 */
export const word = (text: string): string =>
  /^[\w.:/@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
