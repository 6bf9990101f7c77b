/**
 * The script of every live page. While the page is visible it asks once a second for what has changed, and puts that in.
 *
 * It is JavaScript for browsers and sent as it stands; a test checks its types.
 */

/** The script. */
export const script = `"use strict"
{
  const page = document.documentElement
  const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id))
  const rowOf = (node) => /** @type {HTMLElement} */ (node)

  // -- Putting in what has changed: only what differs is touched, so that focus, scroll and selection stay.

  /** @type {Array<string>} */
  let outcomes = []

  const noteOutcome = (/** @type {HTMLElement} */ before, /** @type {HTMLElement} */ after) => {
    const { outcome } = after.dataset
    if (outcome !== undefined && before.dataset.outcome === undefined) outcomes.push(outcome)
  }

  const putAttributes = (/** @type {Element} */ old, /** @type {Element} */ next) => {
    for (const { name } of Array.from(old.attributes)) {
      // what a reader has opened stays open
      if (name !== "open" && !next.hasAttribute(name)) old.removeAttribute(name)
    }
    for (const { name, value } of Array.from(next.attributes)) {
      if (old.getAttribute(name) !== value) old.setAttribute(name, value)
    }
  }

  /** Rows by their ids: some that have changed, or all that are to be there. */
  const putRows = (/** @type {HTMLElement} */ old, /** @type {HTMLElement} */ next) => {
    const { oldest = "", rows } = next.dataset
    const newest = old.firstElementChild?.id ?? ""
    const known = new Map(Array.from(old.children, (row) => [row.id, rowOf(row)]))
    const given = new Set(Array.from(next.children, (row) => row.id))
    for (const row of Array.from(next.children, rowOf)) {
      const before = known.get(row.id)
      if (before !== undefined) {
        noteOutcome(before, row)
        put(before, row)
      } else {
        if (row.id > newest && row.dataset.outcome !== undefined) outcomes.push(row.dataset.outcome)
        old.insertBefore(row, Array.from(old.children).find(({ id }) => id < row.id) ?? null)
      }
    }
    for (const [id, row] of known) {
      const isGone = rows === "whole" ? !given.has(id) : id < oldest
      if (isGone && !row.contains(document.activeElement)) row.remove()
    }
  }

  const put = (/** @type {Node} */ old, /** @type {Node} */ next) => {
    if (old instanceof Text && next instanceof Text) {
      if (old.data !== next.data) old.data = next.data
    } else if (old instanceof Element && next instanceof Element && old.nodeName === next.nodeName) {
      putAttributes(old, next)
      if (old instanceof HTMLElement && next instanceof HTMLElement && next.dataset.rows !== undefined) {
        return putRows(old, next)
      }
      const olds = Array.from(old.childNodes)
      const nexts = Array.from(next.childNodes)
      nexts.forEach((child, index) => {
        const before = olds[index]
        if (before === undefined) old.appendChild(child)
        else put(before, child)
      })
      for (const child of olds.slice(nexts.length)) child.remove()
    } else {
      old.parentNode?.replaceChild(next, old)
    }
  }

  /** Keeps what is read in its place while rows come in above it. */
  const inPlace = (/** @type {() => void} */ change) => {
    const seen = scrollY === 0 ? undefined : Array.from(document.querySelectorAll("tbody tr")).find(
      (row) => row.getBoundingClientRect().bottom > 0
    )
    const before = seen?.getBoundingClientRect().top ?? 0
    change()
    if (seen?.isConnected) scrollBy(0, seen.getBoundingClientRect().top - before)
  }

  const announce = () => {
    if (outcomes.length > 0) {
      byId("announcements").textContent = outcomes.length > 3 ? outcomes.length + " runs have ended." : outcomes.join(" ")
    }
    outcomes = []
  }

  const merge = (/** @type {string} */ text) => {
    const answer = new DOMParser().parseFromString(text, "text/html")
    const main = document.querySelector("main")
    const next = answer.querySelector("main")
    if (main === null || next === null) return
    document.title = answer.title
    noteOutcome(main, next)
    inPlace(() => put(main, next))
    announce()
  }

  // -- Asking

  const ask = async () => {
    const response = await fetch(page.dataset.changes + encodeURIComponent(page.dataset.version ?? ""), {
      cache: "no-store",
      signal: AbortSignal.timeout(5000)
    })
    const version = response.headers.get("lume-page-version")
    if (!response.ok || version === null) throw new Error("This is no answer of the local Lume's page.")
    return { version, text: await response.text() }
  }

  const connected = () => {
    const notice = byId("connection")
    if (notice.dataset.lost !== undefined) {
      delete notice.dataset.lost
      notice.textContent = "Connected again"
    } else if (notice.textContent !== "") notice.textContent = ""
  }

  const disconnected = () => {
    const notice = byId("connection")
    if (notice.dataset.lost !== undefined) return
    notice.dataset.lost = new Date().toISOString()
    notice.textContent = "Not connected since " + notice.dataset.lost.slice(0, 19).replace("T", " ") + " UTC. It goes on by itself."
  }

  const took = (/** @type {number} */ seconds) =>
    seconds < 60
      ? seconds + " s"
      : seconds < 3600
        ? Math.floor(seconds / 60) + " min " + (seconds % 60) + " s"
        : Math.floor(seconds / 3600) + " h " + (Math.floor(seconds / 60) % 60) + " min"

  const countTime = () => {
    for (const place of Array.from(document.querySelectorAll("[data-since]"), rowOf)) {
      place.textContent = took(Math.max(0, Math.floor((Date.now() - Number(place.dataset.since)) / 1000)))
    }
  }

  const step = async () => {
    const answer = await ask().catch(() => undefined)
    if (answer === undefined) return disconnected()
    if (answer.text !== "") merge(answer.text)
    page.dataset.version = answer.version
    connected()
    countTime()
  }

  let isAsking = false
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let next

  const go = async () => {
    if (isAsking || document.hidden) return
    isAsking = true
    clearTimeout(next)
    try {
      await step()
    } finally {
      isAsking = false
      if (!document.hidden) next = setTimeout(go, 1000)
    }
  }

  document.addEventListener("visibilitychange", () => {
    clearTimeout(next)
    void go()
  })
  next = setTimeout(go, 1000)
}
`
