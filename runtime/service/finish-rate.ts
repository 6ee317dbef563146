/** How many events an agent finishes per second, from counts noted whenever somebody asks: nothing runs in between. */
import type { Clock } from '../ports/clock.ts'

const WINDOW_MS = 60_000
/** A shorter look back says too little. */
const LEAST_MS = 5_000

/** See the file's head. */
export class FinishRate {
  readonly #clock: Clock
  readonly #count: () => number
  readonly #notes: { readonly atMs: number; readonly count: number }[] = []

  constructor(clock: Clock, count: () => number) {
    this.#clock = clock
    this.#count = count
    this.#note()
  }

  /** Per second, over the last minute or since the beginning; undefined during the first seconds. */
  read(): number | undefined {
    const now = { atMs: this.#clock.steadyMs(), count: this.#count() }
    // The first note that is kept is the last one before the window.
    while ((this.#notes[1]?.atMs ?? now.atMs) <= now.atMs - WINDOW_MS) this.#notes.shift()
    const [first] = this.#notes
    if (now.atMs - (this.#notes.at(-1)?.atMs ?? 0) >= LEAST_MS) this.#notes.push(now)
    if (first === undefined || now.atMs - first.atMs < LEAST_MS) return undefined
    return ((now.count - first.count) * 1_000) / (now.atMs - first.atMs)
  }

  #note(): void {
    this.#notes.push({ atMs: this.#clock.steadyMs(), count: this.#count() })
  }
}
