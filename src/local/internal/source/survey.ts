/**
 * A quick look at all bytes of a CSV or TSV file, by what finds single bytes fastest: whether its lines end in one
 * simple way, and how many records it can have at most.
 */

const lf = 0x0a
const cr = 0x0d

/** A look that goes on from chunk to chunk. */
export class Survey {
  /** Whether the first line is empty. */
  beginsEmpty = false
  /** Whether some line ends with the delimiter, or the text does: DuckDB overlooks one field too many where it is empty. */
  endsWithDelimiter = false
  private readonly delimiter: number
  /** How many line feeds there are, how many of them after a CR, how many CRs, and how many lines without a character. */
  private lineFeeds = 0
  private pairs = 0
  private carriages = 0
  private empty = 0
  private isFirst = true
  /** The last two bytes before the chunk; at first as if after a line. */
  private last: readonly [number, number] = [lf, lf]

  constructor(delimiter: string) {
    this.delimiter = delimiter.charCodeAt(0)
  }

  push(chunk: Buffer): void {
    if (this.isFirst) this.beginsEmpty = chunk[0] === lf || chunk[0] === cr
    this.isFirst = false
    const before = (at: number): number => chunk[at] ?? this.last[at + 2] ?? lf
    for (let at = chunk.indexOf(lf); at >= 0; at = chunk.indexOf(lf, at + 1)) {
      this.lineFeeds++
      let end = before(at - 1)
      if (end === cr) {
        this.pairs++
        end = before(at - 2)
      }
      if (end === this.delimiter) this.endsWithDelimiter = true
      else if (end === lf) this.empty++
    }
    for (let at = chunk.indexOf(cr); at >= 0; at = chunk.indexOf(cr, at + 1)) this.carriages++
    this.last = [before(chunk.length - 2), before(chunk.length - 1)]
  }

  /** Tells that the text is at its end. */
  end(): void {
    if (this.last[1] === this.delimiter) this.endsWithDelimiter = true
  }

  /** The line end of all lines, also of those inside of quotes; undefined where there are several, or CRs alone. */
  get lineEnd(): "\n" | "\r\n" | undefined {
    if (this.carriages === 0) return "\n"
    return this.carriages === this.pairs && this.lineFeeds === this.pairs ? "\r\n" : undefined
  }

  /** The records that there are if no line feed stands inside of quotes; the header is one. */
  records(width: number): number {
    const lines = this.lineFeeds + (this.last[1] === lf ? 0 : 1)
    return width === 1 ? lines : lines - this.empty
  }
}
