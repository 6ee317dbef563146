/** Port of time: the only source of time and timers in the runtime, so that a simulation can own it. */

/** Cancels what it was returned for; calling it again or too late is harmless. */
export type Cancel = () => void

/** Real time, or the virtual time of a simulation. */
export interface Clock {
  /** Epoch milliseconds. Somebody may set this clock, forward or back: only for what is written down or agreed with others. */
  nowMs(): number
  /** Milliseconds of a clock that nobody sets: for how long something lasts. It may stand still while the machine sleeps. */
  steadyMs(): number
  /** Calls `callback` once after `delayMs`; never synchronously. */
  after(delayMs: number, callback: () => void): Cancel
  /** A number in [0, 1). */
  random(): number
}

/** Node fires a longer timer at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

function afterLong(delayMs: number, callback: () => void): Cancel {
  let cancel = systemClock.after(LONGEST_TIMER_MS, () => {
    cancel = systemClock.after(delayMs - LONGEST_TIMER_MS, callback)
  })
  return () => cancel()
}

/** The machine's own clock. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  steadyMs: () => performance.now(),
  after: (delayMs, callback) => {
    if (delayMs > LONGEST_TIMER_MS) return afterLong(delayMs, callback)
    const timer = setTimeout(callback, delayMs)
    return () => clearTimeout(timer)
  },
  random: () => Math.random(),
}

/** How long to wait for a promise at most. */
export interface SettledWithin {
  readonly clock?: Clock
  readonly withinMs?: number
  readonly signal?: AbortSignal
}

/** Resolves when the promise has settled, when the time is over, or when the signal aborts; leaves no timer and no listener. */
export function settledWithin(promise: Promise<unknown>, { clock, withinMs, signal }: SettledWithin): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) return resolve()
    let cancel: Cancel | undefined
    const finish = (): void => {
      cancel?.()
      signal?.removeEventListener('abort', finish)
      resolve()
    }
    if (clock !== undefined && withinMs !== undefined) cancel = clock.after(withinMs, finish)
    signal?.addEventListener('abort', finish, { once: true })
    promise.then(finish, finish)
  })
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
