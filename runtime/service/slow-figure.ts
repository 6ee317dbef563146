/** A figure that a server has to be asked for. The rule it keeps: whoever reads it waits shortly, and a server that is away leaves the old value. */
import { settledWithin, type Clock } from '../ports/clock.ts'

const KEPT_MS = 10_000
const LONGEST_WAIT_MS = 500

/** See the file's head. */
export class SlowFigure<T> {
  readonly #clock: Clock
  readonly #ask: () => Promise<T>
  #value: T
  #askedAtMs = Number.NEGATIVE_INFINITY
  #asking: Promise<void> | undefined

  constructor(clock: Clock, initial: T, ask: () => Promise<T>) {
    this.#clock = clock
    this.#value = initial
    this.#ask = ask
  }

  /** The value of the last 10 s, else a new one where that comes soon enough. */
  async read(): Promise<T> {
    if (this.#clock.steadyMs() - this.#askedAtMs >= KEPT_MS) this.#asking ??= this.#refresh()
    if (this.#asking !== undefined) await settledWithin(this.#asking, { clock: this.#clock, withinMs: LONGEST_WAIT_MS })
    return this.#value
  }

  async #refresh(): Promise<void> {
    try {
      this.#value = await this.#ask()
      this.#askedAtMs = this.#clock.steadyMs()
    } catch {
      // Told where the server is needed; here the old value is the best there is.
    } finally {
      this.#asking = undefined
    }
  }
}
