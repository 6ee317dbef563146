/**
 * The sleeps of one attempt that are waiting now. Short ones wait in memory. When nothing but long ones is left, the attempt is
 * suspended: the rule is that no step which has begun is cut off by a sleep beside it.
 */
import type { Cancellation } from '../ports/cancellation.ts'
import type { Clock } from '../ports/clock.ts'
import { throwIfCancelled } from './run-tries.ts'

/** A sleep, and when it ends. */
export interface Slept {
  readonly name: string
  /** Epoch milliseconds. */
  readonly dueAtMs: number
}

export interface SleepersOptions {
  readonly clock: Clock
  /** Of the attempt: a suspended one is cancelled as `suspended`. */
  readonly cancellation: Cancellation
  /** Something runs that must not be cut off. */
  readonly isBusy: () => boolean
}

/** Suspending costs two records and a claim: waiting so long in memory costs less. */
const LONGEST_IN_MEMORY_MS = 5_000
/** A handler that goes on after a step beside a sleep calls the next one within this time. */
const SETTLE_MS = 20

interface Sleeper extends Slept {
  readonly isLong: boolean
  readonly stop: () => void
}

/** See the file's head. */
export class Sleepers {
  readonly #options: SleepersOptions
  readonly #waiting = new Set<Sleeper>()
  #first: Slept | undefined
  #isClosed = false

  constructor(options: SleepersOptions) {
    this.#options = options
  }

  /** Of the long sleeps the one that ends first, once the attempt has been suspended for it. */
  get first(): Slept | undefined {
    return this.#first
  }

  /** True for a time that is not waited for in memory. */
  isLong(dueAtMs: number): boolean {
    return dueAtMs - this.#options.clock.nowMs() > LONGEST_IN_MEMORY_MS
  }

  /** Resolves at its time; rejects when the attempt ends before, for whatever reason. */
  async wait(slept: Slept): Promise<void> {
    const { clock, cancellation } = this.#options
    const leftMs = slept.dueAtMs - clock.nowMs()
    throwIfCancelled(cancellation)
    if (leftMs <= 0) return
    await new Promise<void>((resolve) => {
      const end = (): void => {
        sleeper.stop()
        this.#waiting.delete(sleeper)
        resolve()
      }
      const stopTimer = clock.after(leftMs, end)
      const stopListening = cancellation.onCancel(end)
      const stop = (): void => {
        stopTimer()
        stopListening()
      }
      const sleeper: Sleeper = { ...slept, isLong: this.isLong(slept.dueAtMs), stop }
      this.#waiting.add(sleeper)
      this.look()
    })
    throwIfCancelled(cancellation)
    this.look()
  }

  /** Suspends the attempt soon if only long sleeps keep it. */
  look(): void {
    if (!this.#isIdle()) return
    this.#options.clock.after(SETTLE_MS, () => {
      if (!this.#isIdle()) return
      const [first] = [...this.#waiting].sort((a, b) => a.dueAtMs - b.dueAtMs)
      if (first === undefined) return
      this.#first = { name: first.name, dueAtMs: first.dueAtMs }
      this.#options.cancellation.cancel('suspended')
    })
  }

  /** Forgets them: nobody waits for their ends any more. */
  close(): void {
    this.#isClosed = true
    for (const { stop } of this.#waiting) stop()
    this.#waiting.clear()
  }

  #isIdle(): boolean {
    if (this.#isClosed || this.#waiting.size === 0 || this.#options.isBusy()) return false
    return [...this.#waiting].every(({ isLong }) => isLong)
  }
}
