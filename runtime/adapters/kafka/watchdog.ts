/**
 * Notices a consumer that has stopped without saying so: kafkajs can hang in a promise that never settles, and then neither
 * fetches nor heartbeats. Joining may take as long as the slowest member of the group is given.
 */
import type { Cancel, Clock } from '../../ports/clock.ts'

/** How long silence may last. */
export interface WatchdogLimits {
  readonly silentMs: number
  /** While joining. */
  readonly joiningMs: number
}

/** Calls back once when there was no sign of life for too long; it watches from its making to `stop`. */
export class Watchdog {
  readonly #clock: Clock
  readonly #limits: WatchdogLimits
  readonly #onSilence: (silentMs: number) => void
  #lastSignAtMs: number
  #isJoining = true
  #cancel: Cancel = () => undefined

  constructor(clock: Clock, limits: WatchdogLimits, onSilence: (silentMs: number) => void) {
    this.#clock = clock
    this.#limits = limits
    this.#onSilence = onSilence
    this.#lastSignAtMs = clock.nowMs()
    this.#schedule()
  }

  /** A sign of life. */
  sign(): void {
    this.#lastSignAtMs = this.#clock.nowMs()
  }

  joining(isJoining: boolean): void {
    this.#isJoining = isJoining
    this.sign()
  }

  stop(): void {
    this.#cancel()
  }

  #schedule(): void {
    this.#cancel = this.#clock.after(this.#limits.silentMs / 4, () => {
      const silentMs = this.#clock.nowMs() - this.#lastSignAtMs
      if (silentMs <= (this.#isJoining ? this.#limits.joiningMs : this.#limits.silentMs)) return this.#schedule()
      this.#onSilence(silentMs)
    })
  }
}
