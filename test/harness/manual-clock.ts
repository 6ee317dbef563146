/** Time that stands still until a test moves it. */
import type { Clock } from '../../runtime/ports/clock.ts'

/** A clock whose timers fire only in `advance`. */
export interface ManualClock extends Clock {
  /** Timers that have neither fired nor been cancelled. */
  readonly pending: number
  /** Moves time forward, firing what falls due in order; continuations of each timer run before the next one. */
  advance(ms: number): Promise<void>
  /** Time passes and no timer fires, as in a process that is stopped. */
  skip(ms: number): void
  /** Somebody sets the clock: no time passes. */
  set(byMs: number): void
}

/** Starts at 0; `random` answers 0.5 unless told otherwise. */
export function createManualClock(random: () => number = () => 0.5): ManualClock {
  let nowMs = 0
  let setByMs = 0
  const timers = new Set<{ readonly dueAtMs: number; readonly callback: () => void }>()
  return {
    random,
    nowMs: () => nowMs + setByMs,
    steadyMs: () => nowMs,
    after: (delayMs, callback) => {
      const timer = { dueAtMs: nowMs + delayMs, callback }
      timers.add(timer)
      return () => void timers.delete(timer)
    },
    get pending() {
      return timers.size
    },
    async advance(ms) {
      const endMs = nowMs + ms
      await turn()
      for (;;) {
        const [next] = [...timers].filter((timer) => timer.dueAtMs <= endMs).sort((a, b) => a.dueAtMs - b.dueAtMs)
        if (next === undefined) break
        timers.delete(next)
        nowMs = Math.max(nowMs, next.dueAtMs)
        next.callback()
        await turn()
      }
      nowMs = endMs
    },
    skip(ms) {
      nowMs += ms
    },
    set(byMs) {
      setByMs += byMs
    },
  }
}

/** Lets everything that is ready run. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
