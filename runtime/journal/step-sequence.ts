/**
 * The order in which one attempt calls its steps, compared with the recorded one. A step is known by its name; order only tells
 * whether the code has changed, and only where it could not differ by itself: steps that run at the same time may overtake each other.
 */
import type { JournalEntry } from './entry-format.ts'

/** Where a step stands among those of its attempt. */
export interface StepPlace {
  readonly order: number
  readonly open: readonly string[]
  readonly besides: boolean
}

/** See the file's head. One per attempt. */
export class StepSequence {
  readonly #called = new Set<string>()
  readonly #open = new Set<string>()
  #running = 0

  /** Names in the order of their calls. */
  get called(): readonly string[] {
    return [...this.#called]
  }

  /** Steps whose call has not settled. */
  get runningCount(): number {
    return this.#running
  }

  has(name: string): boolean {
    return this.#called.has(name)
  }

  /** A step is called now. */
  begin(name: string): StepPlace {
    const place = { order: this.#called.size + 1, open: [...this.#open], besides: this.#running > 0 }
    this.#called.add(name)
    this.#open.add(name)
    this.#running++
    return place
  }

  /** Its call has settled. */
  end(name: string, hasResult: boolean): void {
    this.#running--
    if (hasResult) this.#open.delete(name)
  }

  /**
   * True when a step without a record cannot stand here: one is recorded that has not been called yet, although it was called when
   * nothing else ran, and not after this one.
   */
  contradicts(name: string, recorded: Iterable<JournalEntry>): boolean {
    for (const entry of recorded) {
      if (!this.#called.has(entry.name) && !entry.besides && !entry.open.includes(name)) return true
    }
    return false
  }

  /** Recorded steps that the attempt has not called. */
  missing(recorded: Iterable<JournalEntry>): readonly string[] {
    return [...recorded].filter(({ name }) => !this.#called.has(name)).map(({ name }) => name)
  }
}

/** Names in their recorded order. */
export function recordedSequence(recorded: Iterable<JournalEntry>): readonly string[] {
  return [...recorded].sort((a, b) => a.order - b.order).map(({ name }) => name)
}
