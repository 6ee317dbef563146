/** Runs broker work in microtasks for speed, and lets the event loop turn after a budget of records: nobody is starved. */
import type { Clock } from '../../ports/clock.ts'

/** Does a piece of work and says how many records it moved. */
export type Work = () => number

/** Records moved before the event loop gets its turn. */
const RECORDS_PER_TURN = 2048

/** A first-in first-out schedule; each piece of work has a microtask of its own, so that what it woke runs in between. */
export class Turns {
  readonly #clock: Clock
  readonly #waiting: Work[] = []
  #budget = RECORDS_PER_TURN
  #running = false
  #refillAsked = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Runs `work` soon, never synchronously. It must not throw. */
  schedule(work: Work): void {
    this.#waiting.push(work)
    this.#run()
  }

  #run(): void {
    if (this.#running || this.#waiting.length === 0 || this.#budget <= 0) return
    this.#running = true
    // A promise costs less than `queueMicrotask`, which makes a resource of its own.
    void Promise.resolve().then(() => this.#runNext())
  }

  #runNext(): void {
    this.#running = false
    const work = this.#waiting.shift()
    if (work !== undefined) this.#budget -= Math.max(1, work())
    this.#askRefill()
    this.#run()
  }

  #askRefill(): void {
    if (this.#refillAsked) return
    this.#refillAsked = true
    this.#clock.after(0, () => {
      this.#refillAsked = false
      this.#budget = RECORDS_PER_TURN
      this.#run()
    })
  }
}
