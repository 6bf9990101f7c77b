/**
 * A small Lume behind faults, in a process of its own: a fifth of all requests meets one.
 *
 * A run's source path says how it ends, how long it takes, and whether its submit is answered: `SUCCEEDED/1500/answered/17`.
 * Who reads a `hurried` one is never asked to come back later than at once.
 * The process tells its parent its port, and on being asked, what was submitted how often.
 */
import { readFileSync } from "node:fs"
import { createServer } from "node:http"

const runs = new Map()
const submitted = new Map()

const example = JSON.parse(readFileSync(new URL("../support/metadata.json", import.meta.url), "utf8"))

const metadata = (id, sourcePath, status) => ({
  ...example,
  run: { run_id: id, flow_version: "soak:v1", source_path: sourcePath, status }
})

const submit = (body) => {
  const { source_path: sourcePath } = JSON.parse(body)
  submitted.set(sourcePath, (submitted.get(sourcePath) ?? 0) + 1)
  const [status, millis] = sourcePath.split("/")
  const id = `run_${runs.size}`
  runs.set(id, { sourcePath, status, endsAt: performance.now() + Number(millis) })
  return [201, { id, status: "CREATED", metadata: {} }]
}

const read = (id) => {
  const run = runs.get(id)
  if (run === undefined) return [404, { detail: "Run not found" }]
  return performance.now() < run.endsAt
    ? [200, { id, status: "TRANSFORMING", metadata: {} }]
    : [200, { id, status: run.status, metadata: metadata(id, run.sourcePath, run.status) }]
}

const send = (response, status, text, headers = {}) => {
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(text),
    ...headers
  })
  response.end(text)
}

/** An answer that begins, and never ends. */
const unending = (response, [status, text]) => {
  response.writeHead(status, { "content-length": Buffer.byteLength(text) })
  response.write(text.slice(0, 5))
}

/** What can become of an answer. Each is given the answer that would have been right. */
const faults = [
  (response) => response.socket?.destroy(),
  unending,
  (response, [status, text]) => {
    response.writeHead(status, { "content-length": Buffer.byteLength(text) })
    response.write(text.slice(0, 5), () => response.destroy())
  },
  (response) => send(response, 500, '{"detail": "Internal Server Error"}'),
  (response) => send(response, 502, "<title>502 Bad Gateway</title>", { "content-type": "text/html" }),
  (response) => send(response, 200, "<title>Sign in</title>", { "content-type": "text/html" }),
  (response, [status, text]) => void setTimeout(() => send(response, status, text), 300)
]

/** Whether a read is of a run that is read as often as can be. */
const isHurried = (request) => runs.get(request.url.slice("/runs/".length))?.sourcePath.includes("/hurried/") === true

const answer = (request, response, body) => {
  const fault = Math.random() < 0.2 ? Math.floor(Math.random() * (faults.length + 1)) : undefined
  // Who asks to come back later has taken nothing; behind every other fault, the request has arrived.
  if (fault === faults.length)
    return send(response, 429, '{"detail": "slow down"}', { "retry-after": isHurried(request) ? "0" : "1" })
  const [status, json] = request.method === "POST" ? submit(body) : read(request.url.slice("/runs/".length))
  const right = [status, JSON.stringify(json)]
  // Whether the answer to a submit never ends is for the source path to say: who submits waits for all others.
  if (request.method === "POST" && JSON.parse(body).source_path.includes("/unanswered/"))
    return unending(response, right)
  const become = request.method === "POST" && faults[fault] === unending ? undefined : faults[fault]
  return become === undefined ? send(response, ...right) : become(response, right)
}

const server = createServer((request, response) => {
  const chunks = []
  request.on("data", (chunk) => chunks.push(chunk))
  request.on("end", () => answer(request, response, Buffer.concat(chunks).toString()))
})

server.listen(0, "127.0.0.1", () => process.send({ port: server.address().port }))
process.on("message", () => process.send({ submitted: [...submitted.values()] }))
process.on("disconnect", () => process.exit())
