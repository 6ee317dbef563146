/** A map whose entries end by the clock, as keys with a time to live do in Redis. An ended entry is never seen again. */
import type { Clock } from '../../ports/clock.ts'

interface Entry<V> {
  readonly value: V
  readonly endsAtMs: number
}

const FIRST_SWEEP = 1_024

/** Ended entries are dropped when read, and all of them each time the map has doubled: memory stays bounded without a timer. */
export class ExpiringMap<V> {
  readonly #clock: Clock
  readonly #entries = new Map<string, Entry<V>>()
  #sweepAtSize = FIRST_SWEEP

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get(key: string): V | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    if (entry.endsAtMs > this.#clock.nowMs()) return entry.value
    this.#entries.delete(key)
    return undefined
  }

  set(key: string, value: V, ttlMs: number): void {
    this.#entries.set(key, { value, endsAtMs: this.#clock.nowMs() + ttlMs })
    if (this.#entries.size >= this.#sweepAtSize) this.#sweep()
  }

  delete(key: string): void {
    this.#entries.delete(key)
  }

  clear(): void {
    this.#entries.clear()
  }

  #sweep(): void {
    const nowMs = this.#clock.nowMs()
    for (const [key, entry] of this.#entries) if (entry.endsAtMs <= nowMs) this.#entries.delete(key)
    this.#sweepAtSize = Math.max(FIRST_SWEEP, this.#entries.size * 2)
  }
}
