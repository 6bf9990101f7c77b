/** A server in a process of its own, which closes every connection 200 ms after an answer and tells how many it got. */
import { createServer } from "node:http"

const server = createServer((request, response) => {
  process.send?.("received")
  request.resume()
  request.on("end", () => {
    response.setHeader("content-type", "application/json")
    response.setHeader("keep-alive", "timeout=60")
    response.end(JSON.stringify({ id: "run_1", status: "CREATED" }), () => {
      setTimeout(() => request.socket.destroy(), 200)
    })
  })
})
server.keepAliveTimeout = 60_000
server.listen(0, "127.0.0.1", () => process.send?.(server.address()?.port))
process.on("disconnect", () => process.exit())
