/**
 * The lines of a page of documentation by which packages are installed.
 */

/** A package as it is named on such a line, with its version or range, where one is given. */
export interface NamedPackage {
  readonly name: string
  readonly version: string | undefined
}

/** A package as it is written on such a line. */
export const written = ({ name, version }: NamedPackage): string =>
  version === undefined ? name : `${name}@${version}`

/** Such a line: `npm install -D vitest@3`. */
export interface InstallLine {
  readonly text: string
  /** The options, as they stand there. */
  readonly options: ReadonlyArray<string>
  readonly packages: ReadonlyArray<NamedPackage>
  /** The major version of Effect that it is for, where its comment says so. */
  readonly effect: string | undefined
}

/** At the beginning of a line or of a code span, so that sentences about installing are no such lines. */
const line =
  /(?:^|`)(?:\$ )?((?:npm (?:install|i|add)|(?:pnpm|yarn|bun|deno) add)((?: +[@\w./:^~>=<*-]+)+))(?: +# Effect (\d))?/gm

const namedPackage = (word: string): NamedPackage => {
  const at = word.indexOf("@", 1)
  return at < 0 ? { name: word, version: undefined } : { name: word.slice(0, at), version: word.slice(at + 1) }
}

/** The install lines of a page, in order. */
export const installLines = (page: string): ReadonlyArray<InstallLine> =>
  Array.from(page.matchAll(line), ([, text = "", rest = "", effect]) => {
    const words = rest.trim().split(/ +/)
    return {
      text,
      options: words.filter((word) => word.startsWith("-")),
      packages: words.filter((word) => !word.startsWith("-")).map(namedPackage),
      effect
    }
  })
