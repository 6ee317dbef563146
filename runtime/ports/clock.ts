/** Port of time: the only source of time and timers in the runtime, so that a simulation can own it. */

/** Cancels what it was returned for; calling it again or too late is harmless. */
export type Cancel = () => void

/** Real time, or the virtual time of a simulation. */
export interface Clock {
  /** Epoch milliseconds. */
  nowMs(): number
  /** Calls `callback` once after `delayMs`; never synchronously. */
  after(delayMs: number, callback: () => void): Cancel
  /** A number in [0, 1). */
  random(): number
}

/** The machine's own clock. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs)
    return () => clearTimeout(timer)
  },
  random: () => Math.random(),
}

/** Resolves after `delayMs`, or at once when the signal aborts; it never rejects. */
export function delay(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) return resolve()
    const finish = (): void => {
      cancel()
      signal?.removeEventListener('abort', finish)
      resolve()
    }
    const cancel = clock.after(delayMs, finish)
    signal?.addEventListener('abort', finish, { once: true })
  })
}
