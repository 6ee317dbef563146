/**
 * The timers of one partition by due time: two numbers each, nothing of what sleeps. Built by reading the partition; a pure data
 * structure that knows no clock.
 */

/** One timer: when it is due, and where its record lies. */
export interface DueEntry {
  readonly dueAtMs: number
  readonly offset: number
}

/** A binary heap over `dueAtMs`, and the set of offsets that are still to fire. */
export class DueIndex {
  readonly #heap: DueEntry[] = []
  readonly #live = new Set<number>()

  /** Timers that have not ended. */
  get size(): number {
    return this.#live.size
  }

  /** Earliest due time; undefined when nothing waits. */
  get firstDueMs(): number | undefined {
    for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
      if (this.#live.has(first.offset)) return first.dueAtMs
      this.#pop()
    }
    return undefined
  }

  /** Lowest offset that has not ended. Offsets are added in their order. */
  get lowestOffset(): number | undefined {
    const [lowest] = this.#live
    return lowest
  }

  /** A timer was read. */
  add(entry: DueEntry): void {
    this.#live.add(entry.offset)
    this.#push(entry)
  }

  /** The timer of this offset has ended. */
  end(offset: number): void {
    this.#live.delete(offset)
  }

  /** True until {@link end}. */
  has(offset: number): boolean {
    return this.#live.has(offset)
  }

  /** Takes at most `count` timers out of the order that are due by then. They stay live until they {@link end}. */
  takeDue(nowMs: number, count: number): readonly DueEntry[] {
    const due: DueEntry[] = []
    while (due.length < count && (this.firstDueMs ?? Infinity) <= nowMs) {
      const entry = this.#pop()
      if (entry !== undefined) due.push(entry)
    }
    return due
  }

  /** Puts back what could not be fired. */
  putBack(entries: readonly DueEntry[]): void {
    for (const entry of entries) if (this.#live.has(entry.offset)) this.#push(entry)
  }

  #push(entry: DueEntry): void {
    const heap = this.#heap
    let index = heap.length
    heap.push(entry)
    while (index > 0) {
      const parent = (index - 1) >> 1
      const above = heap[parent]
      if (above === undefined || above.dueAtMs <= entry.dueAtMs) break
      heap[index] = above
      index = parent
    }
    heap[index] = entry
  }

  #pop(): DueEntry | undefined {
    const heap = this.#heap
    const [first] = heap
    const last = heap.pop()
    if (first === undefined || last === undefined || heap.length === 0) return first
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      let below = heap[child]
      if (below === undefined) break
      const right = heap[child + 1]
      if (right !== undefined && right.dueAtMs < below.dueAtMs) {
        below = right
        child++
      }
      if (last.dueAtMs <= below.dueAtMs) break
      heap[index] = below
      index = child
    }
    heap[index] = last
    return first
  }
}
