/**
 * A Lume with one run, in a process of its own on loopback. `POST /begin/N` makes the run one that is `TRANSFORMING`
 * for N more reads, with full metadata, and then `SUCCEEDED`.
 */
import { createServer } from "node:http"
import { answer, runId } from "./fixtures.mjs"

const bodies = { going: Buffer.from(answer("TRANSFORMING")), ended: Buffer.from(answer("SUCCEEDED")) }
const headers = {
  going: { "content-type": "application/json", "content-length": bodies.going.length },
  ended: { "content-type": "application/json", "content-length": bodies.ended.length }
}
// what @azure/core-lro takes for the beginning of a long-running operation
const begun = (/** @type {string} */ host) => ({
  "content-length": 0,
  "operation-location": `http://${host}/runs/${runId}`
})
let left = 0

const server = createServer({ keepAlive: true, keepAliveTimeout: 600_000 }, (request, response) => {
  if (request.method === "POST") {
    left = Number(request.url?.split("/").at(-1))
    response.writeHead(202, begun(request.headers.host ?? "")).end()
    return
  }
  const state = left-- > 0 ? "going" : "ended"
  response.writeHead(200, headers[state]).end(bodies[state])
})

server.listen(0, "127.0.0.1", () => {
  const address = server.address()
  process.send?.(typeof address === "object" ? address?.port : undefined)
})
process.on("disconnect", () => process.exit())
