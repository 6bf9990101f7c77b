/**
 * Turns of the platform's event loop, before each submit.
 *
 * After work that has blocked the loop for longer than a server keeps connections, the next request goes out on one that
 * the server has closed: nothing arrives, and no answer says so. In these turns the HTTP client sees the close. It takes
 * two, because after an I/O callback the first comes before the loop looks at its sockets. This is no time that passes:
 * under `TestClock`, nobody would let it pass.
 */
import * as Effect from "effect/Effect"

// as it is now: a test that fakes timers later must not stop submits
const { setImmediate } = globalThis

const nextTurn: (task: () => void) => void =
  typeof setImmediate === "function"
    ? (task) => void setImmediate(task)
    : // oxlint-disable-next-line no-restricted-globals -- a turn, not time
      (task) => void setTimeout(task, 0)

/** Two turns: by then, everything has run that needs no real time. */
export const turns: Effect.Effect<void> = Effect.async<void>((resume) => {
  nextTurn(() => nextTurn(() => resume(Effect.void)))
})

/** Lets the event loop look at its sockets. */
export const lookAtSockets: Effect.Effect<void> = turns
