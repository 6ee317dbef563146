/**
 * Time of a test: it begins at a fixed moment, runs as fast as the machine's, and can be skipped to the next timer, so that a
 * backoff of half a minute takes no time. Randomness is a fixed sequence.
 */
import type { Clock } from '../ports/clock.ts'

/** A clock that can be skipped. */
export interface TestClock extends Clock {
  /** Moves time to the next timer and fires it soon; false when there is none. */
  skipToNext(): boolean
}

interface Timer {
  readonly dueAtMs: number
  readonly callback: () => void
  cancel: () => void
}

const BEGIN_MS = Date.UTC(2026, 0, 1)

/** Makes a clock that says 2026-01-01T00:00:00Z. */
export function createTestClock(): TestClock {
  const startedAt = performance.now()
  let skippedMs = 0
  let state = 1
  const timers = new Set<Timer>()
  const nowMs = (): number => BEGIN_MS + Math.floor(performance.now() - startedAt + skippedMs)
  const arm = (timer: Timer): void => {
    timer.cancel = later(timer.dueAtMs - nowMs(), () => {
      timers.delete(timer)
      timer.callback()
    })
  }
  return {
    nowMs,
    steadyMs: nowMs,
    after: (delayMs, callback) => {
      const timer: Timer = { dueAtMs: nowMs() + delayMs, callback, cancel: () => undefined }
      arm(timer)
      timers.add(timer)
      return () => {
        timers.delete(timer)
        timer.cancel()
      }
    },
    // A linear congruential generator with the constants of Numerical Recipes: enough for the jitter of a backoff.
    random: () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      return state / 2 ** 32
    },
    skipToNext: () => {
      const [next] = [...timers].sort((a, b) => a.dueAtMs - b.dueAtMs)
      if (next === undefined) return false
      skippedMs += Math.max(0, next.dueAtMs - nowMs())
      next.cancel()
      arm(next)
      return true
    },
  }
}

/** Node fires a longer timer at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

function later(waitMs: number, callback: () => void): () => void {
  if (waitMs <= 0) {
    const handle = setImmediate(callback)
    return () => clearImmediate(handle)
  }
  const handle = setTimeout(callback, Math.min(waitMs, LONGEST_TIMER_MS))
  return () => clearTimeout(handle)
}
