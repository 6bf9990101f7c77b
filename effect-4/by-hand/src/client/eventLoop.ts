/**
 * Turns of the platform's event loop, before each submit.
 *
 * After work that has blocked the loop for longer than a server keeps connections, the next request goes out on one that
 * the server has closed: nothing arrives, and no answer says so. In these turns the HTTP client sees the close. It takes
 * two, because after an I/O callback the first comes before the loop looks at its sockets. This is no time that passes.
 * So under `TestClock`, which would not wait for it, there are none.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

// as it is now: a test that fakes timers later must not stop submits
const { setImmediate } = globalThis

const nextTurn: (task: () => void) => void =
  typeof setImmediate === "function"
    ? (task) => void setImmediate(task)
    : // oxlint-disable-next-line no-restricted-globals -- a turn, not time
      (task) => void setTimeout(task, 0)

/** Two turns: by then, everything has run that needs no real time. */
export const turns: Effect.Effect<void> = Effect.callback<void>((resume) => {
  nextTurn(() => nextTurn(() => resume(Effect.void)))
})

const liveClock = Context.get(Context.empty(), Clock.Clock)

/** Lets the event loop look at its sockets. */
export const lookAtSockets: Effect.Effect<void> = Clock.clockWith((clock) =>
  clock === liveClock ? turns : Effect.void
)
