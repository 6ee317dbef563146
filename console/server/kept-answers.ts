/**
 * Answers that cost something are made once for everybody who asks at the same time, and kept for a while: the dearer one was, the
 * longer, so that reading for the console never takes more than a fifth of what it reads from.
 */
import type { Clock } from '../../runtime/internal.ts'

/** How long and how many. */
export interface KeptOptions {
  readonly clock: Clock
  /** Cheap answers are kept for so long. @default 1000 */
  readonly leastMs?: number
  /** Sum of the weights that are kept; the oldest leave. @default 200 */
  readonly maxWeight?: number
}

interface Kept {
  readonly answer: Promise<unknown>
  readonly weight: number
  freshUntilMs: number
}

const COST_FACTOR = 4

/** See the file's head. */
export class KeptAnswers {
  readonly #options: KeptOptions
  readonly #kept = new Map<string, Kept>()

  constructor(options: KeptOptions) {
    this.#options = options
  }

  /** The answer under this key, made by `make` unless a fresh one is there. A failure is told to all who wait, and not kept. */
  async get<T>(key: string, make: () => Promise<T>, weigh: (answer: T) => number = () => 1): Promise<T> {
    const { clock, leastMs = 1_000 } = this.#options
    const found = this.#kept.get(key)
    if (found !== undefined && clock.nowMs() < found.freshUntilMs) return found.answer as Promise<T>
    const startedAtMs = clock.nowMs()
    const answer = make()
    this.#kept.delete(key)
    this.#kept.set(key, { answer, weight: 1, freshUntilMs: Infinity })
    try {
      const value = await answer
      const costMs = clock.nowMs() - startedAtMs
      const freshUntilMs = clock.nowMs() + Math.max(leastMs, costMs * COST_FACTOR)
      this.#kept.set(key, { answer, weight: weigh(value), freshUntilMs })
      this.#shrink()
      return value
    } catch (error) {
      this.#kept.delete(key)
      throw error
    }
  }

  /** What is kept under keys that begin so no longer counts: somebody changed it. */
  forget(prefix = ''): void {
    for (const key of this.#kept.keys()) if (key.startsWith(prefix)) this.#kept.delete(key)
  }

  #shrink(): void {
    const { maxWeight = 200 } = this.#options
    let weight = 0
    for (const kept of this.#kept.values()) weight += kept.weight
    for (const [key, kept] of this.#kept) {
      if (weight <= maxWeight || this.#kept.size === 1) return
      this.#kept.delete(key)
      weight -= kept.weight
    }
  }
}
