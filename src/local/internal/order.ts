/**
 * The ids of runs in their order, and which of them have changed since when.
 *
 * A reader that asks again and again pays for what has changed, not for what is there.
 */

/** What can be read of it. */
export interface Order {
  /** Moves with each change of a run. */
  readonly version: () => number
  /** The last `most` ids that sort before `before`, the last one first. */
  readonly newest: (most: number, before?: string) => ReadonlyArray<string>
  /**
   * The runs that were added, changed or removed after a version; `undefined` where that was so many changes ago that
   * they are no longer known.
   */
  readonly changedSince: (version: number) => ReadonlySet<string> | undefined
}

/** @see Order */
export interface MutableOrder extends Order {
  readonly add: (id: string) => void
  readonly change: (id: string) => void
  readonly remove: (id: string) => void
}

/** How many changes are known, at least. */
const known = 1_000

/** An order of no runs. */
export const make = (): MutableOrder => {
  /** Sorted. Ids sort by the time at which their runs were accepted, so that most are added at the end. */
  const ids: Array<string> = []
  /** The last changes: the one at `index` has made the version `version - changes.length + index + 1`. */
  let changes: Array<string> = []
  let version = 0

  /** How many ids sort before this one. */
  const placeOf = (id: string): number => {
    let [from, to] = [0, ids.length]
    if (to > 0 && (ids[to - 1] ?? "") < id) return to
    while (from < to) {
      const middle = (from + to) >>> 1
      if ((ids[middle] ?? "") < id) from = middle + 1
      else to = middle
    }
    return from
  }

  const change = (id: string): void => {
    version += 1
    changes.push(id)
    if (changes.length >= 2 * known) changes = changes.slice(-known)
  }

  return {
    version: () => version,
    newest: (most, before) => {
      const end = before === undefined ? ids.length : placeOf(before)
      return ids.slice(Math.max(0, end - most), end).toReversed()
    },
    changedSince: (since) => {
      const count = version - since
      return count >= 0 && count <= changes.length ? new Set(changes.slice(changes.length - count)) : undefined
    },
    add: (id) => {
      ids.splice(placeOf(id), 0, id)
      change(id)
    },
    change,
    remove: (id) => {
      ids.splice(placeOf(id), 1)
      change(id)
    }
  }
}
