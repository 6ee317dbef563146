/** What happened in a run, line by line in order: two runs of one seed have the same trace, byte for byte. */
import { hash } from 'node:crypto'
import type { VirtualTime } from './virtual-time.ts'

/** One per run. */
export class Trace {
  readonly lines: string[] = []
  readonly #time: VirtualTime

  constructor(time: VirtualTime) {
    this.#time = time
  }

  /** Notes a happening with the milliseconds since the run began. */
  note(what: string): void {
    this.lines.push(`${this.#time.nowMs - this.#time.beganAtMs} ${what}`)
  }

  /** Names the whole trace. */
  get digest(): string {
    return hash('sha256', this.lines.join('\n'), 'hex').slice(0, 32)
  }
}
