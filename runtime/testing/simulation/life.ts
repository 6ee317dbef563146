/**
 * The life of one simulated process. While it is stalled (SIGSTOP) nothing of it runs, and everything that would have runs when it goes
 * on; once it is dead nothing of it ever runs again: its timers do not fire, its calls do not settle and have no effect.
 */
import type { Cancel, Clock } from '../../ports/clock.ts'
import type { Random } from './random.ts'
import type { VirtualTime } from './virtual-time.ts'

/** One per incarnation. */
export class Life {
  readonly name: string
  #state: 'running' | 'stalled' | 'dead' = 'running'
  #held: (() => void)[] = []
  readonly #onDeath: (() => void)[] = []
  /** How wrong its clock is. Its timers are not: those of Node run by another clock. */
  skewMs = 0

  constructor(name: string) {
    this.name = name
  }

  get isDead(): boolean {
    return this.#state === 'dead'
  }

  get isStalled(): boolean {
    return this.#state === 'stalled'
  }

  /** Runs something of the process: now, when it goes on, or never. */
  run(action: () => void): void {
    if (this.#state === 'running') action()
    else if (this.#state === 'stalled') this.#held.push(action)
  }

  /** Calls back once, synchronously, when the process dies. */
  onDeath(listener: () => void): void {
    this.#onDeath.push(listener)
  }

  die(): void {
    if (this.isDead) return
    this.#state = 'dead'
    this.#held = []
    for (const listener of this.#onDeath) listener()
  }

  stall(): void {
    if (this.#state === 'running') this.#state = 'stalled'
  }

  /** Ends a stall. */
  wake(): void {
    if (this.#state !== 'stalled') return
    this.#state = 'running'
    for (const action of this.#held.splice(0)) this.run(action)
  }
}

/** The clock of one process: virtual time, seen only while it runs. Its timers end with it. */
export function clockOf(life: Life, time: VirtualTime, random: Random): Clock {
  const pending = new Set<Cancel>()
  life.onDeath(() => {
    for (const cancel of pending) cancel()
    pending.clear()
  })
  return {
    nowMs: () => time.nowMs + life.skewMs,
    steadyMs: () => time.nowMs,
    random: () => random.next(),
    after: (delayMs, callback): Cancel => {
      let isCancelled = false
      const fire = (): void => {
        if (!isCancelled) callback()
      }
      const cancel = time.after(delayMs, () => {
        pending.delete(cancel)
        life.run(fire)
      })
      pending.add(cancel)
      return () => {
        isCancelled = true
        pending.delete(cancel)
        cancel()
      }
    },
  }
}
