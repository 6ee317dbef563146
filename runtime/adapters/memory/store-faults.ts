/** Faults that tests and simulations ask a memory store for. Every call of the store passes through `run`. */
import { LabanError } from '../../../contracts/errors.ts'
import type { Clock } from '../../ports/clock.ts'

/** What can go wrong with a store, on request. */
export interface StoreFaults {
  /** From now on, and for so long by the clock, every call rejects and has no effect. 0 ends it. */
  unavailableFor(durationMs: number): void
  /** The next `count` calls take effect, but reject as if the connection had broken before the answer. */
  loseAnswers(count: number): void
  /** Forgets claims, joins and leases, as a store does that lost its memory; every agent's next call says LABAN_STORE_LOST. */
  wipe(): void
}

/** Keeps the faults in force and applies them to calls. */
export class FaultGate implements StoreFaults {
  readonly #clock: Clock
  readonly #forget: () => void
  #unavailableUntilMs = 0
  #answersToLose = 0

  constructor(clock: Clock, forget: () => void) {
    this.#clock = clock
    this.#forget = forget
  }

  unavailableFor(durationMs: number): void {
    this.#unavailableUntilMs = this.#clock.nowMs() + durationMs
  }

  loseAnswers(count: number): void {
    this.#answersToLose = count
  }

  wipe(): void {
    this.#forget()
  }

  /** Runs one call of the store; it settles in a later turn, as over a network. */
  async run<R>(call: () => R): Promise<R> {
    await Promise.resolve()
    if (this.#clock.nowMs() < this.#unavailableUntilMs) throw unavailable('made unavailable by a fault')
    const answer = call()
    if (this.#answersToLose > 0) {
      this.#answersToLose -= 1
      throw unavailable('the answer was lost by a fault')
    }
    return answer
  }
}

function unavailable(problem: string): LabanError {
  return new LabanError('LABAN_STORE_UNAVAILABLE', { url: 'memory', problem })
}
