/** Real time that can be moved forward: a test of a ten-second time-out takes no ten seconds. */
import type { Clock } from '../../runtime/ports/clock.ts'

/** A clock that runs with the machine's, plus what was skipped. */
export interface SkippingClock extends Clock {
  /** Moves time forward; timers that are due by then fire soon, in the order of their times. */
  skip(ms: number): void
}

interface Timer {
  readonly dueAtMs: number
  readonly callback: () => void
  handle: NodeJS.Timeout
}

export function createSkippingClock(): SkippingClock {
  let skippedMs = 0
  const timers = new Set<Timer>()
  const nowMs = (): number => Date.now() + skippedMs
  const arm = (timer: Timer): NodeJS.Timeout => {
    const waitMs = Math.max(0, timer.dueAtMs - nowMs())
    return setTimeout(() => {
      timers.delete(timer)
      timer.callback()
    }, waitMs)
  }
  return {
    nowMs,
    steadyMs: nowMs,
    random: () => Math.random(),
    after: (delayMs, callback) => {
      const timer = { dueAtMs: nowMs() + delayMs, callback } as Timer
      timer.handle = arm(timer)
      timers.add(timer)
      return () => {
        timers.delete(timer)
        clearTimeout(timer.handle)
      }
    },
    skip: (ms) => {
      skippedMs += ms
      for (const timer of [...timers].toSorted((a, b) => a.dueAtMs - b.dueAtMs)) {
        clearTimeout(timer.handle)
        timer.handle = arm(timer)
      }
    },
  }
}
