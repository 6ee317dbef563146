/**
 * The time of a simulation: it stands still while anything runs and jumps to the next timer when nothing does. Timers of the same
 * instant fire in the order in which they were set, so one seed gives one schedule.
 */
import type { Cancel } from '../../ports/clock.ts'

interface Timer {
  dueAtMs: number
  /** Tells timers of one instant apart. */
  readonly number: number
  readonly isLong: boolean
  callback: (() => void) | undefined
}

/** A timer set for longer than this is waited for; shorter ones are the runtime's housekeeping. */
const LONG_MS = 60_000
const BEGIN_MS = Date.UTC(2026, 0, 1)

/** One per run. */
export class VirtualTime {
  readonly beganAtMs = BEGIN_MS
  #nowMs = BEGIN_MS
  #count = 0
  #heap: Timer[] = []

  /** Epoch ms, whole. */
  get nowMs(): number {
    return this.#nowMs
  }

  /** Timers that have fired. */
  fired = 0

  after(delayMs: number, callback: () => void): Cancel {
    const waitMs = Math.max(0, Math.ceil(delayMs))
    const timer: Timer = {
      dueAtMs: this.#nowMs + waitMs,
      number: this.#count++,
      isLong: waitMs > LONG_MS,
      callback,
    }
    push(this.#heap, timer)
    return () => (timer.callback = undefined)
  }

  /** Moves on to the next timer and fires it. False when there is none. */
  fireNext(): boolean {
    for (;;) {
      const timer = pop(this.#heap)
      if (timer === undefined) return false
      const { callback } = timer
      if (callback === undefined) continue
      timer.callback = undefined
      this.#nowMs = Math.max(this.#nowMs, timer.dueAtMs)
      this.fired++
      callback()
      return true
    }
  }

  /**
   * Skips the housekeeping until shortly before the next long timer: moves time forward and the short timers with it. Returns by how
   * much, 0 when no long timer is set. Only for a system in which nothing happened for longer than any short timer takes.
   */
  skipIdle(): number {
    const waiting = this.#heap.filter((timer) => timer.callback !== undefined)
    const nextMs = Math.min(...waiting.filter(({ isLong }) => isLong).map(({ dueAtMs }) => dueAtMs))
    if (nextMs === Infinity) return 0
    const skippedMs = Math.max(0, nextMs - LONG_MS - this.#nowMs)
    if (skippedMs === 0) return 0
    this.#nowMs += skippedMs
    for (const timer of waiting) if (!timer.isLong) timer.dueAtMs += skippedMs
    this.#heap = []
    for (const timer of waiting) push(this.#heap, timer)
    return skippedMs
  }

  /** Whether a long timer is set. */
  get hasLongTimer(): boolean {
    return this.#heap.some(({ isLong, callback }) => isLong && callback !== undefined)
  }
}

function isBefore(left: Timer, right: Timer): boolean {
  return left.dueAtMs < right.dueAtMs || (left.dueAtMs === right.dueAtMs && left.number < right.number)
}

function push(heap: Timer[], timer: Timer): void {
  let index = heap.length
  heap.push(timer)
  while (index > 0) {
    const parent = (index - 1) >> 1
    const above = heap[parent]
    if (above === undefined || !isBefore(timer, above)) break
    heap[index] = above
    index = parent
  }
  heap[index] = timer
}

function pop(heap: Timer[]): Timer | undefined {
  const [first] = heap
  const last = heap.pop()
  if (first === undefined || last === undefined || first === last) return first
  let index = 0
  for (;;) {
    let child = 2 * index + 1
    let below = heap[child]
    if (below === undefined) break
    const right = heap[child + 1]
    if (right !== undefined && isBefore(right, below)) {
      below = right
      child++
    }
    if (!isBefore(below, last)) break
    heap[index] = below
    index = child
  }
  heap[index] = last
  return first
}
