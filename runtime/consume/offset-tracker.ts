/**
 * Which offsets of one partition are finished. The rule: `base` (what is committed) is never above an unfinished record;
 * finished records above it are remembered and travel in the commit's metadata.
 */
import { LabanError } from '../../contracts/errors.ts'
import { emptyRanges, type OffsetRanges } from './offset-map.ts'

const UNSEEN = 0
const OPEN = 1
const FINISHED = 2

const INITIAL_SLOTS = 1_024
/** The ring holds one byte per offset between `base` and the highest registered one. */
export const MAX_SPAN = 4_194_304
/** From here on a partition takes nothing new. */
export const SPAN_STOPS_ACCEPTING = MAX_SPAN * 0.75

/** Tracks finished offsets from `base` on. Constant time per record. */
export class OffsetTracker {
  #base: number
  #next: number
  #ring = new Uint8Array(INITIAL_SLOTS)
  #mask = INITIAL_SLOTS - 1
  #finishedAbove = 0
  readonly #restored: OffsetRanges

  constructor(base: number, restored: OffsetRanges = emptyRanges) {
    this.#base = base
    this.#next = base
    this.#restored = restored
    this.#advance()
  }

  /** Lowest unfinished offset: the offset to commit. */
  get base(): number {
    return this.#base
  }

  /** Highest registered offset + 1. */
  get next(): number {
    return this.#next
  }

  /** Distance between the lowest unfinished and the highest registered offset. */
  get span(): number {
    return this.#next - this.#base
  }

  /** Offsets above `base` that are known to be finished, those that do not exist included. */
  get finishedAbove(): number {
    return this.#finishedAbove + this.#restored.countFrom(this.#base)
  }

  /** Whether the ring can hold everything up to this offset. With nothing open it begins anew behind any gap. */
  canReach(offset: number): boolean {
    return this.#base === this.#next || offset - this.#base < MAX_SPAN
  }

  /** True when a commit has to carry a map of finished offsets above `base`. */
  get hasFinishedAbove(): boolean {
    return this.#finishedAbove > 0 || this.#restored.end > this.#base
  }

  /** Registers a record. `false`: it is known already (open or finished) and must not be started again. */
  register(offset: number): boolean {
    if (offset < this.#base || this.#restored.has(offset)) {
      this.#extendTo(offset + 1)
      return false
    }
    this.#extendTo(offset + 1)
    const slot = offset & this.#mask
    if (this.#ring[slot] !== UNSEEN) return false
    this.#ring[slot] = OPEN
    return true
  }

  /** Marks a registered offset as finished. Finishing twice, or one below `base`, changes nothing. */
  finish(offset: number): void {
    if (offset < this.#base) return
    if (offset >= this.#next)
      throw new LabanError('LABAN_INVARIANT', { problem: `offset ${offset} finished before it was registered` })
    const slot = offset & this.#mask
    if (this.#ring[slot] === FINISHED) return
    this.#ring[slot] = FINISHED
    this.#finishedAbove++
    this.#advance()
  }

  /** Offsets in [from, to) do not exist (compaction, transaction markers, retention): they count as finished. */
  skip(from: number, to: number): void {
    const start = Math.max(from, this.#base)
    if (to <= start) return
    if (start === this.#base && this.#next === this.#base) {
      this.#base = to
      this.#next = to
      this.#advance()
      return
    }
    this.#extendTo(to)
    for (let offset = start; offset < to; offset++) {
      const slot = offset & this.#mask
      if (this.#ring[slot] !== UNSEEN) continue
      this.#ring[slot] = FINISHED
      this.#finishedAbove++
    }
    this.#advance()
  }

  /** Lengths of alternating runs from `base`: unfinished, finished, unfinished, …; the first `maxRuns` of them. */
  runs(maxRuns = Number.POSITIVE_INFINITY): number[] {
    const runs: number[] = []
    let finished = false
    let length = 0
    const end = Math.max(this.#next, this.#restored.end)
    for (let offset = this.#base; offset < end; offset++) {
      const isFinished = this.#isFinished(offset)
      if (isFinished === finished) {
        length++
        continue
      }
      runs.push(length)
      if (runs.length >= maxRuns) return runs
      finished = isFinished
      length = 1
    }
    if (finished) runs.push(length)
    return runs
  }

  #isFinished(offset: number): boolean {
    return (offset < this.#next && this.#ring[offset & this.#mask] === FINISHED) || this.#restored.has(offset)
  }

  #advance(): void {
    for (;;) {
      const slot = this.#base & this.#mask
      if (this.#base < this.#next && this.#ring[slot] === FINISHED) {
        this.#ring[slot] = UNSEEN
        this.#finishedAbove--
      } else if (!this.#restored.has(this.#base)) {
        return
      }
      this.#base++
      if (this.#next < this.#base) this.#next = this.#base
    }
  }

  #extendTo(next: number): void {
    if (next <= this.#next) return
    this.#next = next
    if (this.span > MAX_SPAN) {
      throw new LabanError('LABAN_INVARIANT', {
        problem: `offset span ${this.span} above ${MAX_SPAN}: backpressure did not hold`,
      })
    }
    if (this.span > this.#ring.length) this.#grow()
  }

  #grow(): void {
    let slots = this.#ring.length
    while (slots < this.span) slots *= 2
    const ring = new Uint8Array(slots)
    const end = Math.min(this.#next, this.#base + this.#ring.length)
    for (let offset = this.#base; offset < end; offset++)
      ring[offset & (slots - 1)] = this.#ring[offset & this.#mask] ?? UNSEEN
    this.#ring = ring
    this.#mask = slots - 1
  }
}
