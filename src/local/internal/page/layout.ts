/**
 * What every page has: its head, where the script announces, and what the browser may do with it.
 */
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { randomBytes } from "node:crypto"
import { html, type Html, verbatim } from "./html.js"
import { script } from "./script.js"
import { style } from "./style.js"

/** A page's content. */
export interface Content {
  readonly title: string
  /** The element that follows what changes: the script puts the next one in its place. */
  readonly main: Html
}

/** What the page is a picture of, and where to ask what has changed since. */
export interface Live {
  readonly version: string
  /** The URL of the changes, up to the version. */
  readonly changes: string
}

const icon =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect width='16' height='16' rx='4' fill='%233b5bdb'/%3E%3Cpath d='M3 5h4v2H3zm5 0h5v2H8zM3 9h7v2H3z' fill='%23fff'/%3E%3C/svg%3E"

/** Nothing is loaded from anywhere, and nothing runs or styles but what carries this answer's own nonce. */
const policy = (nonce: string): string =>
  [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src 'nonce-${nonce}'`,
    "connect-src 'self'",
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'"
  ].join("; ")

const headers = {
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin"
}

/** The header that carries the version of an answer. */
const versionHeader = "lume-page-version"

const answer = (content: Html, status: number, more: { readonly [name: string]: string }) =>
  HttpServerResponse.text(content.source, {
    status,
    contentType: "text/html; charset=utf-8",
    headers: { ...headers, ...more }
  })

/** A whole page; one that is not live never changes. */
export const page = ({ main, title }: Content, live: Live | undefined, status = 200) => {
  const nonce = randomBytes(16).toString("base64")
  const source = html`<!doctype html>
    <html lang="en" ${live && html` data-version="${live.version}" data-changes="${live.changes}"`}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title}</title>
        <link rel="icon" href="${verbatim(icon)}" />
        <style nonce="${nonce}">
          ${verbatim(style)}
        </style>
      </head>
      <body>
        <header>
          <a class="home" href="/">Lume <span>on this machine</span></a>
          <p id="connection" role="status"></p>
        </header>
        ${main}
        <p id="announcements" class="unseen" role="status"></p>
        ${
          live &&
          html`<script nonce="${nonce}">
            ${verbatim(script)}
          </script>`
        }
      </body>
    </html> `
  return answer(source, status, { "content-security-policy": policy(nonce) })
}

/** What has changed of a page: all of its content, or some of its rows. */
export const changes = ({ main, title }: Content, version: string) =>
  answer(html`<!doctype html><title>${title}</title>${main}`, 200, {
    "content-security-policy": policy("none"),
    [versionHeader]: version
  })

/** Nothing has changed of a page. */
export const unchanged = (version: string) => HttpServerResponse.empty({ headers: { [versionHeader]: version } })
